/** Servers that somebody has signed in to: `logins.json` in the data folder, which only the user can read. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import { UsageError } from "../../runtime/errors.ts";
import { checkSettings } from "../typescript/server/settings.ts";
import type { Options } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

/** A server, and who we are there. */
export interface Login {
  /** With the path of its wire. */
  url: string;
  token: string | undefined;
  scheme: string;
}

interface Kept {
  servers: Record<string, { token: string; scheme: string }>;
  /** The one that was signed in to last. */
  last: string | null;
}

const fileOf = (env: Terminal["env"]) => join(dataFolder(env), "logins.json");

function readKept(env: Terminal["env"]): Kept {
  const file = fileOf(env);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { servers: {}, last: null };
    throw new UsageError(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const { servers, last } = JSON.parse(text) as Partial<Kept>;
    const entries = Object.entries(servers ?? {}).filter(
      ([, login]) => typeof login?.token === "string" && typeof login.scheme === "string",
    );
    return { servers: Object.fromEntries(entries), last: typeof last === "string" ? last : null };
  } catch (cause) {
    throw new UsageError(`Cannot read ${file}: it is damaged; delete it, and sign in again`, { cause });
  }
}

/** Nobody sees a part of it, and nobody but the user reads it. */
function writeKept(kept: Kept, env: Terminal["env"]): void {
  const file = fileOf(env);
  const part = `${file}.${randomUUID()}.part`;
  try {
    mkdirSync(dataFolder(env), { recursive: true, mode: 0o700 });
    writeFileSync(part, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(part, file);
  } catch (cause) {
    rmSync(part, { force: true });
    throw new UsageError(`Cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
}

/** Keeps a login; it is the one that counts from now on. */
export function keepLogin({ url, token, scheme }: Login & { token: string }, env: Terminal["env"]): void {
  const { servers } = readKept(env);
  writeKept({ servers: { ...servers, [url]: { token, scheme } }, last: url }, env);
}

/** Forgets the login of a server, or all. @returns the addresses of those that are forgotten */
export function forgetLogins(url: string | null, env: Terminal["env"]): string[] {
  const { servers, last } = readKept(env);
  const gone = Object.keys(servers).filter((known) => url === null || known === url);
  const left = Object.fromEntries(Object.entries(servers).filter(([known]) => !gone.includes(known)));
  if (gone.length > 0)
    writeKept(
      { servers: left, last: last !== null && last in left ? last : (Object.keys(left)[0] ?? null) },
      env,
    );
  return gone;
}

/** The address of a server with the path of its wire. @throws UsageError */
export const wireUrl = (url: string): string => checkSettings({ baseUrl: url }).baseUrl;

/**
 * The server that `--url`, FUSELET_URL, or the last login names. FUSELET_TOKEN is sent to the server of FUSELET_URL alone.
 * @throws UsageError where none is named
 */
export function loginFrom(options: Options, env: Terminal["env"]): Login {
  const { servers, last } = readKept(env);
  const fromEnv = env.FUSELET_URL ? wireUrl(env.FUSELET_URL) : null;
  const given = options.get("url");
  const url = given === undefined ? (fromEnv ?? last) : wireUrl(given);
  if (url === null) {
    throw new UsageError(
      "There is no server: name one with --url URL or FUSELET_URL, or sign in first: fuselet login --url http://127.0.0.1:8000",
    );
  }
  if (url === fromEnv && env.FUSELET_TOKEN) return { url, token: env.FUSELET_TOKEN, scheme: "Bearer" };
  const known = servers[url];
  return { url, token: known?.token, scheme: known?.scheme ?? "Bearer" };
}
