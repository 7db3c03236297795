/**
 * Rewrites of a compiled wasm binary, section by section. Source: WebAssembly Core Specification 2.0, chapter 5 (binary format).
 * A heap's limit belongs into the module: an engine cannot grow its memory past the maximum that its binary declares.
 */

const PAGE = 65536;
const IMPORT = 2;
const MEMORY = 5;
const EXPORT = 7;
const KIND_TABLE = 1;
const KIND_MEMORY = 2;

interface Section {
  id: number;
  /** The section's header starts here. */
  start: number;
  /** Its content. */
  from: number;
  to: number;
}

/** Reads one binary from front to back. @throws TypeError where it ends too early. */
class Reader {
  at: number;
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new TypeError("Cannot read the wasm binary: it is cut off");
    return value;
  }
  /** An unsigned LEB128 number; up to 2^53, which holds every limit in use. */
  leb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 49) throw new TypeError("Cannot read the wasm binary: a number is too long");
    }
  }
  skip(count: number): void {
    this.at += count;
    if (this.at > this.bytes.length) throw new TypeError("Cannot read the wasm binary: it is cut off");
  }
}

function leb(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) + 128);
  }
}

function* sections(wasm: Uint8Array): Generator<Section> {
  if (wasm.length < 8 || wasm[0] !== 0 || wasm[1] !== 0x61 || wasm[2] !== 0x73 || wasm[3] !== 0x6d) {
    throw new TypeError("Cannot read the wasm binary: it does not start with \\0asm");
  }
  const reader = new Reader(wasm, 8);
  while (reader.at < wasm.length) {
    const start = reader.at;
    const id = reader.byte();
    const size = reader.leb();
    const from = reader.at;
    reader.skip(size);
    yield { id, start, from, to: reader.at };
  }
}

/** The binary with the bytes from `from` to `to`, which lie inside `section`, replaced. */
function replace(
  wasm: Uint8Array,
  section: Section,
  from: number,
  to: number,
  by: readonly number[],
): Uint8Array<ArrayBuffer> {
  const header = [section.id, ...leb(section.to - section.from - (to - from) + by.length)];
  const out = new Uint8Array(
    section.start + header.length + (from - section.from) + by.length + (wasm.length - to),
  );
  out.set(wasm.subarray(0, section.start));
  out.set(header, section.start);
  let at = section.start + header.length;
  out.set(wasm.subarray(section.from, from), at);
  at += from - section.from;
  out.set(by, at);
  out.set(wasm.subarray(to), at + by.length);
  return out;
}

function skipLimits(reader: Reader): void {
  const flags = reader.byte();
  reader.leb();
  if (flags & 1) reader.leb();
}

/** Finds where the memory's limits are written, in the import section or the memory section. */
function findMemory(wasm: Uint8Array): { section: Section; at: number } | null {
  for (const section of sections(wasm)) {
    const reader = new Reader(wasm, section.from);
    if (section.id === MEMORY && reader.leb() > 0) return { section, at: reader.at };
    if (section.id !== IMPORT) continue;
    for (let count = reader.leb(); count > 0; count--) {
      reader.skip(reader.leb());
      reader.skip(reader.leb());
      const kind = reader.byte();
      if (kind === KIND_MEMORY) return { section, at: reader.at };
      if (kind === 0) reader.leb();
      else if (kind === KIND_TABLE) {
        reader.skip(1);
        skipLimits(reader);
      } else if (kind === 3) reader.skip(2);
      else if (kind === 4) {
        reader.skip(1);
        reader.leb();
      } else throw new TypeError(`Cannot read the wasm binary: an import has the unknown kind ${kind}`);
    }
  }
  return null;
}

/**
 * The same module with its (first) memory's maximum lowered to `maxBytes`, rounded down to whole pages of 64 KiB. A lower
 * maximum that is already there stays; a maximum below what the module starts with becomes what it starts with.
 * For an imported memory, the caller has to create it with a maximum of at most this.
 * @throws TypeError for what is no wasm binary or has no memory.
 */
export function capMemory(wasm: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const found = findMemory(wasm);
  if (!found) throw new TypeError("Cannot limit the wasm binary's memory: it has none");
  const reader = new Reader(wasm, found.at);
  const flags = reader.byte();
  const minimum = reader.leb();
  const present = flags & 1 ? reader.leb() : Number.POSITIVE_INFINITY;
  const maximum = Math.max(minimum, Math.min(present, Math.floor(maxBytes / PAGE)));
  return replace(wasm, found.section, found.at, reader.at, [flags | 1, ...leb(minimum), ...leb(maximum)]);
}

/**
 * The least and the most bytes that the module's (first) memory may have; `maxBytes` is null where the binary sets none.
 * @throws TypeError for what is no wasm binary or has no memory.
 */
export function memoryLimits(wasm: Uint8Array): { minBytes: number; maxBytes: number | null } {
  const found = findMemory(wasm);
  if (!found) throw new TypeError("Cannot read the wasm binary's memory: it has none");
  const reader = new Reader(wasm, found.at);
  const flags = reader.byte();
  const minBytes = reader.leb() * PAGE;
  return { minBytes, maxBytes: flags & 1 ? reader.leb() * PAGE : null };
}

/**
 * The same module with its first table exported as `name`, so that its owner can add a callback to it.
 * @throws TypeError for what is no wasm binary or exports nothing.
 */
export function exportTable(wasm: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  for (const section of sections(wasm)) {
    if (section.id !== EXPORT) continue;
    const reader = new Reader(wasm, section.from);
    const count = reader.leb();
    const entry = [...leb(name.length), ...new TextEncoder().encode(name), KIND_TABLE, 0];
    const rest = wasm.subarray(reader.at, section.to);
    return replace(wasm, section, section.from, section.to, [...leb(count + 1), ...rest, ...entry]);
  }
  throw new TypeError("Cannot export the wasm binary's table: it exports nothing");
}
