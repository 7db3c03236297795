/**
 * Files that are being written, beside the place where they are to be: a name that is hidden and cannot be asked for. Each has
 * a note in a folder of the host, so that one whose writer was killed is found and removed.
 */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

const PART = /^\.fuselet-[0-9a-f]{32}\.part$/i;
/** One that nothing was written to for so long has no writer any more. */
const STALE_MS = 60 * 60 * 1000;

/** Whether a name is that of a file that is being written. */
export const isPartName = (name: string): boolean => PART.test(name);

export interface Parts {
  /** A new name for a file that will be written in a folder. @param folder its real path */
  add(folder: string): Promise<string>;
  /** It is gone: renamed, or removed. */
  forget(name: string): Promise<void>;
}

/**
 * Opens the notes. What others have left for an hour is removed when the first file is written, and hourly then.
 * @param folder is made when the first file is written
 */
export function openParts(folder: string): Parts {
  let sweptAt = Number.NEGATIVE_INFINITY;
  return {
    async add(at) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (performance.now() - sweptAt > STALE_MS) {
        sweptAt = performance.now();
        await sweepParts(folder);
      }
      const name = `.fuselet-${randomBytes(16).toString("hex")}.part`;
      await writeFile(join(folder, name), join(at, name), { flag: "wx", mode: 0o600 });
      return name;
    },
    forget: (name) => rm(join(folder, name), { force: true }),
  };
}

/** Removes files whose writers are gone, and their notes. */
export async function sweepParts(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!isPartName(name)) continue;
    const note = join(folder, name);
    const path = await readFile(note, "utf8").catch(() => "");
    if (basename(path) !== name) continue;
    const written = (await lstat(path).catch(() => null)) ?? (await lstat(note).catch(() => null));
    if (written && Date.now() - written.mtimeMs < STALE_MS) continue;
    await rm(path, { force: true }).catch(() => {});
    await rm(note, { force: true }).catch(() => {});
  }
}
