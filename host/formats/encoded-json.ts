/**
 * JSON out of an encoded value, as it came from its isolate (runtime/value.ts), without the way over JavaScript's values: a float stays
 * a float (`6.0`), and keys keep their order. Plain JSON is copied; what has a tag is replaced:
 *
 *     {"a":6.0,"t":{"$":"tuple","v":[1.0,{"$":"float","v":"NaN"}]}}   becomes   {"a":6.0,"t":[1.0,null]}
 */
import { tableBuilder } from "../../runtime/columns.ts";
import { ResultError } from "../../runtime/errors.ts";
import { decodeValue, type Encoded } from "../../runtime/value.ts";
import { type JsonOptions, writeJson } from "./json.ts";
import { TextSink } from "./sink.ts";

/** What a tag begins with. Inside of a JSON string the quotes would have backslashes. */
const TAG = '{"$":"';
/** Tags that are a text, and those that stand for a list. */
const SCALAR = /\{"\$":"(float|int|datetime|date|time|timedelta|decimal|uuid)","v":("[^"\\]*")\}/y;
const LIST = /\{"\$":"(?:tuple|set|complex)","v":(?=\[)/y;
/** A mapping that has the key `$` itself: a list of pairs. */
const PAIRS = '{"$":"dict","v":[';

/** Encodes a value that `decodeValue` reads. @throws ResultError */
export async function encodedJson(
  encoded: Encoded,
  { hasConstants = false }: JsonOptions = {},
): Promise<Uint8Array> {
  const sink = new TextSink();
  if (encoded.text.includes(TAG)) await new Transcoder(encoded, sink, hasConstants).write();
  else sink.write(encoded.text);
  return sink.bytes();
}

/** The members of an encoded object, each by itself. */
export function encodedMembers({ text, buffers }: Encoded): Map<string, Encoded> {
  const members = new Map<string, Encoded>();
  if (!text.startsWith("{") || text.startsWith(TAG)) return members;
  for (let at = 1; text[at] === '"'; ) {
    const colon = endOfString(text, at);
    const end = endOfValue(text, colon + 1);
    members.set(JSON.parse(text.slice(at, colon)), { text: text.slice(colon + 1, end), buffers });
    at = end + 1;
  }
  return members;
}

/** What a bracket that is open was: plain JSON, the object around a tag's value, the list of a mapping's pairs, one of these. */
type Open = "plain" | "tag" | "pairs" | "pair";

class Transcoder {
  readonly #encoded: Encoded;
  readonly #text: string;
  readonly #sink: TextSink;
  readonly #hasConstants: boolean;
  readonly #open: Open[] = [];
  /** Up to where the text is written. */
  #written = 0;

  constructor(encoded: Encoded, sink: TextSink, hasConstants: boolean) {
    this.#encoded = encoded;
    this.#text = encoded.text;
    this.#sink = sink;
    this.#hasConstants = hasConstants;
  }

  async write(): Promise<void> {
    const text = this.#text;
    for (let at = nextMark(text, 0); at < text.length; at = nextMark(text, at)) {
      const mark = text[at];
      if (mark === '"') at = this.#string(at);
      else if (mark === "]" || mark === "}") at = this.#close(at);
      else if (mark === "{" && text.startsWith(TAG, at)) at = await this.#tag(at);
      else if (mark === "[" && this.#open.at(-1) === "pairs") at = this.#replace(at, at + 1, "", "pair");
      else {
        this.#open.push("plain");
        at++;
      }
    }
    this.#sink.write(text.slice(this.#written));
  }

  /** Writes something in the place of a part of the text, after all that comes before it. @returns the end of the part */
  #replace(start: number, end: number, by: string, open?: Open): number {
    this.#sink.write(this.#text.slice(this.#written, start) + by);
    this.#written = end;
    if (open) this.#open.push(open);
    return end;
  }

  #string(at: number): number {
    const end = endOfString(this.#text, at);
    // Between the key and the value of a pair, that is: behind its first string.
    if (this.#open.at(-1) !== "pair") return end;
    this.#open[this.#open.length - 1] = "tag";
    return this.#replace(end, end + 1, ":");
  }

  #close(at: number): number {
    const open = this.#open.pop();
    if (open === "plain") return at + 1;
    return this.#replace(at, at + 1, open === "pairs" ? "}" : "");
  }

  async #tag(at: number): Promise<number> {
    const text = this.#text;
    if (text.startsWith(PAIRS, at)) {
      this.#open.push("tag");
      return this.#replace(at, at + PAIRS.length, "{", "pairs");
    }
    LIST.lastIndex = at;
    if (LIST.test(text)) return this.#replace(at, LIST.lastIndex, "", "tag");
    SCALAR.lastIndex = at;
    const [, tag, quoted = ""] = SCALAR.exec(text) ?? [];
    if (tag) return this.#replace(at, SCALAR.lastIndex, this.#scalar(tag, quoted));
    const end = endOfValue(text, at);
    this.#replace(at, end, "");
    const value = { text: text.slice(at, end), buffers: this.#encoded.buffers };
    const decoded = decodeValue(value, await tableBuilder(value.text));
    await writeJson(this.#sink, decoded, { marksFloats: true, hasConstants: this.#hasConstants });
    return end;
  }

  #scalar(tag: string, quoted: string): string {
    if (tag === "int") return quoted.slice(1, -1);
    if (tag !== "float") return quoted;
    if (quoted === '"-0"') return "-0.0";
    return this.#hasConstants ? quoted.slice(1, -1) : "null";
  }
}

const MARK = /["[\]{}]/g;

/** Where the next string or bracket begins; the length of the text where none does. */
function nextMark(text: string, from: number): number {
  MARK.lastIndex = from;
  return MARK.exec(text)?.index ?? text.length;
}

/** Where a string ends that begins at a quote. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  throw new ResultError("Cannot write the result as JSON: a text in it has no end", { path: "result" });
}

const AFTER = /[,\]}]|$/g;

/** Where a value ends: a string, an object, a list, or what is none of these. */
function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  if (text[start] !== "{" && text[start] !== "[") {
    AFTER.lastIndex = start;
    return AFTER.exec(text)?.index ?? text.length;
  }
  let depth = 0;
  for (let at = start; at < text.length; at = nextMark(text, at)) {
    const mark = text[at];
    if (mark === '"') {
      at = endOfString(text, at);
      continue;
    }
    depth += mark === "{" || mark === "[" ? 1 : -1;
    at++;
    if (depth === 0) return at;
  }
  return text.length;
}
