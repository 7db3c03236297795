/**
 * Downloads in the page's own file system (OPFS), which belongs to its origin. A file there shows what was written to it when it
 * is closed, so what comes is kept in segments: what a page that was closed has got is there for the next one. Below one folder:
 *
 *     KEY/whole               which of the folders beside it is the file: `{ folder, size, sha256 }`
 *     KEY/partial             which of them is being filled, and with what version: `{ folder, validator }`
 *     KEY/FOLDER/0, 1, 2 …    segments of 8 MiB; the last may be shorter
 *
 * A folder that neither names is left by another file that was there before, or by a try that was given up. Somebody may still
 * read it, so it is removed later.
 */
import { concat } from "../../runtime/bytes.ts";
import type { StoredFile } from "../files/files.ts";
import { orNull } from "../opfs.browser.ts";
import type { DownloadPlace, PartialDownload } from "./download.ts";
import { DownloadError } from "./errors.ts";
import { sha256OfParts } from "./sha256.ts";

const SEGMENT_BYTES = 8 * 1024 * 1024;
/** A file that nobody has asked for in longest goes first when there are more bytes than this. */
const MOST_BYTES = 8 * 1024 ** 3;
/** What nobody has taken up again in so long is removed. */
const STALE_MS = 24 * 60 * 60 * 1000;
/** The time of last use is noted again after so long. */
const TOUCH_MS = 60 * 60 * 1000;

type Folder = FileSystemDirectoryHandle;

interface Whole {
  folder: string;
  /** In bytes. */
  size: number;
  /** Once somebody has asked. */
  sha256: string | null;
}

interface Partial {
  folder: string;
  validator: string | null;
}

export interface PageDownloadOptions {
  /** Of the folder. Default: `fuselet-downloads`. */
  name?: string;
  /** Default 8 GiB. */
  maxBytes?: number;
}

