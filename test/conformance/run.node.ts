/**
 * Runs the cases in this Node and writes `results/PLATFORM.json`.
 *
 *     node test/conformance/run.node.ts PLATFORM [--only=PATTERN] [--quick]
 *
 * FUSELET_DIST names another build. Prints a line for each failure, and `N passed, N failed, N skipped`.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { createRuntime } from "../../sdk/typescript/index.node.ts";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";
import type { Case, DistributionName, FuseletModule } from "./case.ts";
import { openNetServer } from "./net-server.ts";
import { Collector } from "./report.ts";
import { type ConformancePlatform, runCases } from "./run.ts";

const folder = dirname(fileURLToPath(import.meta.url));
const dist = process.env.FUSELET_DIST ?? join(folder, "../../dist");

/** All cases, sorted by file. */
async function readCases(): Promise<Case[]> {
  const files = readdirSync(join(folder, "cases")).sort();
  const modules = await Promise.all(
    files.map((file) => import(pathToFileURL(join(folder, "cases", file)).href)),
  );
  return modules.flatMap((module) => module.default as Case[]);
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, verbose: { type: "boolean" } },
});
const name = positionals[0] ?? `node-${process.versions.node.split(".")[0]}`;
const fuselet = (await import(pathToFileURL(join(dist, "index.node.js")).href)) as FuseletModule & {
  createRuntime: typeof createRuntime;
};
const [plain, geo] = await Promise.all([plainDistribution(), geoDistribution()]);
const folders: Record<DistributionName, string | null | undefined> = {
  core: undefined,
  pandas: plain,
  geo,
};
const server = await openNetServer();
const platform: ConformancePlatform = {
  fuselet,
  server: server.authority,
  createRuntime: (distribution, options) => {
    const pyodide = folders[distribution];
    return fuselet.createRuntime({ ...options, ...(pyodide ? { assets: { pyodide } } : {}) });
  },
  missing: (distribution) =>
    folders[distribution] === null ? "the geospatial wheels are not here: set FUSELET_TEST_WHEELS" : null,
};

const only = values.only ? new RegExp(values.only, "i") : null;
// Of the user's own files, no case may see any.
const data = mkdtempSync(join(tmpdir(), "fuselet-data-"));
process.env.FUSELET_DATA = data;
const cases = (await readCases()).filter(({ title }) => !only || only.test(title));
const collector = new Collector(name, values.verbose === true);
await runCases(cases, platform, (verdict) => collector.add(verdict));
rmSync(data, { recursive: true, force: true });
await server.close();
mkdirSync(join(folder, "results"), { recursive: true });
writeFileSync(join(folder, "results", `${name}.json`), collector.text());
console.log(collector.summary());
process.exitCode = collector.failed > 0 ? 1 : 0;
