/** What a program leaves behind: its processes, their memory, and files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** Running processes below `root`, their own children included; what has ended and only waits to be collected does not count. */
export function descendants(root = process.pid) {
  const parents = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state && state !== "Z") parents.set(Number(name), Number(parent));
  }
  const below = (pid) => {
    for (let at = parents.get(pid); at !== undefined; at = parents.get(at)) if (at === root) return true;
    return false;
  };
  return [...parents.keys()].filter(below);
}

/** Whether a process with this id runs. */
export function isRunning(pid) {
  const stat = read(`/proc/${pid}/stat`);
  return stat !== "" && stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
}

/** Bytes that a process holds in memory. */
export const residentBytes = (pid) => Number(read(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * 4096;

/** All files below a folder, sorted. */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Waits until something holds. @throws Error with `what` where it does not within the time */
export async function eventually(what, holds, withinMs = 30_000) {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > withinMs) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
