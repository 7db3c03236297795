/**
 * `URL` and `URLSearchParams`. Source: the URL standard (url.spec.whatwg.org), without its setters' state machine and without
 * internationalised host names, which are refused. A `blob:` URL has no origin here.
 */
import { TextDecoder, TextEncoder } from "./text.ts";

interface Parts {
  scheme: string;
  username: string;
  password: string;
  /** Null where the URL has no authority. */
  host: string | null;
  port: string;
  path: string;
  /** A path that is no list of segments: `mailto:a@b`. */
  opaque: boolean;
  query: string | null;
  fragment: string | null;
}

/** Schemes with hosts and default ports. */
const SPECIAL: Record<string, string> = {
  "http:": "80",
  "https:": "443",
  "ws:": "80",
  "wss:": "443",
  "ftp:": "21",
  "file:": "",
};

const C0 = "\u0000-\u001f\u007f-\uffff";
const SETS = {
  fragment: new RegExp(`[${C0} "<>\`]`, "gu"),
  query: new RegExp(`[${C0} "#<>]`, "gu"),
  specialQuery: new RegExp(`[${C0} "#<>']`, "gu"),
  path: new RegExp(`[${C0} "#<>?^\`{}]`, "gu"),
  userinfo: new RegExp(`[${C0} "#<>?^\`{}/:;=@[\\\\\\]|]`, "gu"),
  opaque: new RegExp(`[${C0}]`, "gu"),
};
const FORBIDDEN_HOST = /[\u0000-\u0020#/:<>?@[\\\]^|%\u007f]/;

const encoder = new TextEncoder();

function percent(text: string, set: RegExp): string {
  // A set is one regular expression a code unit; pairs of surrogates are one character for `u`.
  return text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, utf8).replace(set, utf8);
}

