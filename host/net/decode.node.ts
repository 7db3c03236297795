/** Undoes content codings (RFC 9110, 8.4.1) while a body comes in, never further ahead than its reader. */

import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, type Zlib } from "node:zlib";
import type { Sink } from "./body.ts";
import { NetError } from "./errors.ts";
import type { Header } from "./request.ts";

type Decoder = Transform & Zlib;

/** Opens a decoder by a body's first bytes. */
const DECODERS: Readonly<Record<string, (first: Uint8Array) => Decoder>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  // Servers mean zlib's format or, against the standard, deflate's own; zlib's first byte has 8 in its lower half.
  deflate: (first) => (((first[0] as number) & 15) === 8 ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
};

/** More codings than this on top of each other serve no purpose but to make work. */
const MOST_CODINGS = 3;

/**
 * The codings of an answer, in the order in which they were applied; empty where there is nothing that could be undone.
 * @throws NetError of code "protocol" where there are too many
 */
export function codingsOf(headers: readonly Header[]): string[] {
  const codings = headers
    .filter(([name]) => name === "content-encoding")
    .flatMap(([, value]) => value.toLowerCase().split(","))
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length > MOST_CODINGS)
    throw new NetError(
      "protocol",
      `The answer has ${codings.length} codings on top of each other: at most ${MOST_CODINGS} are undone`,
    );
  return codings.every((coding) => Object.hasOwn(DECODERS, coding)) ? codings : [];
}

/** Undoes one coding: bytes go in by `push`, and leave for `next`. */
export class DecodingSink implements Sink {
  readonly #coding: string;
  readonly #next: Sink;
  readonly #mostBytes: number;
  readonly #onError: (error: NetError) => void;
  #decoder: Decoder | undefined;
  #bytes = 0;
  /** Called when more is wanted, after `push` said no. */
  onDrain: () => void = () => {};

  /** @param mostBytes what it gives at most */
  constructor(coding: string, next: Sink, mostBytes: number, onError: (error: NetError) => void) {
    this.#coding = coding;
    this.#next = next;
    this.#mostBytes = mostBytes;
    this.#onError = onError;
  }

  push(part: Uint8Array): boolean {
    this.#decoder ??= this.#open(part);
    return this.#decoder.write(part);
  }

  end(): void {
    // A body without a byte is valid in no coding, but some servers send one.
    if (this.#decoder) this.#decoder.end();
    else this.#next.end();
  }

  /** `next` wants more again. */
  resume(): void {
    this.#decoder?.resume();
  }

  close(): void {
    this.#decoder?.destroy();
  }

  #open(first: Uint8Array): Decoder {
    const decoder = (DECODERS[this.#coding] as (first: Uint8Array) => Decoder)(first);
    decoder.on("data", (part: Uint8Array) => {
      this.#bytes += part.length;
      if (this.#bytes > this.#mostBytes)
        this.#onError(new NetError("size", `The answer has more than ${this.#mostBytes} bytes when decoded`));
      else if (!this.#next.push(part)) decoder.pause();
    });
    decoder.on("end", () => this.#next.end());
    decoder.on("drain", () => this.onDrain());
    decoder.on("error", (cause: NodeJS.ErrnoException) =>
      this.#onError(
        new NetError("protocol", `The ${this.#coding} coding of the answer is damaged (${cause.code})`, {
          cause,
        }),
      ),
    );
    return decoder;
  }
}
