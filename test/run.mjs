/**
 * What `npm test` runs. On a clean machine (Node 20 or later, npm, Python 3.11) it installs, then goes on with the Node that
 * the repository pins. The last line is `N passed, N failed`; the exit status is 1 where anything failed.
 *
 *     npm test                      everything
 *     npm test -- lint unit         these steps (and the build, where there is none)
 *     npm test -- --list            names of the steps
 *     npm run soak                  with the long parts of the suites
 *
 * A step that is not counted by its tool counts as one. A suite is `test/NAME/suite.mjs`: it is run, its last line
 * `N passed, N failed` is counted, and `--soak` is handed on. All output of a step that failed is shown.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const pinned = join(modules, "node", "bin", "node");
const temporary = mkdtempSync(join(tmpdir(), "fuselet-test-"));

/** Whether node_modules is what package-lock.json says: npm writes a copy of what it installed. */
function isInstalled() {
  const hidden = join(modules, ".package-lock.json");
  if (!existsSync(hidden) || !existsSync(pinned)) return false;
  const read = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
  const [wanted, installed] = [read(join(root, "package-lock.json")), read(hidden)];
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    return installed[path] ? installed[path].version === version : optional === true;
  });
}

/** Installs if needed, and runs this file again on the pinned Node. */
function onPinnedNode() {
  if (!isInstalled()) {
    const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, stdio: "inherit" });
    if (status !== 0) return fail("npm ci failed");
  }
  const wanted = spawnSync(pinned, ["--version"], { encoding: "utf8" }).stdout.trim();
  if (process.version === wanted) return undefined;
  const { status } = spawnSync(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  return status ?? 1;
}

function fail(why) {
  console.log(`${why}\n0 passed, 1 failed`);
  return 1;
}

/**
 * Runs a command and keeps its output.
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function command(program, args, options = {}) {
  return new Promise((resolve) => {
    const chunks = [];
    const env = {
      ...process.env,
      PATH: `${join(modules, ".bin")}${delimiter}${process.env.PATH ?? ""}`,
      NO_COLOR: "1",
    };
    const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], ...options });
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => resolve({ ok: false, output: String(error) }));
    child.on("close", (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() }));
  });
}

const node = (...args) => command(pinned, args);
const tool = (name, ...args) => node(join(modules, name), ...args);

/** One check: passed or failed. */
async function check(...runs) {
  for (const run of runs) {
    const { ok, output } = await run();
    if (!ok) return { passed: 0, failed: 1, output };
  }
  return { passed: 1, failed: 0, output: "" };
}

/** The Python package's wheel, installed as its users do. */
async function wheelCheck() {
  const [name] = readdirSync(join(root, "dist", "python"));
  const target = join(temporary, "wheel");
  const pip = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--target",
    target,
  ];
  return check(
    () => command("python3", [...pip, join(root, "dist", "python", name)]),
    () =>
      command("python3", ["-c", "import fused; print(fused.run, fused.__file__)"], {
        cwd: temporary,
        env: { ...process.env, PYTHONPATH: target },
      }),
  );
}

/** The packed package, looked at as its users' tools will. */
async function packageChecks() {
  const packed = await command("npm", ["pack", "--silent", "--pack-destination", temporary]);
  const tarball = readdirSync(temporary).find((name) => name.endsWith(".tgz"));
  if (!packed.ok || !tarball) return { passed: 0, failed: 1, output: packed.output };
  const file = join(temporary, tarball);
  const results = [
    await check(() => tool("publint/src/cli.js", file, "--strict")),
    await check(() =>
      tool("@arethetypeswrong/cli/dist/index.js", file, "--profile", "esm-only", "--no-emoji", "--no-color"),
    ),
    await wheelCheck(),
  ];
  return {
    passed: results.filter(({ passed }) => passed).length,
    failed: results.filter(({ failed }) => failed).length,
    output: results.map(({ output }) => output).join("\n"),
  };
}

