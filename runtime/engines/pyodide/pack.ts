/**
 * The file format of installed packages: all files of site-packages in one buffer, so that they reach an isolate in one
 * piece and are mounted without a copy.
 *
 *     u32 length of the index, index (JSON: path -> [offset, length]), the files' bytes
 */
import { AssetError } from "../../errors.ts";

export type PackIndex = Readonly<Record<string, readonly [offset: number, length: number]>>;

export function encodePack(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const index: Record<string, [number, number]> = Object.create(null);
  let length = 0;
  for (const [path, bytes] of files) {
    index[path] = [length, bytes.length];
    length += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(index));
  const pack = new Uint8Array(4 + text.length + length);
  new DataView(pack.buffer).setUint32(0, text.length, true);
  pack.set(text, 4);
  let at = 4 + text.length;
  for (const bytes of files.values()) {
    pack.set(bytes, at);
    at += bytes.length;
  }
  return pack;
}

/** @throws AssetError when the pack is damaged. Offsets count from the start of `pack`. */
export function decodePack(pack: Uint8Array): PackIndex {
  const start =
    pack.length < 4
      ? Number.POSITIVE_INFINITY
      : 4 + new DataView(pack.buffer, pack.byteOffset).getUint32(0, true);
  if (start > pack.length) throw new AssetError("A package archive is damaged: its index is cut off");
  const index = JSON.parse(new TextDecoder().decode(pack.subarray(4, start))) as Record<
    string,
    [number, number]
  >;
  const absolute: Record<string, [number, number]> = Object.create(null);
  for (const [path, [offset, length]] of Object.entries(index)) {
    if (!(offset >= 0 && length >= 0 && start + offset + length <= pack.length)) {
      throw new AssetError(`A package archive is damaged: ${path} lies outside of it`);
    }
    absolute[path] = [start + offset, length];
  }
  return absolute;
}
