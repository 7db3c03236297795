import { concat } from "../../runtime/bytes.ts";
import { ResultError } from "../../runtime/errors.ts";

/** A table of few bytes can be much text: a column of nothing has rows without data. */
const MAX_BYTES = 2 ** 30;

/** Collects text as UTF-8 bytes, in pieces, so that a result may be larger than the longest string. */
export class TextSink {
  readonly #encoder = new TextEncoder();
  readonly #chunks: Uint8Array[] = [];
  #text = "";
  #length = 0;

  write(text: string): void {
    this.#text += text;
    if (this.#text.length > 65_536) this.#flush();
  }

  /** All that was written. */
  bytes(): Uint8Array {
    this.#flush();
    return concat(this.#chunks);
  }

  #flush(): void {
    // Half of a surrogate pair at the end waits for its other half.
    const last = this.#text.charCodeAt(this.#text.length - 1);
    const kept = last >= 0xd800 && last < 0xdc00 && this.#text.length > 1 ? this.#text.slice(-1) : "";
    const chunk = this.#encoder.encode(kept ? this.#text.slice(0, -1) : this.#text);
    this.#text = kept;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length > MAX_BYTES) {
      throw new ResultError(
        "Cannot write the result as text: it is larger than 1 GB; write it as parquet or arrow",
        {
          path: "result",
        },
      );
    }
  }
}

/** Of bytes in a text: with more, it would be longer than what JSON.stringify takes. */
const MAX_BASE64 = 2 ** 27;

/** Base64 (RFC 4648, with padding). @throws ResultError for more than 128 MiB */
export function base64(bytes: Uint8Array): string {
  if (bytes.length > MAX_BASE64)
    throw new ResultError(`Cannot write ${bytes.length} bytes as text: at most ${MAX_BASE64} can be`, {
      path: "result",
    });
  // As fast as copying, where it is there: other runs wait meanwhile.
  const { toBase64 } = bytes as { toBase64?(): string };
  if (toBase64) return toBase64.call(bytes);
  const parts: string[] = [];
  // A multiple of three, so that no padding falls between pieces.
  for (let at = 0; at < bytes.length; at += 24_576) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 24_576))));
  }
  return parts.join("");
}
