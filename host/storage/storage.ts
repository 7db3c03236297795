/**
 * The storage of a host: what runs ask for goes to the driver of its scheme, once the broker has allowed it. It is asked with
 * the place in its one spelling, before anything happens; what a folder contains needs no questions of its own, but what is
 * denied in it is left out of lists, and not deleted with it.
 */
import { UsageError } from "../../runtime/errors.ts";
import type { RunFiles, StoredFile } from "../files/files.ts";
import { storage } from "../permissions/storage.ts";
import { deniedBelow, isDenied } from "./denied.ts";
import type {
  Driver,
  Entry,
  Listing,
  ListOptions,
  OpenDriver,
  Range,
  SignOptions,
  StorageCall,
  Upload,
  WriteOptions,
} from "./driver.ts";
import { StorageError } from "./errors.ts";
import { type Location, locationUrl, nameOf, parseLocation, type Scheme } from "./location.ts";
import { notFound } from "./refusals.ts";
import { readAll } from "./send.ts";
import { Uploads } from "./uploads.ts";

export interface StorageOptions {
  /** What is not here is not set up on this host. */
  drivers: Readonly<Partial<Record<Scheme, OpenDriver>>>;
  /** Where files are opened for runs. */
  files: RunFiles;
  /** Folders that isolates see at the same path, where the run may read or write there. Default: none. */
  mounts?: readonly string[];
  /** What one file that a run writes may have. Default: 5 GiB. */
  uploadBytes?: number;
}

const MiB = 1024 * 1024;
/** The most that `get` gives at once, of a whole file and of a part. */
const MOST_GET_BYTES = 32 * MiB;
export const MOST_RANGE_BYTES = 4 * MiB;
/** The most that `put` and `writePart` take. */
export const MOST_PART_BYTES = 8 * MiB;
/** How often a file is looked at anew that changes all the time. */
const MOST_TRIES = 5;
/** The most files that `signPrefix` signs. */
const MOST_SIGNED = 10_000;

export class Storage {
  readonly #drivers: StorageOptions["drivers"];
  readonly #files: RunFiles;
  readonly #mounts: readonly string[];
  readonly #uploads: Uploads;

  /** @throws UsageError where `uploadBytes` is no whole number above 0 */
  constructor({ drivers, files, mounts = [], uploadBytes = 5 * 1024 * MiB }: StorageOptions) {
    if (!Number.isSafeInteger(uploadBytes) || uploadBytes < 1)
      throw new UsageError(
        `Cannot open the storage: uploadBytes must be a whole number above 0: received ${uploadBytes}`,
      );
    this.#drivers = drivers;
    this.#files = files;
    this.#mounts = mounts;
    this.#uploads = new Uploads(uploadBytes);
  }

