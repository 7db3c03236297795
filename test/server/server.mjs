/** A `fuselet serve` of the suite: a process of its own, in a folder of its own, on a free port. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cli = join(process.env.FUSELET_DIST ?? join(root, "dist"), "cli.js");

/** The token of the first user, who is an admin. */
export const TOKEN = "secret-token";

/**
 * Starts one. `ended` resolves to its exit status once it is gone, and `errors()` is what it has written to standard error.
 * @param {string} data the folder
 * @param {readonly string[]} [args] more of the command line
 */
export async function startServer(data, args = []) {
  const child = spawn(
    process.execPath,
    [cli, "serve", "--port", "0", "--data", data, "--token", TOKEN, ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const errors = [];
  child.stderr.on("data", (chunk) => errors.push(chunk));
  const ended = once(child, "exit").then(([status, signal]) => status ?? signal);
  const written = () => Buffer.concat(errors).toString();
  const [line] = await Promise.race([
    once(child.stdout, "data"),
    ended.then((status) => {
      throw new Error(`The server ended with ${status}:\n${written()}`);
    }),
  ]);
  const url = /at (\S+)/.exec(String(line))[1];
  return {
    url,
    child,
    ended,
    errors: written,
    /** Ends it. @returns its exit status, or the signal that it ended by */
    async end(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
    /** Asks a route below /server/v1. @returns the Response */
    ask(method, path, { token = TOKEN, body, headers = {}, ...rest } = {}) {
      return fetch(`${url}/server/v1${path}`, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...rest,
      });
    },
    /** The same, and its JSON. @throws Error for a status that is not 200 */
    async call(method, path, options) {
      const response = await this.ask(method, path, options);
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    /** Saves a UDF. @returns it as the wire has it */
    save(slug, code, { language = "python", token, ...fields } = {}) {
      const metadata = language === "python" ? {} : { "fuselet:language": language };
      const body = { name: slug, type: "geopandas_v2", code, headers: [], metadata, entrypoint: "udf" };
      return this.call("POST", "/udf/new", {
        token,
        body: { slug, udf_body: JSON.stringify(body), udf_type: "auto", ...fields },
      });
    },
    /** Saves a UDF, and makes a link of it. @returns the link's token */
    async link(slug, code, { fields = {}, ...options } = {}) {
      const { id } = await this.save(slug, code, options);
      const body = { udf_id: id, ...fields };
      return (await this.call("POST", "/udf-access-token/new", { token: options.token, body })).token;
    },
    /** Makes a user. @returns the user's token */
    async addUser(handle, team) {
      const body = { email: `${handle}@example.org`, handle, team };
      return (await this.call("POST", "/user/new", { body })).token;
    },
  };
}

/** A request by node:http: for headers that fetch does not send, and from another address of loopback. */
export function ask(url, { body, headers = {}, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = request(url, { ...options, headers: { ...length, ...headers } }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
