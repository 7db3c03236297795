/** What an index or a registry says of names: asked once for all who want the same at about the same time. */
import { CancelledError } from "../../runtime/errors.ts";
import type { PackageCaller } from "../../runtime/packages.ts";

/** How long an answer counts, in milliseconds: choosing and reading ask for the same. */
const FRESH_MS = 60_000;
/** Pages that are kept. */
const MOST_PAGES = 200;
/** And what they may have together, as they came. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Keeps pages for a minute, 200 at most, and of 64 MiB together: one that is larger is kept for nobody.
 * @param read fetches one, and says how large it was; it gets its first caller without the signal: when that one gives up, others may still wait
 * @returns gives a page; throws what `read` throws, CancelledError to whose signal aborts
 */
export function keepPages<Page>(
  read: (name: string, caller: PackageCaller) => Promise<{ page: Page; bytes: number }>,
): (name: string, caller: PackageCaller) => Promise<Page> {
  /** In the order of their age. */
  const pages = new Map<string, { at: number; bytes: number; page: Promise<Page> }>();
  let total = 0;
  const forget = (name: string) => {
    total -= pages.get(name)?.bytes ?? 0;
    pages.delete(name);
  };
  const add = (name: string, caller: PackageCaller) => {
    const now = performance.now();
    forget(name);
    for (const [other, { at }] of pages) {
      if (pages.size < MOST_PAGES && now - at < FRESH_MS) break;
      forget(other);
    }
    const reading = read(name, { ...caller, signal: undefined });
    const added = { at: now, bytes: 0, page: reading.then(({ page }) => page) };
    pages.set(name, added);
    reading.then(
      ({ bytes }) => {
        if (pages.get(name) !== added) return;
        added.bytes = bytes;
        total += bytes;
        for (const other of pages.keys()) {
          if (total <= MOST_BYTES) break;
          forget(other);
        }
      },
      () => {
        if (pages.get(name) === added) forget(name);
      },
    );
    return added;
  };
  return (name, caller) => {
    const known = pages.get(name);
    const { page } = known && performance.now() - known.at < FRESH_MS ? known : add(name, caller);
    return unlessAborted(page, caller.signal);
  };
}

async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return result;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new CancelledError("The run was cancelled while its packages were looked up"));
  });
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
