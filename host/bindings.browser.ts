/** What the host can do in a page, each binding made when a UDF first calls it. */
import { once } from "../runtime/once.ts";
import { lazyBinding, type OpenBindings, openNetwork, STORAGE_METHODS } from "./bindings.ts";
import { RunFiles } from "./files/files.ts";

export function openBindings(): OpenBindings {
  const files = new RunFiles();
  const closers: (() => Promise<unknown>)[] = [];
  const network = once(() => openNetwork(import("./net/transport.browser.ts"), closers));
  const results = once(async () => {
    const [{ openCache }, { cacheBinding }] = await Promise.all([
      import("./cache/cache.browser.ts"),
      import("./cache/binding.ts"),
    ]);
    const { cache, close } = openCache();
    closers.push(close);
    return cacheBinding({ cache });
  });
  const storages = once(async () => {
    const [{ guard }, { openStorage }, { storageBinding }] = await Promise.all([
      network(),
      import("./storage/storage.browser.ts"),
      import("./storage/binding.ts"),
    ]);
    return storageBinding({ ...openStorage({ guard }), files });
  });
  return {
    bindings: {
      files: files.binding,
      net: lazyBinding(["fetch", "read", "close"], async () => (await network()).net),
      storage: lazyBinding(STORAGE_METHODS, storages),
      cache: lazyBinding(["begin", "commit", "abandon"], results),
    },
    async close() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
