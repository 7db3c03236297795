/**
 * The file format of a snapshot: an engine's memory with its empty pages left out.
 *
 *     8 bytes  magic "FUSELET\0"
 *     u32      format version        u32  length of the metadata
 *     metadata (JSON, UTF-8), then zeros up to a multiple of 8
 *     the pages that are not empty, in order
 *
 * The metadata names the runs of pages: [first page, count, …]. Everything is checked before anything is used: a file that
 * was cut off or changed is an error, and its owner builds a new one.
 */
import { AssetError } from "../errors.ts";

const MAGIC = 0x0054454c_45535546n; // "FUSELET\0", little-endian
const VERSION = 1;
const PAGE = 4096;
const HEAD = 16;

export interface Snapshot<Metadata> {
  metadata: Metadata;
  /** Bytes of the whole memory. */
  length: number;
  /** [start, end) in memory and where in `data` its bytes start. */
  runs: readonly { start: number; end: number; at: number }[];
  data: Uint8Array;
}

/** Whether the page at `index` holds only zeros; `words` is the memory as 64-bit words. */
function isEmpty(words: BigUint64Array, index: number): boolean {
  const end = (index + 1) * (PAGE / 8);
  for (let i = index * (PAGE / 8); i < end; i++) if (words[i] !== 0n) return false;
  return true;
}

/** Writes `memory` (a multiple of 4096 bytes, 8-byte aligned) and metadata into a snapshot file. */
export function encodeSnapshot(memory: Uint8Array, metadata: object): Uint8Array {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8);
  const runs: number[] = [];
  let full = 0;
  for (let page = 0; page < memory.length / PAGE; page++) {
    if (isEmpty(words, page)) continue;
    full++;
    const last = runs.length - 2;
    if (last >= 0 && (runs[last] as number) + (runs[last + 1] as number) === page)
      (runs[last + 1] as number)++;
    else runs.push(page, 1);
  }
  const text = new TextEncoder().encode(JSON.stringify({ length: memory.length, runs, metadata }));
  const start = Math.ceil((HEAD + text.length) / 8) * 8;
  const file = new Uint8Array(start + full * PAGE);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, MAGIC, true);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, text.length, true);
  file.set(text, HEAD);
  let at = start;
  for (let i = 0; i < runs.length; i += 2) {
    const first = (runs[i] as number) * PAGE;
    const end = first + (runs[i + 1] as number) * PAGE;
    file.set(memory.subarray(first, end), at);
    at += end - first;
  }
  return file;
}

/** Reads a snapshot file; `data` is a view on it. @throws AssetError when the file is none, of another version, or damaged. */
export function decodeSnapshot<Metadata>(file: Uint8Array): Snapshot<Metadata> {
  const bad = (why: string) => new AssetError(`The snapshot cannot be used: ${why}`);
  if (file.length < HEAD) throw bad("it is cut off");
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (view.getBigUint64(0, true) !== MAGIC) throw bad("it is no snapshot");
  if (view.getUint32(8, true) !== VERSION)
    throw bad(`its format is ${view.getUint32(8, true)}, not ${VERSION}`);
  const textLength = view.getUint32(12, true);
  if (HEAD + textLength > file.length) throw bad("it is cut off");
  let head: { length: number; runs: number[]; metadata: Metadata };
  try {
    head = JSON.parse(new TextDecoder().decode(file.subarray(HEAD, HEAD + textLength)));
  } catch {
    throw bad("its metadata are damaged");
  }
  const start = Math.ceil((HEAD + textLength) / 8) * 8;
  let at = 0;
  const runs: { start: number; end: number; at: number }[] = [];
  for (let i = 0; i < head.runs.length; i += 2) {
    const run = { start: (head.runs[i] as number) * PAGE, end: 0, at };
    run.end = run.start + (head.runs[i + 1] as number) * PAGE;
    at += run.end - run.start;
    if (!(run.end <= head.length) || run.start < (runs.at(-1)?.end ?? 0))
      throw bad("its pages do not add up");
    runs.push(run);
  }
  if (start + at !== file.length) throw bad("it is cut off");
  return { metadata: head.metadata, length: head.length, runs, data: file.subarray(start) };
}

/**
 * Puts a snapshot's memory into `memory`: its pages, and zeros between and after them.
 * @param touched where memory begins that nobody has written to: it is zero already
 */
export function restoreSnapshot(
  snapshot: Snapshot<unknown>,
  memory: Uint8Array,
  touched = memory.length,
): void {
  let end = 0;
  for (const run of snapshot.runs) {
    memory.fill(0, end, Math.min(run.start, Math.max(end, touched)));
    memory.set(snapshot.data.subarray(run.at, run.at + run.end - run.start), run.start);
    end = run.end;
  }
  memory.fill(0, end, Math.max(end, touched));
}
