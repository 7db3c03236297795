/** Requests to a server: who we are, tries, waits, and what its refusals say. */
import { concat } from "../../../runtime/bytes.ts";
import { CancelledError } from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import { refusal, type ServerAnswer } from "./answers.ts";
import { ServerError } from "./server-error.ts";
import { type CheckedSettings, checkSettings, type ServerSettings } from "./settings.ts";

/** `fetch` of the platform, or one that is guarded. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: Exclude<RequestInit["body"], undefined>;
    signal: AbortSignal;
  },
) => Promise<Response>;

/** What is asked, beside the address. */
export interface Ask {
  /** Default: GET */
  method?: string;
  /** Those that are undefined or null are left out. */
  query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  json?: unknown;
  body?: Exclude<RequestInit["body"], undefined>;
  headers?: Readonly<Record<string, string>>;
  /** Of each wait. Default: that of the settings */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** Statuses with which a server says that it has done nothing yet. */
const LATER: ReadonlySet<number> = new Set([502, 503]);
/** The longest wait that a server can ask for. */
const MOST_DELAY_MS = 30_000;
/** The largest answer. */
const MOST_BYTES = 1024 ** 3;

/** A server, and who we are to it. */
export class Connection {
  readonly #given: () => ServerSettings;
  readonly #fetch: Fetch;
  /** The realtime client, by server and token. */
  readonly #clients = new Map<string, Promise<string>>();
  #isForgotten = false;

  /** @param given is asked again for each request */
  constructor(given: () => ServerSettings, fetch: Fetch) {
    this.#given = given;
    this.#fetch = fetch;
  }

