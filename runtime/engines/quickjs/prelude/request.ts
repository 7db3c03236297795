/**
 * `Request`. Source: the Fetch standard. There is no page here, so no origin, no cookies and no HTTP cache: options about
 * them are checked and kept, without effect; those that ask for a guarantee that nobody gives here are refused.
 */
import { type AbortSignal, anySignal, isSignal } from "./abort.ts";
import { addBody, Content, extract } from "./body.ts";
import { addMissing, Headers } from "./headers.ts";
import { dictionary, exec, indexOf, joinText, list, textOf, toJson, typeError, upper } from "./host.ts";
import { addMethods } from "./named.ts";
import { URL } from "./url.ts";

const METHOD = /^[!#$%&'*+\-.^_`|~\w]+$/;
const UPPER_CASED = /^(?:delete|get|head|options|post|put)$/i;
const REFUSED_METHODS = /^(?:connect|trace|track)$/i;

/** Most URLs are written as the URL standard would write them, and need not be parsed: nothing of them could change. */
const PLAIN_URL =
  /^https?:\/\/(?![^?]*(?:\/\.|%2[eE]))(?:(?:[a-z\d-]+\.)*[a-z][a-z\d-]*|(?:(?:[1-9]?\d|1\d\d)\.){3}(?:[1-9]?\d|1\d\d))(?::(?!(?:80|443)\/)(?:[1-9]\d{0,3}|[1-5]\d{4}))?\/[\w~!$&()*+,;=:@%./-]*(?:\?[\w~!$&()*+,;=:@%./?-]*)?$/;

const NAME = "Cannot make a Request";

function readUrl(input: unknown): string {
  const text = textOf(input);
  if (exec(PLAIN_URL, text)) return text;
  const url = new URL(text);
  if (url.username || url.password)
    throw typeError(`${NAME}: a URL must have no user name and no password: send an Authorization header`);
  return url.href;
}

function readMethod(value: unknown): string {
  const method = textOf(value);
  if (!exec(METHOD, method) || exec(REFUSED_METHODS, method))
    throw typeError(`${NAME}: the method ${toJson(method)} cannot be sent`);
  return exec(UPPER_CASED, method) ? upper(method) : method;
}

/** One of the words, with spaces between them. */
function choice(value: unknown, name: string, words: string): string {
  const text = textOf(value);
  if (indexOf(text, " ") >= 0 || indexOf(joinText(" ", words, " "), joinText(" ", text, " ")) < 0)
    throw typeError(`${NAME}: ${name} must be one of ${words}: received ${toJson(text)}`);
  return text;
}

/** What a request says beside its body. */
interface Facts {
  readonly method: string;
  readonly url: string;
  readonly redirect: string;
  /** Options without effect here. */
  readonly hints: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

const DEFAULT_HINTS = {
  cache: "default",
  credentials: "same-origin",
  destination: "",
  duplex: "half",
  integrity: "",
  keepalive: false,
  mode: "cors",
  referrer: "about:client",
  referrerPolicy: "",
};

export let factsOf: (request: Request) => Facts;
export let requestContent: (request: Request) => Content;

export class Request {
  readonly #facts: Facts;
  #content: Content;

  static {
    factsOf = (request) => request.#facts;
    requestContent = (request) => request.#content;
    addBody(Request.prototype, requestContent, (request: Request) => request.#facts.headers);
    for (const name of Object.keys(DEFAULT_HINTS))
      addMethods(Request.prototype, {
        get [name]() {
          return factsOf(this as never).hints[name];
        },
      });
  }

  constructor(input: unknown, init: unknown = {}) {
    const from = typeof input === "object" && input !== null && #facts in input ? input : null;
    const old = from ? from.#facts : null;
    const options = dictionary(init, "The options of a Request");
    // In the standard's order, each once: they may be getters.
    const { body, cache, credentials, duplex, headers, integrity, keepalive } = options;
    const { method, mode, priority, redirect, referrer, referrerPolicy, signal, window } = options;
    const given = (value: unknown, name: string, words: string) =>
      value === undefined ? (old?.hints[name] ?? DEFAULT_HINTS[name as never]) : choice(value, name, words);

    const url = old ? old.url : readUrl(input);
    if (window !== undefined && window !== null) throw typeError(`${NAME}: there is no window`);
    if (integrity !== undefined && textOf(integrity) !== "")
      throw typeError(`${NAME}: integrity is not checked here: compare the bytes with a hash`);
    if (priority !== undefined) choice(priority, "priority", "high low auto");
    if (duplex !== undefined) choice(duplex, "duplex", "half");
    if (referrer !== undefined && textOf(referrer) !== "" && textOf(referrer) !== "about:client")
      readUrl(referrer);
    const hints = {
      ...DEFAULT_HINTS,
      cache: given(cache, "cache", "default no-store reload no-cache force-cache"),
      credentials: given(credentials, "credentials", "omit same-origin include"),
      keepalive: keepalive === undefined ? (old?.hints.keepalive ?? false) : !!keepalive,
      mode: given(mode, "mode", "cors no-cors"),
      referrer:
        referrer === undefined ? (old?.hints.referrer ?? "about:client") : textOf(referrer) && "about:client",
      referrerPolicy:
        referrerPolicy === ""
          ? ""
          : given(
              referrerPolicy,
              "referrerPolicy",
              "no-referrer no-referrer-when-downgrade same-origin origin strict-origin origin-when-cross-origin strict-origin-when-cross-origin unsafe-url",
            ),
    };
    if (signal !== undefined && signal !== null && !isSignal(signal))
      throw typeError(`${NAME}: signal must be an AbortSignal`);
    const sources = list<AbortSignal>();
    if (signal) sources[0] = signal;
    else if (old && signal === undefined) sources[0] = old.signal;
    this.#facts = {
      method: method === undefined ? (old?.method ?? "GET") : readMethod(method),
      url,
      redirect:
        redirect === undefined
          ? (old?.redirect ?? "follow")
          : choice(redirect, "redirect", "follow error manual"),
      hints,
      headers: new Headers(headers === undefined ? old?.headers : headers),
      signal: anySignal(sources),
    };

    const hasBody = body !== undefined && body !== null;
    const content = from ? from.#content : null;
    const oldBody = !hasBody && content !== null && !content.isEmpty;
    if ((hasBody || oldBody) && (this.#facts.method === "GET" || this.#facts.method === "HEAD"))
      throw typeError(`${NAME}: a ${this.#facts.method} request has no body`);
    if (hasBody) {
      const { content: own, type } = extract(body);
      if (own.stream && duplex === undefined)
        throw typeError(`${NAME}: a stream as the body needs the option duplex: "half"`);
      this.#content = own;
      if (type !== null) addMissing(this.#facts.headers, "content-type", type);
    } else if (oldBody) {
      content.check();
      this.#content = content.take();
    } else this.#content = new Content(null);
  }
  get method(): string {
    return this.#facts.method;
  }
  get url(): string {
    return this.#facts.url;
  }
  get headers(): Headers {
    return this.#facts.headers;
  }
  get redirect(): string {
    return this.#facts.redirect;
  }
  get signal(): AbortSignal {
    return this.#facts.signal;
  }
  clone(): Request {
    this.#content.check();
    const kept = this.#content.clone();
    const copy = new Request(this);
    this.#content = kept;
    return copy;
  }
}
