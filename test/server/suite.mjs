/**
 * `fuselet serve` as a whole: the published client, plain HTTP, browsers, who may do what, and what it takes to bring it down.
 * One server for all that can share one. Words on the command line choose cases; FUSELET_DIST names another build than dist/.
 *
 *     node test/server/suite.mjs [--soak] [WORD…]
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { report, runCases } from "../setup/cases.mjs";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";
import { startServer, TOKEN } from "../setup/serve.mjs";
import { cachingCases } from "./caching.mjs";
import { denoCases } from "./deno.mjs";
import { endingCases } from "./endings.mjs";
import { fileCases } from "./files.mjs";
import { linkCases } from "./links.mjs";
import { loadCases } from "./load.mjs";
import { matrixCases } from "./matrix.mjs";
import { methodCases } from "./methods.mjs";
import { originCases } from "./origins.mjs";
import { pageCases } from "./pages.mjs";
import { openFiles, publishedCases } from "./published.mjs";
import { robustnessCases } from "./robustness.mjs";
import { underWayCases } from "./runs.mjs";
import { schemaCases } from "./schema.mjs";
import { openShared } from "./shared.mjs";
import { teamDiskCases } from "./team-disk.mjs";
import { tileCases } from "./tiles.mjs";
import { tokenCases } from "./tokens.mjs";
import { userCases } from "./users.mjs";

const isLong = process.argv.includes("--soak");
const words = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const home = mkdtempSync(join(tmpdir(), "fuselet-client-"));
const geo = await geoDistribution();
const files = await openFiles();
const server = await startServer({
  args: [
    ...["--pyodide", geo ?? (await plainDistribution()), "--time-limit", "20s", "-v"],
    ...["--allow-cache", "--allow-run", `--allow-net=${files.host}`, "--allow-secrets=API_KEY:reveal"],
    ...["--allow-read=fd://,/mount", "--allow-write=fd://,/mount"],
  ],
  env: { FUSELET_GITHUB_RAW: `${files.url}/github` },
});
const shared = openShared(server);

const ended = {
  "the server ends with 0, and its log has no trouble and no token": async () => {
    assert.equal(await server.end(), 0);
    const lines = server.errors().trimEnd().split("\n");
    const trouble = lines.filter((line) => JSON.parse(line).level !== "info");
    assert.deepEqual(trouble.slice(0, 3), []);
    assert.doesNotMatch(server.errors(), new RegExp(`${TOKEN}|fsh_\\w`));
  },
};

try {
  for (const make of [
    ...[linkCases, tileCases, cachingCases, fileCases, methodCases],
    ...[originCases, pageCases, underWayCases, tokenCases, userCases],
  ])
    await runCases(Object.entries(make(shared, { isLong })));
  await runCases(Object.entries(await matrixCases(server)));
  await runCases(
    await publishedCases(server, { filesUrl: files.url, hasGeo: geo !== null, folder: home, words }),
  );
  await runCases(Object.entries(ended));
} finally {
  await shared.close();
  await server.close();
  files.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
// These start servers of their own.
for (const make of [denoCases, schemaCases, teamDiskCases, endingCases, robustnessCases, loadCases])
  await runCases(Object.entries(make({ isLong })));
report();
