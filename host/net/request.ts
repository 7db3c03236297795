/**
 * What a guest asks for, checked on arrival. The rules are those of the Fetch standard, and of HTTP where that is stricter:
 * what one server on the way could read as two requests is refused, not repaired.
 */
import { UsageError } from "../../runtime/errors.ts";
import { UNSAFE_CHARACTERS } from "../permissions/rules.ts";
import { NetError } from "./errors.ts";

/** A name in lower case, and a value. */
export type Header = [name: string, value: string];

export interface NetRequest {
  /** http or https, without user name, password and fragment. */
  url: URL;
  method: string;
  headers: Header[];
  body: Uint8Array | null;
  redirect: "follow" | "error" | "manual";
  /** null is as long as the host allows. */
  timeoutMs: number | null;
  /**
   * What has so much time: the whole answer, or each wait for something of it (its beginning, then the next part of its body),
   * which is what a time-out of Python's sockets is.
   */
  timeoutFor: "answer" | "step";
  /** Sizes and positions in the body must stay what they are: what is taken out of it is replaced by as many other bytes. */
  isFile?: boolean;
}

const MOST_URL_CHARACTERS = 64 * 1024;
const MOST_HEADERS = 256;
const MOST_HEADER_CHARACTERS = 64 * 1024;

/** A token of RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What a field value may not have: all but tab, visible ASCII, space and the upper half of Latin-1 (RFC 9110, 5.5). */
export const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** As in the Fetch standard: other names stay as they are, because methods are told apart by case. */
const UPPER_CASED = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);
const REFUSED_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Headers that say how this one connection is used: the host's own affair. */
const HOST_HEADERS = new Set(["expect", "http2-settings", "te", "trailer", "transfer-encoding", "upgrade"]);

