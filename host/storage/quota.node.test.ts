import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRuns, pattern, text } from "../../test/host/storage-run.ts";
import { openStorage } from "./storage.node.ts";

let folder: string;
const closers: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quota-"));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

function open(quota: { bytes?: number; objects?: number }) {
  const { drivers, close } = openStorage({ dataFolder: folder, quota });
  const runs = openRuns(drivers);
  closers.push(close, runs.end);
  return runs;
}

/** Names and sizes of what is really there. */
function there(principal = "me"): Record<string, number> {
  const own = join(folder, "files", principal);
  const names = readdirSync(own, { recursive: true }) as string[];
  const files = names.filter((name) => statSync(join(own, name)).isFile());
  return Object.fromEntries(files.sort().map((name) => [name, statSync(join(own, name)).size]));
}

const full = expect.objectContaining({
  name: "StorageError",
  code: "full",
  message: expect.stringMatching(/^Cannot write fd:\/\/\S+: one principal may hold .*storage\.quota/),
});

test("what would be too much is refused, and nothing of it stays", async () => {
  const storage = open({ bytes: 1000 })();
  await storage.put("fd://a", pattern(600));
  await expect(storage.put("fd://b", pattern(401))).rejects.toEqual(full);
  const upload = await storage.openWrite("fd://c");
  await storage.writePart(upload, pattern(200));
  await storage.writePart(upload, pattern(200));
  await expect(storage.writePart(upload, pattern(1))).rejects.toEqual(full);
  expect(there()).toEqual({ a: 600 });
  expect(readdirSync(join(folder, "parts"))).toEqual([]);
  await storage.put("fd://b", pattern(400));
  await storage.delete("fd://a");
  await storage.put("fd://d", pattern(600));
  expect(there()).toEqual({ b: 400, d: 600 });
});

test("files and folders are counted, also those that are empty", async () => {
  const storage = open({ objects: 4 })();
  await storage.put("fd://a/b/c", text(""));
  await expect(storage.put("fd://x/y", text(""))).rejects.toEqual(full);
  await storage.put("fd://a/d", text(""));
  await expect(storage.openWrite("fd://e")).rejects.toEqual(full);
  expect(there()).toEqual({ "a/b/c": 0, "a/d": 0 });
  expect(readdirSync(join(folder, "files", "me"))).toEqual(["a"]);
});

test("what is written again and again takes the room of one", async () => {
  const storage = open({ bytes: 1000, objects: 3 })();
  for (let i = 0; i < 20; i++) await storage.put("fd://a", pattern(400));
  for (let i = 0; i < 20; i++) await storage.abortWrite(await storage.openWrite("fd://b"));
  expect(there()).toEqual({ a: 400 });
});

test("half a file counts, and one that its run has left does not any more", async () => {
  const runs = open({ bytes: 1000 });
  const one = runs();
  await one.writePart(await one.openWrite("fd://a"), pattern(700));
  await expect(runs().put("fd://b", pattern(400))).rejects.toEqual(full);
  one.end();
  await expect.poll(() => there()).toEqual({});
  await runs().put("fd://b", pattern(400));
});

test("each principal has room of its own, and what was there before counts", async () => {
  mkdirSync(join(folder, "files", "me"), { recursive: true });
  writeFileSync(join(folder, "files", "me", "old"), pattern(900));
  const runs = open({ bytes: 1000 });
  await expect(runs().put("fd://a", pattern(200))).rejects.toEqual(full);
  await runs({ principal: "you" }).put("fd://a", pattern(1000));
  await runs().delete("fd://old");
  await runs().put("fd://a", pattern(1000));
});

test("of many writers in one run none gets past the limit", async () => {
  const storage = open({ bytes: 100_000, objects: 40 })();
  const results = await Promise.allSettled(
    Array.from({ length: 60 }, (_, i) => storage.put(`fd://${i}`, pattern(1000 + i))),
  );
  const refused = results.filter(({ status }) => status === "rejected");
  for (const result of refused) expect(result).toMatchObject({ reason: full });
  expect(Object.keys(there()).length).toBe(60 - refused.length);
  expect(refused.length).toBe(20);
});

test("processes that write at once keep to the limit, but for what each is just writing", async () => {
  const most = 2_000_000;
  const program = join(import.meta.dirname, "../../test/host/quota-child.ts");
  const children = ["a", "b", "c", "d"].map((name) => {
    const args = [program, folder, name, String(most), "1000", "30000"];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return { child, line: async () => (await lines.next()).value };
  });
  for (const { line } of children) expect(await line()).toBe("ready");
  for (const { child } of children) child.stdin.write("go\n");
  const written = await Promise.all(children.map(async ({ line }) => Number(await line())));
  await Promise.all(children.map(({ child }) => child.exitCode ?? once(child, "exit")));
  const sizes = Object.values(there());
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(sizes.length).toBe(written.reduce((sum, count) => sum + count, 0));
  expect(total).toBeLessThanOrEqual(most + 3 * 30_000);
  expect(total).toBeGreaterThan(most - 30_000);
  expect(Math.min(...written)).toBeGreaterThan(0);
}, 30_000);

test("a limit that is none is refused", () => {
  for (const quota of [{ bytes: -1 }, { objects: 1.5 }, { files: 1 } as object])
    expect(() => openStorage({ dataFolder: folder, quota })).toThrow(/^Cannot open the storage: quota\./);
});
