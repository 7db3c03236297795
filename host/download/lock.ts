/** One download of a file at a time, over all processes. */
import type { Locks } from "../cache/locks.ts";
import type { DownloadPlace } from "./download.ts";

/** How often a lock of another process is looked at, in ms: at first, and in the end. */
const POLL_MS = [20, 500] as const;

/** Locks for downloads out of those of a store. They wait as long as the run has time. */
export function downloadLock(locks: Locks): DownloadPlace["lock"] {
  return async (key, signal) => {
    const name = `download/${key}`;
    const seen = { version: 0, sinceMs: 0 };
    for (let pollMs: number = POLL_MS[0]; ; pollMs = Math.min(pollMs * 1.5, POLL_MS[1])) {
      signal.throwIfAborted();
      const lock = await locks.take(name, seen);
      if (lock) return () => locks.release(lock);
      await locks.wait(name, pollMs, signal);
    }
  };
}
