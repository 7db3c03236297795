/**
 * Runs the cases in a page of Chromium and writes `results/PLATFORM.json`.
 *
 *     node test/conformance/run.browser.mjs chromium-isolated [--only=PATTERN] [--verbose]
 *
 * The platforms are `chromium-isolated`, a page that has shared memory, and `chromium-plain`, one that has not.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { openBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/server.mjs";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";
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
const [name = "chromium-isolated"] = positionals;
const collector = new Collector(name, values.verbose === true);
const [script, plain, geo] = await Promise.all([bundle(), plainDistribution(), geoDistribution()]);
const esbuild = dirname(createRequire(import.meta.url).resolve("esbuild-wasm/package.json"));
const servers = await Promise.all([plain, geo, esbuild].map((path) => (path ? serve(path) : null)));
const browser = await openBrowser();
try {
  const page = await browser.openPage({ kind: name.replace("chromium-", "") });
  await page.evaluate(script);
  const [pandas, geospatial, esbuildUrl] = servers.map((server) => server && `${server.origin}/`);
  const verdicts = await page.evaluate(
    (options) => conformance.runInPage(fuselet, conformance.cases, options),
    { esbuildUrl, distributions: { pandas, geo: geospatial }, only: values.only ?? null },
  );
  for (const verdict of verdicts) collector.add(verdict);
} finally {
  await browser.close();
  for (const server of servers) await server?.close();
}
mkdirSync(join(folder, "results"), { recursive: true });
writeFileSync(join(folder, "results", `${name}.json`), collector.text());
console.log(collector.summary());
process.exitCode = collector.failed > 0 ? 1 : 0;
