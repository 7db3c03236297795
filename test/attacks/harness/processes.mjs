/** Programs that the suite starts: the built command line, and controls without walls. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..", "..");
export const nodes = { 22: "node22", 24: "node24", 26: "node" };
export const nodePath = (major) => join(root, "node_modules", nodes[major], "bin", "node");
export const dist = process.env.FUSELET_DIST ?? join(root, "dist");

/**
 * Runs a program to its end.
 * @param {{ input?: string, env?: object, timeoutMs?: number, watch?: (child: import("node:child_process").ChildProcess) => void }} options
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string, timedOut: boolean }>}
 */
export function run(program, args, { input, env = process.env, timeoutMs = 60_000, watch } = {}) {
  return new Promise((resolve, reject) => {
    // Its own group: what it leaves behind is ended with it.
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    const out = { stdout: [], stderr: [] };
    let timedOut = false;
    child.stdout.on("data", (chunk) => out.stdout.push(chunk));
    child.stderr.on("data", (chunk) => out.stderr.push(chunk));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(child.pid);
    }, timeoutMs);
    watch?.(child);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const text = (chunks) => Buffer.concat(chunks).toString();
      resolve({ code, signal, stdout: text(out.stdout), stderr: text(out.stderr), timedOut });
    });
  });
}

/** Ends a process that was started as the head of a group, and the group. */
export function endGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** `fuselet run`, as a user types it, on the pinned Node. */
export function fuselet(udf, parameters, { flags = [], ...options } = {}) {
  const words = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return run(nodePath(26), [join(dist, "cli.js"), "run", "--no-prompt", ...flags, udf, ...words], options);
}

/** The running processes whose parent is `pid`; empty where there is no /proc. */
export async function childrenOf(pid) {
  if (!existsSync("/proc/self/task")) return [];
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
