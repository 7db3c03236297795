/** Ends isolates whose host is gone, where the kernel does not do it: a shell that waits for its standard input to end. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";

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

/** In a session of its own, so that what interrupts its host's group does not reach it. */
function startShell(): ChildProcess {
  const started = spawn(SHELL, ["-c", SCRIPT], {
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
    cwd: "/",
    detached: true,
  });
  started.unref();
  (started.stdin as unknown as { unref(): void }).unref();
  const forget = () => {
    if (shell === started) shell = undefined;
  };
  started.on("error", forget);
  started.on("close", forget);
  // It was ended by somebody: the next one that is started gets all names.
  started.stdin?.on("error", forget);
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
  tell();
  child.once("exit", () => {
    watched.delete(pid);
    tell();
  });
}
