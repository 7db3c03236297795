/**
 * The conformance cases on every platform, and the platforms against each other: a difference is a failure, also where each
 * is right by itself. Prints `N passed, N failed` at the end; the results stay in `results/`.
 *
 *     node test/conformance/suite.mjs [PLATFORM …]
 *
 * A page has no other processes and no files, so cases may need a capability that a platform lacks
 * (runtime/isolate/platform.ts): what was skipped is listed by name and reason.
 */
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";

const folder = import.meta.dirname;
const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));

/** How each platform is run: package of the Node, script. The first is what the others are compared with. */
const PLATFORMS = {
  "node-26": ["node", "run.node.ts"],
  "chromium-isolated": ["node", "run.browser.mjs"],
  "node-24": ["node24", "run.node.ts"],
  "chromium-plain": ["node", "run.browser.mjs"],
  "node-22": ["node22", "run.node.ts"],
};

/** So many at once: most of a run is waiting for processes to start and limits to pass. */
const AT_ONCE = 2;

const resultsOf = (platform) => join(folder, "results", `${platform}.json`);

/** Runs the cases on one platform. @returns {Promise<{ passed: number, failed: number }>} */
function run(platform) {
  const [node, script] = PLATFORMS[platform];
  rmSync(resultsOf(platform), { force: true });
  return new Promise((resolve) => {
    const child = spawn(
      join(modules, node, "bin", "node"),
      ["--no-warnings", join(folder, script), platform],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("close", () => {
      const output = Buffer.concat(chunks).toString();
      console.log(output.trimEnd());
      const counts = /(\d+) passed, (\d+) failed, \d+ skipped/.exec(output);
      resolve(counts ? { passed: Number(counts[1]), failed: Number(counts[2]) } : { passed: 0, failed: 1 });
    });
  });
}

/** Where two texts part. */
function difference(left, right) {
  let start = 0;
  while (left[start] === right[start]) start++;
  const cut = (text) => text.slice(Math.max(0, start - 80), start + 160);
  return [cut(left), cut(right)];
}

/** Compares a platform's results with the first one's. @returns {number} how many differ */
function compare(first, other) {
  const read = (platform) => JSON.parse(readFileSync(resultsOf(platform), "utf8"));
  const [left, right] = [read(first), read(other)];
  let different = 0;
  for (const [name, outcome] of Object.entries(left.results)) {
    if (!(name in right.results)) continue;
    const [expected, actual] = [JSON.stringify(outcome), JSON.stringify(right.results[name])];
    if (expected === actual) continue;
    different++;
    const [there, here] = difference(expected, actual);
    console.log(
      `FAILED ${name}: ${other} differs from ${first}\n    ${first}: …${there}…\n    ${other}: …${here}…`,
    );
  }
  const reasons = Map.groupBy(Object.entries(right.skipped), ([, reason]) => reason);
  for (const [reason, cases] of reasons)
    console.log(`skipped on ${other}: ${reason}\n    ${cases.map(([name]) => name).join("\n    ")}`);
  return different;
}

const chosen = process.argv.slice(2).filter((argument) => argument in PLATFORMS);
const platforms = chosen.length > 0 ? chosen : Object.keys(PLATFORMS);
// Made here once, not by the first two platforms at the same time.
await plainDistribution();
await geoDistribution();
const waiting = [...platforms];
const total = { passed: 0, failed: 0 };
const lane = async () => {
  for (let platform = waiting.shift(); platform !== undefined; platform = waiting.shift()) {
    const { passed, failed } = await run(platform);
    total.passed += passed;
    total.failed += failed;
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, lane));
for (const platform of platforms) {
  try {
    total.failed += compare(platforms[0], platform);
  } catch (error) {
    total.failed++;
    console.log(`FAILED ${platform} has no results: ${error.message}`);
  }
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
