/** Which server is asked, as whom, and how long. */
import { UsageError } from "../../../runtime/errors.ts";

/** The options of a client; all have defaults. Those of the reference's `fused.options` that have a meaning here. */
export interface ServerSettings {
  /** The server: `http://127.0.0.1:8000`, or with the path of its wire, `https://example.org/server/v1`. Default: none. */
  baseUrl?: string | undefined;
  /** Where UDFs run by their shared tokens. Default: scheme and host of `baseUrl`. */
  sharedBaseUrl?: string | undefined;
  /** Who we are. Default: nobody. */
  token?: string | undefined;
  /** The word before the token. Default: Bearer */
  scheme?: string | undefined;
  /** The realtime client that runs UDFs. Default: the first in rank of those that the server has. */
  clientId?: string | undefined;
  /** Further headers of runs. */
  runHeaders?: Readonly<Record<string, string>> | undefined;
  /** The longest wait for an answer, and for each part of it, in milliseconds. Default: 5,000 */
  requestTimeoutMs?: number | undefined;
  /** The same for runs, which wait for so long in all. Default: 130,000 */
  runTimeoutMs?: number | undefined;
  /** How often a request is sent again that a server puts off (502 and 503). Default: 5 */
  maxRetries?: number | undefined;
  /** The wait before the first further try; then each time twice as long, in milliseconds. Default: 1,000 */
  retryDelayMs?: number | undefined;
  /** The formats in which results are asked for, the best first. Default: what the server and we have in common */
  formats?: string | undefined;
}

/** The same, checked, with the defaults filled in. */
export interface CheckedSettings {
  baseUrl: string;
  sharedBaseUrl: string;
  token: string | null;
  scheme: string;
  clientId: string | null;
  runHeaders: Readonly<Record<string, string>>;
  requestTimeoutMs: number;
  runTimeoutMs: number;
  maxRetries: number;
  retryDelayMs: number;
  formats: string | null;
}

/** Where the wire begins, on a server whose address has no path. */
const WIRE = "/server/v1";

const NAMES: readonly (keyof ServerSettings)[] = [
  "baseUrl",
  "sharedBaseUrl",
  "token",
  "scheme",
  "clientId",
  "runHeaders",
  "requestTimeoutMs",
  "runTimeoutMs",
  "maxRetries",
  "retryDelayMs",
  "formats",
];

/**
 * Checks settings.
 * @throws UsageError that names the option and what it received, or says that there is no server
 */
export function checkSettings(given: ServerSettings): CheckedSettings {
  for (const name of Object.keys(given))
    if (!(NAMES as readonly string[]).includes(name))
      throw new UsageError(
        `Cannot use a server: the option ${JSON.stringify(name)} is unknown; options are ${NAMES.join(", ")}`,
      );
  const baseUrl = addressOf("baseUrl", given.baseUrl);
  if (baseUrl === null) {
    throw new UsageError(
      "There is no server: give its address (the option baseUrl, or url of a runtime's server), such as http://127.0.0.1:8000; fuselet serve starts one",
    );
  }
  const sharedBaseUrl = addressOf("sharedBaseUrl", given.sharedBaseUrl);
  const { token, scheme = "Bearer", clientId, runHeaders = {}, formats } = given;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new UsageError("Cannot use a server: token must be characters of ASCII, without spaces");
  if (!/^[\w-]+$/.test(scheme)) throw wrong("scheme", "a word, such as Bearer", scheme);
  return {
    baseUrl: new URL(baseUrl).pathname === "/" ? baseUrl + WIRE : baseUrl,
    sharedBaseUrl: sharedBaseUrl ?? new URL(baseUrl).origin,
    token: token ?? null,
    scheme,
    clientId: clientId ?? null,
    runHeaders,
    requestTimeoutMs: number("requestTimeoutMs", given.requestTimeoutMs, 5000, 1),
    runTimeoutMs: number("runTimeoutMs", given.runTimeoutMs, 130_000, 1),
    maxRetries: number("maxRetries", given.maxRetries, 5, 0),
    retryDelayMs: number("retryDelayMs", given.retryDelayMs, 1000, 0),
    formats: formats ?? null,
  };
}

/** Without a slash at its end. */
function addressOf(name: string, text: unknown): string | null {
  if (text === undefined || text === "") return null;
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash)
    throw wrong(name, "an address, such as http://127.0.0.1:8000", text);
  return url.href.replace(/\/+$/, "");
}

function number(name: string, value: number | undefined, otherwise: number, least: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === "number" && value >= least) return value;
  throw wrong(name, `a number from ${least}`, value);
}

const wrong = (name: string, rule: string, received: unknown) =>
  new UsageError(
    `Cannot use a server: ${name} must be ${rule}: received ${JSON.stringify(received) ?? typeof received}`,
  );
