/** The tests of the Python package in CPython, with pytest. Prints `N passed, N failed` at the end. */
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { python } from "../setup/python.mjs";

const folder = dirname(fileURLToPath(import.meta.url));
const { status, stdout, stderr } = spawnSync(
  await python(),
  ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", folder],
  { encoding: "utf8", env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" }, maxBuffer: 64 * 2 ** 20 },
);
console.log(stdout + stderr);
const count = (word) =>
  Number(new RegExp(`(\\d+) ${word}`).exec(stdout.trimEnd().split("\n").at(-1) ?? "")?.[1] ?? 0);
const failed = count("failed") + count("errors?");
console.log(`${count("passed")} passed, ${status === 0 ? failed : Math.max(1, failed)} failed`);
process.exitCode = status === 0 ? 0 : 1;
