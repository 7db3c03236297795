/** `fd://` in a page: files in the page's own file system (OPFS), which belongs to its origin. */
import { orNull } from "../opfs.browser.ts";
import { isDenied } from "./denied.ts";
import type {
  Driver,
  Entry,
  GetOptions,
  Listing,
  ListOptions,
  OpenDriver,
  StorageCall,
  Upload,
  WriteOptions,
} from "./driver.ts";
import { StorageError, type StorageErrorCode } from "./errors.ts";
import { below, type Location, locationUrl, nameOf } from "./location.ts";
import type { Amount, Quota } from "./quota.ts";
import { changed, checkDepth } from "./refusals.ts";

/** @param name of the folder that has one for each principal. Default: `fuselet-files` */
export function ownFilesDriver(quota: Quota, name = "fuselet-files"): OpenDriver {
  return (call) => new OpfsDriver(name, quota, call);
}

class OpfsDriver implements Driver {
  /** Without the file system's root: that of all principals, and this one's. Names of principals are not names of files: they may have slashes. */
  readonly #root: readonly [string, string];
  readonly #quota: Quota;
  readonly #call: StorageCall;

  constructor(folder: string, quota: Quota, call: StorageCall) {
    this.#root = [folder, encodeURIComponent(call.owner).replaceAll(".", "%2E")];
    this.#quota = quota;
    this.#call = call;
  }

