// The part of the build that pages load: dist/embed/, complete in itself, so that a server or a CDN needs to serve nothing else.

import { createHash } from "node:crypto";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

/** What a Pyodide distribution consists of without packages. */
const PYODIDE = [
  "pyodide.mjs",
  "pyodide.asm.mjs",
  "pyodide.asm.wasm",
  "python_stdlib.zip",
  "pyodide-lock.json",
];

/** The document of the sandboxed frame. It allows one script, by its hash: that script alone starts workers. */
async function makeIsolatePage(common, file) {
  const { outputFiles } = await build({
    ...common,
    entryPoints: ["runtime/isolate/frame.browser.ts"],
    format: "iife",
    platform: "browser",
    minify: true,
    write: false,
  });
  const script = outputFiles[0].text.trim();
  if (/<\/script|<!--/i.test(script)) throw new Error("The frame's script would end its own element");
  const hash = createHash("sha256").update(script).digest("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}' 'wasm-unsafe-eval'`,
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  await writeFile(
    file,
    `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>fuselet isolate</title><script>${script}</script>\n`,
  );
}

/**
 * Writes `dist/embed`.
 * @param {{ dist: string, common: import("esbuild").BuildOptions }} options `dist` has the files for isolates already
 */
export async function buildEmbed({ dist, common }) {
  const require = createRequire(import.meta.url);
  const embed = join(dist, "embed");
  const own = join(embed, "assets");
  await Promise.all(
    ["assets", "pyodide", "quickjs"].map((name) => mkdir(join(embed, name), { recursive: true })),
  );
  const realm = (engine) =>
    build({
      ...common,
      entryPoints: [`runtime/engines/${engine}/realm.browser.ts`],
      outfile: join(own, `realm-${engine}.js`),
      format: "iife",
      globalName: "realm",
      platform: "browser",
      minifySyntax: true,
      minifyWhitespace: true,
    });
  const pyodide = dirname(require.resolve("pyodide/package.json"));
  await Promise.all([
    realm("pyodide"),
    realm("quickjs"),
    makeIsolatePage(common, join(own, "isolate.html")),
    build({
      ...common,
      entryPoints: { fuselet: "sdk/typescript/index.browser.ts" },
      outdir: embed,
      platform: "browser",
      format: "esm",
      splitting: true,
      // Beside the entry: assets are found relative to the module that asks.
      chunkNames: "[name]-[hash]",
      minify: true,
    }),
    ...["fused.pack", "quickjs.image"].map((file) => cp(join(dist, "assets", file), join(own, file))),
    ...PYODIDE.map((file) => cp(join(pyodide, file), join(embed, "pyodide", file))),
    cp(
      require.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"),
      join(embed, "quickjs", "emscripten-module.wasm"),
    ),
  ]);
}
