/** The binding `download`: fetches a file once and opens it for the run; one of the storage it opens where that lies. */
import type { RunFiles } from "../files/files.ts";
import type { Binding, Call } from "../host.ts";
import { readUrl } from "../net/request.ts";
import { unsafePath } from "../udfs/paths.ts";
import { type DownloadOptions, type DownloadRequest, download, wrongChecksum } from "./download.ts";
import { DownloadError } from "./errors.ts";

/** Places of the storage, which does its own checks of them. */
const STORED = /^(fd|file|s3|gs):\/\//;
/** What is read at once of a file whose checksum is wanted. */
const PART_BYTES = 4 * 1024 * 1024;

const STORAGES = ["auto", "local", "mount", "object"];

function refuse(what: string, rule: string, received: unknown): never {
  const shown = JSON.stringify(received)?.slice(0, 200) ?? typeof received;
  throw new DownloadError(`Cannot download: ${what} ${rule}: received ${shown}`, { code: "request" });
}

function readRequest(value: unknown): DownloadRequest {
  if (typeof value !== "object" || value === null) refuse("the request", "must be an object", value);
  const { url, path, storage = "auto", sha256 = null, timeoutMs = null } = value as Record<string, unknown>;
  if (typeof url !== "string") refuse("the URL", "must be a text", url);
  if (typeof path !== "string") refuse("the path", "must be a text", path);
  const why = unsafePath(path);
  if (why !== null) refuse("the path", `must stay in its folder (${why})`, path);
  if (!STORAGES.includes(storage as string))
    refuse("storage", `must be one of ${STORAGES.join(", ")}`, storage);
  if (storage === "mount" || storage === "object") {
    refuse("storage", `can be auto or local here: no ${storage} storage is configured`, storage);
  }
  if (sha256 !== null && !(typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256)))
    refuse("the SHA-256", "must be 64 hexadecimal digits", sha256);
  if (timeoutMs !== null && !(typeof timeoutMs === "number" && timeoutMs > 0))
    refuse("the time limit", "must be a number of milliseconds above 0", timeoutMs);
  return {
    url: STORED.test(url) ? url : readUrl(url).href,
    path,
    sha256: sha256 as string | null,
    timeoutMs: timeoutMs as number | null,
  };
}

interface Opened {
  /** For the binding `files`. */
  file: number;
  /** In bytes. */
  size: number;
}

/** Opens a place of the storage for a run. @throws PermissionDeniedError, StorageError */
export type OpenStored = (url: string, call: Call) => Promise<Opened>;

/**
 * `get({ url, path, storage, sha256, timeoutMs })` -> `{ file, size }`: a number for the binding `files`, and bytes.
 * @throws PermissionDeniedError (`net`; for places of the storage `read`), NetError, DownloadError, StorageError
 */
export function downloadBinding(options: DownloadOptions, files: RunFiles, openStored: OpenStored): Binding {
  const openChecked = async ({ url, sha256 }: DownloadRequest, call: Call): Promise<Opened> => {
    const opened = await openStored(url, call);
    if (sha256 === null) return opened;
    const { file, size } = opened;
    async function* parts() {
      for (let at = 0; at < size; at += PART_BYTES)
        yield (await files.binding.read?.([file, at, Math.min(PART_BYTES, size - at)], call)) as Uint8Array;
    }
    const actual = await options.sha256(parts());
    if (actual === sha256) return opened;
    await files.binding.close?.([file], call);
    throw wrongChecksum(url, actual, sha256);
  };
  return {
    async get([request], call) {
      const wanted = readRequest(request);
      if (STORED.test(wanted.url)) return openChecked(wanted, call);
      const file = await download(wanted, call, options);
      return { file: await files.add(file, call), size: file.size };
    },
  };
}
