import { readdirSync, readFileSync, renameSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../store/store.node.ts";
import { openBlobs } from "./blobs.node.ts";
import { Cache, type CacheOptions, type CacheRequest, type Entry, type Found, type Lease } from "./cache.ts";
import { processOwner } from "./owner.node.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

let folder: string;
let now: number;
let problems: string[];
let closing: (() => Promise<void>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuselet-results-"));
  now = Date.now();
  problems = [];
  closing = [];
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  await rm(folder, { recursive: true, force: true });
});

/** A cache on the folder; each as another process would have it. */
function open(options: Partial<CacheOptions> = {}): Cache {
  const store = openStore({ path: join(folder, "cache.db"), disposable: true });
  const cache = new Cache({
    store,
    blobs: openBlobs(folder),
    owner: processOwner(),
    now: () => now,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  closing.push(() => cache.close().finally(() => store.close()));
  return cache;
}

const request = (key: string, options: Partial<CacheRequest> = {}): CacheRequest => ({
  key,
  maxAgeMs: DAY_MS,
  lockTimeoutMs: 5000,
  labels: { name: "f", udf: "u", principal: "ada", folder: "" },
  ...options,
});

const lease = (found: Found): Lease => {
  if (found.state !== "compute") throw new Error("expected a lease, got a hit");
  return found.lease;
};
const text = (found: Found): string => {
  if (found.state !== "hit") throw new Error("expected a hit, got a lease");
  return Buffer.from(found.body).toString();
};
const json = (body: string | Uint8Array) => ({ format: "json", body: new Uint8Array(Buffer.from(body)) });

/** Computes and keeps a result. */
async function keep(
  cache: Cache,
  key: string,
  body: string | Uint8Array,
  options: Partial<CacheRequest> = {},
) {
  await lease(await cache.begin(request(key, options))).commit(json(body));
}

const isThere = async (cache: Cache, key: string) => {
  const found = await cache.begin(request(key));
  if (found.state === "compute") await found.lease.abandon();
  return found.state === "hit";
};
const bodies = () => readdirSync(join(folder, "bodies"));
const large = (fill: string, size = 50_000) => fill.repeat(size);

describe("a result", () => {
  test.each([
    ["empty", ""],
    ["in the record", "1"],
    ["the largest in the record", large("a", 16 * 1024)],
    ["in a file", large("b", 16 * 1024 + 1)],
    ["large", large("c", 2 ** 21)],
  ])("is kept for all: %s", async (_what, body) => {
    const cache = open();
    await lease(await cache.begin(request("k"))).commit({ format: "arrow", body: json(body).body });
    for (const reader of [cache, open()]) {
      const found = await reader.begin(request("k"));
      expect(found).toMatchObject({
        state: "hit",
        entry: { format: "arrow", createdAtMs: now, size: body.length },
      });
      expect(text(found) === body).toBe(true);
    }
    expect(await isThere(cache, "other")).toBe(false);
    expect(problems).toEqual([]);
  });

  test("is computed again when it is too old, and kept until the new one is there", async () => {
    const cache = open();
    await keep(cache, "k", "old");
    now += 1000;
    expect(text(await cache.begin(request("k", { maxAgeMs: 1000 })))).toBe("old");
    now += 1;
    const computing = lease(await cache.begin(request("k", { maxAgeMs: 1000 })));
    expect(text(await cache.begin(request("k")))).toBe("old");
    await computing.commit(json("new"));
    expect(text(await cache.begin(request("k", { maxAgeMs: 1000 })))).toBe("new");
  });

  test("of the future is computed again", async () => {
    const cache = open();
    await keep(cache, "k", "1");
    now -= DAY_MS;
    expect(await isThere(cache, "k")).toBe(false);
  });

  test("is computed again and replaced where that is asked for", async () => {
    const cache = open();
    await keep(cache, "k", large("a"));
    await keep(cache, "k", large("b"), { reset: true });
    expect(text(await open().begin(request("k")))).toBe(large("b"));
    expect(bodies()).toHaveLength(1);
    expect(await cache.statistics()).toMatchObject({ entries: 1, bytes: 50_000 });
  });

  test("that is larger than the cache is refused, and others go on", async () => {
    const cache = open({ maxBytes: 1000 });
    const failing = keep(cache, "k", large("a", 1001));
    await expect(failing).rejects.toMatchObject({ name: "CacheError", code: "size" });
    await keep(cache, "k", large("a", 1000));
    expect(await isThere(cache, "k")).toBe(true);
  });
});

describe("one computes", () => {
  test.each([
    ["in the same process", () => undefined],
    ["through the store", () => open()],
  ])("and others wait for it, %s", async (_where, other) => {
    const cache = open();
    const computing = lease(await cache.begin(request("k")));
    const waiting = Array.from({ length: 5 }, () => (other() ?? cache).begin(request("k")));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await computing.commit(json("1"));
    expect((await Promise.all(waiting)).map(text)).toEqual(Array(5).fill("1"));
    expect(await cache.statistics()).toMatchObject({ misses: 1, commits: 1 });
  });

  test("another takes over when it gives up", async () => {
    const cache = open();
    const first = lease(await cache.begin(request("k")));
    const waiting = [cache.begin(request("k")), cache.begin(request("k"))];
    await first.abandon();
    const second = lease(await Promise.race(waiting));
    await second.commit(json("2"));
    const found = await Promise.all(waiting);
    expect(found.map(({ state }) => state).sort()).toEqual(["compute", "hit"]);
    expect(await first.commit(json("1"))).toBe(false);
    expect(text(await cache.begin(request("k")))).toBe("2");
  });

  test("who has waited long enough is told so", async () => {
    const cache = open();
    const computing = lease(await cache.begin(request("k")));
    for (const lockTimeoutMs of [0, 120])
      await expect(cache.begin(request("k", { lockTimeoutMs }))).rejects.toMatchObject({
        code: "timeout",
        message: expect.stringContaining('"f"'),
      });
    await computing.commit(json("1"));
  });

  test("a signal ends the waiting", async () => {
    const cache = open();
    await cache.begin(request("k"));
    const ending = new AbortController();
    const waiting = cache.begin(request("k", { signal: ending.signal }));
    setTimeout(() => ending.abort(new Error("mine")), 50);
    await expect(waiting).rejects.toThrow("mine");
  });

  test("a lease that was lost keeps nothing", async () => {
    // This owner lives, but does not stir.
    const asleep = open({ locks: { beatMs: 60_000 } });
    const lost = lease(await asleep.begin(request("k")));
    const other = open({ locks: { sleepMs: 100 } });
    const taken = lease(await other.begin(request("k")));
    expect(await lost.commit(json(large("a")))).toBe(false);
    expect(bodies()).toEqual([]);
    await taken.commit(json("2"));
    expect(await lost.commit(json("1"))).toBe(false);
    expect(text(await other.begin(request("k")))).toBe("2");
  });

  test("a lease that stirs is not taken over", async () => {
    const computing = lease(await open({ locks: { beatMs: 50 } }).begin(request("k")));
    const waiting = open({ locks: { sleepMs: 300 } }).begin(request("k", { lockTimeoutMs: 1000 }));
    await expect(waiting).rejects.toMatchObject({ code: "timeout" });
    expect(await computing.commit(json("1"))).toBe(true);
  });

  test("a cache that closes gives its leases back, and ends the waiting", async () => {
    const cache = open();
    await cache.begin(request("k"));
    const waiting = cache.begin(request("k"));
    const refused = expect(waiting).rejects.toMatchObject({ code: "closed" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await closing.pop()!();
    await refused;
    await expect(cache.begin(request("k"))).rejects.toMatchObject({ code: "closed" });
    expect(lease(await open().begin(request("k", { lockTimeoutMs: 0 })))).toBeTruthy();
  });
});

describe("when there is no room", () => {
  test("what was read longest ago goes first", async () => {
    const cache = open({ maxBytes: 100_000 });
    for (const key of ["a", "b", "c"]) {
      await keep(cache, key, large(key, 30_000));
      now += 61_000;
    }
    expect(await isThere(cache, "a")).toBe(true);
    // The time of that use is written in the background.
    await new Promise((resolve) => setTimeout(resolve, 50));
    now += 61_000;
    await keep(cache, "d", large("d", 30_000));
    const there = await Promise.all(["a", "b", "c", "d"].map((key) => isThere(cache, key)));
    expect(there).toEqual([true, false, true, true]);
    expect(bodies()).toHaveLength(3);
    expect(await cache.statistics()).toMatchObject({ entries: 3, bytes: 90_000, evictions: 1 });
  });

  test("what is too old for who made it goes before all", async () => {
    const cache = open({ maxBytes: 100_000 });
    await keep(cache, "a", large("a", 30_000));
    await keep(cache, "b", large("b", 30_000), { maxAgeMs: 1000 });
    await keep(cache, "c", large("c", 30_000));
    now += 2000;
    await keep(cache, "d", large("d", 30_000));
    const there = await Promise.all(["a", "b", "c", "d"].map((key) => isThere(cache, key)));
    expect(there).toEqual([true, false, true, true]);
  });

  test("the number of entries is bounded", async () => {
    const cache = open({ maxEntries: 10 });
    for (let i = 0; i < 25; i++) {
      await keep(cache, `k${i}`, "1");
      expect((await cache.statistics()).entries).toBeLessThanOrEqual(10);
      now++;
    }
    expect(await isThere(cache, "k24")).toBe(true);
    expect(await isThere(cache, "k0")).toBe(false);
  });

  test("nobody's results go because another one keeps very many, by links too", async () => {
    const cache = open({ maxEntries: 10 });
    const by = (principal: string) => ({ labels: { name: "f", udf: "u", principal, folder: "" } });
    for (const key of ["a", "b"]) await keep(cache, key, "1", by("ada"));
    for (let i = 0; i < 25; i++) {
      now++;
      await keep(cache, `k${i}`, "1", by(`bob/share/${i % 5}`));
    }
    expect([await isThere(cache, "a"), await isThere(cache, "b")]).toEqual([true, true]);
    expect([await isThere(cache, "k24"), await isThere(cache, "k0")]).toEqual([true, false]);
  });

  test("totals that are wrong are counted anew", async () => {
    const cache = open({ maxBytes: 1000 });
    await isThere(cache, "k");
    const database = new DatabaseSync(join(folder, "cache.db"));
    database.exec(
      `INSERT INTO records (collection, key, value) VALUES ('cache.meta', 'totals', '{"entries":0,"bytes":5000}')`,
    );
    database.close();
    await keep(cache, "k", "1");
    expect(await cache.statistics()).toMatchObject({ entries: 1, bytes: 1 });
  });
});

describe("an entry that cannot be trusted is none", () => {
  const sql = (statement: string) => {
    const database = new DatabaseSync(join(folder, "cache.db"));
    database.exec(statement);
    database.close();
  };
  const path = () => join(folder, "bodies", bodies()[0]!);
  const change = (name: string, value: string) =>
    sql(`UPDATE records SET value = json_set(value, '$.${name}', ${value}) WHERE key = 'k'`);

  test.each([
    ["its file was changed", large("a"), () => writeFileSync(path(), readFileSync(path()).fill("x", 9, 10))],
    ["its file was cut off", large("a"), () => truncateSync(path(), 100)],
    ["its file has grown", large("a"), () => truncateSync(path(), 60_000)],
    ["its file is gone", large("a"), () => renameSync(path(), join(folder, "elsewhere"))],
    ["its bytes were changed", "1", () => sql("UPDATE records SET bytes = x'32' WHERE key = 'k'")],
    ["its bytes are gone", "1", () => sql("UPDATE records SET bytes = NULL WHERE key = 'k'")],
    ["another machine has written it", "1", () => writeFileSync(join(folder, "key"), Buffer.alloc(32, 1))],
    ["it has another format", "1", () => change("format", "'pickle'")],
    ["it was made younger", "1", () => change("createdAtMs", "json_extract(value, '$.createdAtMs') + 1")],
    ["its seal is another", "1", () => change("seal", "'AAAA'")],
    ["its seal is no text", "1", () => change("seal", "7")],
    ["it names a file elsewhere", large("a"), () => change("blob", "'../key'")],
    ["it is no entry", "1", () => sql("UPDATE records SET value = '[]' WHERE key = 'k'")],
  ])("%s", async (_what, body, damage) => {
    await keep(open(), "k", body);
    await closing.pop()!();
    damage();
    const cache = open();
    const computing = lease(await cache.begin(request("k")));
    expect(problems).toEqual([expect.stringContaining("k is damaged, or was not written here")]);
    await computing.commit(json("new"));
    expect(text(await cache.begin(request("k")))).toBe("new");
    expect(await cache.statistics()).toMatchObject({ entries: 1, damaged: 1 });
  });

  test.each([
    ["record", "1", "2"],
    ["file", large("a"), large("b")],
  ])("a %s under another's key", async (_what, mine, yours) => {
    await keep(open(), "k", mine);
    await keep(open(), "other", yours);
    sql(
      `UPDATE records SET (value, bytes) =
         (SELECT json_set(value, '$.key', 'k'), bytes FROM records WHERE key = 'other') WHERE key = 'k'`,
    );
    expect(await isThere(open(), "k")).toBe(false);
    expect(problems).toHaveLength(1);
  });

  test("two files that changed places", async () => {
    await keep(open(), "k", large("a"));
    await keep(open(), "other", large("b"));
    const [one, two] = bodies().map((name) => join(folder, "bodies", name)) as [string, string];
    renameSync(one, `${one}.x`);
    renameSync(two, one);
    renameSync(`${one}.x`, two);
    expect([await isThere(open(), "k"), await isThere(open(), "other")]).toEqual([false, false]);
  });

  test("a damaged database starts anew", async () => {
    const before = open();
    for (let i = 0; i < 100; i++) await keep(before, `k${i}`, large("a", 2000));
    await closing.pop()!();
    const file = join(folder, "cache.db");
    writeFileSync(file, readFileSync(file).fill(0xff, 4096, 4096 * 30));
    const cache = open();
    await keep(cache, "new", "1");
    expect(text(await cache.begin(request("new")))).toBe("1");
  });
});

describe("looking after it", () => {
  test("lists, counts and clears", async () => {
    const cache = open();
    const labels = { name: "g", udf: "v", principal: "bob", folder: "maps/2" };
    await keep(cache, "a", "1");
    await keep(cache, "b", large("b"), { labels });
    await keep(cache, "c", large("c"));
    const listed: Entry[] = [];
    for await (const entry of cache.list()) listed.push(entry);
    expect(listed.map(({ key }) => key)).toEqual(["a", "b", "c"]);
    expect(listed[1]).toMatchObject({ ...labels, size: 50_000, format: "json", createdAtMs: now });
    expect(await cache.statistics()).toMatchObject({ entries: 3, bytes: 100_001, commits: 3, hits: 0 });
    expect(await cache.clear(({ udf }) => udf === "v")).toEqual({ entries: 1, bytes: 50_000 });
    expect(bodies()).toHaveLength(1);
    expect(await cache.clear()).toEqual({ entries: 2, bytes: 50_001 });
    expect(await cache.statistics()).toMatchObject({ entries: 0, bytes: 0 });
    expect(bodies()).toEqual([]);
  });

  test("removes what is too old and what no entry names, once an hour, and nothing else", async () => {
    await keep(open(), "short", large("a"), { maxAgeMs: 60_000 });
    await keep(open(), "long", large("b"));
    for (const name of ["old", "old.tmp", "young"]) writeFileSync(join(folder, "bodies", name), "x");
    const before = Date.now() / 1000 - 2 * 60 * 60;
    for (const name of bodies())
      if (name !== "young") utimesSync(join(folder, "bodies", name), before, before);
    for (const close of closing.splice(0)) await close();

    now += 30 * 60_000;
    await isThere(open(), "nothing");
    await closing.pop()!();
    expect(bodies()).toHaveLength(5);

    now += 31 * 60_000;
    const cache = open();
    await isThere(cache, "nothing");
    await closing.pop()!();
    expect(bodies()).toHaveLength(2);
    expect(bodies()).toContain("young");
    const after = open();
    expect(text(await after.begin(request("long")))).toBe(large("b"));
    expect(await after.statistics()).toMatchObject({ entries: 1, bytes: 50_000 });
  });
});
