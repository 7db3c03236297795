/**
 * Runs the cases in pages of Chromium and writes `results/PLATFORM.json`.
 *
 *     node test/conformance/run.browser.mjs PLATFORM … [--only=PATTERN] [--verbose]
 *
 * The platforms are `chromium-isolated`, a page that has shared memory, and `chromium-plain`, one that has not. They are run one
 * after the other in one browser: the second finds the snapshots that the first has built.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { openBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/server.mjs";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";
import { openNetServer } from "./net-server.ts";
import { Collector } from "./report.ts";

const folder = import.meta.dirname;

/** One script with all cases: the global `conformance` has them and what runs them. */
async function bundle() {
  const files = readdirSync(join(folder, "cases")).sort();
  const imports = files.map((file, i) => `import cases${i} from "./cases/${file}";`);
  const lists = files.map((_, i) => `...cases${i}`).join(", ");
  const { outputFiles } = await build({
    stdin: {
      contents: `${imports.join("\n")}\nexport { runInPage } from "./page.ts";\nexport const cases = [${lists}];\n`,
      resolveDir: folder,
      loader: "ts",
    },
    bundle: true,
    format: "iife",
    globalName: "conformance",
    platform: "browser",
    target: "es2024",
    write: false,
  });
  return `${outputFiles[0].text}\nglobalThis.conformance = conformance;`;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, verbose: { type: "boolean" } },
});
const [script, plain, geo] = await Promise.all([bundle(), plainDistribution(), geoDistribution()]);
const esbuild = dirname(createRequire(import.meta.url).resolve("esbuild-wasm/package.json"));
const servers = await Promise.all([plain, geo, esbuild].map((path) => (path ? serve(path) : null)));
const [pandas, geospatial, esbuildUrl] = servers.map((server) => server && `${server.origin}/`);
const server = await openNetServer();
const browser = await openBrowser();

/** Runs the cases in a page of a platform's kind. */
async function run(name) {
  const collector = new Collector(name, values.verbose === true);
  const page = await browser.openPage({ kind: name.replace("chromium-", "") });
  await page.evaluate(script);
  const verdicts = await page.evaluate(
    (options) => conformance.runInPage(fuselet, conformance.cases, options),
    {
      esbuildUrl,
      distributions: { pandas, geo: geospatial },
      server: server.authority,
      only: values.only ?? null,
    },
  );
  await page.close();
  for (const verdict of verdicts) collector.add(verdict);
  writeFileSync(join(folder, "results", `${name}.json`), collector.text());
  console.log(collector.summary());
  if (collector.failed > 0) process.exitCode = 1;
}

mkdirSync(join(folder, "results"), { recursive: true });
try {
  for (const name of positionals) await run(name);
} finally {
  await browser.close();
  for (const one of [...servers, server]) await one?.close();
}
