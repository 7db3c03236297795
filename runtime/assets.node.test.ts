import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { diskCache, diskFolder } from "./assets.node.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuselet-cache-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill);

describe("the build cache", () => {
  test("gives back what was put, in another process too, and its files are for their owner only", async () => {
    expect(await diskCache(folder).put("snapshot-a", bytes(10))).toBeUndefined();
    const damaged: string[] = [];
    expect(await diskCache(folder).get("snapshot-a", (why) => damaged.push(why))).toEqual(
      Buffer.from(bytes(10)),
    );
    expect(damaged).toEqual([]);
    for (const name of ["key", "snapshot-a"])
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  test("has nothing under an unknown name, and says nothing about it", async () => {
    const damaged: string[] = [];
    expect(await diskCache(folder).get("snapshot-b", (why) => damaged.push(why))).toBeUndefined();
    expect(damaged).toEqual([]);
  });

  test.each([
    ["changed", async (path: string) => writeFile(path, (await readFile(path)).fill(2, 40, 41))],
    ["cut off", async (path: string) => writeFile(path, (await readFile(path)).subarray(0, 20))],
    [
      "another build's",
      async (path: string) => {
        await diskCache(folder).put("snapshot-other", bytes(10));
        await writeFile(path, await readFile(join(folder, "snapshot-other")));
      },
    ],
    ["another machine's", async () => writeFile(join(folder, "key"), Buffer.alloc(32, 5))],
  ])("says so when a file is %s, and does not give it", async (_what, damage) => {
    await diskCache(folder).put("snapshot-a", bytes(10));
    await damage(join(folder, "snapshot-a"));
    const damaged: string[] = [];
    expect(await diskCache(folder).get("snapshot-a", (why) => damaged.push(why))).toBeUndefined();
    expect(damaged).toEqual([expect.stringContaining("snapshot-a")]);
  });

  test("stays within its size: what was used longest ago goes, what is half-written and old too", async () => {
    const cache = diskCache(folder, 250);
    const old = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await cache.put("snapshot-1", bytes(60));
    await cache.put("snapshot-2", bytes(60));
    await utimes(join(folder, "snapshot-1"), old, old);
    await writeFile(join(folder, "snapshot-3.1.tmp"), "half");
    await utimes(join(folder, "snapshot-3.1.tmp"), old, old);
    await cache.put("snapshot-3", bytes(60));
    expect((await readdir(folder)).sort()).toEqual(["key", "snapshot-2", "snapshot-3"]);
  });

  test("says why where it cannot write", async () => {
    await writeFile(join(folder, "file"), "");
    expect(await diskCache(join(folder, "file", "below")).put("snapshot-a", bytes(1))).toMatch(
      /cannot write .*ENOTDIR/,
    );
  });
});

test("a folder on disk names the file that is not there", async () => {
  await writeFile(join(folder, "a"), "x");
  expect(await diskFolder(folder).has("a")).toBe(true);
  expect(await diskFolder(folder).has("b")).toBe(false);
  await expect(diskFolder(folder).read("b")).rejects.toThrow(
    `Cannot read ${join(folder, "b")}: it is not there`,
  );
});
