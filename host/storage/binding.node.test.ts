import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeValue } from "../../runtime/value.ts";
import { openRuns, pattern, type Runs, type StorageRun, text, textOf } from "../../test/host/storage-run.ts";
import { RunFiles } from "../files/files.ts";
import { storageBinding } from "./binding.ts";
import { StorageError } from "./errors.ts";
import { openStorage } from "./storage.node.ts";

const MiB = 1024 * 1024;
let dataFolder: string;
let opened: ReturnType<typeof openStorage>;
let run: Runs;

beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), "storage-"));
  opened = openStorage({ dataFolder });
  run = openRuns(opened.drivers, { uploadBytes: 20 * MiB });
});
afterEach(async () => {
  run.end();
  await opened.close();
  rmSync(dataFolder, { recursive: true, maxRetries: 5 });
});

const failure = (code: string) => expect.objectContaining({ name: "StorageError", code });
const circle: Record<string, unknown> = {};
circle.own = circle;

/** Of each method, arguments that it refuses. */
const wrong: [keyof StorageRun, unknown[]][] = [
  ...(["list", "details", "get", "open", "delete", "sign", "signPrefix", "openWrite"] as const).flatMap(
    (method): [keyof StorageRun, unknown[]][] =>
      [
        [],
        [null],
        [1],
        [{}],
        [["fd://a"]],
        [text("fd://a")],
        ["x".repeat(8193)],
        ["fd://a", null, null],
        ...(method === "details" || method === "open"
          ? [["fd://a", {}]]
          : [
              ["fd://a", "options"],
              ["fd://a", []],
              ["fd://a", text("{}")],
              ["fd://a", { unknown: 1 }],
              ["fd://a", JSON.parse('{"__proto__":1}')],
              ["fd://a", { constructor: 1 }],
            ]),
      ].map((args): [keyof StorageRun, unknown[]] => [method, args]),
  ),
  ...[0, 1001, 1.5, -1, "10", Number.NaN, 10n, circle].map((limit): [keyof StorageRun, unknown[]] => [
    "list",
    ["fd://a", { limit }],
  ]),
  ["list", ["fd://a", { recursive: "yes" }]],
  ["list", ["fd://a", { after: 1 }]],
  ["list", ["fd://a", { after: "x".repeat(8193) }]],
  ...[
    { offset: -1 },
    { offset: 1.5 },
    { offset: "0" },
    { offset: 2 ** 53 },
    { length: 0 },
    { length: 4 * MiB + 1 },
    { length: Infinity },
  ].map((range): [keyof StorageRun, unknown[]] => ["get", ["fd://a", range]]),
  ["put", ["fd://a"]],
  ["put", ["fd://a", "text"]],
  ["put", ["fd://a", [1, 2]]],
  ["put", ["fd://a", new Uint8Array(8 * MiB + 1)]],
  ["put", ["fd://a", text("1"), { contentType: "a\r\nx-evil: 1" }]],
  ["put", ["fd://a", text("1"), { contentType: 1 }]],
  ["put", ["fd://a", text("1"), { ifNoneMatch: 1 }]],
  ["put", ["fd://a/", text("1")]],
  ["put", ["fd://", text("1")]],
  ["writePart", [0, "text"]],
  ["writePart", [0]],
  ...["writePart", "commitWrite", "abortWrite"].flatMap((method) =>
    [0, 1, -1, "1", null, {}, "constructor", "__proto__", Number.NaN].map(
      (number): [keyof StorageRun, unknown[]] => [
        method as keyof StorageRun,
        method === "writePart" ? [number, text("1")] : [number],
      ],
    ),
  ),
  ...[-1, 1.5, "3", "all", null, Infinity].map((maxDeletionDepth): [keyof StorageRun, unknown[]] => [
    "delete",
    ["fd://a/", { maxDeletionDepth }],
  ]),
  ["sign", ["fd://a", { method: "DELETE" }]],
  ["sign", ["fd://a", { method: "get" }]],
  ["sign", ["fd://a/"]],
  ...[0, -1, 1.5, 604_801, "60", null].map((expiresSeconds): [keyof StorageRun, unknown[]] => [
    "sign",
    ["fd://a", { expiresSeconds }],
  ]),
];

