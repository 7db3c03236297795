/** Files that lie with the host, as a TypeScript UDF sees them. */
import { door } from "./door.ts";

/** The most that one call of the host reads. */
const PART_BYTES = 4 * 1024 * 1024;

/** A file at the host: it is read in parts and may be larger than memory. */
export class HostFile {
  readonly #number: number;
  #isClosed = false;
  /** In bytes. */
  readonly size: number;

  /** Use `download`. */
  constructor(number: number, size: number) {
    this.#number = number;
    this.size = size;
  }

  /**
   * Reads a part.
   * @param position in bytes from the start @param length default: all that follows
   * @returns fewer bytes only where the file ends
   * @throws RangeError for what is no whole number from 0
   */
  async read(position = 0, length = this.size - position): Promise<Uint8Array> {
    for (const value of [position, length]) {
      if (!Number.isSafeInteger(value) || value < 0)
        throw new RangeError(
          `Cannot read: position and length must be whole numbers from 0: received ${value}`,
        );
    }
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - position)));
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      const most = Math.min(PART_BYTES, bytes.length - at);
      bytes.set((await door.call("files.read", this.#number, position + at, most)) as Uint8Array, at);
    }
    return bytes;
  }

  /** Lets the host close it: a run may have a bounded number open. Twice is no error. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await door.call("files.close", this.#number);
  }

  /** The whole file as text (UTF-8). */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.read());
  }
}

export interface DownloadOptions {
  /** `"auto"` and `"local"` are this machine's; `"mount"` and `"object"` need storage that is configured. */
  storage?: "auto" | "local" | "mount" | "object";
  /** `"sha256:"` and 64 hexadecimal digits; another file than this is an error, and is not kept. */
  checksum?: string;
  /** For connecting and for the whole, in milliseconds. */
  timeoutMs?: number;
}

/**
 * Fetches a file once, for all runs and processes, and opens it. Needs the permission `net` for the URL's host, also where the
 * file is there already. A place of the storage (`fd://`, `s3://`, `gs://`, `file://`) needs `read`: it is not fetched, but read where
 * it lies.
 * @param path a name for it: relative, with slashes
 * @throws an Error named PermissionDeniedError, NetError, DownloadError or StorageError; TypeError for a checksum of another kind
 */
export async function download(
  url: string,
  path: string,
  { storage = "auto", checksum, timeoutMs }: DownloadOptions = {},
): Promise<HostFile> {
  const [kind, sha256 = null] = checksum?.split(":") ?? ["sha256"];
  if (kind !== "sha256") {
    throw new TypeError(
      `Cannot download: checksum must be "sha256:" and 64 hexadecimal digits: received ${JSON.stringify(checksum)}`,
    );
  }
  const request = { url, path, storage, sha256, timeoutMs: timeoutMs ?? null };
  const { file, size } = (await door.call("download.get", request)) as { file: number; size: number };
  return new HostFile(file, size);
}

/**
 * A place of this principal's own for a file or a folder: what `api` writes there (permission `write`) can be read again by later runs
 * (permission `read`). An isolate has no disk: this is the storage `fd://`, where folders need not be made.
 * @param path relative, with slashes
 * @throws TypeError for a path that is absolute, leaves its folder or has an empty part
 */
export function filePath(path: string): string {
  const parts = typeof path === "string" ? path.split("/") : [""];
  if (/[\0\\?#%]/.test(path) || parts.some((part) => part === "" || part === "." || part === ".."))
    throw new TypeError(
      `Cannot make a path: it must be relative, with slashes, and stay in its folder: received ${JSON.stringify(path)}`,
    );
  return `fd://${path}`;
}
