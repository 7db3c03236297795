import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { storeCases } from "../../test/host/store-cases.ts";
import { openStore, type SqliteStore, type StoreOptions } from "./store.node.ts";

let folder: string;
let path: string;
let opened: SqliteStore[];
const open = (options: Partial<StoreOptions> = {}) => {
  const store = openStore({ path, ...options });
  opened.push(store);
  return store;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuselet-store-"));
  path = join(folder, "data", "store.db");
  opened = [];
});
afterEach(async () => {
  for (const store of opened) await store.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a store in SQLite", () => {
  test.each(Object.entries(storeCases))("%s", (_title, run) => run(open));

  test.each(Object.entries(storeCases))("%s, with recent records in memory", (_title, run) =>
    run(() => open({ recent: true })),
  );

  test("recent records are what others have written since, whichever connection it was", async () => {
    const [one, other] = [open({ recent: true }), open({ recent: true })];
    await one.put("a", "key", { n: 1 });
    expect(await other.get("a", "none")).toBeUndefined();
    const first = await other.get("a", "key");
    expect(first?.value).toEqual({ n: 1 });
    expect(await other.get("a", "key")).toBe(first);
    await one.put("a", "key", { n: 2 });
    await one.put("a", "none", { n: 3 });
    expect((await other.get("a", "key"))?.value).toEqual({ n: 2 });
    expect((await other.get("a", "none"))?.value).toEqual({ n: 3 });
    await other.delete("a", "key");
    expect(await other.get("a", "key")).toBeUndefined();
    expect(await one.get("a", "key")).toBeUndefined();
  });

  test("large records are not kept in memory, whether their value is large or their bytes are", async () => {
    const store = open({ recent: true });
    await store.put("a", "value", "x".repeat(20_000));
    await store.put("a", "bytes", null, { bytes: new Uint8Array(20_000) });
    for (const key of ["value", "bytes"])
      expect(await store.get("a", key)).not.toBe(await store.get("a", key));
  });

  test("recent records cannot be changed by who got them", async () => {
    const store = open({ recent: true });
    await store.put("a", "key", { list: [1] });
    const { value } = (await store.get("a", "key")) as unknown as { value: { list: number[] } };
    expect(() => value.list.push(2)).toThrow(TypeError);
    const failing = store.update("a", "key", () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect((await store.get("a", "key"))?.value).toEqual({ list: [1] });
  });

  test("its files are for their owner only", async () => {
    await open().put("a", "key", 1);
    const mode = (file: string) => statSync(file).mode & 0o777;
    expect([path, `${path}-wal`, `${path}-shm`].map(mode)).toEqual([0o600, 0o600, 0o600]);
    expect(mode(join(folder, "data"))).toBe(0o700);
    await opened[0]!.close();
    chmodSync(path, 0o644);
    await open().get("a", "key");
    expect(mode(path)).toBe(0o600);
  });

  test("is not opened before it is used", () => {
    open();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("waits for another process that writes", async () => {
    const store = open();
    await store.put("a", "n", 1);
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    setTimeout(() => other.exec("COMMIT"), 300);
    await store.update("a", "n", (old) => ({ value: Number(old?.value) + 1 }));
    expect((await store.get("a", "n"))?.value).toBe(2);
    other.close();
  });

  test("refuses a file of a newer fuselet, of another program, and one that is none", async () => {
    await open().put("a", "key", 1);
    await opened[0]!.close();
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    await expect(open().get("a", "key")).rejects.toMatchObject({
      code: "version",
      message: expect.stringContaining("version 99"),
    });

    path = join(folder, "other.db");
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE t (x)");
    other.close();
    const before = readFileSync(path);
    await expect(open().put("a", "key", 1)).rejects.toMatchObject({ code: "damaged" });
    expect(readFileSync(path)).toEqual(before);

    path = join(folder, "text.db");
    writeFileSync(path, "no database at all, but longer than a header of SQLite would be ".repeat(20));
    await expect(open().get("a", "key")).rejects.toMatchObject({ code: "damaged" });
    expect(readFileSync(path, "utf8")).toContain("no database at all");
  });

  test("says why it cannot be opened", async () => {
    writeFileSync(join(folder, "file"), "");
    path = join(folder, "file", "store.db");
    await expect(open().get("a", "key")).rejects.toMatchObject({ code: "io", message: /file.store\.db/ });
  });

  test("check finds damage", async () => {
    const store = open();
    for (let i = 0; i < 200; i++) await store.put("a", `key ${i}`, "x".repeat(1000));
    expect(await store.check()).toEqual([]);
    await store.close();
    const file = readFileSync(path);
    file.fill(0xff, 4096 * 10, 4096 * 12);
    writeFileSync(path, file);
    const damaged = open();
    expect(await damaged.check().catch((error) => [error.code])).not.toEqual([]);
  });

  test.each([
    ["no database", () => writeFileSync(path, "x".repeat(5000))],
    ["cut off", () => truncateSync(path, 4096 * 3)],
    ["overwritten in the middle", () => writeFileSync(path, readFileSync(path).fill(0xff, 4096, 4096 * 40))],
  ])("a disposable one that is %s starts anew", async (_what, damage) => {
    const store = open();
    for (let i = 0; i < 200; i++) await store.put("a", `key ${i}`, "x".repeat(1000));
    await store.close();
    damage();
    const next = open({ disposable: true });
    for (let i = 0; i < 200; i++) await next.put("a", `key ${i}`, i);
    expect(await next.check()).toEqual([]);
    expect((await next.get("a", "key 7"))?.value).toBe(7);
  });

  test("a disposable one whose value is no JSON starts anew; another says that it is damaged", async () => {
    await open().put("a", "key", 1);
    const other = new DatabaseSync(path);
    other.exec("UPDATE records SET value = '{'");
    other.close();
    await expect(open().get("a", "key")).rejects.toMatchObject({ code: "damaged" });
    expect(await open({ disposable: true }).get("a", "key")).toBeUndefined();
  });

  test("backup is a whole copy, and replaces nothing", async () => {
    const store = open();
    await store.put("a", "key", 1, { bytes: new Uint8Array([1]) });
    const target = join(folder, "copy.db");
    await store.backup(target);
    await store.put("a", "key", 2);
    await expect(store.backup(target)).rejects.toMatchObject({ code: "io", message: /EEXIST/ });
    expect(statSync(target).mode & 0o777).toBe(0o600);
    path = target;
    expect((await open().get("a", "key"))?.value).toBe(1);
  });

  test("gives room back when most is deleted", async () => {
    const store = open();
    for (let i = 0; i < 500; i++)
      await store.put("a", `key ${i}`, null, { bytes: new Uint8Array(10_000).fill(1) });
    for (let i = 0; i < 500; i++) await store.delete("a", `key ${i}`);
    await store.close();
    expect(statSync(path).size).toBeLessThan(1_000_000);
  });
});

/** A program that works with a store, as another process. */
const program = (text: string) => [
  "--input-type=module",
  "-e",
  `import { openStore } from ${JSON.stringify(new URL("./store.node.ts", import.meta.url).href)};
   const store = openStore({ path: ${JSON.stringify(path)} });
   ${text}`,
];

describe("a store in SQLite, other processes", () => {
  test("processes that begin at once open one database, and lose no update", async () => {
    const add = `for (let i = 0; i < 50; i++)
      await store.update("a", "n", (old) => ({ value: (old?.value ?? 0) + 1 }));
      await store.close();`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, program(add), { stdio: "inherit" }),
    );
    const ends = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
    expect(ends).toEqual([0, 0, 0, 0]);
    expect((await open().get("a", "n"))?.value).toBe(200);
  });

  test("what was acknowledged is there after a kill", async () => {
    const write = `for (let i = 1; ; i++) {
      await store.put("a", "n", i);
      process.stdout.write(i + "\\n");
    }`;
    const child = spawn(process.execPath, program(write), { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill("SIGKILL");
    await once(child, "close");
    const last = Number(output.trimEnd().split("\n").at(-1));
    expect(last).toBeGreaterThan(0);
    expect((await open().get("a", "n"))?.value).toBeGreaterThanOrEqual(last);
    expect(await open().check()).toEqual([]);
  });

  test("says nothing of an experimental feature, and lets other warnings through", () => {
    const text = `await store.put("a", "key", 1);
      process.emitWarning("mine", "ExperimentalWarning");
      await store.close();`;
    const { stderr, status } = spawnSync(process.execPath, program(text), { encoding: "utf8" });
    expect(status).toBe(0);
    expect(stderr).toContain("ExperimentalWarning: mine");
    expect(stderr).not.toContain("SQLite");
  });
});
