import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { checkContext } from "../context/context.ts";
import { RunFiles } from "../files/files.ts";
import { Room } from "../files/room.ts";
import type { Binding, Call } from "../host.ts";
import { createBroker } from "../permissions/broker.ts";
import { checkPermissions, type Permissions } from "../permissions/descriptor.ts";
import { cacheBinding } from "./binding.ts";
import { openCache } from "./cache.node.ts";

let folder: string;
let opened: ReturnType<typeof openCache>;
let binding: Binding;
let decisions: number;
const broker = createBroker({
  permissions: { cache: true, net: true },
  onDecision: ({ permission }) => (decisions += permission === "cache" ? 1 : 0),
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuselet-binding-"));
  opened = openCache(folder);
  const files = new RunFiles();
  binding = cacheBinding({ cache: opened.cache, roomOf: (call) => files.roomOf(call) });
  decisions = 0;
});
afterEach(async () => {
  await opened.close();
  await rm(folder, { recursive: true, force: true });
});

interface Run extends Call {
  end(): void;
}

/** A run as the host sees it. */
function run({
  principal = "ada",
  hash = "h1",
  engine = "python",
  permissions = { cache: true } as Permissions,
  headers = {},
}: {
  principal?: string;
  hash?: string;
  engine?: string;
  permissions?: Permissions;
  headers?: Record<string, string>;
} = {}): Run {
  const ending = new AbortController();
  const checked = checkPermissions(permissions);
  const udf = { name: "u", hash };
  return {
    principal,
    owner: principal,
    udf,
    source: { name: "u", language: "python", code: "", file: "u.py", headers: [], metadata: {} },
    engine,
    permissions: checked,
    context: checkContext({ headers }),
    signal: ending.signal,
    taken: () => Promise.resolve(),
    hold: () => () => {},
    run: () => Promise.reject(new Error("nobody runs another UDF here")),
    require: (permission, value) =>
      broker.require(permission, value, { principal, udf, permissions: checked, runId: "run" }),
    requireUndenied: () => {},
    noteDenial: () => {},
    keepNothing: () => {},
    end: () => ending.abort(),
  };
}

const KEY = "0123456789abcdef".repeat(4);
const asking = (fields: object = {}) => ({
  key: KEY,
  name: "f",
  folder: null,
  storage: "auto",
  maxAgeMs: 1000 * 60,
  reset: false,
  lockTimeoutMs: 1000,
  ...fields,
});
type Answer = {
  state: string;
  lease: number;
  body: Uint8Array;
  format: string;
  createdAtMs: number;
  reason: string;
};
const begin = async (call: Call, fields: object = {}) =>
  (await binding.begin!([asking(fields)], call)) as Answer;
const body = (text: string) => new TextEncoder().encode(text);
const commit = (call: Call, lease: number, text = "1") =>
  binding.commit!([lease, { format: "json", body: body(text) }], call) as Promise<null>;
const isHit = async (call: Call, fields: object = {}) => {
  const { state, lease } = await begin(call, fields);
  if (state === "compute") await binding.abandon!([lease], call);
  return state === "hit";
};

describe("the binding", () => {
  test("computes once, and hits afterwards, in other runs too", async () => {
    const first = run();
    const { state, lease } = await begin(first);
    expect(state).toBe("compute");
    expect(await commit(first, lease, "[1]")).toBeNull();
    first.end();
    const { createdAtMs, ...hit } = await begin(run());
    expect({ ...hit, body: [...hit.body] }).toEqual({ state: "hit", format: "json", body: [...body("[1]")] });
    expect(Math.abs(Date.now() - createdAtMs)).toBeLessThan(10_000);
  });

  test("without the permission it is off, says why, and leaves no trace", async () => {
    const call = run({ permissions: {} });
    const { state, reason } = await begin(call);
    expect({ state, reason }).toEqual({ state: "off", reason: expect.stringContaining("--allow-cache") });
    expect(await opened.cache.statistics()).toMatchObject({ entries: 0, misses: 0 });
    await begin(run());
    expect(decisions).toBe(2);
  });

  test.each([
    ["another principal", {}, run({ principal: "bob" })],
    ["another UDF", {}, run({ hash: "h2" })],
    ["other permissions", {}, run({ permissions: { cache: true, net: ["example.org"] } })],
    ["another folder", { folder: "a/b" }, run()],
    ["another key", { key: "f".repeat(64) }, run()],
  ])("%s does not meet it", async (_what, fields, other) => {
    const call = run();
    await commit(call, (await begin(call)).lease);
    expect(await isHit(run())).toBe(true);
    expect(await isHit(other, fields)).toBe(false);
  });

  test("the same permissions in another order, and local storage, do", async () => {
    const call = run({ permissions: { net: ["a.org"], cache: true } });
    await commit(call, (await begin(call)).lease);
    expect(await isHit(run({ permissions: { cache: true, net: ["a.org"] } }), { storage: "local" })).toBe(
      true,
    );
  });

  test("another engine does not meet it", async () => {
    const call = run();
    await commit(call, (await begin(call)).lease);
    expect(await isHit(run({ engine: "python with pandas" }))).toBe(false);
  });

  test("an age of 0 neither reads nor keeps, and nobody waits", async () => {
    const call = run();
    await commit(call, (await begin(call)).lease);
    const two = [await begin(call, { maxAgeMs: 0 }), await begin(call, { maxAgeMs: 0 })];
    expect(two.map(({ state }) => state)).toEqual(["compute", "compute"]);
    for (const { lease } of two) await commit(call, lease, "2");
    expect(new TextDecoder().decode((await begin(call)).body)).toBe("1");
  });

  test("storages that are not set up say so", async () => {
    for (const storage of ["mount", "object"])
      await expect(begin(run(), { storage })).rejects.toMatchObject({
        name: "CacheError",
        code: "storage",
        message: expect.stringContaining(storage),
      });
  });
});