  /** The folders that the run's isolate has at the same path. */
  mounts({ permissions }: Pick<StorageCall, "permissions">): string[] {
    const granted = [permissions.read, permissions.write];
    return this.#mounts.filter((folder) =>
      granted.some((rules) =>
        Array.isArray(rules)
          ? rules.some((rule) => storage.intersect(rule, folder) !== null)
          : rules === true,
      ),
    );
  }

  /** One page of a folder. That of a file is the file. */
  async list(url: string, options: ListOptions, call: StorageCall): Promise<Listing> {
    const { location, driver } = await this.#ask("read", url, call);
    const { entries, next } = await driver.list(location, options);
    const shown = entries.filter((entry) => !isHidden(entry, call));
    if (entries.length > 0 || next !== null || options.after !== null) return { entries: shown, next };
    const file = await driver.head(location);
    return { entries: file && !file.isDirectory ? [file] : [], next: null };
  }

  /** @throws StorageError "not found" */
  async details(url: string, call: StorageCall): Promise<Entry> {
    const { location, driver } = await this.#ask("read", url, call);
    const entry = await driver.head(location);
    if (entry) return entry;
    // In an object store a folder is there when something is in it.
    const hasFiles = async () => {
      const { entries, next } = await driver.list(location, { recursive: true, after: null, limit: 1 });
      return entries.length > 0 || next !== null;
    };
    if (/^https?$/.test(location.scheme) || !(await hasFiles())) throw notFound("look at", location);
    const folder = { ...location, isFolder: true };
    const rest = { isDirectory: true, size: null, modifiedMs: null, etag: null };
    return { url: locationUrl(folder), name: nameOf(folder), ...rest };
  }

  /**
   * A file as bytes, or a part of it.
   * @throws StorageError "full" for a whole file of more than 32 MiB
   */
  async get(url: string, range: Range | null, call: StorageCall): Promise<Uint8Array> {
    const { location, driver } = await this.#ask("read", url, call);
    const most = range ? range.length : MOST_GET_BYTES;
    return this.#files.roomOf(call).read(async (take) => {
      const body = await driver.get(location, { range, etag: null });
      return readAll(asThereIsRoom(body, take), most, locationUrl(location));
    });
  }

  /**
   * A file, or a part of it, as it comes: all of one version. Whoever asks reads it to its end, or ends it with `return` after the
   * first part.
   * @param rangeOf what is wanted of the file; null is all of it
   * @throws StorageError "not found", "request" for a folder
   */
  async read(
    url: string,
    rangeOf: (entry: Entry) => Range | null,
    call: StorageCall,
  ): Promise<{ entry: Entry; body: AsyncIterable<Uint8Array> }> {
    const { location, driver } = await this.#ask("read", url, call);
    for (let tries = MOST_TRIES; ; tries--) {
      const entry = await headOf(driver, location);
      const range = rangeOf(entry);
      try {
        return { entry, body: await driver.get(location, { range, etag: entry.etag }) };
      } catch (error) {
        // Another version has come in its place meanwhile.
        if (tries <= 1 || (await headOf(driver, location)).etag === entry.etag) throw error;
      }
    }
  }

  /** Begins to write a file. Whoever asks ends the upload. */
  async upload(url: string, options: WriteOptions, call: StorageCall): Promise<Upload> {
    const { location, driver } = await this.#ask("write", url, call);
    return driver.write(fileOf(location), options);
  }

  /** Makes sure that a file may be written, and says its URL. @throws StorageError "request", PermissionDeniedError */
  async mayWrite(url: string, call: StorageCall): Promise<string> {
    const { location } = await this.#ask("write", url, call);
    return locationUrl(fileOf(location));
  }

  /** Opens a file for the run. @returns its number in the binding `files`, and its size in bytes */
  async open(url: string, call: StorageCall): Promise<{ file: number; size: number }> {
    const { location, driver } = await this.#ask("read", url, call);
    const file = await (driver.open?.(location) ?? openByRanges(driver, location));
    return { file: await this.#files.add(file, call), size: file.size };
  }

  /** Writes a file as a whole. */
  async put(url: string, bytes: Uint8Array, options: WriteOptions, call: StorageCall): Promise<void> {
    const upload = await this.upload(url, options, call);
    try {
      await upload.write(bytes);
      await upload.commit();
    } catch (error) {
      await upload.abort();
      throw error;
    }
  }

  /** Begins to write a file in parts. @returns the number of the upload, which ends with the run */
  async openWrite(url: string, options: WriteOptions, call: StorageCall): Promise<number> {
    const { location, driver } = await this.#ask("write", url, call);
    const file = fileOf(location);
    return this.#uploads.open(locationUrl(file), () => driver.write(file, options), call);
  }

  writePart(upload: unknown, bytes: Uint8Array, call: StorageCall): Promise<void> {
    return this.#uploads.write(upload, bytes, call);
  }

  commitWrite(upload: unknown, call: StorageCall): Promise<void> {
    return this.#uploads.commit(upload, call);
  }

  abortWrite(upload: unknown, call: StorageCall): Promise<void> {
    return this.#uploads.abort(upload, call);
  }

  /**
   * Deletes a file, or else all that lies below a folder.
   * @param maxDepth how many levels a folder may have; Infinity is any, and what the deletion of a whole storage needs
   * @returns whether there was anything
   * @throws PermissionDeniedError also where something below is denied; then nothing is deleted
   */
  async delete(url: string, maxDepth: number, call: StorageCall): Promise<boolean> {
    const { location, driver } = await this.#ask("write", url, call);
    if (!location.isFolder && (await driver.delete(location))) return true;
    for (const rule of deniedBelow(call, "write", location.value)) await call.require("write", rule);
    if (location.path === "" && maxDepth !== Infinity) {
      throw new StorageError(
        "request",
        `Cannot delete ${locationUrl(location)}: that is a whole storage; name a folder in it, or make maxDeletionDepth "unlimited"`,
      );
    }
    return driver.deleteFolder({ ...location, isFolder: true }, maxDepth);
  }

  /** A URL with which anybody can read a file, or write it, until it expires. Nobody looks whether the file is there. */
  async sign(url: string, options: SignOptions, call: StorageCall): Promise<string> {
    const { location, driver } = await this.#ask(options.method === "GET" ? "read" : "write", url, call);
    return driver.sign(fileOf(location), options);
  }

  /**
   * Such URLs for all files below a folder, to read them.
   * @returns by path: that of the key in its bucket
   * @throws StorageError "full" beyond 10,000 files
   */
  async signPrefix(url: string, expiresSeconds: number, call: StorageCall): Promise<Record<string, string>> {
    const { location, driver } = await this.#ask("read", url, call);
    const signed: [string, string][] = [];
    for (let after: string | null = null, first = true; first || after !== null; first = false) {
      const page: Listing = await driver.list(location, { recursive: true, after, limit: 1000 });
      for (const entry of page.entries.filter((each) => !isHidden(each, call))) {
        const file = parseLocation(entry.url);
        signed.push([file.path, await driver.sign(file, { method: "GET", expiresSeconds })]);
      }
      if (signed.length > MOST_SIGNED) {
        throw new StorageError(
          "full",
          `Cannot sign ${locationUrl(location)}: it has more than ${MOST_SIGNED} files; sign folders in it`,
        );
      }
      after = page.next;
    }
    return Object.fromEntries(signed);
  }

  /** @throws StorageError "request" for what is no place, PermissionDeniedError, StorageError "config" */
  async #ask(
    permission: "read" | "write",
    url: string,
    call: StorageCall,
  ): Promise<{ location: Location; driver: Driver }> {
    const location = parseLocation(url);
    await call.require(permission, location.value);
    const open = Object.hasOwn(this.#drivers, location.scheme) ? this.#drivers[location.scheme] : undefined;
    if (open) return { location, driver: open(call) };
    throw new StorageError(
      "config",
      `Cannot use ${locationUrl(location)}: this host has no storage for ${location.scheme}:// set up`,
    );
  }
}

