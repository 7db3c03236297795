/** The reference's `fused.api`, as a TypeScript UDF has it: files of the storage, and what a server can be asked. */
import type { Entry } from "../../host/storage/driver.ts";
import { door } from "./door.ts";
import { HostFile } from "./files.ts";
import { secrets } from "./secrets.ts";
import { type ServerApi, serverApi } from "./server-api.ts";

/** What one call of the host writes at most. */
const PART_BYTES = 8 * 1024 * 1024;

/** A file or a folder of the storage. */
export type FileDetails = Entry;

const ask = (method: string, ...args: unknown[]) => door.call(`storage.${method}`, ...args);

/** Writes a file, whole or not at all. @param part gives its bytes from a position on */
async function write(
  url: string,
  options: object,
  size: number,
  part: (position: number, length: number) => Promise<Uint8Array>,
): Promise<void> {
  if (size <= PART_BYTES) {
    await ask("put", url, await part(0, size), options);
    return;
  }
  const upload = await ask("openWrite", url, options);
  try {
    for (let at = 0; at < size; at += PART_BYTES)
      await ask("writePart", upload, await part(at, Math.min(PART_BYTES, size - at)));
    await ask("commitWrite", upload);
  } catch (error) {
    await ask("abortWrite", upload).catch(() => {});
    throw error;
  }
}

const files = {
  /** What lies in a folder; with `recursive` all files below it, at any depth, and no folders. */
  async list(folder: string, { recursive = false }: { recursive?: boolean } = {}): Promise<FileDetails[]> {
    const found: FileDetails[] = [];
    let after: string | null = null;
    do {
      const page = (await ask("list", folder, { recursive, after })) as {
        entries: FileDetails[];
        next: string | null;
      };
      for (const entry of page.entries) found.push(entry);
      after = page.next;
    } while (after !== null);
    return found;
  },

  /** What is known of a file. */
  details: async (url: string): Promise<FileDetails> => (await ask("details", url)) as FileDetails,

  /** A whole file. */
  async get(url: string): Promise<Uint8Array> {
    const file = await files.open(url);
    try {
      return await file.read();
    } finally {
      await file.close();
    }
  },

  /**
   * Copies a file of the storage to another place of it, in parts: it may be larger than memory.
   * @param localPath where to: a place, as `filePath` gives one
   */
  async download(url: string, localPath: string): Promise<void> {
    const file = await files.open(url);
    try {
      await write(localPath, {}, file.size, (position, length) => file.read(position, length));
    } finally {
      await file.close();
    }
  },

  /** Opens a file, which is read in parts and may be larger than memory. */
  async open(url: string): Promise<HostFile> {
    const { file, size } = (await ask("open", url)) as { file: number; size: number };
    return new HostFile(file, size);
  },

  /**
   * Writes a file, whole or not at all.
   * @param content bytes, or text that is written as UTF-8
   * @param options `contentType`: a media type; `ifNoneMatch`: nothing may be there yet
   */
  async upload(
    content: Uint8Array | string,
    url: string,
    options: { contentType?: string; ifNoneMatch?: boolean } = {},
  ): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await write(url, options, bytes.length, async (at, length) => bytes.subarray(at, at + length));
  },

  /**
   * Deletes a file, or a folder with all that is in it.
   * @param options `maxDeletionDepth`: a folder that holds files deeper than this is left as it is. Default: 3
   * @returns whether there was anything
   */
  delete: async (
    url: string,
    { maxDeletionDepth = 3 }: { maxDeletionDepth?: number | "unlimited" } = {},
  ): Promise<boolean> => (await ask("delete", url, { maxDeletionDepth })) as boolean,

  /** A URL that anybody may read the file with. @param options `expiresSeconds`: from 1 to 604,800 (7 days). Default: 3,600 */
  signUrl: async (
    url: string,
    { expiresSeconds = 3600 }: { expiresSeconds?: number } = {},
  ): Promise<string> => (await ask("sign", url, { expiresSeconds })) as string,

  /** The same for each file of a folder: URLs by path. */
  signUrlPrefix: async (
    url: string,
    { expiresSeconds = 3600 }: { expiresSeconds?: number } = {},
  ): Promise<Record<string, string>> =>
    (await ask("signPrefix", url, { expiresSeconds })) as Record<string, string>,

  /**
   * Gives the credentials for Google Cloud that the secret `gcs_fused`, or another, holds: a service account's JSON; a text that stands for
   * it where the secret was not granted with `reveal`. Places of `gs://` need no such thing: the host reads them with its own access.
   * @throws an Error named PermissionDeniedError, or SecretError where there is no such secret
   */
  enableGcs: (secret = "gcs_fused"): Promise<string> => secrets.get(secret),
};

type Files = typeof files;

/** The type of `api`. */
export interface UdfApi extends Files, ServerApi {}

/**
 * A place is a URL: `fd://` (this principal's own files), `s3://`, `gs://`, `file://`, or `http(s)://`, which can only be read. All need
 * the permission `read` or `write` for it, and throw an Error named PermissionDeniedError or StorageError. The functions for accounts, jobs
 * and schedules ask the server that `options` names; they throw an Error named ServerError, or UsageError where none is named.
 */
export const api: UdfApi = { ...files, ...serverApi };
