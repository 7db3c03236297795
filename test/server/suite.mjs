/**
 * `fuselet serve` as a whole: the published client, plain HTTP, browsers, who may do what, and what it takes to bring it down.
 * One server for all that can share one. Words on the command line choose cases; FUSELET_DIST names another build than dist/.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { report, runCases } from "../setup/cases.mjs";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";
import { httpCases } from "./http.mjs";
import { matrixCases } from "./matrix.mjs";
import { openFiles, publishedCases } from "./published.mjs";
import { startServer } from "./server.mjs";

const folder = mkdtempSync(join(tmpdir(), "fuselet-server-"));
const geo = await geoDistribution();
const files = await openFiles();
const server = await startServer(join(folder, "data"), [
  ...["--pyodide", geo ?? (await plainDistribution()), "--time-limit", "20s", "-v"],
  ...["--allow-cache", "--allow-run", `--allow-net=${files.host}`, "--allow-secrets=API_KEY:reveal"],
  ...["--allow-read=fd://", "--allow-write=fd://"],
]);

try {
  await runCases(Object.entries(httpCases(server)));
  await runCases(Object.entries(await matrixCases(server)));
  if (process.env.SKIP_CLIENT) throw report();
  const words = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
  await runCases(await publishedCases(server, { filesUrl: files.url, hasGeo: geo !== null, folder, words }));
} finally {
  await server.end();
  files.close();
  rmSync(folder, { recursive: true, force: true });
}
report();