/** Downloads of a page's origin: its tabs share them. */
export function pageDownloads({
  name = "fuselet-downloads",
  maxBytes = MOST_BYTES,
}: PageDownloadOptions = {}): DownloadPlace {
  const root = async () =>
    (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
  const folderOf = async (key: string) => (await root()).getDirectoryHandle(key, { create: true });
  return {
    find: (key, sha256) =>
      orDownloadError(async () => {
        const folder = await orNull((await root()).getDirectoryHandle(key));
        const whole = folder && (await readNote<Whole>(folder, "whole"));
        const segments = whole && (await orNull(folder.getDirectoryHandle(whole.value.folder)));
        if (!folder || !whole || !segments) return null;
        const file = openSegments(segments, whole.value.size);
        const noted = whole.value.sha256 ?? (sha256 === null ? null : await sha256OfParts(partsOf(file)));
        if (sha256 !== null && noted !== sha256) return null;
        if (noted !== whole.value.sha256 || Date.now() - whole.writtenMs > TOUCH_MS) {
          // Not when another file has come meanwhile.
          await navigator.locks.request(lockName(name, key), { ifAvailable: true }, async (lock) => {
            const now = lock && (await readNote<Whole>(folder, "whole"));
            if (now?.value.folder === whole.value.folder)
              await writeFile(folder, "whole", JSON.stringify({ ...whole.value, sha256: noted }));
          });
        }
        return file;
      }),
    resume: (key) =>
      orDownloadError(async () => {
        if (!("createWritable" in FileSystemFileHandle.prototype)) {
          throw new DownloadError("Cannot keep a download: this browser lets no page write files", {
            code: "storage",
          });
        }
        const partial = new PagePartial(await folderOf(key), async () => prune(await root(), key, maxBytes));
        await partial.open();
        return partial;
      }),
    async lock(key, signal) {
      return new Promise((resolve, reject) => {
        navigator.locks
          .request(
            lockName(name, key),
            { signal },
            () =>
              new Promise<void>((release) => {
                resolve(async () => release());
              }),
          )
          .catch(reject);
      });
    },
  };
}

const lockName = (name: string, key: string) => `${name}/${key}`;

class PagePartial implements PartialDownload {
  readonly #folder: Folder;
  readonly #kept: () => Promise<void>;
  #segments: Folder | null = null;
  #note: Partial | null = null;
  /** Bytes of whole segments. */
  #written = 0;
  /** What is there of the next one. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  /** @param kept called when there is one file more */
  constructor(folder: Folder, kept: () => Promise<void>) {
    this.#folder = folder;
    this.#kept = kept;
  }

  /** Takes up what an earlier try has left. */
  async open(): Promise<void> {
    const note = (await readNote<Partial>(this.#folder, "partial"))?.value ?? null;
    const segments = note && (await orNull(this.#folder.getDirectoryHandle(note.folder)));
    if (!segments) return;
    this.#note = note;
    this.#segments = segments;
    for (let i = 0; ; i++) {
      const file = await orNull(fileOf(segments, i));
      if (file?.size === SEGMENT_BYTES) this.#written += SEGMENT_BYTES;
      else {
        if (file) this.#add(new Uint8Array(await file.arrayBuffer()));
        return;
      }
    }
  }

  get size(): number {
    return this.#written + this.#waitingBytes;
  }

  get validator(): string | null {
    return this.#note?.validator ?? null;
  }

  restart(validator: string | null): Promise<void> {
    return orDownloadError(async () => {
      const before = this.#note;
      this.#note = { folder: crypto.randomUUID(), validator };
      this.#written = 0;
      this.#waiting = [];
      this.#waitingBytes = 0;
      // A folder without its note could be taken for a stale one.
      await writeFile(this.#folder, "partial", JSON.stringify(this.#note));
      this.#segments = await this.#folder.getDirectoryHandle(this.#note.folder, { create: true });
      if (before) await orNull(this.#folder.removeEntry(before.folder, { recursive: true }));
    });
  }

  append(bytes: Uint8Array): Promise<void> {
    return orDownloadError(async () => {
      for (let at = 0; at < bytes.length; ) {
        const part = bytes.subarray(at, at + SEGMENT_BYTES - this.#waitingBytes);
        // A copy: of a view, the whole buffer would be kept.
        this.#add(part.slice());
        at += part.length;
        if (this.#waitingBytes === SEGMENT_BYTES) {
          await this.#write();
          this.#written += SEGMENT_BYTES;
          this.#waiting = [];
          this.#waitingBytes = 0;
        }
      }
    });
  }

  sha256(): Promise<string> {
    return orDownloadError(async () => {
      await this.#write();
      return this.#segments
        ? sha256OfParts(partsOf(openSegments(this.#segments, this.size)))
        : sha256OfParts([]);
    });
  }

  finish(): Promise<void> {
    return orDownloadError(async () => {
      await this.#write();
      const { folder } = this.#note as Partial;
      const whole: Whole = { folder, size: this.size, sha256: null };
      await writeFile(this.#folder, "whole", JSON.stringify(whole));
      await orNull(this.#folder.removeEntry("partial"));
      this.#segments = null;
      await this.#kept();
    });
  }

  async close(): Promise<void> {
    // What does not fit is fetched again.
    await this.#write().catch(() => {});
  }

  #add(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** Writes the segment that is not full yet as it is. */
  async #write(): Promise<void> {
    if (this.#segments && this.#waitingBytes > 0)
      await writeFile(this.#segments, String(this.#written / SEGMENT_BYTES), concat(this.#waiting));
  }
}

/** A file in segments. */
function openSegments(folder: Folder, size: number): StoredFile {
  return {
    size,
    read: (position, length) =>
      orDownloadError(async () => {
        const parts: Uint8Array[] = [];
        const end = Math.min(position + length, size);
        for (let at = position; at < end; ) {
          const start = at % SEGMENT_BYTES;
          const file = await fileOf(folder, (at - start) / SEGMENT_BYTES);
          const part = await file.slice(start, Math.min(SEGMENT_BYTES, start + end - at)).arrayBuffer();
          if (part.byteLength === 0)
            throw new DownloadError("Cannot read a download: a part of it is gone", { code: "storage" });
          parts.push(new Uint8Array(part));
          at += part.byteLength;
        }
        return concat(parts);
      }),
    async close() {},
  };
}

async function* partsOf(file: StoredFile): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += SEGMENT_BYTES) yield file.read(at, SEGMENT_BYTES);
}

const fileOf = async (folder: Folder, segment: number): Promise<File> =>
  (await folder.getFileHandle(String(segment))).getFile();

/** Writes a file as a whole: it shows the old content, or the new. */
async function writeFile(
  folder: Folder,
  name: string,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
  try {
    await stream.write(content);
  } catch (error) {
    await stream.abort().catch(() => {});
    throw error;
  }
  await stream.close();
}

/** @returns null where there is none, or one that cannot be read */
async function readNote<T>(folder: Folder, name: string): Promise<{ value: T; writtenMs: number } | null> {
  const file = await orNull(folder.getFileHandle(name).then((handle) => handle.getFile()));
  if (!file) return null;
  try {
    return { value: JSON.parse(await file.text()) as T, writtenMs: file.lastModified };
  } catch {
    return null;
  }
}

/** Removes what is too much and what is stale, never the file of `key`. What another page is filling is left alone. */
async function prune(root: Folder, key: string, maxBytes: number): Promise<void> {
  const found: { key: string; size: number; usedMs: number }[] = [];
  for await (const [name, handle] of root.entries()) {
    const folder = handle as Folder;
    const whole = await readNote<Whole>(folder, "whole");
    const partial = await readNote<Partial>(folder, "partial");
    if (whole) found.push({ key: name, size: whole.value.size, usedMs: whole.writtenMs });
    for await (const [child, item] of folder.entries()) {
      if (item.kind !== "directory" || child === whole?.value.folder) continue;
      const segment = await orNull(fileOf(item as Folder, 0));
      const usedMs = segment?.lastModified ?? partial?.writtenMs ?? 0;
      if (Date.now() - usedMs > STALE_MS) await orNull(folder.removeEntry(child, { recursive: true }));
    }
  }
  let total = 0;
  for (const { key: each, size } of found.sort((a, b) => b.usedMs - a.usedMs)) {
    total += size;
    if (total <= maxBytes || each === key) continue;
    await orNull((await root.getDirectoryHandle(each)).removeEntry("whole"));
    await orNull(root.removeEntry(each, { recursive: true }));
  }
}

const MEANINGS: Readonly<Record<string, string>> = {
  NotFoundError: "a part of it is gone",
  NotReadableError: "a part of it has changed",
  QuotaExceededError: "the browser gives this page no more room",
  NoModificationAllowedError: "another page is writing it",
};

async function orDownloadError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DOMException || cause instanceof TypeError)) throw cause;
    const why = MEANINGS[cause.name] ?? "this browser does not let the page do it";
    throw new DownloadError(`Cannot keep a download, or read it: ${why}`, { code: "storage", cause });
  }
}
