/**
 * Small programs, run with the published client in CPython and with ours in an isolate: same value, same error, same output.
 *
 *     node test/differential/suite.mjs [--only=PATTERN]
 *
 * FUSELET_DIST names another build. Without FUSELET_TEST_WHEELS, programs that need geopandas are skipped.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { publishedClient } from "../setup/published-client.mjs";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";
import { normalise, overTheWall } from "./normalise.mjs";
import { readPrograms, throughHost } from "./programs.mjs";

const folder = import.meta.dirname;
const dist = process.env.FUSELET_DIST ?? join(folder, "../../dist");
const driver = join(folder, "driver.py");
const RUN_MS = 300_000;

const { values } = parseArgs({ options: { only: { type: "string" }, soak: { type: "boolean" } } });
const only = values.only ? new RegExp(values.only, "i") : null;

/** Outcomes of the published client: one process for all programs, with folders of its own. */
async function withClient(programs) {
  const home = mkdtempSync(join(tmpdir(), "fuselet-differential-"));
  try {
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      TMPDIR: home,
      FUSED_AUTH_TOKEN_TYPE: "Fused-Service-Token",
      FUSED_AUTH_TOKEN: "none",
      // A server that refuses to be connected to: nothing of a test leaves this machine.
      FUSED_BASE_URL: "http://127.0.0.1:9",
      PYTHONDONTWRITEBYTECODE: "1",
    };
    const child = spawn(await publishedClient(), [driver], {
      cwd: home,
      env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.end(JSON.stringify(programs));
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const answer = output.split("OUTCOMES").at(-1);
    if (!output.includes("OUTCOMES"))
      throw new Error(`The published client ended early:\n${output}${errors}`);
    return JSON.parse(answer);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Programs whose UDF the host is asked to run, too: parameters are what differs on that way. */
const HOSTED = "parameters.py";
const NOT_HOSTED = new Map([["a str of 3.0", "it is 3 there: numbers cross as those of JavaScript"]]);

/** Outcomes of ours, in one run of one isolate, whose UDFs by name run in others. */
async function withOurs(programs, distribution, libraries, udfs) {
  const { createRuntime } = await import(pathToFileURL(join(dist, "index.node.js")).href);
  const data = mkdtempSync(join(tmpdir(), "fuselet-differential-"));
  const runtime = await createRuntime({
    assets: { pyodide: distribution, cache: data },
    limits: { timeMs: RUN_MS, nestedRuns: 10_000 },
    permissions: { cache: true, run: true },
    pool: { maxIsolates: 2 },
    udfs,
  });
  try {
    const source = `# /// script\n# dependencies = ${JSON.stringify(libraries)}\n# ///\n${readFileSync(driver, "utf8")}`;
    const { value } = await runtime.run(source, { parameters: { programs: JSON.stringify(programs) } });
    return JSON.parse(value);
  } finally {
    await runtime.close();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Why a program's outcomes are not what they should be; null where they are. */
function complaint(program, theirs, { holds, ...ours }) {
  const isSame = isDeepStrictEqual(normalise(theirs), normalise(ours));
  if (!program.differs)
    return isSame ? null : `client ${JSON.stringify(theirs)}\nours   ${JSON.stringify(ours)}`;
  if (isSame) return `it says that ours differs (${program.differs}), and it does not`;
  return holds === true
    ? null
    : `${program.ours} is ${JSON.stringify(holds)}\nours   ${JSON.stringify(ours)}`;
}

const geo = await geoDistribution();
const chosen = readPrograms().filter(({ title }) => !only || only.test(title));
const programs = chosen.filter(({ needs }) => needs !== "geo" || geo);
const libraries = ["numpy", "pandas", "pyarrow", ...(geo ? ["geopandas", "shapely"] : [])];
const hosted = programs.flatMap((program, at) => {
  const isLeftOut = program.file !== HOSTED || program.differs || NOT_HOSTED.has(program.title);
  const found = isLeftOut ? null : throughHost(program, `case_${at}`);
  return found ? [{ at, ...found }] : [];
});
const udfs = Object.fromEntries(hosted.map(({ at, udf }) => [`case_${at}`, udf]));
const [theirs, all] = await Promise.all([
  withClient(programs),
  withOurs(
    [...programs, ...hosted.map(({ program }) => program)],
    geo ?? (await plainDistribution()),
    libraries,
    udfs,
  ),
]);
const ours = all.slice(0, programs.length);
let failed = 0;
function report(program, way, found) {
  if (!found) return;
  failed++;
  console.log(`FAILED ${program.file}: ${program.title}${way}\n${found}\n`);
}
for (const [at, program] of programs.entries()) report(program, "", complaint(program, theirs[at], ours[at]));
for (const [index, { at, program }] of hosted.entries()) {
  const outcomes = [theirs[at], all[programs.length + index]].map(overTheWall);
  report(program, " (run by the host)", complaint(program, ...outcomes));
}
const differing = programs.filter(({ differs }) => differs).length;
const skipped = chosen.length - programs.length;
console.log(
  `${programs.length} programs, ${differing} of them with an answer of our own, ${hosted.length} by the host, too; ${skipped} skipped`,
);
console.log(`${programs.length + hosted.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