async function unitTests() {
  const report = join(temporary, "unit.json");
  const { ok, output } = await tool(
    "vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  );
  if (!existsSync(report)) return { passed: 0, failed: 1, output };
  const {
    numPassedTests: passed,
    numFailedTests: failedTests,
    numFailedTestSuites,
  } = JSON.parse(readFileSync(report, "utf8"));
  // A file that cannot be loaded has no failed tests, and an error outside of tests neither.
  const failed = failedTests || (ok ? 0 : Math.max(1, numFailedTestSuites));
  return { passed, failed, output };
}

/** A suite that hangs must not take the whole run with it. */
const SUITE_MS = 20 * 60_000;

async function suite(file, isSoak) {
  const { ok, output } = await command(pinned, [file, ...(isSoak ? ["--soak"] : [])], {
    ...(isSoak ? {} : { timeout: SUITE_MS, killSignal: "SIGKILL" }),
  });
  const counts = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  const passed = Number(counts?.[1] ?? 0);
  const failed = Number(counts?.[2] ?? 0);
  return { passed, failed: ok && counts ? failed : Math.max(1, failed), output };
}

function steps(isSoak) {
  const suites = readdirSync(join(root, "test"), { withFileTypes: true })
    .map((entry) => [entry.name, join(root, "test", entry.name, "suite.mjs")])
    .filter(([, file]) => existsSync(file))
    .sort();
  return new Map([
    ["build", () => check(() => node("build.mjs", "--types"))],
    [
      "lint",
      () =>
        check(
          () => tool("@biomejs/biome/bin/biome", "check", "."),
          () => node("test/layers.ts"),
        ),
    ],
    ["types", () => check(() => node("test/types.mjs"))],
    ["package", packageChecks],
    ["unit", unitTests],
    ...suites.map(([name, file]) => [name, () => suite(file, isSoak)]),
  ]);
}

/** Others need what these make, or they keep all cores busy by themselves. The rest is mostly waiting, and is run some at a time. */
const ALONE = new Set(["build", "lint", "types", "package", "unit", "attacks", "conformance"]);
const LANES = 3;
/** These measure no time: they are run beside the conformance cases, which leave a part of the machine idle. */
const BESIDE = new Set(["python", "differential", "pyodide", "packages", "typing", "api-report"]);
/** These take longest: they begin first, so that none of them is left alone at the end. */
const LONGEST = ["server", "secrets", "files", "cli", "browser", "cache"];

async function main() {
  const early = onPinnedNode();
  if (early !== undefined) return early;
  const all = steps(process.argv.includes("--soak"));
  if (process.argv.includes("--list")) {
    console.log([...all.keys()].join("\n"));
    return 0;
  }
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
  const unknown = names.filter((name) => !all.has(name));
  if (unknown.length)
    return fail(`There is no step ${unknown.join(", ")}: steps are ${[...all.keys()].join(", ")}`);
  const total = { passed: 0, failed: 0 };
  const runStep = async ([name, run]) => {
    const started = performance.now();
    const { passed, failed, output } = await run();
    total.passed += passed;
    total.failed += failed;
    if (failed) console.log(output.trimEnd());
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${failed ? "FAILED" : "ok    "} ${name.padEnd(17)} ${passed} passed, ${failed} failed (${seconds} s)`,
    );
  };
  const isWanted = (name) =>
    names.length === 0 || names.includes(name) || (name === "build" && !existsSync(join(root, "dist")));
  const wanted = [...all].filter(([name]) => isWanted(name));
  const [alone, others] = [true, false].map((is) => wanted.filter(([name]) => ALONE.has(name) === is));
  const rank = ([name]) => (LONGEST.includes(name) ? LONGEST.indexOf(name) : LONGEST.length);
  others.sort((one, other) => rank(one) - rank(other));
  const hasConformance = alone.some(([name]) => name === "conformance");
  const [beside, rest] = [true, false].map((is) =>
    others.filter(([name]) => (hasConformance && BESIDE.has(name)) === is),
  );
  const runBeside = async () => {
    for (const step of beside) await runStep(step);
  };
  for (const step of alone)
    await Promise.all([runStep(step), ...(step[0] === "conformance" ? [runBeside()] : [])]);
  const lane = async () => {
    for (let step = rest.shift(); step; step = rest.shift()) await runStep(step);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed ? 1 : 0;
}

try {
  process.exitCode = await main();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
