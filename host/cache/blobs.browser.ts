/**
 * Bodies in the page's own file system (OPFS), else in IndexedDB. The seal is a SHA-256: it shows damage, not tampering,
 * which whoever writes to this origin's storage can do.
 */
import { createStore, del, get, keys, set } from "idb-keyval";
import { StoreError } from "../store/errors.ts";
import { type Blobs, isBlobName, sha256 } from "./blobs.ts";

/** What differs between the two places. */
interface Place {
  write(name: string, body: Uint8Array<ArrayBuffer>): Promise<void>;
  read(name: string): Promise<Blob | undefined>;
  remove(name: string): Promise<void>;
  list(): Promise<string[]>;
  /** Milliseconds since 1970. */
  writtenAtMs(name: string): Promise<number | undefined>;
}

/** @param name of the folder, or of the database. Default `fuselet-cache`. */
export function openBlobs(name = "fuselet-cache"): Blobs {
  // Safari writes such files only in workers before version 26.
  const hasFiles =
    typeof FileSystemFileHandle !== "undefined" && "createWritable" in FileSystemFileHandle.prototype;
  const place = hasFiles ? files(name) : database(name);
  const seal = async (identity: string, body: Uint8Array) => sha256(`${identity}\n${await sha256(body)}`);
  return {
    async write(body) {
      const made = crypto.randomUUID();
      try {
        // A copy: of a view, the whole buffer would be kept.
        await place.write(made, body.slice());
        return made;
      } catch (error) {
        await place.remove(made).catch(() => {});
        const isFull = (error as Error).name === "QuotaExceededError";
        throw new StoreError(
          isFull
            ? "Cannot keep a body: the browser gives this page no more room"
            : `Cannot keep a body: ${error}`,
          { code: isFull ? "full" : "io", cause: error },
        );
      }
    },
    async read(name, size) {
      if (!isBlobName(name)) return undefined;
      const found = await place.read(name).catch(() => undefined);
      return found?.size === size ? new Uint8Array(await found.arrayBuffer()) : undefined;
    },
    remove: (name) => place.remove(name).catch(() => {}),
    list: () => place.list().catch(() => []),
    async ageMs(name) {
      const at = await place.writtenAtMs(name).catch(() => undefined);
      return at === undefined ? undefined : Date.now() - at;
    },
    seal,
    verify: async (identity, body, given) => (await seal(identity, body)) === given,
  };
}

function files(name: string): Place {
  const folder = async () => {
    const root = await navigator.storage.getDirectory();
    return root.getDirectoryHandle(name, { create: true });
  };
  return {
    async write(name, body) {
      const handle = await (await folder()).getFileHandle(name, { create: true });
      // What is written is in the file when it is closed, all at once.
      const stream = await handle.createWritable();
      await stream.write(body);
      await stream.close();
    },
    read: async (name) => (await (await folder()).getFileHandle(name)).getFile(),
    remove: async (name) => (await folder()).removeEntry(name),
    async list() {
      const names: string[] = [];
      for await (const name of (await folder()).keys()) names.push(name);
      return names;
    },
    writtenAtMs: async (name) => (await (await (await folder()).getFileHandle(name)).getFile()).lastModified,
  };
}

function database(name: string): Place {
  const store = createStore(name, "bodies");
  return {
    write: (name, body) => set(name, { body: new Blob([body]), atMs: Date.now() }, store),
    read: async (name) => (await get<{ body: Blob }>(name, store))?.body,
    remove: (name) => del(name, store),
    list: () => keys<string>(store),
    writtenAtMs: async (name) => (await get<{ atMs: number }>(name, store))?.atMs,
  };
}
