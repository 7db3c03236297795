/** Archives of npm packages: gzip of tar. */
import { concat } from "../../bytes.ts";
import { AssetError } from "../../errors.ts";

const MiB = 1024 * 1024;
const MOST_BYTES = 256 * MiB;
const MOST_FILES = 50_000;

/** Files that code can import. */
const IS_CODE = /\.(js|mjs|cjs|json|ts|mts)$/;

/** What all packages of a UDF may unpack to. */
export interface NpmBudget {
  bytes: number;
}
export const npmBudget = (): NpmBudget => ({ bytes: 512 * MiB });

/** The path of an entry below the archive's one folder, most often called `package`. */
const pathOf = (name: string) => name.replace(/^(\.\/)?[^/]+\//, "");

/**
 * The code and JSON files of a package by their path below its folder. Links, devices and all else is left out; nothing is run.
 * @param what what to call it in messages
 * @param budget what it takes is taken off
 * @throws AssetError for a damaged or too large archive, or one with a path that leaves its folder
 */
export async function unpackNpm(
  archive: Uint8Array,
  what: string,
  budget: NpmBudget,
): Promise<Map<string, string>> {
  const [{ Gunzip }, { unpackTar }] = await Promise.all([import("fflate"), import("modern-tar")]);
  const fail = (why: string, cause?: unknown) =>
    new AssetError(`The archive of ${what} cannot be used: ${why}`, { cause });
  const parts: Uint8Array[] = [];
  let total = 0;
  let count = 0;
  const files = new Map<string, string>();
  try {
    const gunzip = new Gunzip((part) => {
      total += part.length;
      if (total > MOST_BYTES) throw fail(`it has more than ${MOST_BYTES} bytes`);
      budget.bytes -= part.length;
      if (budget.bytes < 0) throw fail("the UDF's packages have more than 512 MiB together");
      parts.push(part);
    });
    // Piece by piece, so that one that grows without end is noticed.
    for (let at = 0; at < archive.length; at += 65536)
      gunzip.push(archive.subarray(at, at + 65536), at + 65536 >= archive.length);
    const tar = concat(parts);
    parts.length = 0;
    const entries = await unpackTar(tar, {
      strict: true,
      filter({ name, type }) {
        if (type !== "file") return false;
        const path = pathOf(name);
        if (
          path.split("/").some((part) => part === "" || part === "." || part === "..") ||
          path.includes("\\")
        )
          throw fail(`it has the path ${JSON.stringify(name.slice(0, 200))}`);
        if (!IS_CODE.test(path)) return false;
        if (++count > MOST_FILES) throw fail(`it has more than ${MOST_FILES} files`);
        return true;
      },
    });
    for (const { header, data } of entries) files.set(pathOf(header.name), new TextDecoder().decode(data));
  } catch (error) {
    if (error instanceof AssetError) throw error;
    throw fail("it is damaged", error);
  }
  if (!files.has("package.json")) throw fail("it has no package.json");
  return files;
}
