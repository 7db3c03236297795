/** Folders that tests need and that are slow to make: made once, outside the repository, whole or not at all. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Where test fixtures are kept: `$XDG_CACHE_HOME/fuselet-test`, else `~/.cache/fuselet-test`. */
export function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "fuselet-test");
}

/**
 * Makes a folder unless it is there. It is filled under another name and then renamed; where two do this at once, the
 * first to finish wins and the other's work is thrown away.
 * @param {string} folder
 * @param {(part: string) => void | Promise<void>} fill
 * @returns {Promise<string>} the folder
 */
export async function makeOnce(folder, fill) {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const part = mkdtempSync(`${folder}.part-`);
  try {
    await fill(part);
    renameSync(part, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return folder;
}