describe("the default age", () => {
  const age = 30;
  test.each<[string | undefined, boolean]>([
    [undefined, true],
    ["1h", true],
    ["3600", true],
    ["0", false],
    ["0s", false],
  ])("with the header %j: a hit is %s", async (header, hits) => {
    const first = run();
    await commit(first, (await begin(first, { maxAgeMs: null })).lease);
    await new Promise((resolve) => setTimeout(resolve, age));
    const call = run({ headers: header === undefined ? {} : { "Cache-Decorator-Max-Age": header } });
    expect(await isHit(call, { maxAgeMs: null })).toBe(hits);
    // A UDF's own word counts more.
    expect(await isHit(call, { maxAgeMs: 60_000 })).toBe(true);
  });

  test("a header that is no age is refused", async () => {
    const call = run({ headers: { "cache-decorator-max-age": "soon" } });
    await expect(begin(call, { maxAgeMs: null })).rejects.toMatchObject({
      code: "request",
      message: expect.stringContaining("cache-decorator-max-age must be a whole number and s, m, h or d"),
    });
  });
});

describe("encoded values", () => {
  const key = { text: '["f",1]', buffers: [new Uint8Array([1, 2])] };
  const value = { text: '{"$":"bytes","b":0}', buffers: [new Uint8Array(20_000).fill(5)] };

  test("are keys, and bodies that come back as they were", async () => {
    const call = run();
    const { lease } = await begin(call, { key });
    await binding.commit!([lease, { format: "value", body: value }], call);
    const hit = (await begin(run(), { key })) as unknown as { format: string; body: typeof value };
    expect(hit.format).toBe("value");
    expect(hit.body.text).toBe(value.text);
    expect(hit.body.buffers.map((buffer) => Buffer.compare(buffer, value.buffers[0]!))).toEqual([0]);
    for (const other of [
      { ...key, text: '["f",2]' },
      { ...key, buffers: [new Uint8Array([1, 3])] },
      { ...key, buffers: [new Uint8Array([1]), new Uint8Array([2])] },
    ])
      expect(await isHit(run(), { key: other })).toBe(false);
  });

  test.each([[null], ["text"], [new Uint8Array()], [{ text: "" }], [{ text: "", buffers: ["x"] }]])(
    "as a body, %j is none",
    async (body) => {
      const call = run();
      const { lease } = await begin(call);
      await expect(binding.commit!([lease, { format: "value", body }], call)).rejects.toMatchObject({
        code: "request",
      });
    },
  );
});

describe("a lease", () => {
  test("ends with its run: who waits goes on at once", async () => {
    const call = run();
    await begin(call);
    // No timer tells the waiting one to look again.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const waiting = begin(run());
      while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
      call.end();
      expect((await waiting).state).toBe("compute");
    } finally {
      vi.useRealTimers();
    }
  });

  test("ends with its run, also when that ends while it waits", async () => {
    const computing = run();
    const { lease } = await begin(computing);
    const ending = run();
    const waiting = begin(ending);
    setTimeout(() => ending.end(), 50);
    await expect(waiting).rejects.toThrow();
    await commit(computing, lease);
    expect(await isHit(run())).toBe(true);
  });

  test("is its run's own, and ends once", async () => {
    const call = run();
    const { lease } = await begin(call);
    for (const [other, id] of [
      [run(), lease],
      [call, lease + 1],
      [call, 0],
      [call, String(lease)],
      [call, null],
    ] as const) {
      await expect(binding.abandon!([id], other)).rejects.toMatchObject({ code: "request" });
      await expect(commit(other, id as number)).rejects.toMatchObject({ code: "request", message: /lease/ });
    }
    await commit(call, lease);
    await expect(commit(call, lease)).rejects.toMatchObject({ code: "request" });
  });

  test("a run has only so many", async () => {
    const call = run();
    for (let i = 0; i < 1000; i++) await begin(call, { maxAgeMs: 0 });
    await expect(begin(call)).rejects.toMatchObject({ code: "request", message: /at most 1000/ });
    expect((await begin(run())).state).toBe("compute");
  });

  test("what it kept wrong is refused, and the lease stays", async () => {
    const call = run();
    const { lease } = await begin(call);
    for (const result of [
      { format: "exe", body: body("1") },
      { format: "json", body: "1" },
      { format: "json", body: [1] },
      { format: "json" },
      { format: "json", body: body("1"), more: 1 },
      null,
    ])
      await expect(binding.commit!([lease, result], call)).rejects.toMatchObject({ code: "request" });
    await expect(binding.commit!([lease], call)).rejects.toMatchObject({ code: "request" });
    await commit(call, lease);
  });
});

