import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunLease } from "../../runtime/results.ts";
import { checkContext } from "../context/context.ts";
import { downloadLock } from "../download/lock.ts";
import { diskDownloads } from "../download/place.node.ts";
import { openStore } from "../store/store.node.ts";
import { openCache } from "./cache.node.ts";
import { openKept } from "./kept.node.ts";
import { Locks } from "./locks.ts";
import { processOwner } from "./owner.node.ts";
import { runResults } from "./results.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuselet-kept-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("an empty folder has nothing, and stays empty", async () => {
  for (const kind of Object.values(openKept(folder))) {
    expect(await kind.list()).toEqual([]);
    expect(await kind.clear()).toEqual({ entries: 0, bytes: 0 });
  }
  expect(readdirSync(folder)).toEqual([]);
  expect(await openKept(join(folder, "missing")).snapshots.list()).toEqual([]);
});

/** A cache with the result of a function and that of a run. */
async function keepResults() {
  const { cache, close } = openCache(join(folder, "results"));
  const labels = { name: "f", udf: "quakes", principal: "ada", folder: "tmp" };
  const found = await cache.begin({ key: "k", maxAgeMs: 1000, lockTimeoutMs: 0, labels });
  if (found.state === "compute") await found.lease.commit({ format: "json", body: new Uint8Array(50_000) });
  const lease = (await runResults({ cache, version: "1", onProblem: expect.fail }).find(
    {
      principal: "bob",
      owner: "bob",
      udf: { name: "tiles", hash: "h" },
      engine: "quickjs",
      permissions: {},
      limits: {},
      parameters: { text: "{}", buffers: [] },
      tile: null,
    },
    { context: checkContext({}), maxAgeMs: 1000, waitMs: 0, reset: false, signal: undefined },
  )) as RunLease;
  await lease.keep(
    { reply: { text: "1", buffers: [] }, stdout: "", stderr: "" },
    { fields: new Set(), isShareable: true },
  );
  return { cache, close };
}

test("results: whose they are; what goes is gone for those who have the cache open, too", async () => {
  const { cache, close } = await keepResults();
  const { results } = openKept(folder);
  const list = (await results.list()).map(({ createdAtMs, usedAtMs, ...entry }) => entry);
  expect(list.sort((a, b) => b.bytes - a.bytes)).toEqual([
    { kind: "results", what: "f()", bytes: 50_000, principal: "ada", udf: "quakes" },
    { kind: "results", what: "run", bytes: expect.any(Number), principal: "bob", udf: "tiles" },
  ]);
  const removed = await results.clear();
  expect(removed.entries).toBe(2);
  expect(removed.bytes).toBeGreaterThan(50_000);
  expect(await results.list()).toEqual([]);
  expect(readdirSync(join(folder, "results", "bodies"))).toEqual([]);
  const labels = { name: "f", udf: "quakes", principal: "ada", folder: "tmp" };
  expect((await cache.begin({ key: "k", maxAgeMs: 1000, lockTimeoutMs: 0, labels })).state).toBe("compute");
  await close();
});

test("downloads: what they are and whose; one that goes on stays", async () => {
  const downloadFolder = join(folder, "downloads");
  const store = openStore({ path: join(downloadFolder, "locks.db"), disposable: true });
  const locks = new Locks({ store, owner: processOwner() });
  const place = diskDownloads({ folder: downloadFolder, lock: downloadLock(locks) });
  const about = { principal: "ada", path: "maps/a.tif", host: "example.org:8443" };
  const { signal } = new AbortController();
  const [done, going] = ["a".repeat(64), "b".repeat(64)];
  const unlock = await place.lock(going, signal);
  const [whole, part] = [await place.resume(done, about), await place.resume(going, about)];
  await whole.append(new Uint8Array(1000));
  await whole.finish();
  await whole.close();
  await part.append(new Uint8Array(10));

  const { downloads } = openKept(folder);
  const list = (await downloads.list()).map(({ createdAtMs, usedAtMs, ...entry }) => entry);
  expect(list.sort((a, b) => b.bytes - a.bytes)).toEqual([
    { kind: "downloads", what: "maps/a.tif from example.org:8443", bytes: 1000, principal: "ada", udf: null },
    { kind: "downloads", what: "unfinished", bytes: 10, principal: null, udf: null },
  ]);
  expect(await downloads.clear()).toMatchObject({ entries: 1 });
  expect(await place.find(done, null)).toBeNull();
  // The one that goes on is not disturbed.
  await part.append(new Uint8Array(10));
  await part.finish();
  await part.close();
  await unlock();
  const found = await place.find(going, null);
  expect(found?.size).toBe(20);
  await found?.close();
  expect(await downloads.clear()).toMatchObject({ entries: 1 });
  expect(readdirSync(downloadFolder).filter((name) => !name.startsWith("locks.db"))).toEqual([]);
  await locks.close();
  await store.close();
});

test("builds: snapshots and packages, not keys and what is half-written", async () => {
  const files = ["snapshot-ab12", "code-ab12", "packages-ab12", "typescript-ab12", "wheel-ab12", "npm-ab12"];
  const others = ["key", "snapshot-ab12.4711.0011.tmp", "notes.txt"];
  for (const name of [...files, ...others]) await writeFile(join(folder, name), name);
  await mkdir(join(folder, "results"));
  const { snapshots, packages } = openKept(folder);
  expect((await snapshots.list()).map(({ what }) => what).sort()).toEqual(files.slice(0, 4).sort());
  expect((await packages.list()).map(({ what, bytes }) => [what, bytes])).toEqual(
    expect.arrayContaining([
      ["wheel-ab12", 10],
      ["npm-ab12", 8],
    ]),
  );
  expect(await snapshots.clear()).toEqual({ entries: 4, bytes: files.slice(0, 4).join("").length });
  expect(existsSync(join(folder, "wheel-ab12"))).toBe(true);
  expect(await packages.clear()).toMatchObject({ entries: 2 });
  expect(readdirSync(folder).sort()).toEqual([...others, "results"].sort());
});
