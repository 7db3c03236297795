/** Folders with all that lies in them, without following links. */
import { lstat, readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Held } from "./held.node.ts";
import type { Amount } from "./quota.ts";
import { orNull } from "./system-error.node.ts";

/** How many files are looked at at the same time. */
const AT_ONCE = 32;
/** How often a folder is read again in which something was renamed meanwhile. */
const MOST_READS = 5;

/** What lies in a folder, in all; nothing where there is none. */
export async function amountIn(folder: string): Promise<Amount> {
  const own = await ownAmountIn(folder, MOST_READS);
  for (const name of own.folders) {
    const { bytes, objects } = await amountIn(join(folder, name));
    own.bytes += bytes;
    own.objects += objects;
  }
  return { bytes: own.bytes, objects: own.objects };
}

/** Without what lies in the folders in it. */
async function ownAmountIn(folder: string, reads: number): Promise<Amount & { folders: string[] }> {
  const items = (await orNull(readdir(folder, { withFileTypes: true }))) ?? [];
  const folders = items.filter((item) => item.isDirectory()).map(({ name }) => name);
  const files = items.filter((item) => !item.isDirectory());
  let bytes = 0;
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const look = files.slice(at, at + AT_ONCE).map(({ name }) => orNull(lstat(join(folder, name))));
    for (const found of await Promise.all(look)) {
      // It may have got its name: that one is not in this list.
      if (!found && reads > 1) return ownAmountIn(folder, reads - 1);
      bytes += found?.size ?? 0;
    }
  }
  return { bytes, objects: items.length, folders };
}

/** How many levels of files and folders are in a folder. */
export async function depthOf(held: Held): Promise<number> {
  let deepest = 0;
  for (const item of await readdir(held.path, { withFileTypes: true })) {
    deepest = Math.max(deepest, 1);
    if (!item.isDirectory()) continue;
    const child = await held.child(item.name, { folder: true });
    try {
      deepest = Math.max(deepest, 1 + (await depthOf(child)));
    } finally {
      await child.close();
    }
  }
  return deepest;
}

/** Removes what lies in a folder; of links, the links. */
export async function removeAll(held: Held): Promise<void> {
  for (const item of await readdir(held.path, { withFileTypes: true })) {
    await held.verify();
    const path = join(held.path, item.name);
    if (!item.isDirectory()) {
      await unlink(path);
      continue;
    }
    const child = await held.child(item.name, { folder: true });
    try {
      await removeAll(child);
    } finally {
      await child.close();
    }
    await rmdir(path);
  }
}
