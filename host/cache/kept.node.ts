/** All that is kept on this machine for later runs, in the folder of the cache: to be listed and removed while others use it. */
import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { openStore } from "../store/store.node.ts";
import { openCache } from "./cache.node.ts";
import { Locks } from "./locks.ts";
import { processOwner } from "./owner.node.ts";
import { FIELDS_FORMAT, RUN_FORMAT } from "./results.ts";

export interface KeptEntry {
  kind: "results" | "downloads" | "snapshots" | "packages";
  what: string;
  bytes: number;
  /** Milliseconds since 1970. */
  createdAtMs: number;
  /** About. */
  usedAtMs: number;
  /** Null where it is nobody's own. */
  principal: string | null;
  udf: string | null;
}

export interface Removed {
  entries: number;
  bytes: number;
}

/** One kind of what is kept. */
interface Kind {
  list(): Promise<KeptEntry[]>;
  /** Removes all that nobody is making just now. */
  clear(): Promise<Removed>;
}

/** @param folder the folder of the cache. Nothing is made in it. */
export function openKept(folder: string): Record<KeptEntry["kind"], Kind> {
  return {
    results: results(join(folder, "results")),
    downloads: downloads(join(folder, "downloads")),
    snapshots: builds(folder, "snapshots"),
    packages: builds(folder, "packages"),
  };
}

function results(folder: string): Kind {
  /** @throws StoreError for a database that cannot be used */
  const use = async <T>(
    work: (cache: ReturnType<typeof openCache>["cache"]) => Promise<T>,
  ): Promise<T | undefined> => {
    if (!existsSync(join(folder, "cache.db"))) return undefined;
    const { cache, close } = openCache(folder);
    try {
      return await work(cache);
    } finally {
      await close();
    }
  };
  return {
    list: async () =>
      (await use(async (cache) => {
        const entries: KeptEntry[] = [];
        for await (const { format, name, udf, size, createdAtMs, usedAtMs, principal } of cache.list()) {
          // What a run reads of its context: nobody's result.
          if (format === FIELDS_FORMAT) continue;
          const what = format === RUN_FORMAT ? "run" : `${name}()`;
          entries.push({ kind: "results", what, bytes: size, createdAtMs, usedAtMs, principal, udf });
        }
        return entries;
      })) ?? [],
    clear: async () =>
      (await use(async (cache) => {
        const hidden = new Set<string>();
        const { entries, bytes } = await cache.clear(({ format, key }) => {
          if (format === FIELDS_FORMAT) hidden.add(key);
          return true;
        });
        return { entries: entries - hidden.size, bytes };
      })) ?? { entries: 0, bytes: 0 },
  };
}

/** Files below a folder with their sizes and times, by name. */
async function filesIn(folder: string) {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => ({ name, info: await stat(join(folder, name)).catch(() => null) })),
  );
  return found.flatMap(({ name, info }) => (info?.isFile() ? [{ name, info }] : []));
}

/** See host/download/place.node.ts for the names. */
function downloads(folder: string): Kind {
  const files = () => filesIn(folder);
  return {
    async list() {
      const entries: KeptEntry[] = [];
      for (const { name, info } of await files()) {
        const [key, end] = name.split(".") as [string, string?];
        if (end !== "data" && end !== "part") continue;
        const { path, host, principal } = await readAbout(join(folder, `${key}.about`));
        entries.push({
          kind: "downloads",
          what: end === "part" ? "unfinished" : path === null ? key : `${path} from ${host}`,
          bytes: info.size,
          createdAtMs: info.birthtimeMs,
          usedAtMs: info.mtimeMs,
          principal,
          udf: null,
        });
      }
      return entries;
    },
    async clear() {
      const removed: Removed = { entries: 0, bytes: 0 };
      const byKey = Map.groupBy(
        (await files()).filter(({ name }) => /\.(data|part|json|sha256|about)$/.test(name)),
        ({ name }) => name.split(".")[0] as string,
      );
      if (byKey.size === 0) return removed;
      const store = openStore({ path: join(folder, "locks.db"), disposable: true });
      const locks = new Locks({ store, owner: processOwner() });
      try {
        for (const [key, group] of byKey) {
          // Whoever downloads it holds this.
          const lock = await locks.take(`download/${key}`, { version: 0, sinceMs: 0 });
          if (!lock) continue;
          for (const { name, info } of group) {
            if (!(await remove(join(folder, name)))) continue;
            removed.entries += /\.(data|part)$/.test(name) ? 1 : 0;
            removed.bytes += info.size;
          }
          await locks.release(lock);
        }
      } finally {
        await locks.close();
        await store.close();
      }
      return removed;
    },
  };
}

/** It was written for people: a stranger's file in its place shows nothing. */
async function readAbout(file: string): Promise<{ [Field in "path" | "host" | "principal"]: string | null }> {
  let found: Record<string, unknown> = {};
  try {
    found = Object(JSON.parse(await readFile(file, "utf8"))) as Record<string, unknown>;
  } catch {
    // From before there were such files.
  }
  const text = (name: string) => (typeof found[name] === "string" ? found[name] : null);
  return { path: text("path"), host: text("host"), principal: text("principal") };
}

/** What runtime/assets.node.ts keeps: files called KIND-HASH. */
function builds(folder: string, kind: "snapshots" | "packages"): Kind {
  const files = async () =>
    (await filesIn(folder)).filter(({ name }) => {
      const isPackage = /^(wheels?|npm|resolution)-/.test(name);
      // Others are half-written.
      return /^[a-z]+-[\w-]+$/.test(name) && isPackage === (kind === "packages");
    });
  return {
    list: async () =>
      (await files()).map(({ name, info }) => ({
        kind,
        what: name,
        bytes: info.size,
        createdAtMs: info.birthtimeMs,
        usedAtMs: info.mtimeMs,
        principal: null,
        udf: null,
      })),
    async clear() {
      const removed: Removed = { entries: 0, bytes: 0 };
      for (const { name, info } of await files()) {
        if (!(await remove(join(folder, name)))) continue;
        removed.entries++;
        removed.bytes += info.size;
      }
      return removed;
    },
  };
}

/** @returns whether it is gone: some systems keep a file that is open */
const remove = (path: string) =>
  rm(path).then(
    () => true,
    () => false,
  );