/** A text of a guest, for a message: short, and without characters that change how the rest is shown. */
export function quote(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return JSON.stringify(short).replace(
    new RegExp(UNSAFE_CHARACTERS, "g"),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Reads the argument of `net.fetch`.
 * @param bodyBytes how large its body may be
 * @throws UsageError where a field has the wrong type, NetError where its value cannot be sent
 */
export function readRequest(value: unknown, bodyBytes: number): NetRequest {
  if (typeof value !== "object" || value === null)
    throw new UsageError("Cannot fetch: the request must be an object");
  const {
    url,
    method,
    headers,
    body = null,
    redirect,
    timeoutMs = null,
    timeoutFor = "answer",
  } = value as Record<string, unknown>;
  if (typeof url !== "string") throw new UsageError("Cannot fetch: url must be a text");
  if (typeof method !== "string") throw new UsageError("Cannot fetch: method must be a text");
  if (body !== null && !(body instanceof Uint8Array))
    throw new UsageError("Cannot fetch: body must be bytes or null");
  if (redirect !== "follow" && redirect !== "error" && redirect !== "manual")
    throw new UsageError("Cannot fetch: redirect must be follow, error or manual");
  if (timeoutMs !== null && !(typeof timeoutMs === "number" && timeoutMs > 0 && timeoutMs < Infinity))
    throw new UsageError("Cannot fetch: timeoutMs must be a number above 0, or null");
  if (timeoutFor !== "answer" && timeoutFor !== "step")
    throw new UsageError("Cannot fetch: timeoutFor must be answer or step");
  const target = readUrl(url);
  const verb = readMethod(method);
  const content = readBody(body, verb, bodyBytes);
  return {
    url: target,
    method: verb,
    headers: readHeaders(headers, target, content),
    body: content,
    redirect,
    timeoutMs,
    timeoutFor,
  };
}

/**
 * Reads a URL that is to be requested. As in `fetch`, one with a user name or a password is refused: they would end up in
 * logs; an Authorization header says the same.
 * @param base what it may be relative to
 * @throws NetError of code "url"
 */
export function readUrl(text: string, base?: URL): URL {
  if (text.length > MOST_URL_CHARACTERS)
    throw new NetError(
      "url",
      `Cannot request a URL of ${text.length} characters: at most ${MOST_URL_CHARACTERS} are sent`,
    );
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw new NetError("url", `Cannot request ${quote(text)}: it is no URL`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new NetError("url", `Cannot request a URL of ${quote(url.protocol)}: only http: and https: can be`);
  if (url.username !== "" || url.password !== "") {
    throw new NetError(
      "url",
      `Cannot request a URL of ${url.host} with a user name or password: send an Authorization header`,
    );
  }
  if (url.href.includes("#")) url.hash = "";
  return url;
}

function readMethod(method: string): string {
  const upper = method.toUpperCase();
  if (!TOKEN.test(method) || method.length > 32)
    throw new NetError("protocol", `Cannot use the method ${quote(method)}: it is none`);
  if (REFUSED_METHODS.has(upper))
    throw new NetError("protocol", `Cannot use the method ${upper}: it talks to proxies, not to servers`);
  return UPPER_CASED.has(upper) ? upper : method;
}

function readBody(body: Uint8Array | null, method: string, most: number): Uint8Array | null {
  if (body === null) return null;
  if (method === "GET" || method === "HEAD") {
    if (body.length === 0) return null;
    throw new NetError("protocol", `Cannot send a body with the method ${method}: it takes none`);
  }
  if (body.length > most)
    throw new NetError("size", `Cannot send a body of ${body.length} bytes: at most ${most} are sent`);
  return body;
}

function readHeaders(value: unknown, url: URL, body: Uint8Array | null): Header[] {
  if (!Array.isArray(value)) throw new UsageError("Cannot fetch: headers must be a list of pairs");
  if (value.length > MOST_HEADERS)
    throw new NetError("size", `Cannot send ${value.length} headers: at most ${MOST_HEADERS} are sent`);
  const headers: Header[] = [];
  let characters = 0;
  for (const pair of value as unknown[]) {
    const [name, text] = Array.isArray(pair) ? (pair as unknown[]) : [];
    if (typeof name !== "string" || typeof text !== "string")
      throw new UsageError("Cannot fetch: a header must be a pair of texts");
    characters += name.length + text.length + 4;
    if (characters > MOST_HEADER_CHARACTERS)
      throw new NetError("size", `Cannot send headers of more than ${MOST_HEADER_CHARACTERS} characters`);
    if (!TOKEN.test(name))
      throw new NetError("protocol", `Cannot send the header ${quote(name)}: its name is none`);
    if (NOT_IN_VALUE.test(text)) {
      throw new NetError(
        "protocol",
        `Cannot send the header ${name}: its value must have Latin-1 characters and no line break: received ${quote(text)}`,
      );
    }
    const header: Header = [name.toLowerCase(), text.replace(/^[\t ]+|[\t ]+$/g, "")];
    if (!isImplied(header, url, body)) add(headers, header);
  }
  return headers;
}

/** Lines of one name are one list, as in `Headers`; cookies have a separator of their own. */
function add(headers: Header[], header: Header): void {
  const same = headers.find(([name]) => name === header[0]);
  if (same) same[1] += (header[0] === "cookie" ? "; " : ", ") + header[1];
  else headers.push(header);
}

/**
 * Whether a header says what the host says anyway, so that it can be left out.
 * @throws NetError where it says something else, or is the host's alone
 */
function isImplied([name, value]: Header, url: URL, body: Uint8Array | null): boolean {
  const refuse = (why: string): never => {
    throw new NetError("protocol", `Cannot send the header ${name}: ${why}: received ${quote(value)}`);
  };
  if (HOST_HEADERS.has(name) || name.startsWith("proxy-")) return refuse("it is the host's to set");
  switch (name) {
    case "host": {
      const host = value.toLowerCase();
      const port = url.port || (url.protocol === "https:" ? "443" : "80");
      return (
        host === url.host ||
        host === `${url.hostname}:${port}` ||
        refuse(`it must be ${url.host}, as in the URL`)
      );
    }
    case "content-length":
      return value === String(body?.length ?? 0) || refuse(`the body has ${body?.length ?? 0} bytes`);
    case "connection":
      return /^(keep-alive|close)$/i.test(value) || refuse("it can only be keep-alive or close");
    case "keep-alive":
      return true;
    default:
      return false;
  }
}

/** Host and port, also where the port is the scheme's own. */
export function authorityOf({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}
