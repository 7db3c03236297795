/**
 * Takes secrets out of texts and bytes: the value itself, and what it is after the usual encodings: JSON, URLs, base64 (wherever
 * in the encoded text it begins), hexadecimal digits, lower case. What was compressed, encrypted, turned around or cut in pieces
 * is not found, nor are values of fewer than six bytes, which other texts have by chance.
 */
import { concat } from "../../runtime/bytes.ts";

/** A value, and what stands in its place. */
export interface Hidden {
  value: string;
  shown: string;
}

/** Shorter ones are left as they are. */
export const FEWEST_BYTES = 6;

interface Pattern {
  text: string;
  shown: string;
  /** Which of the ways to write the value. */
  form: number;
}

const encoder = new TextEncoder();

export class Redaction {
  readonly #patterns: readonly Pattern[];

  constructor(hidden: readonly Hidden[]) {
    this.#patterns = hidden
      .flatMap(({ value, shown }) => formsOf(value).map((text, form) => ({ text, shown, form })))
      // What is longer may have something shorter in it.
      .sort((a, b) => b.text.length - a.text.length);
  }

  text(text: string): string {
    let redacted = text;
    for (const { text: form, shown } of this.#patterns) redacted = redacted.replaceAll(form, () => shown);
    return redacted;
  }

  /** What texts with other values in the same places have in common: for keys, which must not depend on a value. */
  template(text: string): string {
    let template = text;
    for (const { text: value, shown, form } of this.#patterns)
      template = template.replaceAll(value, () => `${shown}${form}`);
    return template;
  }

  /** Plain data with all of its texts, names of fields included. */
  value(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [this.text(name), this.value(item)]),
    );
  }

  /** Bytes of the same length: asterisks stand where a secret was. */
  bytes(bytes: Uint8Array): Uint8Array {
    const stream = this.stream({ keepsLength: true });
    return concat([stream.push(bytes), stream.end()]);
  }

  /** For bytes that come in parts. @param options.keepsLength asterisks, so that sizes and positions stay what they are */
  stream({ keepsLength }: { keepsLength: boolean }): RedactingStream {
    return new RedactingStream(
      this.#patterns.map(({ text, shown }) => {
        const from = encoder.encode(text);
        return { from, to: keepsLength ? new Uint8Array(from.length).fill(42) : encoder.encode(shown) };
      }),
    );
  }
}

/** How a value may be written; each at least as long as what is worth looking for. */
function formsOf(value: string): string[] {
  const bytes = encoder.encode(value);
  if (bytes.length < FEWEST_BYTES) return [];
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const percent = encodeURIComponent(value);
  const base64 = [0, 1, 2].map((before) => base64Of(bytes, before));
  const forms = [
    value,
    value.toLowerCase(),
    JSON.stringify(value).slice(1, -1),
    percent,
    percent.replace(/%../g, (code) => code.toLowerCase()),
    percent.replaceAll("%20", "+"),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    hex,
    hex.toUpperCase(),
  ];
  return [...new Set(forms)].filter((form) => form.length >= FEWEST_BYTES);
}

/** A text with a character for each byte, as `btoa` takes it. */
export const asCharacters = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** What is the same in every base64 text that has the value behind so many bytes (0, 1 or 2, and any three more). */
function base64Of(bytes: Uint8Array, before: number): string {
  const text = btoa("\0".repeat(before) + asCharacters(bytes));
  // A character has six bits, a byte eight.
  return text.slice(Math.ceil((8 * before) / 6), Math.floor((8 * (before + bytes.length)) / 6));
}

/**
 * Replaces byte patterns in a stream: the first that begins, and of several the longest. Only what may be the beginning of one
 * is held back. The search is Horspool's, for several patterns (Navarro and Raffinot, Flexible Pattern Matching, section 3.3.2).
 */
export class RedactingStream {
  readonly #patterns: readonly { from: Uint8Array; to: Uint8Array }[];
  readonly #least: number;
  readonly #most: number;
  /** How far the window may move on when this byte is its last. */
  readonly #shifts: Uint16Array;
  #held: Uint8Array = new Uint8Array(0);

  constructor(patterns: readonly { from: Uint8Array; to: Uint8Array }[]) {
    this.#patterns = [...patterns].sort((a, b) => b.from.length - a.from.length);
    const lengths = patterns.map(({ from }) => from.length);
    this.#least = Math.min(...lengths, 65_535);
    this.#most = Math.max(...lengths, 0);
    this.#shifts = new Uint16Array(256).fill(this.#least);
    for (const { from } of patterns) {
      for (let i = 0; i < this.#least; i++) {
        const byte = from[i] as number;
        this.#shifts[byte] = Math.min(this.#shifts[byte] as number, this.#least - 1 - i);
      }
    }
  }

  /** @returns what is sure of all that has come */
  push(part: Uint8Array): Uint8Array {
    const bytes = this.#held.length > 0 ? concat([this.#held, part]) : part;
    return this.#replace(bytes, (at) => this.#beginning(bytes, at));
  }

  /** @returns what was held back, as it came */
  take(): Uint8Array {
    const held = this.#held;
    this.#held = new Uint8Array(0);
    return held;
  }

  /** @returns what was held back */
  end(): Uint8Array {
    // One may be complete that was also the beginning of a longer one.
    return this.#replace(this.#held, () => this.#held.length);
  }

  #replace(bytes: Uint8Array, holdFrom: (at: number) => number): Uint8Array {
    const out: Uint8Array[] = [];
    for (let at = 0; ; ) {
      const end = holdFrom(at);
      const found = this.#find(bytes, at, end);
      if (!found) {
        out.push(bytes.subarray(at, end));
        // A copy: the part belongs to whoever brought it.
        this.#held = bytes.slice(end);
        return out.length === 1 ? (out[0] as Uint8Array) : concat(out);
      }
      out.push(bytes.subarray(at, found.at), found.to);
      at = found.at + found.length;
    }
  }

  /** Where the last bytes begin that may go on to be a pattern. */
  #beginning(bytes: Uint8Array, from: number): number {
    for (let at = Math.max(from, bytes.length - this.#most + 1); at < bytes.length; at++) {
      if (
        this.#patterns.some(
          (pattern) => pattern.from.length > bytes.length - at && isAt(pattern.from, bytes, at),
        )
      )
        return at;
    }
    return bytes.length;
  }

  /** The first pattern that begins in a range and is complete. */
  #find(
    bytes: Uint8Array,
    from: number,
    to: number,
  ): { at: number; length: number; to: Uint8Array } | undefined {
    const [shifts, least] = [this.#shifts, this.#least];
    for (let at = from; at < to && at + least <= bytes.length; ) {
      const shift = shifts[bytes[at + least - 1] as number] as number;
      if (shift > 0) {
        at += shift;
        continue;
      }
      for (const pattern of this.#patterns) {
        if (pattern.from.length <= bytes.length - at && isAt(pattern.from, bytes, at))
          return { at, length: pattern.from.length, to: pattern.to };
      }
      at++;
    }
    return undefined;
  }
}

/** Whether the pattern stands there, as far as the bytes go. */
function isAt(pattern: Uint8Array, bytes: Uint8Array, at: number): boolean {
  const end = Math.min(pattern.length, bytes.length - at);
  for (let i = 0; i < end; i++) if (pattern[i] !== bytes[at + i]) return false;
  return true;
}
