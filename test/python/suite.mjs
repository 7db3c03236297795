/**
 * The tests of the Python package in CPython, with pytest: in each version that is found here. Prints `N passed, N failed` at the end.
 */
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { python, pythons } from "../setup/python.mjs";

const folder = dirname(fileURLToPath(import.meta.url));
const total = { passed: 0, failed: 0 };
for (const one of pythons()) {
  const { status, stdout, stderr } = spawnSync(
    await python(one),
    ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", folder],
    { encoding: "utf8", env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" }, maxBuffer: 64 * 2 ** 20 },
  );
  console.log(`Python ${one.version}\n${stdout}${stderr}`);
  const count = (word) =>
    Number(new RegExp(`(\\d+) ${word}`).exec(stdout.trimEnd().split("\n").at(-1) ?? "")?.[1] ?? 0);
  const failed = count("failed") + count("errors?");
  total.passed += count("passed");
  total.failed += status === 0 ? failed : Math.max(1, failed);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : 0;
