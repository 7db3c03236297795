/** What the host can do in a page, each binding made when a UDF first calls it. */
import { once } from "../runtime/once.ts";
import { lazyBinding, type OpenBindings, openNetwork, STORAGE_METHODS } from "./bindings.ts";
import type { OpenStored } from "./download/binding.ts";
import { RunFiles } from "./files/files.ts";
import type { BrowserStorageOptions } from "./storage/storage.browser.ts";

export interface BindingsOptions {
  /** What one principal may hold in the page's storage. */
  storage?: Pick<BrowserStorageOptions, "quota"> | undefined;
}

export function openBindings({ storage }: BindingsOptions = {}): OpenBindings {
  const files = new RunFiles();
  const closers: (() => Promise<unknown>)[] = [];
  const network = once(() => openNetwork(import("./net/transport.browser.ts"), closers));
  const results = once(async () => {
    const { openCache } = await import("./cache/cache.browser.ts");
    const { cache, close } = openCache();
    closers.push(close);
    return cache;
  });
  const cached = once(async () => {
    const [cache, { cacheBinding }] = await Promise.all([results(), import("./cache/binding.ts")]);
    return cacheBinding({ cache, roomOf: (call) => files.roomOf(call) });
  });
  const storages = once(async () => {
    const [{ guard }, { openStorage }, { storageBinding }] = await Promise.all([
      network(),
      import("./storage/storage.browser.ts"),
      import("./storage/binding.ts"),
    ]);
    const { drivers, close } = openStorage({ ...storage, guard });
    closers.push(close);
    return storageBinding({ drivers, files });
  });
  const secrets = once(async () => {
    const [{ openVault }, { secretsBinding }] = await Promise.all([
      import("./secrets/vault.browser.ts"),
      import("./secrets/binding.ts"),
    ]);
    const { close, ...opened } = openVault();
    closers.push(close);
    return secretsBinding(opened);
  });
  const openStored: OpenStored = async (url, call) =>
    (await storages()).open?.([url], call) as ReturnType<OpenStored>;

  const downloads = once(async () => {
    const [{ guard }, { downloadBinding }, { guardedDownload }, { pageDownloads }, { sha256OfParts }] =
      await Promise.all([
        network(),
        import("./download/binding.ts"),
        import("./download/fetch.ts"),
        import("./download/place.browser.ts"),
        import("./download/sha256.ts"),
      ]);
    const options = {
      place: pageDownloads(),
      fetch: guardedDownload(guard),
      sendsIfRange: false,
      sha256: sha256OfParts,
    };
    return downloadBinding(options, files, openStored);
  });

  return {
    bindings: {
      files: files.binding,
      net: lazyBinding(["fetch", "read", "close"], async () => (await network()).net),
      storage: lazyBinding(STORAGE_METHODS, storages),
      secrets: lazyBinding(["get", "sign", "list"], secrets),
      download: lazyBinding(["get"], downloads),
      cache: lazyBinding(["begin", "commit", "abandon"], cached),
    },
    openGuard: async () => (await network()).guard,
    async keptResults(options) {
      const [cache, { runResults }] = await Promise.all([results(), import("./cache/results.ts")]);
      return runResults({ cache, ...options });
    },
    async close() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
