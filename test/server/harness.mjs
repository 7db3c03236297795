/** A `fuselet serve` of its own for tests, on a free port of this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { isWanted } from "../setup/cases.mjs";

export const root = dirname(dirname(import.meta.dirname));
export const dist = process.env.FUSELET_DIST ?? join(root, "dist");
export const TOKEN = "a-token-for-tests";

/**
 * Starts a server.
 * @param {{ args?: string[], data?: string, env?: Record<string, string>, token?: string | null }} [options] `args`: more of the command
 *   line; `data`: its folder; `token`: of the first user, null: the server makes one
 * @returns where it is, its folder and process; `ask(method, path, body, more)` sends a request with the first user's token
 */
export async function startServer({
  args = [],
  data = mkdtempSync(join(tmpdir(), "fuselet-server-")),
  env = {},
  token = TOKEN,
} = {}) {
  const ownToken = token === null ? [] : ["--token", token];
  const given = ["serve", "--port", "0", "--data", data, ...ownToken, ...args];
  const child = spawn(process.execPath, [join(dist, "cli.js"), ...given], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(([status]) => {
      throw new Error(`fuselet serve ended with ${status}: ${stderr}`);
    }),
  ]);
  const url = /https?:\/\/\S+/.exec(line)[0];
  const end = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    const [status] = await once(child, "exit");
    return status;
  };
  return {
    url,
    data,
    child,
    /** What it has written to standard error so far. */
    stderr: () => stderr,
    /** Asks it to end. @returns its exit status */
    close: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    /** @param {{ token?: string | null, headers?: Record<string, string>, signal?: AbortSignal }} [more] `token` null: none */
    ask(method, path, body, { token = TOKEN, headers = {}, signal } = {}) {
      const isJson = body !== undefined && !(body instanceof Uint8Array) && typeof body !== "string";
      return fetch(path.startsWith("/") ? url + path : `${url}/server/v1/${path}`, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(isJson ? { "content-type": "application/json" } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
        ...(signal ? { signal } : {}),
      });
    },
  };
}

/** The body that saves a UDF. @param language `python` or `typescript` */
export function udfBody(name, code, { language = "python", ...more } = {}) {
  const udf = { name, code, type: "geopandas_v2", headers: [], metadata: { "fuselet:language": language } };
  return { slug: name, udf_body: JSON.stringify({ ...udf, ...more }), udf_type: "auto" };
}

/** Saves a UDF and makes a link to it. @returns its id and the link's token */
export async function share(server, name, code, options) {
  const saved = await (await server.ask("POST", "udf/new", udfBody(name, code, options))).json();
  const made = await (await server.ask("POST", "udf-access-token/new", { udf_id: saved.id })).json();
  return { id: saved.id, token: made.token };
}

/** The same cases, of which the last that will run closes what they share: no other could, where words choose cases. */
export function closingAfter(cases, close) {
  const last = Object.keys(cases).filter(isWanted).at(-1);
  if (last === undefined) return cases;
  const run = async () => {
    try {
      await cases[last]();
    } finally {
      await close();
    }
  };
  return { ...cases, [last]: run };
}