function utf8(character: string): string {
  return Array.from(
    encoder.encode(character),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}

const invalid = (input: string, why: string) =>
  Object.assign(new TypeError(`Invalid URL: ${why}: ${input.slice(0, 200)}`), { code: "ERR_INVALID_URL" });

/** An IPv4 address as the standard reads it: parts in any of three bases. Null where the host is a name. */
function ipv4(host: string): string | null {
  const parts = host.replace(/\.$/, "").split(".");
  const last = parts.at(-1) as string;
  if (!/^(\d+|0x[\da-f]*)$/i.test(last)) return null;
  const numbers = parts.map((part) => {
    if (/^0x[\da-f]*$/i.test(part)) return Number(part.length === 2 ? 0 : part);
    if (/^0[0-7]*$/.test(part)) return Number.parseInt(part, 8);
    return /^\d+$/.test(part) ? Number(part) : Number.NaN;
  });
  const tail = numbers.pop() as number;
  if (numbers.length > 3 || numbers.some((n) => !(n <= 255)) || !(tail < 256 ** (4 - numbers.length)))
    throw new TypeError("bad IPv4 address");
  const value = numbers.reduce((sum, n, i) => sum + n * 256 ** (3 - i), tail);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

function ipv6(text: string): string {
  let address = text;
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (embedded) {
    const bytes = (embedded[2] as string).split(".").map(Number);
    if (bytes.some((byte) => byte > 255)) throw new TypeError("bad IPv6 address");
    const word = (i: number) => ((bytes[i] as number) * 256 + (bytes[i + 1] as number)).toString(16);
    address = `${embedded[1]}${word(0)}:${word(2)}`;
  }
  const [left, right, more] = address.split("::");
  const words = (side: string | undefined) => (side ? side.split(":") : []);
  const [head, rest] = [words(left), words(right)];
  const missing = 8 - head.length - rest.length;
  if (more !== undefined || (right === undefined ? missing !== 0 : missing < 1))
    throw new TypeError("bad IPv6 address");
  const all = [...head, ...Array.from({ length: right === undefined ? 0 : missing }, () => "0"), ...rest];
  if (!all.every((word) => /^[\da-f]{1,4}$/i.test(word))) throw new TypeError("bad IPv6 address");
  const short = all.map((word) => Number.parseInt(word, 16).toString(16));
  // The longest run of at least two zeros is written as `::`, the first of equals.
  const runs = [...short.join(":").matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort(
    (a, b) => b[0].replace(/^:/, "").length - a[0].replace(/^:/, "").length,
  );
  const joined = short.join(":");
  const [run] = runs;
  return run
    ? `${joined.slice(0, run.index)}::${joined.slice(run.index + run[0].length).replace(/^:/, "")}`
    : joined;
}

function parseHost(input: string, special: boolean): string {
  if (input.startsWith("[")) {
    if (!input.endsWith("]")) throw new TypeError("bad IPv6 address");
    return `[${ipv6(input.slice(1, -1))}]`;
  }
  if (!special) {
    if (/[\u0000\t\n\r #/:<>?@[\\\]^|]/.test(input)) throw new TypeError("bad host");
    return percent(input, SETS.opaque);
  }
  let host: string;
  try {
    host = decodeURIComponent(input).toLowerCase();
  } catch {
    throw new TypeError("bad host");
  }
  if (host === "" || FORBIDDEN_HOST.test(host)) throw new TypeError("bad host");
  if (/[^\u0000-\u007f]/.test(host)) throw new TypeError("internationalised host names are not supported");
  return ipv4(host) ?? host;
}

/** A path's segments with `.` and `..` carried out. */
function normalise(path: string, special: boolean): string {
  const out: string[] = [];
  const segments = (special ? path.replaceAll("\\", "/") : path).split("/").slice(1);
  segments.forEach((segment, i) => {
    const plain = segment.replace(/%2e/gi, ".");
    const last = i === segments.length - 1;
    if (plain === "..") out.pop();
    if (plain === "." || plain === "..") {
      if (last) out.push("");
    } else out.push(percent(segment, SETS.path));
  });
  return `/${out.join("/")}`;
}

function parse(input: string, base: Parts | null): Parts {
  let rest = input.replace(/^[\u0000- ]+|[\u0000- ]+$/g, "").replace(/[\t\n\r]/g, "");
  const parts: Parts = {
    scheme: "",
    username: "",
    password: "",
    host: null,
    port: "",
    path: "",
    opaque: false,
    query: null,
    fragment: null,
  };
  const hash = rest.indexOf("#");
  if (hash >= 0) {
    parts.fragment = percent(rest.slice(hash + 1), SETS.fragment);
    rest = rest.slice(0, hash);
  }
  const scheme = /^[a-z][a-z\d+.-]*:/i.exec(rest)?.[0].toLowerCase();
  const sameSpecial =
    scheme !== undefined &&
    scheme === base?.scheme &&
    Object.hasOwn(SPECIAL, scheme) &&
    !/^[a-z\d+.-]+:[/\\]{2}/i.test(rest);
  if (scheme !== undefined && !sameSpecial) {
    parts.scheme = scheme;
    rest = rest.slice(scheme.length);
  } else {
    if (!base) throw new TypeError("it is relative and there is no base");
    if (base.opaque && rest !== "") throw new TypeError("it is relative to a base without a path");
    if (sameSpecial) rest = rest.slice((scheme as string).length);
    parts.scheme = base.scheme;
  }
  const special = Object.hasOwn(SPECIAL, parts.scheme);
  const relative = (scheme === undefined || sameSpecial) && base ? base : null;
  const mark = rest.indexOf("?");
  if (mark >= 0) {
    parts.query = percent(rest.slice(mark + 1), special ? SETS.specialQuery : SETS.query);
    rest = rest.slice(0, mark);
  }
  const slashes = special ? /^[/\\]{2,}/ : /^\/\//;
  const authority =
    slashes.exec(rest)?.[0] ??
    (special && !relative && parts.scheme !== "file:" ? (/^[/\\]*/.exec(rest)?.[0] as string) : null);
  if (authority !== null) {
    const skip = parts.scheme === "file:" || !special ? 2 : authority.length;
    const end = (special ? /[/\\]/ : /\//).exec(rest.slice(skip));
    parseAuthority(rest.slice(skip, end ? skip + end.index : undefined), parts, special);
    const path = end ? rest.slice(skip + end.index) : "";
    parts.path = path === "" && !special ? "" : normalise(path === "" ? "/" : path, special);
    return parts;
  }
  if (!relative) {
    parts.opaque = !special && !rest.startsWith("/");
    if (parts.scheme === "file:") parts.host = "";
    if (parts.opaque) parts.path = percent(rest, SETS.opaque);
    else parts.path = normalise(rest.startsWith("/") || rest.startsWith("\\") ? rest : `/${rest}`, special);
    return parts;
  }
  Object.assign(parts, {
    username: relative.username,
    password: relative.password,
    host: relative.host,
    port: relative.port,
    opaque: relative.opaque,
  });
  if (rest === "") {
    parts.path = relative.path;
    parts.query ??= mark >= 0 ? "" : relative.query;
  } else if (/^\//.test(rest) || (special && rest.startsWith("\\"))) parts.path = normalise(rest, special);
  else parts.path = normalise(relative.path.replace(/[^/]*$/, "").replace(/^$/, "/") + rest, special);
  return parts;
}

function parseAuthority(text: string, parts: Parts, special: boolean): void {
  const at = text.lastIndexOf("@");
  if (at >= 0) {
    const [user, ...password] = text.slice(0, at).split(":");
    parts.username = percent(user as string, SETS.userinfo);
    parts.password = percent(password.join(":"), SETS.userinfo);
  }
  const [, name, port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text.slice(at + 1)) ?? [];
  if (name === undefined) throw new TypeError("bad host");
  if (port !== undefined && !(/^\d*$/.test(port) && Number(port) < 65536)) throw new TypeError("bad port");
  if (name === "" && (at >= 0 || port || (special && parts.scheme !== "file:")))
    throw new TypeError("it has no host");
  parts.host = name === "" ? "" : parseHost(name, special);
  if (parts.scheme === "file:" && parts.host === "localhost") parts.host = "";
  parts.port = port ? String(Number(port)) : "";
  if (parts.port === SPECIAL[parts.scheme]) parts.port = "";
}

/** `application/x-www-form-urlencoded`. */
function formEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/%20/g, "+")
    .replace(/[!'()~]/g, utf8);
}

const decoder = new TextDecoder();

function formDecode(text: string): string {
  const plain = text.replaceAll("+", " ");
  if (!plain.includes("%")) return plain;
  const bytes: number[] = [];
  for (let i = 0; i < plain.length; ) {
    const hex = /^%([\da-f]{2})/i.exec(plain.slice(i, i + 3))?.[1];
    if (hex !== undefined) {
      bytes.push(Number.parseInt(hex, 16));
      i += 3;
      continue;
    }
    const character = String.fromCodePoint(plain.codePointAt(i) as number);
    bytes.push(...encoder.encode(character));
    i += character.length;
  }
  return decoder.decode(new Uint8Array(bytes));
}

export let isSearchParams: (value: unknown) => value is URLSearchParams;

export class URLSearchParams {
  #pairs: [string, string][] = [];
  #changed: (query: string) => void = () => undefined;

  static {
    isSearchParams = (value): value is URLSearchParams =>
      typeof value === "object" && value !== null && #pairs in value;
  }

  constructor(init: unknown = "") {
    if (typeof init === "object" && init !== null) {
      const iterate = (init as { [Symbol.iterator]?: unknown })[Symbol.iterator];
      for (const pair of typeof iterate === "function" ? (init as Iterable<unknown>) : Object.entries(init)) {
        const [name, value, ...more] = [...(pair as Iterable<unknown>)];
        if (value === undefined || more.length > 0)
          throw new TypeError("Cannot make URLSearchParams: each item must be a name and a value");
        this.#pairs.push([String(name), String(value)]);
      }
      return;
    }
    this.#read(String(init).replace(/^\?/, ""));
  }

  /** The parameters of a URL: they change with it, and it with them. */
  static of(
    query: string,
    changed: (query: string) => void,
  ): { params: URLSearchParams; update: (query: string) => void } {
    const params = new URLSearchParams(query);
    params.#changed = changed;
    return { params, update: (text) => params.#read(text) };
  }

  #read(query: string): void {
    this.#pairs = query
      .split("&")
      .filter((part) => part !== "")
      .map((part) => {
        const at = part.indexOf("=");
        return at < 0
          ? [formDecode(part), ""]
          : [formDecode(part.slice(0, at)), formDecode(part.slice(at + 1))];
      });
  }

  get size(): number {
    return this.#pairs.length;
  }
  append(name: unknown, value: unknown): void {
    this.#pairs.push([String(name), String(value)]);
    this.#changed(this.toString());
  }
  delete(name: unknown, value?: unknown): void {
    this.#pairs = this.#pairs.filter(
      ([key, item]) => key !== String(name) || (value !== undefined && item !== String(value)),
    );
    this.#changed(this.toString());
  }
  get(name: unknown): string | null {
    return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null;
  }
  getAll(name: unknown): string[] {
    return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value);
  }
  has(name: unknown, value?: unknown): boolean {
    return this.#pairs.some(
      ([key, item]) => key === String(name) && (value === undefined || item === String(value)),
    );
  }
  set(name: unknown, value: unknown): void {
    const first = this.#pairs.find(([key]) => key === String(name));
    if (!first) {
      this.append(name, value);
      return;
    }
    first[1] = String(value);
    this.#pairs = this.#pairs.filter((pair) => pair === first || pair[0] !== String(name));
    this.#changed(this.toString());
  }
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed(this.toString());
  }
  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    for (const [name, value] of this.#pairs) callback.call(self, value, name, this);
  }
  *entries(): IterableIterator<[string, string]> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this.#pairs) yield name;
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this.#pairs) yield value;
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
  toString(): string {
    return this.#pairs.map(([name, value]) => `${formEncode(name)}=${formEncode(value)}`).join("&");
  }
}

export class URL {
  #parts: Parts;
  readonly #search: ReturnType<typeof URLSearchParams.of>;

  /** @throws TypeError for what is no URL, or relative without a base */
  constructor(url: unknown, base: unknown = undefined) {
    const input = String(url);
    try {
      this.#parts = parse(input, base === undefined ? null : parse(String(base), null));
    } catch (error) {
      throw invalid(input, error instanceof TypeError ? error.message : "it cannot be read");
    }
    this.#search = URLSearchParams.of(this.#parts.query ?? "", (query) => {
      this.#parts.query = query === "" ? null : query;
    });
  }
  static canParse(url: unknown, base: unknown = undefined): boolean {
    return URL.parse(url, base) !== null;
  }
  static parse(url: unknown, base: unknown = undefined): URL | null {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  get href(): string {
    const { scheme, username, password, host, path, opaque, query, fragment } = this.#parts;
    const user = username || password ? `${username}${password ? `:${password}` : ""}@` : "";
    // Without a host, two slashes at the start of the path would read as one.
    const authority =
      host === null ? (!opaque && path.startsWith("//") ? "/." : "") : `//${user}${this.host}`;
    return `${scheme}${authority}${path}${query === null ? "" : `?${query}`}${fragment === null ? "" : `#${fragment}`}`;
  }
  set href(value: string) {
    this.#parts = new URL(value).#parts;
    this.#search.update(this.#parts.query ?? "");
  }
  get origin(): string {
    const { scheme } = this.#parts;
    return Object.hasOwn(SPECIAL, scheme) && scheme !== "file:" ? `${scheme}//${this.host}` : "null";
  }
  get protocol(): string {
    return this.#parts.scheme;
  }
  get username(): string {
    return this.#parts.username;
  }
  set username(value: string) {
    if (this.#parts.host) this.#parts.username = percent(String(value), SETS.userinfo);
  }
  get password(): string {
    return this.#parts.password;
  }
  set password(value: string) {
    if (this.#parts.host) this.#parts.password = percent(String(value), SETS.userinfo);
  }
  get host(): string {
    const { host, port } = this.#parts;
    return `${host ?? ""}${port ? `:${port}` : ""}`;
  }
  set host(value: string) {
    this.#replace(`${this.#parts.scheme}//${String(value).replace(/[/?#\\].*/s, "")}`, (next) => {
      this.#parts.host = next.host;
      if (/:\d+$/.test(String(value))) this.#parts.port = next.port;
    });
  }
  get hostname(): string {
    return this.#parts.host ?? "";
  }
  set hostname(value: string) {
    if (!String(value).startsWith("[") && String(value).includes(":")) return;
    this.#replace(`${this.#parts.scheme}//${String(value).replace(/[/?#\\].*/s, "")}`, (next) => {
      this.#parts.host = next.host;
    });
  }
  get port(): string {
    return this.#parts.port;
  }
  set port(value: string) {
    const digits = /^\d*/.exec(String(value))?.[0] as string;
    if (!this.#parts.host || Number(digits) > 65535 || (digits === "" && String(value) !== "")) return;
    const port = digits === "" ? "" : String(Number(digits));
    this.#parts.port = port === SPECIAL[this.#parts.scheme] ? "" : port;
  }
  get pathname(): string {
    return this.#parts.path;
  }
  set pathname(value: string) {
    if (this.#parts.opaque) return;
    const path = String(value);
    this.#parts.path = normalise(
      /^[/\\]/.test(path) ? path : `/${path}`,
      Object.hasOwn(SPECIAL, this.#parts.scheme),
    );
  }
  get search(): string {
    return this.#parts.query ? `?${this.#parts.query}` : "";
  }
  set search(value: string) {
    const text = String(value).replace(/^\?/, "");
    this.#parts.query =
      String(value) === ""
        ? null
        : percent(text, Object.hasOwn(SPECIAL, this.#parts.scheme) ? SETS.specialQuery : SETS.query);
    this.#search.update(text);
  }
  get searchParams(): URLSearchParams {
    return this.#search.params;
  }
  get hash(): string {
    return this.#parts.fragment ? `#${this.#parts.fragment}` : "";
  }
  set hash(value: string) {
    const text = String(value).replace(/^#/, "");
    this.#parts.fragment = String(value) === "" ? null : percent(text, SETS.fragment);
  }
  toString(): string {
    return this.href;
  }
  toJSON(): string {
    return this.href;
  }

  /** A setter's value that cannot be read changes nothing. */
  #replace(url: string, take: (parts: Parts) => void): void {
    if (this.#parts.opaque) return;
    const next = URL.parse(url);
    if (next) take(next.#parts);
  }
}
