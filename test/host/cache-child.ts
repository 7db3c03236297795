/**
 * A process that works with a cache, for cache-processes.test.ts.
 *
 *     node cache-child.ts FOLDER compute KEY MS      prints `ready`, waits for a line, begins; prints `computed VALUE` or `hit VALUE`
 *     node cache-child.ts FOLDER hold KEY            begins, prints `holding`, and never ends
 *     node cache-child.ts FOLDER commit SEED         keeps results until it is killed; prints `kept KEY N` after each
 *     node cache-child.ts FOLDER evict SEED          keeps 150 results in a cache of `EVICT_BYTES`; prints the most that was in it
 *     node cache-child.ts FOLDER fill SIZE           keeps results of this size until one fails; prints how many, and the error
 */
import { once } from "node:events";
import { openCache } from "../../host/cache/cache.node.ts";
import { EVICT_BYTES, expectedBody, requestOf, sizeOf } from "./cache-results.ts";

const [folder, mode, first = "", second = ""] = process.argv.slice(2) as [string, string, string?, string?];
const { cache, close } = openCache(folder, {
  ...(mode === "evict" ? { maxBytes: EVICT_BYTES } : {}),
  // Who waits sees that the holder of a lock is dead, or waits for longer than a test takes.
  locks: { staleMs: 600_000 },
});
const print = (line: string) => process.stdout.write(`${line}\n`);

/** Keeps the n-th result of a key, whatever is there. */
async function keep(key: string, n: number, size: number) {
  const found = await cache.begin({ ...requestOf(key), reset: true });
  if (found.state === "compute")
    return found.lease.commit({ format: "bytes", body: expectedBody(key, n, size) });
  throw new Error("a hit, though it was asked to compute");
}

const modes: Record<string, () => Promise<void>> = {
  async compute() {
    // The database is open, and so is the program's code loaded: all begin at once.
    await cache.statistics();
    print("ready");
    await once(process.stdin, "data");
    const found = await cache.begin(requestOf(first));
    if (found.state === "hit") return void print(`hit ${Buffer.from(found.body)}`);
    await new Promise((resolve) => setTimeout(resolve, Number(second)));
    await found.lease.commit({ format: "json", body: Buffer.from(String(process.pid)) });
    print(`computed ${process.pid}`);
  },
  async hold() {
    const { state } = await cache.begin(requestOf(first));
    print(state === "compute" ? "holding" : state);
    await new Promise(() => setInterval(() => {}, 1000));
  },
  async commit() {
    for (let n = Number(first) * 1_000_000; ; n++) {
      const key = `key ${n % 7}`;
      await keep(key, n, sizeOf(n));
      print(`kept ${key} ${n}`);
    }
  },
  async evict() {
    let most = 0;
    for (let i = 0; i < 150; i++) {
      const n = Number(first) * 1_000_000 + i;
      await keep(`key ${n}`, n, sizeOf(n));
      most = Math.max(most, (await cache.statistics()).bytes);
    }
    print(`most ${most}`);
  },
  async fill() {
    for (let n = 1; ; n++) {
      try {
        await keep(`key ${n}`, n, Number(first));
      } catch (error) {
        const { name, code, message } = error as Error & { code: string };
        return void print(JSON.stringify({ kept: n - 1, name, code, message }));
      }
    }
  },
};
try {
  await modes[mode]!();
} finally {
  process.stdin.destroy();
  await close().catch(() => {});
}
