/** The cache of results in a folder of this machine. */
import { join } from "node:path";
import { openStore } from "../store/store.node.ts";
import { openBlobs } from "./blobs.node.ts";
import { Cache, type CacheOptions } from "./cache.ts";
import { processOwner } from "./owner.node.ts";

/** @param folder is made when something is kept. Processes may share it, on one machine */
export function openCache(
  folder: string,
  options: Omit<CacheOptions, "store" | "blobs" | "owner"> = {},
): { cache: Cache; close: () => Promise<void> } {
  const store = openStore({ path: join(folder, "cache.db"), disposable: true });
  const cache = new Cache({ ...options, store, blobs: openBlobs(folder), owner: processOwner() });
  return { cache, close: () => cache.close().finally(() => store.close()) };
}
