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

/** What is run: package of the Node, script, platforms. The first platform is what the others are compared with. */
const RUNS = [
  ["node", "run.node.ts", ["node-26"]],
  ["node", "run.browser.mjs", ["chromium-isolated", "chromium-plain"]],
  ["node24", "run.node.ts", ["node-24"]],
  ["node22", "run.node.ts", ["node-22"]],
];

/** So many at once: most of a run is waiting for processes to start and limits to pass. */
const AT_ONCE = 2;

const resultsOf = (platform) => join(folder, "results", `${platform}.json`);

/** Runs the cases on platforms. @returns {Promise<{ passed: number, failed: number }>} */
function run([node, script, platforms]) {
  for (const platform of platforms) rmSync(resultsOf(platform), { force: true });
  return new Promise((resolve) => {
    const child = spawn(
      join(modules, node, "bin", "node"),
      ["--no-warnings", join(folder, script), ...platforms],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("close", () => {
      const output = Buffer.concat(chunks).toString();
      console.log(output.trimEnd());
      const total = { passed: 0, failed: 0 };
      for (const [, passed, failed] of output.matchAll(/(\d+) passed, (\d+) failed, \d+ skipped/g)) {
        total.passed += Number(passed);
        total.failed += Number(failed);
      }
      resolve(total);
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

const all = RUNS.flatMap(([, , platforms]) => platforms);
const chosen = process.argv.slice(2).filter((argument) => all.includes(argument));
const wanted = (platform) => chosen.length === 0 || chosen.includes(platform);
const platforms = all.filter(wanted);
const waiting = RUNS.map(([node, script, names]) => [node, script, names.filter(wanted)]).filter(
  ([, , names]) => names.length > 0,
);
// Made here once, not by the first two platforms at the same time.
await plainDistribution();
await geoDistribution();
const total = { passed: 0, failed: 0 };
const lane = async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { passed, failed } = await run(next);
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
