/**
 * The conformance cases on every platform, and the platforms against each other: a difference is a failure.
 *
 *     node test/conformance/suite.mjs
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const modules = join(folder, "../../node_modules");

/** The Node versions that are supported: alias of the package that brings each. */
const NODES = { "node-22": "node22", "node-24": "node24", "node-26": "node" };

/** Runs the cases on one platform. @returns {Promise<{ passed: number, failed: number }>} */
function run(platform, alias) {
  return new Promise((resolve) => {
    const node = join(modules, alias, "bin", "node");
    const child = spawn(
      node,
      ["--no-warnings", "--experimental-strip-types", join(folder, "run.node.ts"), platform],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.on("close", () => {
      const counts = /(\d+) passed, (\d+) failed, \d+ skipped/.exec(output);
      resolve(counts ? { passed: Number(counts[1]), failed: Number(counts[2]) } : { passed: 0, failed: 1 });
    });
  });
}

/** Names of the cases whose results differ between two platforms' files. */
function compare(a, b) {
  const read = (platform) =>
    JSON.parse(readFileSync(join(folder, "results", `${platform}.json`), "utf8")).results;
  const [left, right] = [read(a), read(b)];
  return Object.keys(left).filter(
    (name) => name in right && JSON.stringify(left[name]) !== JSON.stringify(right[name]),
  );
}

let passed = 0;
let failed = 0;
for (const [platform, alias] of Object.entries(NODES)) {
  const counts = await run(platform, alias);
  passed += counts.passed;
  failed += counts.failed;
}
const [first, ...others] = Object.keys(NODES);
for (const other of others) {
  if (![first, other].every((platform) => existsSync(join(folder, "results", `${platform}.json`)))) continue;
  const different = compare(first, other);
  for (const name of different) console.log(`FAILED ${first} and ${other} differ: ${name}`);
  failed += different.length;
  if (different.length === 0) passed++;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
