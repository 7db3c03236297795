/** The cache of results in the storage of the page's origin. */
import { openStore } from "../store/store.browser.ts";
import { openBlobs } from "./blobs.browser.ts";
import { Cache, type CacheOptions } from "./cache.ts";
import { pageOwner } from "./owner.browser.ts";

/** Browsers give a page less than a disk has. */
const MAX_BYTES = 1024 ** 3;

/** @param name of the database and the folder. Pages and workers of the origin share them. Default `fuselet-cache` */
export function openCache(
  name = "fuselet-cache",
  options: Omit<CacheOptions, "store" | "blobs" | "owner"> = {},
): { cache: Cache; close: () => Promise<void> } {
  const store = openStore({ name });
  const parts = { store, blobs: openBlobs(`${name}-bodies`), owner: pageOwner() };
  const cache = new Cache({ maxBytes: MAX_BYTES, ...options, ...parts });
  return { cache, close: () => cache.close().finally(() => store.close()) };
}
