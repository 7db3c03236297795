/** Attacks that outlive their host: it is killed while a UDF runs, or while its isolate starts. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { checkControl } from "./context.mjs";
import { childrenOf, dist, nodePath } from "./processes.mjs";
import { FILES } from "./udf.mjs";

/** A child that notices at once is gone within this; one that cannot notice, within its time limit (host-program.mjs) and this. */
const GONE_MS = 10_000;
const START_MS = 30_000;
/** How long a control's child must go on. */
const STAYS_MS = 1000;

/** Alive, and not only a name in the table of processes. */
async function runs(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const state = stat.slice(stat.lastIndexOf(")") + 2)[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

const running = async (pids) => {
  const states = await Promise.all(pids.map(runs));
  return pids.filter((_, i) => states[i]);
};

async function until(condition, ms) {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(10)) {
    if (await condition()) return true;
  }
  return false;
}

/**
 * Starts the program, kills it at a moment, and looks after `ms` at most what is left.
 * @param moment `"running"`, or how many ms after its first child began
 * @returns names of what is left; `"nothing was there"` where there was no child to begin with
 */
async function killHost(file, way, moment, ms) {
  const temporary = mkdtempSync(join(tmpdir(), "fuselet-attack-temporary-"));
  const module = pathToFileURL(join(dist, "index.node.js")).href;
  const program = spawn(nodePath(26), [join(import.meta.dirname, "host-program.mjs"), module, file, way], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = false;
  program.stdout.on("data", () => {
    said = true;
  });
  const ended = new Promise((resolve) => program.on("close", resolve));
  const children = async () => childrenOf(program.pid);
  try {
    const there = await until(
      async () => (moment === "running" ? said : (await children()).length > 0),
      START_MS,
    );
    if (moment !== "running") await sleep(moment);
    const pids = await children();
    if (!there || pids.length === 0) return ["nothing was there"];
    program.kill("SIGKILL");
    await until(async () => (await running(pids)).length === 0, ms);
    const left = await running(pids);
    for (const pid of left) process.kill(pid, "SIGKILL");
    return [...(left.length > 0 ? ["child"] : []), ...(readdirSync(temporary).length > 0 ? ["files"] : [])];
  } finally {
    program.kill("SIGKILL");
    await ended;
    rmSync(temporary, { recursive: true, force: true });
  }
}

export async function attempt(attack) {
  if (!existsSync("/proc/self/stat")) throw new Error("processes are looked for in /proc");
  const problems = [];
  const file = Object.values(FILES)
    .map((name) => join(attack.folder, name))
    .find((path) => existsSync(path));
  for (const moment of attack.moments) {
    for (const way of ["walls", "no setpriv", "nothing there"]) {
      if (attack.notIn?.[way]) continue;
      const left = await killHost(file, way, moment, GONE_MS);
      if (left.length > 0) problems.push(`${way}, killed at ${moment}: left ${left.join(" and ")}`);
    }
  }
  const value = await killHost(file, "plain", "running", STAYS_MS);
  problems.push(...checkControl(attack.control, { value }));
  return problems;
}