  /** @throws UsageError where there is no server */
  get settings(): CheckedSettings {
    const settings = checkSettings(this.#given());
    return this.#isForgotten ? { ...settings, token: null } : settings;
  }

  /** From here on we are nobody. */
  forget(): void {
    this.#isForgotten = true;
    this.#clients.clear();
  }

  /** The JSON of an answer; null for an empty one. @throws ServerError, CancelledError */
  async json(path: string, ask: Ask = {}): Promise<unknown> {
    const answer = await this.answer(path, ask);
    if (answer.body.length === 0) return null;
    try {
      return JSON.parse(new TextDecoder().decode(answer.body));
    } catch (cause) {
      throw new ServerError(
        `Cannot read the server's answer: ${answer.url} gave no JSON; is it the address of a server?`,
        { status: answer.status, url: answer.url, cause },
      );
    }
  }

  /** An answer of a route. @throws ServerError for a status of an error, or where there is no answer; CancelledError */
  async answer(path: string, ask: Ask = {}): Promise<ServerAnswer> {
    const answer = await this.send(`${this.settings.baseUrl}/${path}`, {
      ...ask,
      headers: { ...this.authorization(), ...ask.headers },
    });
    if (answer.status >= 400) throw refusal(answer);
    return answer;
  }

  /** An answer, whatever its status; to any address, which learns nothing of who we are. @throws ServerError, CancelledError */
  async send(url: string, ask: Ask = {}): Promise<ServerAnswer> {
    const timeoutMs = ask.timeoutMs ?? this.settings.requestTimeoutMs;
    const { response, release } = await this.open(url, ask);
    try {
      const body = await readWhole(response, timeoutMs);
      return { status: response.status, headers: response.headers, body, url: withoutQuery(url) };
    } catch (error) {
      throw failure(url, error, ask.signal, timeoutMs);
    } finally {
      release();
    }
  }

  /**
   * Sends a request, as often as it takes, up to the head of its answer.
   * @returns `release` ends the request @throws ServerError, CancelledError
   */
  async open(url: string, ask: Ask): Promise<{ response: Response; release(): void }> {
    const { maxRetries, retryDelayMs, requestTimeoutMs } = this.settings;
    for (let tried = 0; ; tried++) {
      const opened = await this.#once(url, ask, ask.timeoutMs ?? requestTimeoutMs);
      const { response, release } = opened;
      if (!LATER.has(response.status) || tried >= maxRetries) return opened;
      release();
      const seconds = Number(response.headers.get("retry-after") || Number.NaN);
      const delayMs = seconds >= 0 ? seconds * 1000 : retryDelayMs * 2 ** tried;
      await wait(Math.min(delayMs, MOST_DELAY_MS), ask.signal);
    }
  }

  async #once(url: string, { method = "GET", query, json, body, headers, signal }: Ask, timeoutMs: number) {
    const content = json === undefined ? body : JSON.stringify(json);
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal?.reason);
    if (signal?.aborted) throw new CancelledError("Cancelled");
    signal?.addEventListener("abort", onAbort, { once: true });
    const release = () => {
      signal?.removeEventListener("abort", onAbort);
      stop.abort();
    };
    const timer = setTimeout(() => stop.abort(new SilentError()), timeoutMs);
    try {
      const response = await this.#fetch(withQuery(url, query), {
        method,
        headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(content === undefined ? {} : { body: content }),
        signal: stop.signal,
      });
      return { response, release };
    } catch (error) {
      release();
      throw failure(
        url,
        stop.signal.reason instanceof SilentError ? stop.signal.reason : error,
        signal,
        timeoutMs,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** The header that says who we are. */
  authorization(): Record<string, string> {
    const { token, scheme } = this.settings;
    return token === null ? {} : { authorization: `${scheme} ${token}` };
  }

  /** The realtime client that runs UDFs for us. @throws ServerError where the server has none */
  async client(): Promise<string> {
    const { clientId, baseUrl, token } = this.settings;
    if (clientId !== null) return clientId;
    const key = `${baseUrl} ${token}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const asked = this.json("realtime-instance/available").then((list) => firstOf(list, baseUrl));
    this.#clients.set(key, asked);
    asked.catch(() => this.#clients.delete(key));
    return asked;
  }

  /** A path below the realtime client's part of the server. */
  async realtime(path: string): Promise<string> {
    return `realtime/${encodeURIComponent(await this.client())}/api/v1/${path}`;
  }

  /** What a route lists in pages. @param n the most; undefined: all */
  async pages(
    path: string,
    { n, skip = 0, query = {} }: { n?: number | undefined; skip?: number | undefined; query?: Ask["query"] },
  ): Promise<unknown[]> {
    const found: unknown[] = [];
    while (n === undefined || found.length < n) {
      const limit = Math.min(PAGE, n === undefined ? PAGE : n - found.length);
      const page = await this.json(path, { query: { ...query, skip: skip + found.length, limit } });
      if (!Array.isArray(page) || page.length === 0) break;
      for (const entry of page) found.push(entry);
    }
    return found;
  }
}

const PAGE = 300;

/** Nothing came for too long. */
class SilentError extends Error {}

/** Waits. @throws CancelledError as soon as the signal fires */
export function wait(ms: number, signal?: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = () => {
      clearTimeout(timer);
      reject(new CancelledError("Cancelled"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", cancel);
      resolve();
    }, ms);
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
  });
}

/** The parts of a body, each of which has to come in time. */
export async function* partsOf(response: Response, timeoutMs: number): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new SilentError()), timeoutMs);
      });
      const { done, value } = await Promise.race([reader.read(), late]).finally(() => clearTimeout(timer));
      if (done) return;
      if (value) yield value;
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

async function readWhole(response: Response, timeoutMs: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of partsOf(response, timeoutMs)) {
    length += part.length;
    if (length > MOST_BYTES) throw new Error(`its answer is larger than ${MOST_BYTES} bytes`);
    parts.push(part);
  }
  const [only] = parts;
  return parts.length === 1 && only ? only : concat(parts);
}

/** Why there is no answer. Errors of the host, such as a denial, stay as they are. */
export function failure(
  url: string,
  error: unknown,
  signal: AbortSignal | undefined,
  timeoutMs: number,
): Error {
  if (signal?.aborted) return new CancelledError("Cancelled");
  if (error instanceof ServerError || error instanceof CancelledError) return error;
  const { name, message, cause } = error as Error;
  if (/Denied/.test(name)) return error as Error;
  const place = withoutQuery(url);
  if (error instanceof SilentError) {
    return new ServerError(`The server at ${place} did not answer within ${timeoutMs} ms`, {
      status: null,
      url: place,
    });
  }
  const why = cause instanceof Error && cause.message ? cause.message : message;
  return new ServerError(`Cannot reach the server at ${place}: ${why}`, {
    status: null,
    url: place,
    cause: error,
  });
}

const withoutQuery = (url: string) => url.replace(/[?#].*$/s, "");

function withQuery(url: string, query: Ask["query"] = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) return url;
  const text = given.map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  );
  return `${url}${url.includes("?") ? "&" : "?"}${text.join("&")}`;
}

function firstOf(answer: unknown, url: string): string {
  const ranked = (Array.isArray(answer) ? answer : [])
    .filter(
      (one): one is { client_id: string; preference_rank?: unknown } =>
        isRecord(one) && typeof one.client_id === "string",
    )
    .map(({ client_id, preference_rank }) => ({ id: client_id, rank: Number(preference_rank) || 0 }))
    .sort((a, b) => b.rank - a.rank);
  if (ranked[0]) return ranked[0].id;
  throw new ServerError(
    "The server has no realtime client for these credentials: give one (clientId), or sign in",
    {
      status: 200,
      url,
    },
  );
}