const isHidden = ({ url }: Entry, call: StorageCall) => isDenied(call, "read", parseLocation(url).value);

async function* asThereIsRoom(
  body: AsyncIterable<Uint8Array>,
  take: (bytes: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for await (const part of body) {
    await take(part.length);
    yield part;
  }
}

/** @throws StorageError "request" for what can only be a folder */
function fileOf(location: Location): Location {
  if (!location.isFolder && location.path !== "") return location;
  throw new StorageError("request", `Cannot use ${locationUrl(location)} as a file: it names a folder`);
}

/** @throws StorageError "not found", "request" for a folder */
async function headOf(driver: Driver, location: Location): Promise<Entry> {
  const entry = await driver.head(location);
  if (!entry) throw notFound("open", location);
  if (!entry.isDirectory) return entry;
  throw new StorageError("request", `Cannot open ${locationUrl(location)}: it is a folder`);
}

/** A file that is asked for in parts, all of one version. */
async function openByRanges(driver: Driver, location: Location): Promise<StoredFile> {
  const { size, etag } = await headOf(driver, location);
  if (size === null)
    throw new StorageError("request", `Cannot open ${locationUrl(location)}: it is no file of a known size`);
  return {
    size,
    async read(offset, length) {
      const wanted = Math.min(length, size - offset);
      if (wanted <= 0) return new Uint8Array(0);
      const body = await driver.get(location, { range: { offset, length: wanted }, etag });
      return readAll(body, wanted, locationUrl(location));
    },
    async close() {},
  };
}
