/** The kinds of storage that a page has. */
import type { Guard } from "../net/guard.ts";
import { openStore } from "../store/store.browser.ts";
import { httpDriver } from "./http.ts";
import { ownFilesDriver } from "./opfs.browser.ts";
import { Quota, type StorageQuota } from "./quota.ts";
import type { StorageOptions } from "./storage.ts";

export interface BrowserStorageOptions {
  /** What one principal may hold in `fd://`; the browser's own limit holds for the page, too. Default: 10 GiB in 100,000 files and folders. */
  quota?: StorageQuota | undefined;
  /** The guarded fetch. Default: `https://` and `http://` are not there. */
  guard?: Pick<Guard, "fetch">;
}

/** @throws UsageError where the quota is none */
export function openStorage({ quota, guard }: BrowserStorageOptions = {}): Pick<StorageOptions, "drivers"> & {
  close(): Promise<void>;
} {
  const store = openStore({ name: "fuselet-usage" });
  const http = guard && httpDriver({ guard });
  const fd = ownFilesDriver(new Quota({ quota, store }));
  return { drivers: { fd, ...(http ? { http, https: http } : {}) }, close: () => store.close() };
}