describe("arguments", () => {
  test.each([
    ["key", ["", "x".repeat(64), KEY.toUpperCase(), KEY.slice(1), `${KEY}\n`, 1, null]],
    [
      "key",
      [{}, { text: "" }, { text: 1, buffers: [] }, { text: "", buffers: {} }, { text: "", buffers: [1] }],
    ],
    ["name", [null, 1, "x".repeat(257)]],
    [
      "folder",
      [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        ".",
        "a\\b",
        "C:/a",
        "a\u0000",
        "a\u202eb",
        "\ud800",
        "x".repeat(201),
        1,
        [],
      ],
    ],
    ["storage", ["", "disk", null, 1]],
    ["maxAgeMs", [-1, Number.NaN, Infinity, 1e16, "1", undefined, 10n]],
    ["reset", [0, "true", null]],
    ["lockTimeoutMs", [-1, Number.NaN, Infinity, 1e12, "1", null]],
  ])("%s is checked", async (name, values) => {
    for (const value of values)
      await expect(begin(run(), { [name]: value })).rejects.toMatchObject({
        name: "CacheError",
        code: "request",
        message: expect.stringContaining(name),
      });
    const { [name as "key"]: _left, ...rest } = asking();
    await expect(binding.begin!([rest], run())).rejects.toMatchObject({ code: "request" });
  });

  test("their number and kind are checked", async () => {
    for (const args of [[], [asking(), 1], [null], [[]], ["x"], [{ ...asking(), more: 1 }]])
      await expect(binding.begin!(args, run())).rejects.toMatchObject({ code: "request" });
    expect(decisions).toBe(0);
  });
});

test("a storage that cannot be used is an error that names no path of this machine", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  const broken = openCache(join(file, "below"));
  binding = cacheBinding({ cache: broken.cache, roomOf: () => new Room(Infinity, async () => {}) });
  const error = (await begin(run()).catch((cause) => cause)) as Error & { code: string };
  expect(error).toMatchObject({ name: "CacheError", code: "storage" });
  expect(error.message).not.toContain(folder);
  expect(error.cause).toMatchObject({ name: "StoreError", message: expect.stringContaining(file) });
  await broken.close();
});

test("a principal and a UDF are told in lists, and no file holds a body under a guest's name", async () => {
  const call = run();
  await commit(call, (await begin(call, { folder: "maps", name: "../../f" })).lease, "x".repeat(50_000));
  for await (const entry of opened.cache.list())
    expect(entry).toMatchObject({ principal: "ada", udf: "u", folder: "maps", name: "../../f" });
  expect(readFileSync(join(folder, "key"))).toHaveLength(32);
});

test("of many large hits at once the host holds what a UDF may have waiting, and no more", async () => {
  const size = 8 * 1024 * 1024;
  const large = { format: "bytes", body: new Uint8Array(size).fill(1) };
  const first = run();
  await binding.commit!([(await begin(first)).lease, large], first);
  /** Asks 24 times, and takes answers once `enough` wait. @returns the most that waited in the host at once, in answers */
  const most = async (enough: number, room?: Room) => {
    let [held, peak] = [0, 0];
    const waiting: (() => void)[] = [];
    const taken = () =>
      held === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve));
    const call = Object.assign(run(), { taken });
    if (room) binding = cacheBinding({ cache: opened.cache, roomOf: () => room });
    let left = 24;
    const answers = Array.from({ length: left }, async () => {
      expect((await begin(call)).body.length).toBe(size);
      peak = Math.max(peak, ++held);
    });
    while (left > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (held < enough) continue;
      [held, left] = [0, left - held];
      for (const wake of waiting.splice(0)) wake();
    }
    await Promise.all(answers);
    return peak;
  };
  expect(await most(1)).toBeLessThanOrEqual(9);
  expect(await most(24, new Room(Infinity, async () => {}))).toBe(24);
}, 20_000);

test("a run that has ended while its hits waited for room reads none of them", async () => {
  const first = run();
  await commit(first, (await begin(first)).lease);
  const { promise, resolve } = Promise.withResolvers<void>();
  const call = Object.assign(run(), { taken: () => promise });
  const waiting = Promise.allSettled([begin(call), begin(call)]);
  await new Promise((wake) => setTimeout(wake, 20));
  call.end();
  resolve();
  for (const result of await waiting) expect(result).toMatchObject({ reason: { name: "AbortError" } });
});
