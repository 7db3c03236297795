/** `TextEncoder`, `TextDecoder` (UTF-8 only), `atob`, `btoa`. Source: the Encoding and HTML standards. */
import { OP } from "../ops.ts";
import { DOMException } from "./dom-exception.ts";
import { exactBuffer, host, parseJson, toJson } from "./host.ts";

const UTF8_LABELS = new Set([
  "utf-8",
  "utf8",
  "unicode-1-1-utf-8",
  "unicode11utf8",
  "unicode20utf8",
  "x-unicode20utf8",
]);

export class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }
  encode(text: unknown = ""): Uint8Array {
    return new Uint8Array(host(OP.encode, toJson(String(text))) as ArrayBuffer);
  }
  encodeInto(text: unknown, into: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = this.encode(character);
      if (written + bytes.length > into.length) break;
      into.set(bytes, written);
      read += character.length;
      written += bytes.length;
    }
    return { read, written };
  }
}

export class TextDecoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** Bytes of a character whose end has not come yet (`stream: true`). */
  #rest = new Uint8Array(0);
  #started = false;

  constructor(label: unknown = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!UTF8_LABELS.has(String(label).trim().toLowerCase())) {
      throw new RangeError(`Cannot make a TextDecoder: encoding must be utf-8: received ${String(label)}`);
    }
    this.fatal = Boolean(options.fatal);
    this.ignoreBOM = Boolean(options.ignoreBOM);
  }

  decode(
    input: ArrayBuffer | ArrayBufferView = new ArrayBuffer(0),
    options: { stream?: boolean } = {},
  ): string {
    const given =
      input instanceof ArrayBuffer
        ? new Uint8Array(input)
        : new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    let bytes = given as Uint8Array;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + given.length);
      bytes.set(this.#rest);
      bytes.set(given, this.#rest.length);
    }
    const cut = options.stream ? incompleteTail(bytes) : 0;
    this.#rest = bytes.slice(bytes.length - cut);
    const text = host(
      OP.decode,
      exactBuffer(bytes.subarray(0, bytes.length - cut)),
      this.fatal,
      this.ignoreBOM || this.#started,
    );
    this.#started = Boolean(options.stream) && (this.#started || bytes.length > cut);
    if (typeof text !== "string") throw new TypeError("Cannot decode the bytes: they are no UTF-8");
    return parseJson(text) as string;
  }
}

/** How many bytes at the end begin a character that goes on after them. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
    if (byte < 0x80) return 0;
  }
  return 0;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES: Record<string, number> = Object.fromEntries(
  [...ALPHABET].map((character, i) => [character, i]),
);

const invalidCharacter = (what: string) => new DOMException(what, "InvalidCharacterError");

export function btoa(data: unknown): string {
  const text = String(data);
  let out = "";
  for (let i = 0; i < text.length; i += 3) {
    const [a, b, c] = [text.charCodeAt(i), text.charCodeAt(i + 1), text.charCodeAt(i + 2)];
    if (a > 255 || b > 255 || c > 255)
      throw invalidCharacter("Cannot encode to base64: a character is above U+00FF");
    out += ALPHABET[a >> 2] as string;
    out += ALPHABET[((a & 3) << 4) | (b >> 4)] as string;
    out += Number.isNaN(b) ? "=" : (ALPHABET[((b & 15) << 2) | (c >> 6)] as string);
    out += Number.isNaN(c) ? "=" : (ALPHABET[c & 63] as string);
  }
  return out;
}

export function atob(data: unknown): string {
  let text = String(data).replace(/[\t\n\f\r ]/g, "");
  if (text.length % 4 === 0) text = text.replace(/==?$/, "");
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text))
    throw invalidCharacter("Cannot decode from base64: the text is no base64");
  let out = "";
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    bits = (bits << 6) | (VALUES[text[i] as string] as number);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += String.fromCharCode((bits >> held) & 255);
      bits &= (1 << held) - 1;
    }
  }
  return out;
}