  async list(folder: Location, { recursive, after, limit }: ListOptions): Promise<Listing> {
    return orStorageError("list", folder, async () => {
      const handle = await orNull(this.#folderAt(partsOf(folder)));
      if (!handle) return { entries: [], next: null };
      const found: { key: string; entry: Entry }[] = [];
      await this.#walk(handle, folder, "", { recursive, after: after ?? "", limit: limit + 1 }, found);
      const next = found.length > limit ? (found[limit - 1]?.key ?? null) : null;
      return { entries: found.slice(0, limit).map(({ entry }) => entry), next };
    });
  }

  async head(location: Location): Promise<Entry | null> {
    return orStorageError("look at", location, async () => {
      const file = location.isFolder ? null : await orNull(this.#file(location));
      if (file) return entryOf(location, file);
      const folder = await orNull(this.#folderAt(partsOf(location)));
      return folder ? entryOf({ ...location, isFolder: true }, null) : null;
    });
  }

  async get(location: Location, { range, etag }: GetOptions): Promise<AsyncIterable<Uint8Array>> {
    return orStorageError("read", location, async () => {
      const file = await this.#file(location);
      if (etag !== null && etagOf(file) !== etag) throw changed(location);
      const part = range ? file.slice(range.offset, range.offset + range.length) : file;
      return chunks(part, location);
    });
  }

  async write(location: Location, { ifNoneMatch }: WriteOptions): Promise<Upload> {
    return orStorageError("write", location, async () => {
      const folder = await this.#makeFolderOf(location);
      const take = (bytes: number) => this.#take({ bytes, objects: 0 }, location);
      return new OpfsUpload({ folder, location, ifNoneMatch, lock: this.#root.join("\n"), take });
    });
  }

  async delete(location: Location): Promise<boolean> {
    return orStorageError("delete", location, async () => {
      const folder = await orNull(this.#folderAt(partsOf(location).slice(0, -1)));
      const file = folder && (await orNull(folder.getFileHandle(nameOf(location))));
      if (!file) return false;
      await folder.removeEntry(nameOf(location));
      return true;
    });
  }

  async deleteFolder(folder: Location, maxDepth: number): Promise<boolean> {
    return orStorageError("delete", folder, async () => {
      const parts = partsOf(folder);
      const handle = await orNull(this.#folderAt(parts));
      if (!handle) return false;
      checkDepth(folder, await depthOf(handle), maxDepth);
      if (parts.length === 0) {
        for await (const name of handle.keys()) await handle.removeEntry(name, { recursive: true });
      } else {
        const parent = await this.#folderAt(parts.slice(0, -1));
        await parent.removeEntry(nameOf(folder), { recursive: true });
      }
      return true;
    });
  }

  async sign(location: Location): Promise<never> {
    throw new StorageError(
      "config",
      `Cannot sign ${locationUrl(location)}: files of a page can be read by it alone`,
    );
  }

  async #walk(
    handle: FileSystemDirectoryHandle,
    folder: Location,
    prefix: string,
    options: { recursive: boolean; after: string; limit: number },
    found: { key: string; entry: Entry }[],
  ): Promise<void> {
    const { recursive, after, limit } = options;
    const items: { key: string; item: FileSystemHandle }[] = [];
    for await (const item of handle.values())
      items.push({ key: `${prefix}${item.name}${item.kind === "directory" ? "/" : ""}`, item });
    items.sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { key, item } of items) {
      if (found.length >= limit) return;
      const isPassed = key <= after && !(recursive && after.startsWith(key) && item.kind === "directory");
      const location = isPassed ? null : below(folder, key);
      if (!location || isDenied(this.#call, "read", location.value)) continue;
      if (item.kind === "directory") {
        if (recursive) await this.#walk(item as FileSystemDirectoryHandle, folder, key, options, found);
        else found.push({ key, entry: entryOf(location, null) });
      } else {
        const file = await orNull((item as FileSystemFileHandle).getFile());
        if (file) found.push({ key, entry: entryOf(location, file) });
      }
    }
  }

  async #file(location: Location): Promise<File> {
    const folder = await this.#folderAt(partsOf(location).slice(0, -1));
    return (await folder.getFileHandle(nameOf(location))).getFile();
  }

  async #folderAt(parts: readonly string[]): Promise<FileSystemDirectoryHandle> {
    let folder = await navigator.storage.getDirectory();
    for (const part of [...this.#root, ...parts]) folder = await folder.getDirectoryHandle(part);
    return folder;
  }

  /** The folder for a new file, made where it is not there. @throws StorageError "full"; then nothing is made */
  async #makeFolderOf(location: Location): Promise<FileSystemDirectoryHandle> {
    const missing = [...this.#root, ...partsOf(location).slice(0, -1)];
    let folder = await navigator.storage.getDirectory();
    for (let next = missing[0]; next !== undefined; next = missing[0]) {
      const found = await orNull(folder.getDirectoryHandle(next));
      if (!found) break;
      folder = found;
      missing.shift();
    }
    const landed = await this.#take({ bytes: 0, objects: missing.length + 1 }, location);
    try {
      for (const name of missing) folder = await folder.getDirectoryHandle(name, { create: true });
      return folder;
    } finally {
      landed();
    }
  }

  #take(wanted: Amount, location: Location): Promise<() => void> {
    return this.#quota.take(this.#root[1], wanted, location, async () => {
      const folder = await orNull(this.#folderAt([]));
      return folder ? amountIn(folder) : { bytes: 0, objects: 0 };
    });
  }
}

const partsOf = ({ path }: Location): string[] => (path === "" ? [] : path.split("/"));

interface OpfsUploadParts {
  folder: FileSystemDirectoryHandle;
  location: Location;
  ifNoneMatch: boolean;
  /** Of the principal: its files are written one at a time, so that what is counted is there, and who looks whether a file is there makes it. */
  lock: string;
  /** Called before a file of so many bytes is written; what it gives, after that. @throws StorageError "full" */
  take(bytes: number): Promise<() => void>;
}

/** What is written goes to a copy, which takes the file's place when it is closed. A page that is gone has closed nothing. */
class OpfsUpload implements Upload {
  readonly #own: OpfsUploadParts;
  readonly #parts: Blob[] = [];
  #isOver = false;

  constructor(own: OpfsUploadParts) {
    this.#own = own;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // Browsers keep large blobs on disk. A copy: of a view, the whole buffer would be kept.
    this.#parts.push(new Blob([bytes.slice()]));
  }

  async commit(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const { folder, location, ifNoneMatch, lock, take } = this.#own;
    const name = nameOf(location);
    const content = new Blob(this.#parts);
    await orStorageError("write", location, () =>
      navigator.locks.request(lock, async () => {
        const before = await orNull(folder.getFileHandle(name));
        if (before && ifNoneMatch)
          throw new StorageError("exists", `Cannot write ${locationUrl(location)}: it is there already`);
        const landed = await take(content.size);
        try {
          const handle = before ?? (await folder.getFileHandle(name, { create: true }));
          const stream = await handle.createWritable();
          await stream.write(content);
          await stream.close();
        } catch (error) {
          if (!before) await folder.removeEntry(name).catch(() => {});
          throw error;
        } finally {
          landed();
        }
      }),
    );
  }

  async abort(): Promise<void> {
    this.#isOver = true;
    this.#parts.length = 0;
  }
}

async function* chunks(file: Blob, location: Location): AsyncGenerator<Uint8Array> {
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await orStorageError("read", location, () => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** What lies in a folder, in all. */
async function amountIn(folder: FileSystemDirectoryHandle): Promise<Amount> {
  const held = { bytes: 0, objects: 0 };
  for await (const item of folder.values()) {
    held.objects++;
    if (item.kind === "directory") {
      const { bytes, objects } = await amountIn(item as FileSystemDirectoryHandle);
      held.bytes += bytes;
      held.objects += objects;
    } else {
      held.bytes += (await orNull((item as FileSystemFileHandle).getFile()))?.size ?? 0;
    }
  }
  return held;
}

async function depthOf(folder: FileSystemDirectoryHandle): Promise<number> {
  let deepest = 0;
  for await (const item of folder.values()) {
    const own = item.kind === "directory" ? await depthOf(item as FileSystemDirectoryHandle) : 0;
    deepest = Math.max(deepest, 1 + own);
  }
  return deepest;
}

function entryOf(location: Location, file: File | null): Entry {
  return {
    url: locationUrl(location),
    name: nameOf(location),
    isDirectory: file === null,
    size: file?.size ?? null,
    modifiedMs: file?.lastModified ?? null,
    etag: file && etagOf(file),
  };
}

const etagOf = ({ size, lastModified }: File): string => `"${size.toString(16)}-${lastModified}"`;

const MEANINGS: Readonly<Record<string, [StorageErrorCode, string]>> = {
  NotFoundError: ["not found", "it is not there"],
  TypeMismatchError: ["request", "it is a folder, or a part of its path is none"],
  QuotaExceededError: [
    "full",
    "the browser gives this page no more room; delete files, or what else the page has stored",
  ],
  NoModificationAllowedError: ["access", "another page is writing it"],
  NotReadableError: ["request", "it has changed; open it again"],
};

async function orStorageError<T>(what: string, location: Location, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    const [code, why] = MEANINGS[error.name] ?? ["access", "this browser does not let the page do it"];
    throw new StorageError(code, `Cannot ${what} ${locationUrl(location)}: ${why}`, { cause: error });
  }
}
