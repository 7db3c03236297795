/**
 * The Node that isolates run in. Where fuselet runs in Node, its own. Deno and Bun have Node's modules, and not the permission model that
 * is an isolate's first wall: there a Node is looked for, and must show the wall before it is used.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

export interface NodeProgram {
  path: string;
  major: number;
  /** The version of its engine: what one engine has kept means nothing to another. */
  v8: string;
}

const NEEDED = "fuselet needs Node 22.13 or later";
const majorOf = (version: string) => Number(version.split(".")[0]);

/** Why fuselet cannot run in this process, or null. */
export const UNFIT_NODE =
  majorOf(process.versions.node) < 22 ? `${NEEDED}: this is ${process.version}` : null;

/** Whether this process is Node itself. */
export const IS_NODE = !("deno" in process.versions || "bun" in process.versions);

const OWN: NodeProgram = {
  path: process.execPath,
  major: majorOf(process.versions.node),
  v8: process.versions.v8,
};

/** Prints what it is, after an attempt at what an isolate must not do. */
const PROBE = `let code;
try { require("node:fs").readdirSync("/"); } catch (error) { code = error.code; }
const { deno, bun, node, v8 } = process.versions;
const open = ["fs.read", "fs.write", "child", "worker"].some((scope) => process.permission.has(scope));
const holds = code === "ERR_ACCESS_DENIED" && !open && !deno && !bun;
JSON.stringify({ path: process.execPath, major: parseInt(node), v8, holds })`;
const PROBE_MS = 10_000;

let found: NodeProgram | { unfit: string } | undefined;

/** @returns the program, or why there is none */
export function nodeProgram(): NodeProgram | { unfit: string } {
  if (IS_NODE) return UNFIT_NODE === null ? OWN : { unfit: UNFIT_NODE };
  found ??= findNode(process.env);
  return found;
}

/** The Node that FUSELET_NODE names, else the first on the PATH whose wall holds. */
export function findNode(env: NodeJS.ProcessEnv): NodeProgram | { unfit: string } {
  const reasons: string[] = [];
  for (const candidate of candidates(env)) {
    const program = tryNode(candidate, env);
    if (typeof program !== "string") return program;
    reasons.push(`${candidate}: ${program}`);
  }
  const why = reasons.length > 0 ? reasons.join("; ") : "there is none on the PATH";
  return {
    unfit: `it is a process of Node 22.13 or later, with its permission model: ${why}. Install one, or name it in FUSELET_NODE`,
  };
}

function candidates({ FUSELET_NODE: named, PATH = "" }: NodeJS.ProcessEnv): string[] {
  if (named) return [named];
  const name = process.platform === "win32" ? "node.exe" : "node";
  // Never from the folder that somebody happens to be in.
  return PATH.split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .filter((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Runs it as an isolate would be run. @returns it, or why it is not used */
function tryNode(file: string, env: NodeJS.ProcessEnv): NodeProgram | string {
  if (!isAbsolute(file)) return "not an absolute path";
  try {
    const { NODE_OPTIONS: _, ...others } = env;
    const { status, stdout, error } = spawnSync(file, ["--permission", "-p", PROBE], {
      cwd: "/",
      // A version manager's stand-in finds the program by its variables.
      env: others,
      encoding: "utf8",
      timeout: PROBE_MS,
      stdio: ["ignore", "pipe", "ignore"],
    });
    if (error) return error.message;
    if (status !== 0 || !stdout.startsWith("{")) return `no such Node (exit status ${status})`;
    const { path, major, v8, holds } = JSON.parse(stdout);
    // The program itself: its stand-in would be ended in its place.
    return holds === true ? { path, major, v8 } : "its permission model lets through what it must not";
  } catch (error) {
    return (error as Error).message;
  }
}
