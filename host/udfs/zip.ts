/**
 * Reads zip archives that nobody trusts. Source of the format: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.
 *
 * The central directory is the only source of names and sizes. Sizes are bounded before anything is allocated, and
 * inflating stops where an entry gives more than it declared. Encrypted, multi-disk and zip64 archives are refused.
 */
import { Inflate } from "fflate";
import { UdfLoadError } from "../../runtime/errors.ts";
import { checkPath } from "./paths.ts";

export interface ZipLimits {
  /** Entries, folders included. */
  maxEntries: number;
  /** Bytes of all chosen entries together, uncompressed. */
  maxTotalBytes: number;
  /** Uncompressed size over compressed size, for entries above 64 KiB. */
  maxRatio: number;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const UNIX_TYPE = 0o170000;
const UNIX_SYMLINK = 0o120000;

interface Entry {
  path: string;
  method: number;
  crc: number;
  compressedBytes: number;
  bytes: number;
  offset: number;
}

/**
 * Unpacks the entries whose path `wanted` accepts.
 * @returns path to contents; the record has no prototype.
 * @throws UdfLoadError for a bad archive, an unsafe path, a symbolic link, or an archive over a limit.
 */
export function readZip(
  zip: Uint8Array,
  limits: ZipLimits,
  wanted: (path: string) => boolean = () => true,
): Record<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const files: Record<string, Uint8Array> = Object.create(null);
  const seen = new Set<string>();
  let total = 0;
  for (const entry of readDirectory(zip, view, limits)) {
    if (entry.path.endsWith("/")) {
      checkPath(entry.path.slice(0, -1));
      continue;
    }
    checkPath(entry.path);
    if (seen.has(entry.path)) throw refuse(`it has the path ${JSON.stringify(entry.path)} twice`);
    seen.add(entry.path);
    if (!wanted(entry.path)) continue;
    total += entry.bytes;
    if (total > limits.maxTotalBytes)
      throw refuse(`its files are larger than ${limits.maxTotalBytes} bytes together`);
    files[entry.path] = unpack(zip, view, entry, limits);
  }
  return files;
}

function refuse(why: string): UdfLoadError {
  return new UdfLoadError(`Cannot read the zip archive: ${why}`);
}

function readDirectory(zip: Uint8Array, view: DataView, limits: ZipLimits): Entry[] {
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) throw refuse("it is a zip64 archive, which is not supported");
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count) {
    throw refuse("it spans several disks");
  }
  if (count > limits.maxEntries)
    throw refuse(`it has ${count} entries; at most ${limits.maxEntries} are allowed`);
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) throw refuse("its directory is damaged");
    const nameBytes = view.getUint16(at + 28, true);
    const next = at + 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw refuse("its directory is damaged");
    const path = readName(zip.subarray(at + 46, at + 46 + nameBytes));
    if (view.getUint16(at + 8, true) & 1) throw refuse(`${JSON.stringify(path)} is encrypted`);
    if (((view.getUint32(at + 38, true) >>> 16) & UNIX_TYPE) === UNIX_SYMLINK) {
      throw refuse(`${JSON.stringify(path)} is a symbolic link`);
    }
    entries.push({
      path,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      compressedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at = next;
  }
  return entries;
}

/** The end record lies at the end, before a comment of at most 65,535 bytes. */
function findEnd(view: DataView): number {
  const last = view.byteLength - 22;
  for (let at = last; at >= 0 && at >= last - 0xffff; at--) {
    if (view.getUint32(at, true) === END && at + 22 + view.getUint16(at + 20, true) === view.byteLength)
      return at;
  }
  throw refuse("it is cut off or no zip archive");
}

function readName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse("the name of an entry is no UTF-8");
  }
}

function unpack(zip: Uint8Array, view: DataView, entry: Entry, limits: ZipLimits): Uint8Array {
  const name = JSON.stringify(entry.path);
  const { offset, compressedBytes, bytes } = entry;
  if (offset + 30 > zip.length || view.getUint32(offset, true) !== LOCAL) throw refuse(`${name} is damaged`);
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + compressedBytes > zip.length) throw refuse(`${name} is cut off`);
  if (bytes > 65_536 && bytes > compressedBytes * limits.maxRatio) {
    throw refuse(`${name} unpacks to more than ${limits.maxRatio} times its size`);
  }
  const packed = zip.subarray(start, start + compressedBytes);
  if (entry.method !== 0 && entry.method !== 8)
    throw refuse(`${name} uses the compression method ${entry.method}`);
  const contents = entry.method === 0 ? packed.slice() : inflate(packed, bytes, name);
  if (contents.length !== bytes) throw refuse(`${name} has ${contents.length} bytes instead of ${bytes}`);
  if (crc32(contents) !== entry.crc) throw refuse(`the checksum of ${name} is wrong`);
  return contents;
}

/** Inflates in steps, so that an entry that lies about its size is stopped soon after it went over. */
function inflate(packed: Uint8Array, bytes: number, name: string): Uint8Array {
  const contents = new Uint8Array(bytes);
  let length = 0;
  const stream = new Inflate((chunk) => {
    if (length + chunk.length > bytes)
      throw refuse(`${name} unpacks to more than the ${bytes} bytes it declares`);
    contents.set(chunk, length);
    length += chunk.length;
  });
  try {
    const step = 16_384;
    for (let at = 0; at < packed.length || at === 0; at += step) {
      stream.push(packed.subarray(at, at + step), at + step >= packed.length);
    }
  } catch (cause) {
    if (cause instanceof UdfLoadError) throw cause;
    throw refuse(`${name} is damaged (${(cause as Error).message})`);
  }
  return contents.subarray(0, length);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The CRC-32 of ISO 3309, which zip and PNG share. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
