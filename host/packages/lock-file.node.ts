/** Where the lock file of a UDF lies. */
import { lstat, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AssetError } from "../../runtime/errors.ts";
import { LOCK_FILE, MOST_LOCK_CHARACTERS } from "../../runtime/lock-file.ts";

/**
 * The path of a UDF's lock file: in its folder.
 * @param pathOrUrl as the UDF was named
 * @returns null for a UDF that is in no folder: standard input, an archive, a URL
 */
export async function lockPath(pathOrUrl: string): Promise<string | null> {
  if (pathOrUrl === "-" || /\.zip$/i.test(pathOrUrl)) return null;
  if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(pathOrUrl)) return null;
  const path = pathOrUrl.startsWith("file:") ? fileURLToPath(pathOrUrl) : resolve(pathOrUrl);
  const found = await lstat(path).catch(() => null);
  return join(found?.isDirectory() ? path : dirname(path), LOCK_FILE);
}

/**
 * The text of the lock file beside a UDF.
 * @returns undefined where there is none
 * @throws AssetError where it cannot be read
 */
export async function readLock(pathOrUrl: string): Promise<string | undefined> {
  const path = await lockPath(pathOrUrl);
  const found = path === null ? null : await lstat(path).catch(() => null);
  if (path === null || !found) return undefined;
  // Who can write into the UDF's folder says what its lock is, and not which other files are read.
  if (!found.isFile()) throw new AssetError(`Cannot read ${path}: it is no regular file`);
  if (found.size > MOST_LOCK_CHARACTERS)
    throw new AssetError(`Cannot read ${path}: it has more than ${MOST_LOCK_CHARACTERS} bytes`);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new AssetError(`Cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}
