/** Starts the process of an isolate: Node with no grant, an empty environment, two pipes, and the kernel's random bytes. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import type { Socket } from "node:net";
import { IS_NODE, type NodeProgram, nodeProgram } from "./node-program.node.ts";
import { endWithHost, HAS_WATCHDOG } from "./watchdog.node.ts";

/**
 * V8 must not make code from strings; the permission model gets no grant; SQLite would get around it; JSPI is behind a flag on 22. With
 * the usual 1 MB of young objects V8 would collect garbage twice before the first run.
 */
export const flagsOf = ({ major }: NodeProgram): string[] => [
  "--permission",
  "--no-experimental-sqlite",
  "--disallow-code-generation-from-strings",
  "--no-warnings",
  "--no-addons",
  "--wasm-lazy-validation",
  "--min-semi-space-size=4",
  ...(major < 24 ? ["--experimental-wasm-jspi"] : []),
];

/** On Linux the kernel ends the child when its parent dies, whatever it is doing. */
const PARENT_DEATH = (() => {
  const setpriv = "/usr/bin/setpriv";
  if (process.platform !== "linux") return [];
  try {
    accessSync(setpriv, constants.X_OK);
    return [setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"];
  } catch {
    return [];
  }
})();

/** Windows ends what a Node process has started together with it. */
const ENDS_BY_ITSELF = PARENT_DEATH.length > 0 || (IS_NODE && process.platform === "win32");

/** Whether a child ends with its parent, even one that never looks up from its work. */
export const ENDS_ORPHANS = ENDS_BY_ITSELF || HAS_WATCHDOG;

/** The kernel's random bytes as a file that a child can inherit, or null. */
function openRandom(): number | null {
  try {
    return openSync("/dev/urandom", "r");
  } catch {
    return null;
  }
}

/** @param bootstrap source of the bundle `child.js` */
function startChild(node: NodeProgram, bootstrap: string, warm: boolean): ChildProcess {
  const random = openRandom();
  const [program = node.path, ...args] = [
    ...PARENT_DEATH,
    node.path,
    ...flagsOf(node),
    "-e",
    bootstrap,
    ...(warm ? ["warm"] : []),
    ...(random === null ? ["node:crypto"] : []),
  ];
  const child = spawn(program, args, {
    env: {},
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe", random ?? "ignore"],
  });
  if (random !== null) closeSync(random);
  if (!ENDS_BY_ITSELF && HAS_WATCHDOG) endWithHost(child);
  return child;
}

let ahead: { child: ChildProcess; bootstrap: string } | undefined;

/**
 * Starts a process before anybody has asked for an isolate: a command line knows that it will need one while its modules still load.
 * It ends by itself when this process ends without having used it.
 */
export function startChildAhead(bootstrap: string): void {
  const node = nodeProgram();
  // Whoever then asks for an isolate hears it.
  if ("unfit" in node) return;
  const child = startChild(node, bootstrap, false);
  for (const stream of child.stdio) (stream as Socket | null)?.unref();
  child.unref();
  ahead = { child, bootstrap };
}

/** The process that was started ahead, or a new one. @param warm one that compiles its engine well before it is needed */
export function takeChild(node: NodeProgram, bootstrap: string, warm: boolean): ChildProcess {
  const taken = ahead;
  if (warm || taken?.bootstrap !== bootstrap) return startChild(node, bootstrap, warm);
  // Ctrl-C reaches it, too.
  if (taken.child.exitCode !== null || taken.child.signalCode !== null)
    return startChild(node, bootstrap, warm);
  ahead = undefined;
  for (const stream of taken.child.stdio) (stream as Socket | null)?.ref();
  taken.child.ref();
  return taken.child;
}