test("arguments that are wrong are refused, and nothing is done", async () => {
  const storage = run();
  for (const [method, args] of wrong) {
    const result = await (storage[method] as (...args: unknown[]) => Promise<unknown>)(...args).catch(
      (error: unknown) => error,
    );
    expect([method, args, result]).toEqual([method, args, failure("request")]);
    expect((result as StorageError).message.length).toBeLessThan(900);
  }
  expect(wrong.length).toBeGreaterThan(100);
  expect(readdirSync(dataFolder)).toEqual([]);
});

describe("places that attack", () => {
  const granted = {
    read: ["fd://a", "s3://bucket/a"],
    write: ["fd://a", "s3://bucket/a"],
    net: true as const,
  };

  test.each([
    "fd://ab",
    "fd://A/x",
    "fd://a /x",
    "fd://á/x",
    "fd://ａ/x",
    "s3://bucket/ab",
    "s3://bucket/A/b",
    "s3://bucket-2/a/b",
    "gs://bucket/a/b",
    "file:///a/b",
    "/a/b",
    "https://bucket/a/b",
  ])("%s is another place than what was granted", async (url) => {
    const storage = run({ permissions: granted });
    for (const attempt of [
      () => storage.get(url),
      () => storage.put(url, text("1")),
      () => storage.delete(url),
    ])
      await expect(attempt()).rejects.toMatchObject({ name: "PermissionDeniedError" });
    expect(storage.decisions.every(({ allowed }) => !allowed)).toBe(true);
    expect(readdirSync(dataFolder)).toEqual([]);
  });

  test.each([
    "fd://a/../b",
    "fd://a/%2e%2e/b",
    "fd://a/%2E%2e/b",
    "fd://a/..%2fb",
    "fd://a/%252e%252e/b",
    "fd://a//b",
    "fd://a/./b",
    "fd://a\\..\\b",
    "fd://a/．．/b",
    "fd://a/\u2024\u2024/b",
    "fd://a/\u0000",
    "fd://a/\u202eb",
    "fd:///a",
    "fd:a",
    "s3://bucket/a/../../other/b",
    "s3://bucket//a",
    "s3://bucket/a?versionId=1",
    "s3://bucket@evil/a",
    "s3://evil.example#bucket/a",
    "S3://Bucket/a/b",
  ])("%j is no place", async (url) => {
    const storage = run({ permissions: granted });
    for (const attempt of [
      () => storage.get(url),
      () => storage.list(url),
      () => storage.put(url, text("1")),
      () => storage.delete(url, { maxDeletionDepth: "unlimited" }),
      () => storage.sign(url),
    ])
      await expect(attempt()).rejects.toEqual(failure("request"));
    expect(storage.decisions).toEqual([]);
  });
});

test("the broker is asked once for each operation, with the canonical place and before anything happens", async () => {
  const storage = run();
  await storage.put("FD://f/a", text("1"));
  await storage.list("fd://f/");
  await storage.open("fd://f/a");
  await storage.delete("fd://f/");
  await storage.openWrite("fd://f/b");
  expect(storage.decisions.map(({ permission, value }) => `${permission} ${value}`)).toEqual([
    "write fd://f/a",
    "read fd://f",
    "read fd://f/a",
    "write fd://f",
    "write fd://f/b",
  ]);
});

test("a storage that the host has not set up is told, to whom it is granted", async () => {
  await expect(run().get("gs://bucket/a")).rejects.toThrow(/this host has no storage for gs:\/\/ set up/);
  await expect(run().get("https://example.org/a")).rejects.toEqual(failure("config"));
  await expect(run({ permissions: {} }).get("gs://bucket/a")).rejects.toMatchObject({
    name: "PermissionDeniedError",
  });
  const key = '{"client_email":"a","private_key":"b","token_uri":"https://c"}';
  for (const enableGcs of [true, false]) {
    const other = openStorage({ dataFolder, gcsKey: key, enableGcs });
    expect(Object.hasOwn(other.drivers, "gs")).toBe(enableGcs);
    await other.close();
  }
});

