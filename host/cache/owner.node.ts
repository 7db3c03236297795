/**
 * A process as the owner of locks: its number and when it started, because numbers are given again, and the machine, because
 * a folder may be on several.
 */
import { execFile } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { promisify } from "node:util";
import { once } from "../../runtime/once.ts";
import type { Owner } from "./owner.ts";

/** This process. */
export function processOwner(): Owner {
  const machine = machineName();
  const own = once(async () => {
    const started = (await startOf(process.pid)) ?? "";
    return JSON.stringify([machine, process.pid, started]);
  });
  return {
    id: own,
    async isAlive(id) {
      const [where, pid, started] = parse(id);
      if (where !== machine) return undefined;
      if (!exists(pid)) return false;
      const now = await startOf(pid);
      // Where nobody tells when a process started, it may be another one of the same number.
      return now === undefined ? undefined : now === started;
    },
    close() {},
  };
}

function parse(id: string): [machine: unknown, pid: number, started: unknown] {
  try {
    const [machine, pid, started] = JSON.parse(id) as unknown[];
    return [machine, Number.isInteger(pid) && (pid as number) > 0 ? (pid as number) : -1, started];
  } catch {
    return [undefined, -1, undefined];
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Process numbers mean something within one boot, and on Linux within one namespace (a container). */
function machineName(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/** When a process started, in the system's own words. Undefined where the system does not tell; empty for one that has ended. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return startFromProc(pid);
  if (process.platform === "win32") return undefined;
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
    });
    const [state = "", ...started] = stdout.trim().split(/\s+/);
    return state.startsWith("Z") ? "" : started.join(" ");
  } catch {
    return undefined;
  }
}

/** Fields of /proc/PID/stat: proc(5). The name of the program stands in parentheses, and may have any character. */
function startFromProc(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "", ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended, whoever may still ask for its exit status.
    return "ZX".includes(state) ? "" : fields[18];
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : undefined;
  }
}
