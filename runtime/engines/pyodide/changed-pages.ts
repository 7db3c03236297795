/** Which pages of a memory changed: found by reading it once, which takes half as long as writing a copy over it. */
import wasm from "./changed-pages.wat";

export const PAGE = 4096;
const KEY_BYTES = 128;
const DIGEST_BYTES = 16;

export interface ChangedPages {
  /** Notes what the pages from `first` up to `end` are now. */
  note(first: number, end: number): void;
  /** The numbers of the pages before `end` that are not as noted, ascending. Valid until the next call. */
  find(end: number): Uint32Array;
}

/**
 * @param memory the guest's
 * @param random fills with random bytes
 * @returns null where WebAssembly has no second memory or no SIMD (WebKit before 26)
 */
export function watchPages(
  memory: WebAssembly.Memory,
  random: (into: Uint8Array) => void,
): ChangedPages | null {
  if (!WebAssembly.validate(wasm)) return null;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { guest: { memory } });
  const own = exports.memory as WebAssembly.Memory;
  const compare = exports.compare as (page: number, pages: number, digest: number, list: number) => number;
  random(new Uint8Array(own.buffer, 0, KEY_BYTES));
  const digestOf = (page: number) => KEY_BYTES + page * DIGEST_BYTES;
  const reserve = (bytes: number) => {
    const missing = bytes - own.buffer.byteLength;
    if (missing > 0) own.grow(Math.ceil(missing / 65536));
  };
  return {
    note(first, end) {
      if (end <= first) return;
      reserve(digestOf(end));
      compare(first, end - first, digestOf(first), 0);
    },
    find(end) {
      if (end === 0) return new Uint32Array();
      const list = digestOf(end);
      reserve(list + end * Uint32Array.BYTES_PER_ELEMENT);
      const listEnd = compare(0, end, digestOf(0), list);
      return new Uint32Array(own.buffer, list, (listEnd - list) / Uint32Array.BYTES_PER_ELEMENT);
    },
  };
}
