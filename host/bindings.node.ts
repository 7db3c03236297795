/** What the host can do in Node, each binding loaded when a UDF first calls it. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { once } from "../runtime/once.ts";
import { lazyBinding, type OpenBindings, openNetwork, STORAGE_METHODS } from "./bindings.ts";
import type { OpenStored } from "./download/binding.ts";
import { RunFiles } from "./files/files.ts";
import type { Binding } from "./host.ts";
import type { NodeStorageOptions } from "./storage/storage.node.ts";

export interface BindingsOptions {
  /** Where results, downloads and their locks are kept. Processes of one machine may share it. */
  cacheFolder: string;
  /** Where files of `fd://` are kept, with all else of the user's. */
  dataFolder: string;
  /** Storage beyond this machine, and what one principal may hold on it. */
  storage?: Pick<NodeStorageOptions, "quota" | "s3" | "enableGcs" | "gcsKey" | "served"> | undefined;
}

export function openBindings({ cacheFolder, dataFolder, storage }: BindingsOptions): OpenBindings {
  const files = new RunFiles();
  const closers: (() => Promise<unknown>)[] = [];

  const network = once(() => openNetwork(import("./net/transport.node.ts"), closers));

  const results = once(async () => {
    const { openCache } = await import("./cache/cache.node.ts");
    const { cache, close } = openCache(join(cacheFolder, "results"));
    closers.push(close);
    return cache;
  });
  const cached = once(async () => {
    const [cache, { cacheBinding }] = await Promise.all([results(), import("./cache/binding.ts")]);
    return cacheBinding({ cache, roomOf: (call) => files.roomOf(call) });
  });

  const downloads = once(async () => {
    const folder = join(cacheFolder, "downloads");
    const [
      { guard },
      { downloadBinding },
      { guardedDownload },
      { downloadLock },
      { diskDownloads },
      { openStore },
      { Locks },
      { processOwner },
    ] = await Promise.all([
      network(),
      import("./download/binding.ts"),
      import("./download/fetch.ts"),
      import("./download/lock.ts"),
      import("./download/place.node.ts"),
      import("./store/store.node.ts"),
      import("./cache/locks.ts"),
      import("./cache/owner.node.ts"),
    ]);
    const store = openStore({ path: join(folder, "locks.db"), disposable: true });
    const locks = new Locks({ store, owner: processOwner() });
    closers.push(() => locks.close().finally(() => store.close()));
    return downloadBinding(
      {
        place: diskDownloads({ folder, lock: downloadLock(locks) }),
        fetch: guardedDownload(guard),
        async sha256(parts) {
          const hash = createHash("sha256");
          for await (const part of parts) hash.update(part);
          return hash.digest("hex");
        },
      },
      files,
      openStored,
    );
  });

  const storages = once(async () => {
    const [{ guard }, { openStorage }, { storageBinding }] = await Promise.all([
      network(),
      import("./storage/storage.node.ts"),
      import("./storage/binding.ts"),
    ]);
    const { close, ...opened } = openStorage({ ...storage, dataFolder, closed: [cacheFolder], guard });
    closers.push(close);
    return storageBinding({ ...opened, files });
  });

  const secrets = once(async () => {
    const [{ openVault }, { secretsBinding }] = await Promise.all([
      import("./secrets/vault.node.ts"),
      import("./secrets/binding.ts"),
    ]);
    const { close, ...opened } = openVault(join(dataFolder, "secrets"), process.env.FUSELET_SECRETS_KEY);
    closers.push(close);
    return secretsBinding(opened);
  });

  const openStored: OpenStored = async (url, call) =>
    (await storages()).open?.([url], call) as ReturnType<OpenStored>;

  const tables = once(async () => {
    const [{ tablesBinding }, { openParquetReader }] = await Promise.all([
      import("./tables/binding.ts"),
      import("./tables/parquet.node.ts"),
    ]);
    const { read, close } = files.binding as { [method in "read" | "close"]: Binding[string] };
    return tablesBinding({
      open: openStored,
      read: async (...[file, position, length, call]) =>
        (await read([file, position, length], call)) as Uint8Array,
      close: async (file, call) => void (await close([file], call)),
      openReader: openParquetReader,
    });
  });

  return {
    bindings: {
      files: files.binding,
      net: lazyBinding(["fetch", "read", "close"], async () => (await network()).net),
      cache: lazyBinding(["begin", "commit", "abandon"], cached),
      download: lazyBinding(["get"], downloads),
      storage: lazyBinding(STORAGE_METHODS, storages),
      secrets: lazyBinding(["get", "sign", "list"], secrets),
      tables: lazyBinding(["chunks", "chunk", "cells"], tables),
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
