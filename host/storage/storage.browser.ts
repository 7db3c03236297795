/** The kinds of storage that a page has. */
import type { Guard } from "../net/guard.ts";
import { httpDriver } from "./http.ts";
import { ownFilesDriver } from "./opfs.browser.ts";
import type { StorageOptions } from "./storage.ts";

/** @param guard the guarded fetch. Default: `https://` and `http://` are not there */
export function openStorage({
  guard,
}: {
  guard?: Pick<Guard, "fetch">;
} = {}): Pick<StorageOptions, "drivers"> {
  const http = guard && httpDriver({ guard });
  return { drivers: { fd: ownFilesDriver(), ...(http ? { http, https: http } : {}) } };
}
