/**
 * The tests of the Python package in CPython, with pytest: in each version that is found here, all at once, because most of a test is
 * waiting for other processes. Prints `N passed, N failed` at the end.
 */
import { execFile } from "node:child_process";
import { python, pythons } from "../setup/python.mjs";

const options = {
  env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  maxBuffer: 64 * 2 ** 20,
};

/** Runs all tests. @returns {Promise<{ passed: number, failed: number, output: string }>} */
function run(interpreter) {
  const args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", import.meta.dirname];
  return new Promise((resolve) => {
    execFile(interpreter, args, options, (error, stdout, stderr) => {
      const count = (word) =>
        Number(new RegExp(`(\\d+) ${word}`).exec(stdout.trimEnd().split("\n").at(-1) ?? "")?.[1] ?? 0);
      const failed = count("failed") + count("errors?");
      resolve({
        passed: count("passed"),
        failed: error ? Math.max(1, failed) : failed,
        output: stdout + stderr,
      });
    });
  });
}

const interpreters = [];
for (const one of pythons()) interpreters.push([one.version, await python(one)]);
const total = { passed: 0, failed: 0 };
await Promise.all(
  interpreters.map(async ([version, interpreter]) => {
    const { passed, failed, output } = await run(interpreter);
    console.log(`Python ${version}\n${output}`);
    total.passed += passed;
    total.failed += failed;
  }),
);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : 0;
