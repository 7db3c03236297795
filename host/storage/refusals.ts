/** Failures that several kinds of storage have. */
import { StorageError } from "./errors.ts";
import { type Location, locationUrl } from "./location.ts";

export function notFound(what: string, location: Location): StorageError {
  return new StorageError("not found", `Cannot ${what} ${locationUrl(location)}: it is not there`);
}

/** Another content has come in place of the one that was asked for. */
export function changed(location: Location): StorageError {
  return new StorageError(
    "request",
    `Cannot read on in ${locationUrl(location)}: it has changed; open it again`,
  );
}

/** @throws StorageError "request" where a folder has more levels than may be deleted */
export function checkDepth(folder: Location, depth: number, maxDepth: number): void {
  if (depth <= maxDepth) return;
  throw new StorageError(
    "request",
    `Cannot delete ${locationUrl(folder)}: it has files ${depth} levels deep, and the most to be deleted is ${maxDepth}; raise maxDeletionDepth, or make it "unlimited"`,
  );
}
