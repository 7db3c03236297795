/** A `fuselet serve` for tests: a process of its own, in a folder of its own, on a free port of this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

/** The built package: FUSELET_DIST names another build than dist/. */
export const dist = process.env.FUSELET_DIST ?? join(dirname(dirname(import.meta.dirname)), "dist");

/** The token of the first user, who is an admin. */
export const TOKEN = "a-token-for-tests";

/** A UDF as the wire has it. @param {string} [language] `python` or `typescript` */
export function wireUdf(name, code, language = "python") {
  return { name, code, type: "geopandas_v2", headers: [], metadata: { "fuselet:language": language } };
}

/** The body that saves a UDF. */
export function udfBody(name, code, language) {
  return { slug: name, udf_body: JSON.stringify(wireUdf(name, code, language)), udf_type: "auto" };
}

/**
 * Starts a server, and waits until it says where it listens. Another on the folder of one that has ended goes on with what is there.
 * @param {{ args?: string[], data?: string, env?: Record<string, string>, hasToken?: boolean, program?: string[] }} [options] `args`: more
 *   of the command line; `data`: its folder; `env`: more environment; `hasToken` false: it makes the token of the first user itself;
 *   `program`: what runs it, where that is not this Node
 */
export async function startServer({
  args = [],
  data = mkdtempSync(join(tmpdir(), "fuselet-server-")),
  env = {},
  hasToken = true,
  program: [program, ...words] = [process.execPath],
} = {}) {
  const given = ["serve", "--port", "0", "--data", data, ...(hasToken ? ["--token", TOKEN] : []), ...args];
  const child = spawn(program, [...words, join(dist, "cli.js"), ...given], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const ended = once(child, "exit").then(([status, signal]) => status ?? signal);
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    ended.then((status) => {
      throw new Error(`fuselet serve ended with ${status}: ${stderr}`);
    }),
  ]);
  const url = /https?:\/\/\S+/.exec(line)[0];

  /** Ends it. @returns {Promise<number | string>} its exit status, or the signal that it ended by */
  const end = (signal = "SIGTERM") => {
    child.kill(signal);
    return ended;
  };

  /** Ends it, and removes its folder. @returns the same */
  const close = async (signal) => {
    const status = await end(signal);
    rmSync(data, { recursive: true, force: true, maxRetries: 5 });
    return status;
  };

  /**
   * Sends a request. A path that does not begin with / is below /server/v1.
   * @param {unknown} [body] text and bytes go as they are, all else as JSON
   * @param {{ token?: string | null, headers?: Record<string, string>, signal?: AbortSignal }} [more] `token` null: none
   */
  const ask = (method, path, body, { token = TOKEN, headers = {}, signal } = {}) => {
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
  };

  /** The same, and the JSON of its answer. @throws Error for a status that is not 200 */
  const call = async (method, path, body, more) => {
    const answer = await ask(method, path, body, more);
    const text = await answer.text();
    if (answer.status !== 200)
      throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}\n${stderr}`);
    return JSON.parse(text);
  };

  /** Saves a UDF. @returns it as the wire has it */
  const save = (name, code, { language, token, ...fields } = {}) =>
    call("POST", "udf/new", { ...udfBody(name, code, language), ...fields }, { token });

  /** Saves a UDF, and makes a link to it. @returns its id and the link's token */
  const share = async (name, code, options = {}) => {
    const { id } = await save(name, code, options);
    const link = await call("POST", "udf-access-token/new", { udf_id: id }, { token: options.token });
    return { id, token: link.token };
  };

  /** Makes a user. @returns the user's token */
  const addUser = async (handle, team) =>
    (await call("POST", "user/new", { email: `${handle}@example.org`, handle, team })).token;

  /** The value of a metric without labels. */
  const metric = async (name) => {
    const text = await (await ask("GET", "/metrics")).text();
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)[1]);
  };

  /** What it has written to standard error so far. */
  const errors = () => stderr;

  /** Where `await using` has it: no server and no folder outlives a case that fails. */
  const dispose = () => close("SIGKILL");

  return {
    ...{ url, data, child, errors, end, close, ask, call, save, share, addUser, metric },
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * A request on a connection of its own, with all that fetch does not let one choose.
 * @param {import("node:http").RequestOptions & { body?: string | Uint8Array }} [options]
 */
export function raw(url, { body, headers = {}, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const given = { agent: false, ...options, headers: { ...length, ...headers } };
    const sent = request(url, given, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() });
    });
    sent.on("error", reject).end(body);
  });
}
