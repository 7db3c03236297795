/** Attacks that use up time, memory or output: with limits, while a neighbour works, and without. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkControl, control, sourceOf, startPyodide } from "./context.mjs";
import { nodePath, run } from "./processes.mjs";
import { checkOutcome, FILES } from "./udf.mjs";

export const MiB = 1024 * 1024;

/** How much the host may hold more than before, and how long its runs may take: generous, the machine may be busy. */
export const HOST_BYTES = 200 * MiB;
export const ATTACK_MS = 20_000;
const NEIGHBOUR_MS = 15_000;

/** Controls are ended by then. */
const CONTROL_MS = 30_000;
const RUNS_ON_MS = 2000;

const NEIGHBOUR = sourceOf("neighbour", "typescript", "export default ({ n }: { n: number }) => n + 1;\n");

/** Runs of a neighbour, one after the other, until `end` is called. @returns what was wrong */
export function neighbour(runtime, source = NEIGHBOUR, { parameters = {}, ...options } = {}) {
  let ended = false;
  const problems = [];
  const work = async () => {
    let answered = 0;
    for (; !ended || answered === 0; answered++) {
      const started = performance.now();
      try {
        const { value } = await runtime.run(source, {
          parameters: { n: answered, ...parameters },
          principal: "neighbour",
          ...options,
        });
        if (value !== answered + 1) problems.push(`a neighbour's run answered ${value}`);
      } catch (error) {
        problems.push(`a neighbour's run failed: ${error}`);
        return;
      }
      const ms = performance.now() - started;
      if (ms > NEIGHBOUR_MS) problems.push(`a neighbour's run took ${Math.round(ms)} ms`);
      await sleep(20);
    }
  };
  const done = work();
  return async () => {
    ended = true;
    await done;
    return problems;
  };
}

/** The most that this process held since then, in bytes. */
export function watchHost() {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  return () => {
    clearInterval(timer);
    return most;
  };
}

export async function attempt(attack, context) {
  const problems = [];
  const file = Object.values(FILES)
    .map((name) => join(attack.folder, name))
    .find((path) => existsSync(path));
  const { limits, expect } = attack;
  const runtime = await context.runtime();
  const endNeighbour = neighbour(runtime);
  const before = process.memoryUsage.rss();
  const most = watchHost();
  const started = performance.now();
  const principal = attack.name;
  const outcome = await runtime.run(file, { limits, principal }).then(
    (result) => ({ value: result.value, said: result.stdout + result.stderr }),
    (error) => ({ error, said: (error.stdout ?? "") + (error.stderr ?? "") }),
  );
  const ms = performance.now() - started;
  problems.push(...checkOutcome(expect, outcome), ...(await endNeighbour()));
  const { error, said } = outcome;
  if (expect.limits && !expect.limits.includes(error?.limit))
    problems.push(`it ended by ${error?.limit}, not ${expect.limits.join(" or ")}`);
  if (ms > ATTACK_MS) problems.push(`it took ${Math.round(ms)} ms`);
  if (limits.logBytes !== undefined && said.length > limits.logBytes + 1024)
    problems.push(`${said.length} characters of output were kept`);
  const grown = most() - before;
  if (grown > HOST_BYTES) problems.push(`the host grew by ${Math.round(grown / MiB)} MB`);
  problems.push(...(await context.nextRun(runtime, { principal, limits: { ...limits, timeMs: 10_000 } })));
  problems.push(...(await checkHarm(attack.control, file, runtime, context)));
  return problems;
}

/** What the attack does without limits. @returns what is wrong with that, if anything */
export async function checkHarm(wanted, file, runtime, context, parameters = {}) {
  const runs = [{ file, parameters }];
  if (wanted.reaches || wanted.dies) return checkControl(wanted, await control(wanted.in, runs, context));
  if (wanted.in === "fuselet") {
    const signal = AbortSignal.timeout(RUNS_ON_MS);
    const error = await runtime.run(file, { principal: "control", signal }).catch((error) => error);
    return error.name === "CancelledError" ? [] : [`the control ended: ${JSON.stringify(error)}`];
  }
  return wanted.in === "pyodide" ? harmPyodide(wanted, runs) : harmProcess(wanted, runs[0]);
}

async function harmPyodide(wanted, runs) {
  const pyodide = startPyodide();
  try {
    await pyodide.ask({ runs: [] });
    const harm = harmed(wanted, pyodide.pid);
    const answer = pyodide.ask({ runs }).then(async (answer) => {
      if (!wanted.breaks) return [`the control ended: ${JSON.stringify(answer).slice(0, 300)}`];
      const again = await pyodide.ask({ runs });
      return again.died || /fatally failed/.test(again.error)
        ? []
        : [`the control goes on: ${JSON.stringify(again).slice(0, 300)}`];
    });
    return await Promise.race([harm, answer]);
  } finally {
    pyodide.end();
  }
}

async function harmProcess(wanted, { file, parameters }) {
  const [program, runner] =
    wanted.in === "cpython" ? ["python3", "control-cpython.py"] : [nodePath(26), "control-node.mjs"];
  let problems;
  await run(program, [join(import.meta.dirname, runner), file, JSON.stringify(parameters)], {
    timeoutMs: CONTROL_MS,
    watch(child) {
      let written = 0;
      const end = () => child.kill("SIGKILL");
      child.stdout.on("data", ({ length }) => {
        written += length;
        if (wanted.writesMegabytes && written > wanted.writesMegabytes * MiB) {
          problems ??= [];
          end();
        }
      });
      harmed(wanted, child.pid).then((found) => {
        problems ??= found;
        end();
      });
      child.on("exit", (code) => {
        problems ??= [`the control ended with ${code}`];
      });
    },
  });
  return problems;
}

/** Waits until the process has done the harm, or time is up. */
async function harmed({ runsOn, megabytes }, pid) {
  if (runsOn) {
    await sleep(RUNS_ON_MS);
    return [];
  }
  for (const until = performance.now() + CONTROL_MS; performance.now() < until; ) {
    await sleep(25);
    const pages = await readFile(`/proc/${pid}/statm`, "utf8").catch(() => "0 0");
    if (megabytes && Number(pages.split(" ")[1]) * 4096 > megabytes * MiB) return [];
  }
  return ["the control does no harm"];
}
