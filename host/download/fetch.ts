/** Downloads go through the guarded fetch. */
import type { Guard } from "../net/guard.ts";
import { readUrl } from "../net/request.ts";
import type { DownloadOptions } from "./download.ts";

/** What one `read` gives at most. */
const MOST_READ_BYTES = 1024 * 1024;

export function guardedDownload(guard: Guard): DownloadOptions["fetch"] {
  return async (url, headers, timeoutMs, call) => {
    const request = {
      url: readUrl(url),
      method: "GET",
      headers,
      body: null,
      redirect: "follow",
      timeoutMs,
      timeoutFor: "answer",
      isFile: true,
    } as const;
    const { status, headers: answered, body } = await guard.fetch(request, call);
    return {
      status,
      headers: answered,
      body: { read: () => body.next(MOST_READ_BYTES, guard.limits.idleMs), cancel: () => body.close() },
    };
  };
}
