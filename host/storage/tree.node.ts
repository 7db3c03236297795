/** Folders with all that lies in them, without following links. */
import { readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Held } from "./held.node.ts";

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
