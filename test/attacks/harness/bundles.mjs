/** Bundles of the sources with an attack inside: the bare realm's script, the child's script, and the host's part of the runtime. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "./processes.mjs";

const common = {
  absWorkingDir: root,
  bundle: true,
  target: "es2024",
  logLevel: "warning",
  external: ["node:*"],
};

async function text(options) {
  const { outputFiles } = await build({ ...common, format: "iife", write: false, ...options });
  return outputFiles[0].text;
}

/** The script of a realm in which `attack` runs instead of an engine. @param entry `realm-entry.ts` or `leaky-entry.ts` */
export async function realmScript(attack, entry) {
  const code = await text({
    entryPoints: [join(import.meta.dirname, entry)],
    alias: { attack },
    globalName: "realm",
    platform: "neutral",
  });
  return `(function(){"use strict";${code};return realm.start})()`;
}

/** The child's script as it is shipped. @param lendMain true: the bare realm is lent the main realm's globals, as if it had found a way out */
export async function childScript({ lendMain = false } = {}) {
  const file = join(root, "runtime", "isolate", "child.node.ts");
  const lend = {
    name: "lend",
    setup(builder) {
      builder.onLoad({ filter: /child\.node\.ts$/ }, () => {
        const source = readFileSync(file, "utf8");
        const changed = source.replace(
          "const outer: Outer = {",
          "const outer: Outer & { main: unknown } = {\n  main: globalThis,",
        );
        if (changed === source) throw new Error("child.node.ts has no place to lend the main realm at");
        return { contents: changed, loader: "ts" };
      });
    },
  };
  return text({ entryPoints: [file], platform: "node", plugins: lendMain ? [lend] : [] });
}

/** A child that speaks the channel by itself. */
export async function hostileChild(attack) {
  const tools = await text({
    entryPoints: [join(import.meta.dirname, "hostile-child.ts")],
    platform: "node",
  });
  return `${tools}\n${readFileSync(attack, "utf8")}`;
}

/** The host's part of the runtime as one file that every supported Node can load. Call `remove` in the end. */
export async function hostBundle() {
  const folder = mkdtempSync(join(tmpdir(), "fuselet-attack-host-"));
  const file = join(folder, "host.mjs");
  await build({
    ...common,
    entryPoints: [join(import.meta.dirname, "host-entry.ts")],
    outfile: file,
    format: "esm",
    platform: "node",
    external: ["node:*", "apache-arrow"],
  });
  return { url: pathToFileURL(file).href, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
