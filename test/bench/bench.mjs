/**
 * All benchmarks, each with its peers in the same run.
 *
 *     npm run bench                     all of them: results.json and the table in README.md are written anew
 *     npm run bench -- living loops     these; the others' results stay
 *     npm run bench -- --list
 *
 * A benchmark is a file in cases/: its `run(bench)` gives figures (see measure.mjs).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { plainDistribution } from "../setup/pyodide-distribution.mjs";
import { machine } from "./machine.mjs";
import { markdown, writeReport } from "./report.mjs";

const folder = import.meta.dirname;
const root = dirname(dirname(folder));
const dist = process.env.FUSELET_DIST ?? join(root, "dist");
const temporary = mkdtempSync(join(tmpdir(), "fuselet-bench-"));

const names = readdirSync(join(folder, "cases"))
  .map((file) => basename(file, ".mjs"))
  .sort();

async function main() {
  if (process.argv.includes("--list")) return console.log(names.join("\n"));
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length)
    throw new Error(`There is no benchmark ${unknown.join(", ")}: there are ${names.join(", ")}`);
  if (!existsSync(dist))
    spawnSync(process.execPath, [join(root, "build.mjs")], { cwd: root, stdio: "inherit" });

  // Snapshots are built by the warm-up rounds, here: what the user's cache holds plays no part.
  process.env.FUSELET_CACHE = join(temporary, "cache");
  const bench = {
    root,
    folder,
    node: process.execPath,
    cli: join(dist, "cli.js"),
    temporary,
    fuselet: await import(join(dist, "index.node.js")),
    pyodide: join(root, "node_modules/pyodide"),
    /** With numpy, pandas and pyarrow; downloaded once. */
    dataPyodide: await plainDistribution(),
    udf: (name) => join(folder, "udfs", name),
    peer: (name) => join(folder, "peers", name),
  };
  const figures = [];
  for (const name of wanted.length ? names.filter((one) => wanted.includes(one)) : names) {
    const { run } = await import(join(folder, "cases", `${name}.mjs`));
    const started = performance.now();
    figures.push(...(await run(bench)));
    console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  const results = { machine: machine(root), figures };
  writeReport(folder, results, wanted.length === 0);
  console.log(markdown(results));
}

try {
  await main();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
