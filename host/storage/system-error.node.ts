/** What errors of the system mean for the storage. */
import { StorageError, type StorageErrorCode } from "./errors.ts";
import { type Location, locationUrl } from "./location.ts";

/**
 * Nothing is there: the name, or a folder on the way to it, which may be a file.
 * @param more another code that means so
 */
export async function orNull<T>(work: Promise<T>, more?: string): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || (code !== undefined && code === more)) return null;
    throw error;
  }
}

const MEANINGS: Readonly<Record<string, [StorageErrorCode, string]>> = {
  ENOENT: ["not found", "it is not there"],
  ENOTDIR: ["not found", "a part of its path is no folder"],
  EACCES: ["access", "the system refuses it to the host"],
  EPERM: ["access", "the system refuses it to the host"],
  EROFS: ["access", "the file system can only be read"],
  ELOOP: ["access", "a link stands in its path"],
  EEXIST: ["exists", "it is there already"],
  EISDIR: ["request", "it is a folder"],
  ENOTEMPTY: ["exists", "it is a folder with something in it"],
  ENAMETOOLONG: ["request", "a name in it is too long for this system"],
  ENOSPC: ["full", "the disk is full"],
  EDQUOT: ["full", "the disk quota is used up"],
  EFBIG: ["full", "it is too large for this file system"],
};

/** The system's own text names real paths: a UDF learns only what it means. */
export function storageError(what: string, location: Location, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof StorageError || typeof code !== "string" || !/^E[A-Z]+$/.test(code)) return error;
  const [meaning, why] = MEANINGS[code] ?? ["access", `the system cannot do it (${code})`];
  return new StorageError(meaning, `Cannot ${what} ${locationUrl(location)}: ${why}`, { cause: error });
}
