/** `fd://` and `file://` in Node: files of this machine. */
import { constants, type Dirent, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { once } from "../../runtime/once.ts";
import type { StoredFile } from "../files/files.ts";
import { isDenied } from "./denied.ts";
import type {
  Driver,
  Entry,
  GetOptions,
  Listing,
  ListOptions,
  OpenDriver,
  SignOptions,
  StorageCall,
  Upload,
  WriteOptions,
} from "./driver.ts";
import { StorageError } from "./errors.ts";
import { FileUpload } from "./file-upload.node.ts";
import { type Held, hold } from "./held.node.ts";
import { below, type Location, locationUrl, nameOf } from "./location.ts";
import { mountedDriver } from "./mounted.ts";
import { isPartName, type Parts } from "./parts.node.ts";
import { grantedPlace, MOUNT, mountPlace, ownerFolder, ownPlace, type Place } from "./places.node.ts";
import type { Amount, Quota } from "./quota.ts";
import { changed, checkDepth } from "./refusals.ts";
import { orNull, storageError } from "./system-error.node.ts";
import { amountIn, depthOf, removeAll } from "./tree.node.ts";

/** What is read at once. */
const READ_BYTES = 256 * 1024;

export interface OwnFilesOptions {
  /** Each owner has a folder in it. It is made when something is written. */
  folder: string;
  parts: Parts;
  quota: Quota;
  sign?: SignFile | undefined;
}

/** Makes URLs for `sign`, where a server gives files of this machine out. Default: none can be signed. */
export type SignFile = (location: Location, options: SignOptions, owner: string) => Promise<string>;

/** `fd://`: a folder for each owner. */
export function ownFilesDriver({ folder, parts, quota, sign = refuseToSign }: OwnFilesOptions): OpenDriver {
  return (call) => {
    const root = ownerFolder(folder, call.owner);
    const take: Take = (wanted, location) =>
      quota.take(basename(root), wanted, location, () => amountIn(root));
    return new FileDriver({ place: ownPlace(root, call), parts, take, sign: signFor(sign, call) }, call);
  };
}

export interface FilesOptions {
  /** Folders of the host itself: no UDF comes there. `/proc`, `/sys` and `/dev` are closed anyway. */
  closed: readonly string[];
  parts: Parts;
  sign?: SignFile | undefined;
  /** What a server has at `file:///mount`, in place of what this machine has there. */
  mount?: { folderOf(owner: string): Promise<string>; quota: Quota } | undefined;
}

/** `file://`: the file system, as far as it is granted. */
export function filesDriver({ closed, parts, sign = refuseToSign, mount }: FilesOptions): OpenDriver {
  return (call) => {
    const rest = { parts, sign: signFor(sign, call) };
    const machine = (more: readonly string[]) =>
      new FileDriver(
        { ...rest, place: grantedPlace([...closed, ...more], call), take: async () => () => {} },
        call,
      );
    if (!mount) return machine([]);
    const root = once(() => mount.folderOf(call.owner));
    const take: Take = async (wanted, location) => {
      const folder = await root();
      return mount.quota.take(`mount/${basename(folder)}`, wanted, location, () => amountIn(folder));
    };
    const mounted = new FileDriver({ ...rest, place: mountPlace(root, call), take }, call);
    return mountedDriver(MOUNT, mounted, machine([MOUNT]));
  };
}

const signFor =
  (sign: SignFile, { owner }: StorageCall): Driver["sign"] =>
  (location, options) =>
    sign(location, options, owner);

/** Called before something is written; what it gives, after that. @throws StorageError "full" */
type Take = (wanted: Amount, location: Location) => Promise<() => void>;

interface FileDriverParts {
  place: Place;
  parts: Parts;
  take: Take;
  sign: Driver["sign"];
}

async function refuseToSign(location: Location): Promise<never> {
  throw new StorageError(
    "config",
    `Cannot sign ${locationUrl(location)}: no server gives out files of this machine; sign places of s3:// or gs://`,
  );
}

class FileDriver implements Driver {
  readonly #place: Place;
  readonly #parts: Parts;
  readonly #take: Take;
  readonly #call: StorageCall;
  readonly sign: Driver["sign"];

  constructor({ place, parts, take, sign }: FileDriverParts, call: StorageCall) {
    this.#place = place;
    this.#parts = parts;
    this.#take = take;
    this.sign = sign;
    this.#call = call;
  }

  async list(folder: Location, { recursive, after, limit }: ListOptions): Promise<Listing> {
    return this.#orStorageError("list", folder, async () => {
      const held = await orNull(hold(await this.#pathOf(folder), { folder: true }));
      if (!held) return { entries: [], next: null };
      try {
        await this.#place.admit(held.real, folder, "read");
        const found: { key: string; entry: Entry }[] = [];
        await this.#walk(held, folder, "", { recursive, after: after ?? "", limit: limit + 1 }, found);
        const next = found.length > limit ? (found[limit - 1]?.key ?? null) : null;
        return { entries: found.slice(0, limit).map(({ entry }) => entry), next };
      } finally {
        await held.close();
      }
    });
  }

  async head(location: Location): Promise<Entry | null> {
    return this.#orStorageError("look at", location, async () => {
      // Nothing has a name that the system cannot have.
      const held = await orNull(hold(await this.#pathOf(location)), "ENAMETOOLONG");
      if (!held) return null;
      try {
        await this.#place.admit(held.real, location, "read");
        const found = await held.handle.stat();
        if (location.isFolder && !found.isDirectory()) return null;
        return found.isFile() || found.isDirectory() ? entryOf(location, found) : null;
      } finally {
        await held.close();
      }
    });
  }

  async get(location: Location, { range, etag }: GetOptions): Promise<AsyncIterable<Uint8Array>> {
    const { file, found } = await this.#openFile(location, "read");
    if (etag !== null && etagOf(found) !== etag) {
      await file.close();
      throw changed(location);
    }
    const start = range?.offset ?? 0;
    return chunks(file, start, range ? Math.min(start + range.length, found.size) : found.size);
  }

  async open(location: Location): Promise<StoredFile> {
    const { file, found } = await this.#openFile(location, "open");
    return {
      size: found.size,
      async read(position, length) {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, found.size - position)));
        const { bytesRead } = await readFully(file, bytes, position);
        return bytes.subarray(0, bytesRead);
      },
      close: () => file.close(),
    };
  }

  async write(location: Location, { ifNoneMatch }: WriteOptions): Promise<Upload> {
    return this.#orStorageError("write", location, async () => {
      await this.#pathOf(location);
      await this.#place.prepare();
      let landed = () => {};
      let folder: Held | undefined;
      try {
        folder = await this.#holdParent(location, async (missing) => {
          landed = await this.#take({ bytes: 0, objects: missing + 1 }, location);
        });
        const part = await this.#parts.add(folder.real);
        const file = await open(
          join(folder.path, part),
          constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW,
          this.#place.mode,
        ).catch(async (error) => {
          await this.#parts.forget(part);
          throw error;
        });
        const take = (bytes: number) => this.#take({ bytes, objects: 0 }, location);
        return new FileUpload({ folder, part, file, location, ifNoneMatch, parts: this.#parts, take });
      } catch (error) {
        await folder?.close();
        throw error;
      } finally {
        landed();
      }
    });
  }

  async delete(location: Location): Promise<boolean> {
    return this.#orStorageError("delete", location, async () => {
      const parent = await orNull(this.#holdParent(location));
      if (!parent) return false;
      try {
        const path = join(parent.path, nameOf(location));
        const found = await orNull(lstat(path));
        if (!found || found.isDirectory()) return false;
        await parent.verify();
        await unlink(path);
        return true;
      } finally {
        await parent.close();
      }
    });
  }

  async deleteFolder(folder: Location, maxDepth: number): Promise<boolean> {
    return this.#orStorageError("delete", folder, async () => {
      const isRoot = folder.path === "";
      const parent = isRoot ? null : await orNull(this.#holdParent(folder));
      if (!isRoot && !parent) return false;
      try {
        const name = nameOf(folder);
        if (parent && (await orNull(lstat(join(parent.path, name))))?.isSymbolicLink()) {
          await parent.verify();
          await unlink(join(parent.path, name));
          return true;
        }
        const held = await orNull(
          parent ? parent.child(name, { folder: true }) : hold(await this.#pathOf(folder), { folder: true }),
        );
        if (!held) return false;
        try {
          await this.#place.admit(held.real, folder, "write");
          if (await this.#place.hasClosed(held.real)) {
            throw new StorageError(
              "access",
              `Cannot delete ${locationUrl(folder)}: something in it belongs to the system, or to the host itself`,
            );
          }
          checkDepth(folder, await depthOf(held), maxDepth);
          await removeAll(held);
        } finally {
          await held.close();
        }
        if (parent) await rmdir(join(parent.path, name));
        return true;
      } finally {
        await parent?.close();
      }
    });
  }

  /** @throws StorageError "request" for the names of files that are being written, "access", "config" */
  async #pathOf(location: Location): Promise<string> {
    if (process.platform === "win32") {
      throw new StorageError(
        "config",
        `Cannot use ${locationUrl(location)}: this version does not know the file systems of Windows`,
      );
    }
    if (location.path.split("/").some(isPartName))
      throw new StorageError("request", `Cannot use ${locationUrl(location)}: such names are the host's own`);
    return this.#place.pathOf(location);
  }

  async #openFile(location: Location, what: string): Promise<{ file: FileHandle; found: Stats }> {
    return this.#orStorageError(what, location, async () => {
      const held = await hold(await this.#pathOf(location));
      try {
        await this.#place.admit(held.real, location, "read");
        const found = await held.handle.stat();
        if (!found.isFile())
          throw new StorageError("request", `Cannot ${what} ${locationUrl(location)}: it is no file`);
        return { file: await held.openToRead(), found };
      } finally {
        await held.close();
      }
    });
  }

  /**
   * Holds the folder in which a location is, once it is clear that the location may be written.
   * @param beforeMaking called with the number of folders that are missing, which are made then. Default: none is made
   */
  async #holdParent(location: Location, beforeMaking?: (missing: number) => Promise<void>): Promise<Held> {
    if (this.#place.isWhole(location))
      throw new StorageError(
        "request",
        `Cannot change ${locationUrl(location)}: that is a whole storage; name a file or a folder in it`,
      );
    const path = await this.#pathOf(location);
    const missing: string[] = [];
    let at = dirname(path);
    let held = await orNull(hold(at, { folder: true }));
    while (!held) {
      if (!beforeMaking || at === dirname(at)) throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
      missing.unshift(basename(at));
      at = dirname(at);
      held = await orNull(hold(at, { folder: true }));
    }
    try {
      await this.#place.admit(join(held.real, ...missing, basename(path)), location, "write");
      await beforeMaking?.(missing.length);
      for (const name of missing) {
        await held.verify();
        await mkdir(join(held.path, name), { mode: this.#place.mode === 0o600 ? 0o700 : 0o777 }).catch(
          (error) => {
            if (error.code !== "EEXIST") throw error;
          },
        );
        const next: Held = await held.child(name, { folder: true });
        await held.close();
        held = next;
      }
      return held;
    } catch (error) {
      await held.close();
      throw error;
    }
  }

  /** Collects what lies in a folder, in the order of keys: a folder's name counts with its slash. */
  async #walk(
    held: Held,
    folder: Location,
    prefix: string,
    options: { recursive: boolean; after: string; limit: number },
    found: { key: string; entry: Entry }[],
  ): Promise<void> {
    const { recursive, after, limit } = options;
    const items = (await readdir(held.path, { withFileTypes: true }))
      .filter(({ name }) => !isPartName(name))
      .map((item) => ({ item, key: `${prefix}${item.name}${item.isDirectory() ? "/" : ""}` }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { item, key } of items) {
      if (found.length >= limit) return;
      const isPassed = key <= after && !(recursive && after.startsWith(key) && item.isDirectory());
      const location = isPassed ? null : below(folder, key);
      if (!location || isDenied(this.#call, "read", location.value)) continue;
      if (recursive && item.isDirectory()) {
        const child = await orNull(held.child(item.name, { folder: true }));
        if (!child) continue;
        try {
          if (!(await this.#place.hides(child.real))) await this.#walk(child, folder, key, options, found);
        } finally {
          await child.close();
        }
      } else {
        const entry = await this.#entryOf(held, item, location);
        if (entry && !(recursive && entry.isDirectory)) found.push({ key, entry });
      }
    }
  }

  async #entryOf(parent: Held, item: Dirent, location: Location): Promise<Entry | null> {
    const path = join(parent.path, item.name);
    if (item.isSymbolicLink()) {
      // One that leads nowhere, or round in circles, is not shown.
      const target = await hold(path).catch(() => null);
      if (!target) return null;
      try {
        const found = await target.handle.stat();
        if (!(found.isFile() || found.isDirectory()) || !(await this.#place.shows(target.real))) return null;
        return entryOf({ ...location, isFolder: found.isDirectory() }, found);
      } finally {
        await target.close();
      }
    }
    const found = await orNull(lstat(path));
    if (!found || !(found.isFile() || found.isDirectory())) return null;
    return (await this.#place.hides(join(parent.real, item.name))) ? null : entryOf(location, found);
  }

  async #orStorageError<T>(what: string, location: Location, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storageError(what, location, error);
    }
  }
}

async function* chunks(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  try {
    for (let at = start; at < end; ) {
      const bytes = new Uint8Array(Math.min(READ_BYTES, end - at));
      const { bytesRead } = await readFully(file, bytes, at);
      if (bytesRead > 0) yield bytes.subarray(0, bytesRead);
      if (bytesRead < bytes.length) return;
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function readFully(
  file: FileHandle,
  into: Uint8Array,
  position: number,
): Promise<{ bytesRead: number }> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return { bytesRead: at };
}

function entryOf(location: Location, found: Stats): Entry {
  const isDirectory = found.isDirectory();
  return {
    url: locationUrl({ ...location, isFolder: isDirectory }),
    name: nameOf(location),
    isDirectory,
    size: isDirectory ? null : found.size,
    modifiedMs: Math.trunc(found.mtimeMs),
    etag: isDirectory ? null : etagOf(found),
  };
}

const etagOf = ({ ino, size, mtimeMs }: Stats): string =>
  `"${ino.toString(16)}-${size.toString(16)}-${mtimeMs}"`;
