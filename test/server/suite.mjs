/**
 * `fuselet serve` as a whole: the published client, plain HTTP, browsers, who may do what, and what it takes to bring it down.
 * One server for all that can share one. Words on the command line choose cases; FUSELET_DIST names another build than dist/.
 *
 *     node test/server/suite.mjs [--soak] [WORD…]
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isWanted, report, runCases } from "../setup/cases.mjs";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";
import { httpCases as edgeCases } from "./edge.mjs";
import { httpCases } from "./http.mjs";
import { loadCases } from "./load.mjs";
import { matrixCases } from "./matrix.mjs";
import { openFiles, publishedCases } from "./published.mjs";
import { robustnessCases } from "./robustness.mjs";
import { schemaCases } from "./schema.mjs";
import { startServer } from "./server.mjs";

const isLong = process.argv.includes("--soak");
const folder = mkdtempSync(join(tmpdir(), "fuselet-server-"));
const home = join(folder, "client");
mkdirSync(home);
const geo = await geoDistribution();
const files = await openFiles();
const server = await startServer(join(folder, "data"), [
  ...["--pyodide", geo ?? (await plainDistribution()), "--time-limit", "20s", "-v"],
  ...["--allow-cache", "--allow-run", `--allow-net=${files.host}`, "--allow-secrets=API_KEY:reveal"],
  ...["--allow-read=fd://", "--allow-write=fd://"],
]);

/** Cases that need something made beforehand, which is not made where none of them is wanted. */
async function run(make) {
  const cases = Object.entries(await make());
  await runCases(cases.filter(([title]) => isWanted(title)));
}

try {
  const words = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
  await run(() => httpCases(server));
  await run(() => matrixCases(server));
  await runCases(
    await publishedCases(server, { filesUrl: files.url, hasGeo: geo !== null, folder: home, words }),
  );
} finally {
  await server.end();
  files.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
// These start servers of their own.
for (const make of [edgeCases, schemaCases, robustnessCases, loadCases]) await run(() => make({ isLong }));
report();
