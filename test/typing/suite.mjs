/**
 * The types of the Python package, as its users' tools see them: pyright finds a type for every public name, and pyright and mypy
 * accept a program that uses them (sample.py), both in their strict mode. Prints `N passed, N failed` at the end.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { report, runCases } from "../setup/cases.mjs";
import { python } from "../setup/python.mjs";

const here = import.meta.dirname;
const sdk = join(dirname(dirname(here)), "sdk/python");
const interpreter = await python();
const pyrightFile = createRequire(import.meta.url).resolve("pyright/index.js");
const env = { ...process.env, PYTHONPATH: sdk };

function pyright(...args) {
  const all = [pyrightFile, "--outputjson", "--pythonpath", interpreter, ...args];
  const { stdout, stderr } = spawnSync(process.execPath, all, { cwd: here, env, encoding: "utf8" });
  assert.ok(stdout.startsWith("{"), stderr || stdout);
  return JSON.parse(stdout);
}

const problemsOf = ({ generalDiagnostics }) =>
  generalDiagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);

await runCases([
  [
    "pyright: every public name has a type",
    () => {
      const { typeCompleteness } = pyright("--verifytypes", "fused", "--ignoreexternal");
      const unknown = typeCompleteness.symbols
        .filter(({ isExported, isTypeKnown }) => isExported && !isTypeKnown)
        .map(({ name, diagnostics }) => `${name}: ${diagnostics[0]?.message ?? "its type is not known"}`);
      assert.deepEqual(unknown, []);
      assert.equal(typeCompleteness.completenessScore, 1);
    },
  ],
  [
    "pyright: a program that uses the package",
    () => assert.deepEqual(problemsOf(pyright("--project", join(here, "pyrightconfig.json"))), []),
  ],
  [
    "mypy: a program that uses the package",
    () => {
      const { status, stdout, stderr } = spawnSync(
        interpreter,
        [
          "-m",
          "mypy",
          "--strict",
          "--follow-imports=silent",
          "--cache-dir",
          "/dev/null",
          join(here, "sample.py"),
        ],
        { cwd: here, env: { ...env, MYPYPATH: sdk }, encoding: "utf8" },
      );
      assert.equal(status, 0, stdout + stderr);
    },
  ],
]);
report();
