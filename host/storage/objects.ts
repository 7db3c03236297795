/** What object stores have in common. */
import type { Range } from "./driver.ts";
import { StorageError } from "./errors.ts";
import { type Location, locationUrl } from "./location.ts";
import { checkDepth } from "./refusals.ts";

/** What the keys of all that lies in a folder begin with. */
export const keyPrefix = ({ path }: Location): string => (path === "" ? "" : `${path}/`);

export const rangeHeader = ({ offset, length }: Range): string => `bytes=${offset}-${offset + length - 1}`;

/** How many files are deleted at the same time. */
const AT_ONCE = 16;

/**
 * Deletes the files of a folder, unless it is deeper than it may be.
 * @param keys all that begin with the folder's prefix
 * @returns whether there was anything
 * @throws StorageError "request" where it is deeper, or has a key that servers could take for another one; nothing is deleted
 */
export async function deleteKeys(
  folder: Location,
  keys: readonly string[],
  maxDepth: number,
  remove: (key: string) => Promise<void>,
): Promise<boolean> {
  const prefix = keyPrefix(folder);
  const odd = keys.find((key) => key.split("/").some((part) => part === "." || part === ".."));
  if (odd !== undefined) {
    throw new StorageError(
      "request",
      `Cannot delete ${locationUrl(folder)}: below it is a key with a part . or .., which cannot be named safely`,
    );
  }
  // A key that ends with a slash stands for a folder.
  const depthOf = (key: string) => key.slice(prefix.length).replace(/\/$/, "").split("/").length;
  checkDepth(
    folder,
    keys.reduce((most, key) => Math.max(most, depthOf(key)), 0),
    maxDepth,
  );
  const rest = [...keys];
  const work = async () => {
    for (let key = rest.pop(); key !== undefined; key = rest.pop()) await remove(key);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return keys.length > 0;
}
