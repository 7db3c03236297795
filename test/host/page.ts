/** What suite.mjs uses in pages of a browser: bundled as the global `host`. */
import { openBlobs } from "../../host/cache/blobs.browser.ts";
import { openCache as openPageCache } from "../../host/cache/cache.browser.ts";
import type { Lease } from "../../host/cache/cache.ts";
import { openStore } from "../../host/store/store.browser.ts";
import type { Store } from "../../host/store/store.ts";
import { expectedBody, numberOf, requestOf } from "./cache-results.ts";
import { equal } from "./check.ts";
import { storeCases } from "./store-cases.ts";

export { openBlobs, openStore };

export const titles = Object.keys(storeCases);

/** Runs one of the cases on a database of its own. */
export async function runStoreCase(title: string): Promise<void> {
  const name = `case-${crypto.randomUUID()}`;
  const opened: Store[] = [];
  await storeCases[title]!(() => {
    const store = openStore({ name });
    opened.push(store);
    return store;
  });
  for (const store of opened) await store.close();
}

/** What every place for bodies must do. */
export async function runBlobs(name: string): Promise<void> {
  const blobs = openBlobs(name);
  const body = new Uint8Array(100_000).fill(5).subarray(10);
  const made = await blobs.write(body);
  equal(await blobs.read(made, body.length), body);
  equal(await openBlobs(name).read(made, body.length), body);
  equal(await blobs.read(made, body.length - 1), undefined);
  for (const other of [crypto.randomUUID(), "../x", ""])
    equal(await blobs.read(other, body.length), undefined);
  equal(await blobs.list(), [made]);
  equal(Math.floor((await blobs.ageMs(made))! / 60_000), 0);
  equal(await blobs.ageMs(crypto.randomUUID()), undefined);
  const seal = await blobs.seal("identity", body);
  equal(await blobs.verify("identity", body, seal), true);
  equal(await blobs.verify("other", body, seal), false);
  equal(await blobs.verify("identity", body.subarray(1), seal), false);
  await blobs.remove(made);
  await blobs.remove(made);
  equal(await blobs.list(), []);
}

/** A cache whose results can be asked for in texts and numbers, as a test outside of the page does. */
export function openCache(name: string, maxBytes?: number) {
  const problems: string[] = [];
  const { cache, close } = openPageCache(name, {
    ...(maxBytes ? { maxBytes } : {}),
    onProblem: (problem) => problems.push(problem),
    // Who waits sees that the holder of a lock is gone, or waits for longer than a test takes.
    locks: { staleMs: 600_000 },
  });
  const leases = new Map<string, Lease>();
  return {
    problems,
    close,
    statistics: () => cache.statistics(),
    clear: () => cache.clear(),
    /** @returns the number of the result that is there, or `compute` */
    async begin(key: string): Promise<number | "compute"> {
      const found = await cache.begin(requestOf(key));
      if (found.state === "hit") return numberOf(key, found.body);
      leases.set(key, found.lease);
      return "compute";
    },
    commit: (key: string, n: number, size: number) =>
      leases.get(key)!.commit({ format: "bytes", body: expectedBody(key, n, size) }),
  };
}