test("a run writes 16 files at the same time, each as large as it may be", async () => {
  const storage = run();
  const all = await Promise.all(Array.from({ length: 16 }, (_, i) => storage.openWrite(`fd://${i}`)));
  expect(new Set(all).size).toBe(16);
  await expect(storage.openWrite("fd://16")).rejects.toEqual(failure("request"));
  await storage.abortWrite(all[0]);
  const upload = await storage.openWrite("fd://16");
  await storage.writePart(upload, pattern(8 * MiB));
  await storage.writePart(upload, pattern(8 * MiB));
  await expect(storage.writePart(upload, pattern(5 * MiB))).rejects.toEqual(failure("full"));
  await expect(storage.commitWrite(upload)).rejects.toEqual(failure("request"));
  expect((await storage.list("fd://")).entries).toEqual([]);
});

test("parts that are sent without waiting are written one after the other", async () => {
  const storage = run();
  const upload = await storage.openWrite("fd://a");
  const parts = Array.from({ length: 50 }, (_, i) => text(`${i},`));
  await Promise.all([...parts.map((part) => storage.writePart(upload, part)), storage.commitWrite(upload)]);
  expect(textOf(await storage.get("fd://a"))).toBe(Array.from({ length: 50 }, (_, i) => `${i},`).join(""));
});

test("a file of more than 32 MiB is not given at once, but in parts", async () => {
  run = openRuns(opened.drivers);
  const storage = run();
  const upload = await storage.openWrite("fd://a");
  for (let i = 0; i < 5; i++) await storage.writePart(upload, new Uint8Array(8 * MiB));
  await storage.commitWrite(upload);
  await expect(storage.get("fd://a")).rejects.toEqual(failure("full"));
  expect((await storage.get("fd://a", { offset: 36 * MiB, length: 4 * MiB })).length).toBe(4 * MiB);
  expect((await storage.open("fd://a")).size).toBe(40 * MiB);
});

test("answers can cross, whatever files are called", async () => {
  const runs = openRuns({
    ...opened.drivers,
    s3: () => ({
      ...({} as ReturnType<NonNullable<typeof opened.drivers.s3>>),
      list: async (folder) => ({
        entries: ["__proto__", "constructor"].map((name) => ({
          url: `s3://${folder.authority}/${name}`,
          name,
          isDirectory: false,
          size: 1,
          modifiedMs: null,
          etag: null,
        })),
        next: null,
      }),
      sign: async ({ path }) => `https://${path}`,
    }),
  });
  const signed = await runs().signPrefix("s3://bucket/");
  expect(encodeValue(signed, "storage.signPrefix").text).toBe(
    '{"__proto__":"https://__proto__","constructor":"https://constructor"}',
  );
});

test("a folder of too many files is not signed", async () => {
  let pages = 0;
  const runs = openRuns({
    s3: () => ({
      ...({} as ReturnType<NonNullable<typeof opened.drivers.s3>>),
      list: async (_folder, { limit }) => ({
        entries: Array.from({ length: limit }, (_, i) => ({
          url: `s3://bucket/${pages}-${i}`,
          name: `${pages}-${i}`,
          isDirectory: false,
          size: 1,
          modifiedMs: null,
          etag: null,
        })),
        next: String(pages++),
      }),
      sign: async ({ path }) => path,
    }),
  });
  await expect(runs().signPrefix("s3://bucket/")).rejects.toEqual(failure("full"));
  expect(pages).toBe(11);
});

test.each([0, -1, 1.5, Number.NaN])("uploadBytes %d is refused when the binding is made", (uploadBytes) => {
  expect(() => storageBinding({ drivers: {}, files: new RunFiles(), uploadBytes })).toThrow(/uploadBytes/);
});

test("an error is one of the tree: it ends the command line with 1", () => {
  const error = new StorageError("full", "no room", { cause: new Error("/real/path") });
  expect(error.toJSON()).toEqual({ name: "StorageError", message: "no room", exitCode: 1, code: "full" });
});
