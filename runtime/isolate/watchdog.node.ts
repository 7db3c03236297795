/** Ends isolates whose host is gone, where the kernel does not do it: a shell that waits for its standard input to end. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import type { Socket } from "node:net";

const SHELL = "/bin/sh";
/** Every line names all processes that are to be ended; half a line, after which the host died, does not count. */
const SCRIPT = 'while read -r line; do pids=$line; done; [ -z "$pids" ] || kill -9 $pids';

/** Whether `endWithHost` can do anything here. */
export const HAS_WATCHDOG = (() => {
  try {
    accessSync(SHELL, constants.X_OK);
    return process.platform !== "win32";
  } catch {
    return false;
  }
})();

const watched = new Set<number>();
let shell: ChildProcess | undefined;
/** Whether the shell already stands in for one that ended too early. */
let replaced = false;

/** In a session of its own, so that what interrupts its host's group does not reach it. */
function startShell(): ChildProcess {
  const started = spawn(SHELL, ["-c", SCRIPT], {
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
    cwd: "/",
    detached: true,
  });
  started.unref();
  (started.stdin as Socket | null)?.unref();
  // Without one the isolates still end themselves, unless they are in a loop.
  started.on("error", () => {});
  started.stdin?.on("error", () => {});
  started.on("close", () => {
    if (shell !== started) return;
    shell = undefined;
    // Somebody ended it: another takes over, once, until something else is watched.
    if (watched.size > 0 && !replaced) {
      replaced = true;
      tell();
    }
  });
  return started;
}

function tell(): void {
  shell ??= startShell();
  shell.stdin?.write(`${[...watched].join(" ")}\n`);
}

/** Has the process killed when this one ends, however that happens. */
export function endWithHost(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  watched.add(pid);
  replaced = false;
  tell();
  child.once("exit", () => {
    watched.delete(pid);
    tell();
  });
}
