/** The kinds of storage that Node has. */
import { join } from "node:path";
import type { Guard } from "../net/guard.ts";
import { openStore } from "../store/store.node.ts";
import { filesDriver, ownFilesDriver, type SignFile } from "./file.node.ts";
import { gsDriver } from "./gs.ts";
import { httpDriver } from "./http.ts";
import { openParts } from "./parts.node.ts";
import { MOUNT } from "./places.node.ts";
import { Quota, type StorageQuota } from "./quota.ts";
import { s3Driver } from "./s3.ts";
import type { S3Options } from "./s3-service.ts";
import { openSend } from "./send.node.ts";
import type { StorageOptions } from "./storage.ts";

export interface NodeStorageOptions {
  /** The host's data folder: `fd://` lies in its folder `files`. No UDF comes to the rest. */
  dataFolder: string;
  /** More folders of the host to which `file://` never leads: its cache, its configuration. */
  closed?: readonly string[];
  /** What one principal may hold in `fd://`. Default: 10 GiB in 100,000 files and folders. */
  quota?: StorageQuota | undefined;
  /** Default: requests to S3 are not signed, so that public buckets can be read. */
  s3?: Omit<S3Options, "send">;
  /** Whether `gs://` may be used. Default: no. */
  enableGcs?: boolean;
  /** The text of a service account's key file, for `gs://`. */
  gcsKey?: string;
  /** What a server adds to the files of this machine. */
  served?: ServedFiles | undefined;
  /** The guarded fetch. Default: `https://` and `http://` are not there. */
  guard?: Pick<Guard, "fetch">;
}

/** How a server gives files of this machine out. */
export interface ServedFiles {
  /** Makes a URL of the server for a place of `fd://` or `file://`. */
  sign: SignFile;
  /** The folder that `file:///mount` is for an owner. */
  mountOf(owner: string): Promise<string>;
}

/**
 * Opens the storage of a host.
 * @throws UsageError where the service account's key is none, or the quota; StorageError "config" where S3's endpoint is none
 */
export function openStorage(
  options: NodeStorageOptions,
): Pick<StorageOptions, "drivers" | "mounts"> & { close(): Promise<void> } {
  const { dataFolder, closed = [], s3 = { credentials: null }, enableGcs = false, gcsKey } = options;
  const { guard, served } = options;
  const usage = openStore({ path: join(dataFolder, "usage.db"), disposable: true });
  const quota = new Quota({ quota: options.quota, store: usage });
  const { send, close } = openSend();
  const parts = openParts(join(dataFolder, "parts"));
  const http = guard && httpDriver({ guard });
  return {
    drivers: {
      fd: ownFilesDriver({ folder: join(dataFolder, "files"), parts, quota, sign: served?.sign }),
      file: filesDriver({
        closed: [dataFolder, ...closed],
        parts,
        sign: served?.sign,
        mount: served && { folderOf: (owner) => served.mountOf(owner), quota },
      }),
      s3: s3Driver({ ...s3, send }),
      ...(enableGcs && gcsKey !== undefined ? { gs: gsDriver({ send, key: gcsKey }) } : {}),
      ...(http ? { http, https: http } : {}),
    },
    mounts: served ? [MOUNT] : [],
    close: () => close().finally(() => usage.close()),
  };
}
