/** Bounds a folder of files that can be made or fetched again. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

export interface PruneOptions {
  folder: string;
  /** What the files that are kept may have together; what was used longest ago goes first. */
  maxBytes: number;
  isKept(name: string): boolean;
  /** Files that somebody is writing, or was. */
  isHalf(name: string): boolean;
  /** What was not written to for so long has no writer any more, in milliseconds. */
  staleMs: number;
  /** What lies beside a file, goes with it, and tells of its use as well. Default: nothing. */
  notesOf?(name: string): string[];
  /** Stays, however much there is. */
  spared?: string;
}

/** Removes what is stale, and what is too much. Never throws: another process may do the same. */
export async function prune({
  folder,
  maxBytes,
  isKept,
  isHalf,
  staleMs,
  notesOf = () => [],
  spared,
}: PruneOptions): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => ({ name, info: await stat(join(folder, name)).catch(() => null) })),
  );
  const times = new Map(found.map(({ name, info }) => [name, info?.mtimeMs ?? 0]));
  const usedMs = (name: string) => Math.max(...[name, ...notesOf(name)].map((each) => times.get(each) ?? 0));
  const remove = (name: string) => rm(join(folder, name), { force: true }).catch(() => {});
  let total = 0;
  for (const { name, info } of found.sort((a, b) => usedMs(b.name) - usedMs(a.name))) {
    if (!info?.isFile()) continue;
    if (isHalf(name)) {
      if (Date.now() - info.mtimeMs > staleMs) await remove(name);
    } else if (isKept(name)) {
      total += info.size;
      if (total > maxBytes && name !== spared)
        for (const each of [name, ...notesOf(name)]) await remove(each);
    }
  }
}
