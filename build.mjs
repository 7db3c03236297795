// Builds dist/: the library for Node and for pages, the command line, and what runs inside isolates.
// FUSELET_DIST names another folder, so that a test can have a build of its own.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join, relative } from "node:path";
import { build } from "esbuild";

import { buildEmbed } from "./build.embed.mjs";
import { loadedWith, mergeChunks } from "./build.merge.mjs";
import { thirdPartyNotices } from "./build.notices.mjs";
import { watForEsbuild } from "./build.wat.mjs";
import { buildWheel } from "./build.wheel.mjs";
import { encodePack } from "./runtime/engines/pyodide/pack.ts";
import { openQuickJs } from "./runtime/engines/quickjs/guest.ts";
import { bundlePrelude } from "./runtime/engines/quickjs/prelude.node.ts";

const root = import.meta.dirname;
const dist = process.env.FUSELET_DIST ?? join(root, "dist");
const own = join(dist, "assets");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

/** Identifies the compiler of TypeScript UDFs: what it made is kept, and must not be taken for another's. */
const compiler = createHash("sha256").update(await readFile(join(root, "package-lock.json")));
const compilerFolder = join(root, "runtime/engines/quickjs");
for (const file of (await readdir(compilerFolder, { recursive: true })).sort())
  if (file.endsWith(".ts")) compiler.update(await readFile(join(compilerFolder, file)));

await rm(dist, { recursive: true, force: true });
await mkdir(own, { recursive: true });

const common = {
  absWorkingDir: root,
  bundle: true,
  target: "es2024",
  logLevel: "warning",
  define: {
    FUSELET_VERSION: JSON.stringify(version),
    FUSELET_COMPILER: JSON.stringify(compiler.digest("hex")),
  },
  legalComments: "none",
  metafile: true,
  plugins: [watForEsbuild, { name: "inputs", setup: ({ onEnd }) => onEnd(noteInputs) }],
};
/** All files that are in a bundle. */
const inputs = new Set();
function noteInputs({ metafile }) {
  for (const path of Object.keys(metafile?.inputs ?? {})) inputs.add(path);
}

/** A script that runs inside an isolate: one file, no imports. */
const guest = (entry, file, options = {}) =>
  build({
    ...common,
    entryPoints: [entry],
    outfile: join(own, file),
    format: "iife",
    external: ["node:*"],
    minifySyntax: true,
    minifyWhitespace: true,
    ...options,
  });

const [{ metafile }] = await Promise.all([
  buildForNode(),
  guest("runtime/isolate/child.node.ts", "child.js", { platform: "node", minify: true }),
  guest("runtime/engines/pyodide/realm.node.ts", "realm-pyodide.js", {
    globalName: "realm",
    platform: "neutral",
  }),
  guest("runtime/engines/quickjs/realm.node.ts", "realm-quickjs.js", {
    globalName: "realm",
    platform: "neutral",
  }),
  makeQuickJsImage(),
  packFused(),
]);
await mergeForNode(metafile);
await buildEmbed({ dist, common });
await writeFile(join(dist, "THIRD-PARTY.txt"), await thirdPartyNotices(root, inputs));

/** The library and the command line. */
function buildForNode() {
  return build({
    ...common,
    entryPoints: {
      "index.node": "sdk/typescript/index.node.ts",
      cli: "sdk/cli/cli.ts",
      udf: "sdk/typescript/udf.ts",
      "result-thread.node": "host/server/result-thread.node.ts",
    },
    outdir: dist,
    platform: "node",
    format: "esm",
    splitting: true,
    // Beside the entries: what is read relative to a module lies in the same place for all of them.
    chunkNames: "[name]-[hash]",
    // Small libraries are bundled: what starts often should not look for many files.
    external: ["apache-arrow", "esbuild", "parquet-wasm", "pyodide", "undici"],
    minifySyntax: true,
  });
}

/** What the library always loads becomes one file, and so does what the command line always loads beside it. */
async function mergeForNode(metafile) {
  const bytesOf = (name) => metafile.outputs[relative(root, join(dist, name))].bytes;
  const program = Object.keys(metafile.outputs)
    .map((path) => basename(path))
    .find((name) => name.startsWith("main-"));
  // These are read before the rest, while a child process starts; those are for whoever writes a UDF.
  const apart = loadedWith(metafile, "cli.js").union(loadedWith(metafile, "udf.js"));
  const library = loadedWith(metafile, "index.node.js").difference(apart);
  const rest = loadedWith(metafile, program).difference(apart).difference(library);
  // The entry has the public names only.
  library.delete("index.node.js");
  const largest = [...library].reduce((a, b) => (bytesOf(a) > bytesOf(b) ? a : b));
  await mergeChunks(dist, metafile, largest, library);
  await mergeChunks(dist, metafile, program, rest);
}

/** QuickJS's memory with our guest script loaded: isolates start from it. */
async function makeQuickJsImage() {
  const require = createRequire(import.meta.url);
  const wasm = new Uint8Array(await readFile(require.resolve("@jitl/quickjs-wasmfile-release-sync/wasm")));
  const refuse = () => {
    throw new Error("nothing runs while the image is made");
  };
  const engine = await openQuickJs(
    { wasm, prelude: await bundlePrelude(), memoryBytes: 256 * 1024 * 1024 },
    { call: refuse, callBlocking: undefined, output: refuse, now: () => 0, random: refuse, fatal: refuse },
  );
  await writeFile(join(own, "quickjs.image"), engine.image);
}

/** The Python package: for isolates in the archive format of runtime/engines/pyodide/pack.ts, for all others as a wheel. */
async function packFused() {
  const folder = join(root, "sdk/python");
  const files = new Map();
  for (const entry of (await readdir(join(folder, "fused"), { recursive: true, withFileTypes: true })).sort(
    (a, b) => (a.name < b.name ? -1 : 1),
  )) {
    if (!entry.isFile() || !/\.(py|pyi|typed)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).replaceAll("\\", "/"), new Uint8Array(await readFile(path)));
  }
  const wheel = buildWheel(await readFile(join(folder, "pyproject.toml"), "utf8"), files, version);
  await mkdir(join(dist, "python"), { recursive: true });
  await writeFile(join(dist, "python", wheel.name), wheel.bytes);
  // In an isolate the host installs packages.
  files.set("micropip.py", new TextEncoder().encode("from fused._micropip import *\n"));
  files.set(
    `fuselet-${version}.dist-info/METADATA`,
    new TextEncoder().encode(`Metadata-Version: 2.1\nName: fuselet\nVersion: ${version}\nLicense: MIT\n`),
  );
  await writeFile(join(own, "fused.pack"), encodePack(files));
}

if (process.argv.includes("--types")) {
  const tsc = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/typescript/bin/tsc"),
      "-p",
      "tsconfig.build.json",
      "--outDir",
      join(dist, "types"),
    ],
    { cwd: root, stdio: "inherit" },
  );
  if (tsc.status !== 0) process.exit(tsc.status ?? 1);
  // Declarations keep the sources' extension; what they name has another one here.
  const types = join(dist, "types");
  for (const file of await readdir(types, { recursive: true })) {
    if (!file.endsWith(".d.ts")) continue;
    const path = join(types, file);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replaceAll(/((?:from|import\()\s*"\.[^"]*)\.ts"/g, '$1.js"'));
  }
}
