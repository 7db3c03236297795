/** Archives of npm packages: gzip of tar. Source: POSIX.1-2017, pax (ustar and its extended headers). */
import { AssetError } from "../../errors.ts";

const BLOCK = 512;
const MOST_BYTES = 256 * 1024 * 1024;
const MOST_FILES = 50_000;

/** Files that code can import. */
const IS_CODE = /\.(js|mjs|cjs|json|ts|mts)$/;

/**
 * The code and JSON files of a package by their path below its folder. Links, devices and all else is left out; nothing is run.
 * @param what what to call it in messages
 * @throws AssetError for a damaged or too large archive, or one with a path that leaves its folder
 */
export async function unpackNpm(archive: Uint8Array, what: string): Promise<Map<string, string>> {
  const { Gunzip } = await import("fflate");
  const fail = (why: string, cause?: unknown) =>
    new AssetError(`The archive of ${what} cannot be used: ${why}`, { cause });
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    const gunzip = new Gunzip((part) => {
      total += part.length;
      if (total > MOST_BYTES) throw fail(`it has more than ${MOST_BYTES} bytes`);
      parts.push(part);
    });
    // Piece by piece, so that one that grows without end is noticed.
    for (let at = 0; at < archive.length; at += 65536)
      gunzip.push(archive.subarray(at, at + 65536), at + 65536 >= archive.length);
  } catch (error) {
    if (error instanceof AssetError) throw error;
    throw fail("it is damaged", error);
  }
  const tar = new Uint8Array(total);
  let end = 0;
  for (const part of parts) {
    tar.set(part, end);
    end += part.length;
  }
  const text = (from: number, length: number) => {
    const field = tar.subarray(from, from + length);
    const zero = field.indexOf(0);
    return new TextDecoder().decode(zero < 0 ? field : field.subarray(0, zero));
  };
  const files = new Map<string, string>();
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim() || "0", 8);
    const start = at + BLOCK;
    if (!(size >= 0 && start + size <= tar.length)) throw fail("it is cut off");
    const type = String.fromCharCode(tar[at + 156] || 48);
    const prefix = text(at + 345, 155);
    const name = longName ?? (prefix === "" ? text(at, 100) : `${prefix}/${text(at, 100)}`);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "x") {
      longName = paxPath(tar.subarray(start, start + size)) ?? longName;
      continue;
    }
    if (type === "L") {
      longName = text(start, size);
      continue;
    }
    longName = undefined;
    if (type !== "0") continue;
    // All lies in one folder, most often called `package`.
    const path = name.replace(/^(\.\/)?[^/]+\//, "");
    if (path.split("/").some((part) => part === "" || part === "." || part === "..") || path.includes("\\"))
      throw fail(`it has the path ${JSON.stringify(name.slice(0, 200))}`);
    if (!IS_CODE.test(path)) continue;
    if (files.size >= MOST_FILES) throw fail(`it has more than ${MOST_FILES} files`);
    files.set(path, new TextDecoder().decode(tar.subarray(start, start + size)));
  }
  if (!files.has("package.json")) throw fail("it has no package.json");
  return files;
}

/** The path that an extended header gives: `LENGTH path=VALUE\n`. */
function paxPath(header: Uint8Array): string | undefined {
  return /^\d+ path=(.*)$/m.exec(new TextDecoder().decode(header))?.[1];
}
