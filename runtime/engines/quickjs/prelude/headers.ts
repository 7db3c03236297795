/** `Headers`. Source: the Fetch standard. Names are kept in lower case; the host decides which may be sent. */
import {
  exec,
  getOwnPropertyDescriptor,
  indexOf,
  joinText,
  type List,
  list,
  lower,
  ownKeys,
  slice,
  textOf,
  toJson,
  typeError,
  uncurry,
} from "./host.ts";
import { addIteration, type Named, replaceNamed, toArray } from "./named.ts";

export type Header = Named<string>;

const NAME = /^[!#$%&'*+\-.^_`|~\w]+$/;
/** No NUL and no line break, which would begin another header. */
const VALUE = /^[^\0\r\n\u0100-\uffff]*$/;
const { iterator } = Symbol;
const SPACES = "\t\n\r ";
const sort = uncurry(Array.prototype.sort as (compare: (a: Header, b: Header) => number) => unknown);

const quote = (text: string): string => toJson(slice(text, 0, 100));

function headerName(name: unknown): string {
  const text = textOf(name);
  if (!exec(NAME, text)) throw typeError(`Invalid header name: ${quote(text)}`);
  return lower(text);
}

function headerValue(value: unknown, name: string): string {
  const all = textOf(value);
  let start = 0;
  let end = all.length;
  while (start < end && indexOf(SPACES, all[start] as string) >= 0) start++;
  while (end > start && indexOf(SPACES, all[end - 1] as string) >= 0) end--;
  const text = slice(all, start, end);
  if (!exec(VALUE, text)) throw typeError(`Invalid value of the header ${name}: ${quote(text)}`);
  return text;
}

export let isHeaders: (value: unknown) => value is Headers;
/** The same headers again. */
export let cloneHeaders: (headers: Headers) => Headers;
/** The values of a header, joined; null where there is none. @param name in lower case */
export let getHeader: (headers: Headers, name: string) => string | null;
/** Adds a header that is not there yet. @param name in lower case */
export let addMissing: (headers: Headers, name: string, value: string) => void;
/** A header list as it is, for reading only. */
export let headerList: (headers: Headers) => List<Header>;
/** Headers with a list that is theirs from now on. @param fixed the UDF cannot change them */
export let makeHeaders: (items: List<Header>, fixed: boolean) => Headers;

export class Headers {
  #list = list<Header>();
  #fixed = false;
  /** As it is iterated over; null after a change. */
  #sorted: List<Header> | null = null;

  static {
    isHeaders = (value): value is Headers => typeof value === "object" && value !== null && #fixed in value;
    headerList = (headers) => headers.#list;
    makeHeaders = (items, fixed) => {
      const headers = new Headers();
      headers.#list = items;
      headers.#fixed = fixed;
      return headers;
    };
    cloneHeaders = (headers) => {
      const clone = new Headers(headers);
      clone.#fixed = headers.#fixed;
      return clone;
    };
    getHeader = (headers, name) => {
      let joined: string | null = null;
      for (let i = 0; i < headers.#list.length; i++) {
        const header = headers.#list[i] as Header;
        if (header.name === name)
          joined = joined === null ? header.value : joinText(joined, ", ", header.value);
      }
      return joined;
    };
    addMissing = (headers, name, value) => {
      if (getHeader(headers, name) === null) headers.#add(name, value);
    };
    addIteration(Headers.prototype, (headers: Headers, index) => {
      headers.#sorted ??= combine(headers.#list);
      return index < headers.#sorted.length ? headers.#sorted[index] : undefined;
    });
  }

  constructor(init: unknown = undefined) {
    if (init === undefined) return;
    if (init === null || (typeof init !== "object" && typeof init !== "function"))
      throw typeError("Cannot make Headers: the argument must be headers, a list of pairs or an object");
    if (isHeaders(init)) {
      for (let i = 0; i < init.#list.length; i++) this.#list[i] = init.#list[i] as Header;
    } else if (typeof (init as Record<symbol, unknown>)[iterator] === "function") {
      for (const pair of init as Iterable<Iterable<unknown>>) {
        const items = typeof pair === "object" && pair !== null ? [...pair] : [];
        if (items.length !== 2) throw typeError("Cannot make Headers: each item must be a name and a value");
        this.#add(items[0], items[1]);
      }
    } else {
      const names = ownKeys(init);
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as string;
        if (getOwnPropertyDescriptor(init, name)?.enumerable)
          this.#add(name, (init as Record<string, unknown>)[name]);
      }
    }
  }

  append(name: unknown, value: unknown): void {
    this.#add(name, value);
  }
  delete(name: unknown): void {
    this.#replace(headerName(name), null);
  }
  get(name: unknown): string | null {
    return getHeader(this, headerName(name));
  }
  getSetCookie(): string[] {
    const found = list<string>();
    for (let i = 0; i < this.#list.length; i++) {
      const { name, value } = this.#list[i] as Header;
      if (name === "set-cookie") found[found.length] = value;
    }
    return toArray(found);
  }
  has(name: unknown): boolean {
    return getHeader(this, headerName(name)) !== null;
  }
  set(name: unknown, value: unknown): void {
    const key = headerName(name);
    this.#replace(key, { name: key, value: headerValue(value, key) });
  }

  #add(name: unknown, value: unknown): void {
    const key = headerName(name);
    const header = { name: key, value: headerValue(value, key) };
    this.#change();
    this.#list[this.#list.length] = header;
  }
  #replace(name: string, header: Header | null): void {
    this.#change();
    this.#list = replaceNamed(this.#list, name, header);
  }
  #change(): void {
    if (this.#fixed) throw typeError("Cannot change these headers: they are immutable");
    this.#sorted = null;
  }
}

/** "Sort and combine" of the standard: by name, values of one name as one; but each `set-cookie` by itself. */
function combine(items: List<Header>): List<Header> {
  const all = list<Header>();
  for (let i = 0; i < items.length; i++) all[i] = items[i] as Header;
  // Stable: the values of one name stay in order.
  sort(all as unknown as Header[], (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const sorted = list<Header>();
  for (let i = 0; i < all.length; i++) {
    const { name, value } = all[i] as Header;
    const last = sorted.length - 1;
    if (name !== "set-cookie" && last >= 0 && sorted[last]?.name === name)
      sorted[last] = { name, value: joinText(sorted[last]?.value, ", ", value) };
    else sorted[sorted.length] = { name, value };
  }
  return sorted;
}
