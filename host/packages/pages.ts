/** What an index or a registry says of names: asked once for all who want the same at about the same time. */
import { CancelledError } from "../../runtime/errors.ts";
import type { PackageCaller } from "../../runtime/packages.ts";

/** How long an answer counts, in milliseconds: choosing and reading ask for the same. */
const FRESH_MS = 60_000;
/** Pages that are kept; one may be large. */
const MOST_PAGES = 200;

/**
 * Keeps pages for a minute, and 200 at most.
 * @param read fetches one; it gets its first caller without the signal: when that one gives up, others may still wait
 * @returns gives a page; throws what `read` throws, CancelledError to whose signal aborts
 */
export function keepPages<Page>(
  read: (name: string, caller: PackageCaller) => Promise<Page>,
): (name: string, caller: PackageCaller) => Promise<Page> {
  const pages = new Map<string, { at: number; page: Promise<Page> }>();
  const add = (name: string, caller: PackageCaller) => {
    const now = performance.now();
    pages.delete(name);
    // In the order of their age.
    for (const [other, { at }] of pages) {
      if (pages.size < MOST_PAGES && now - at < FRESH_MS) break;
      pages.delete(other);
    }
    const added = { at: now, page: read(name, { ...caller, signal: undefined }) };
    pages.set(name, added);
    added.page.catch(() => {
      if (pages.get(name) === added) pages.delete(name);
    });
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
