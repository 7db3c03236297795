import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { cacheBinding } from "../../host/cache/binding.ts";
import { openCache } from "../../host/cache/cache.node.ts";
import { checkContext } from "../../host/context/context.ts";
import { Room } from "../../host/files/room.ts";
import type { Binding, Call } from "../../host/host.ts";
import { FuseletError, PermissionDeniedError } from "../../runtime/errors.ts";
import { decodeValue, encodeValue, MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
import { type CacheOptions, cache } from "./cache.ts";
import { door } from "./door.ts";

let folder: string;
let opened: ReturnType<typeof openCache>;
let binding: Binding;
let isGranted: boolean;
let ending: AbortController;
const outside = door.call;

/** What the guest script does: arguments and answers cross encoded, and failures have the host's names. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuselet-udf-cache-"));
  opened = openCache(folder);
  binding = cacheBinding({ cache: opened.cache, roomOf: () => new Room(Infinity, async () => {}) });
  isGranted = true;
  ending = new AbortController();
  const call = {
    principal: "ada",
    udf: { name: "u", hash: "h" },
    engine: "quickjs",
    permissions: { cache: true },
    context: checkContext(undefined),
    signal: ending.signal,
    async require() {
      if (isGranted) return undefined;
      throw new PermissionDeniedError("Requires cache access", {
        permission: "cache",
        value: "",
        grant: "--allow-cache",
      });
    },
  } as unknown as Call;
  door.call = async (name, ...args) => {
    try {
      const answer = await binding[name.split(".")[1] as string]!(
        decodeValue(encodeValue(args)) as unknown[],
        call,
      );
      return decodeValue(encodeValue(answer ?? null));
    } catch (error) {
      if (!(error instanceof FuseletError)) throw error;
      const { name, message } = error;
      throw Object.assign(new Error(message), { name, code: (error as { code?: string }).code });
    }
  };
});
afterEach(async () => {
  door.call = outside;
  ending.abort();
  vi.restoreAllMocks();
  await opened.close();
  await rm(folder, { recursive: true, force: true });
});

/** A cached function that counts its calls. */
function counting<Result>(result: (...args: unknown[]) => Result, options?: CacheOptions) {
  const counter = { runs: 0 };
  const fn = cache((...args: unknown[]) => {
    counter.runs++;
    return result(...args);
  }, options);
  return Object.assign(counter, { fn });
}
const warnings = () => vi.spyOn(console, "warn").mockImplementation(() => undefined);

test("a second call gets what the first one returned, also in another run", async () => {
  const f = counting((n) => ({ n }));
  expect([await f.fn(1), await f.fn(1), await f.fn(2)]).toEqual([{ n: 1 }, { n: 1 }, { n: 2 }]);
  expect(f.runs).toBe(2);
  expect(await counting((n) => ({ n })).fn(1)).toEqual({ n: 1 });
});

test("keeps the types", () => {
  const f = cache(async (n: number, text?: string) => [n, text] as const);
  expectTypeOf(f).parameter(0).toBeNumber();
  expectTypeOf(f).returns.resolves.toEqualTypeOf<readonly [number, string | undefined]>();
  // @ts-expect-error an option that does not exist
  cache(() => 1, { max_age: "1h" });
});

test.each<[string, () => unknown]>([
  ["nothing", () => undefined],
  ["null", () => null],
  ["JSON", () => ({ a: [1, "x", true, null, { b: -0, c: Number.NaN }], $: "dollar" })],
  ["bytes", () => new Uint8Array([1, 2, 3])],
  ["an array", () => NdArray.from(new Float32Array([1, 2]))],
  ["a table", () => new TableValue(new Uint8Array([5]), "dataframe", { index: "a" })],
  ["a document", () => [new MediaValue("image/png", new Uint8Array(40_000))]],
])("%s comes back as it was", async (_what, make) => {
  const f = counting(make);
  expect([await f.fn(), await f.fn()]).toEqual([make(), make()]);
  expect(f.runs).toBe(1);
});

test.each<[string, () => unknown, string]>([
  ["a Date", () => [new Date(0)], "an object of class Date"],
  ["a Map", () => new Map(), "an object of class Map"],
  ["a typed array", () => ({ a: new Float64Array(1) }), "an object of class Float64Array"],
  ["a bigint", () => 5n, "a bigint"],
  ["undefined in a list", () => [undefined], "a undefined"],
  ["a function", () => () => 1, "it is a function"],
  ["a cycle", cyclic, "a reference back"],
])("%s is not kept, and that is said once", async (what, make, message) => {
  const warn = warnings();
  const f = counting(make, { name: what });
  await f.fn();
  await f.fn();
  expect(f.runs).toBe(2);
  expect(warn.mock.calls).toEqual([[expect.stringContaining(`The result of ${what} is not kept`)]]);
  expect(warn.mock.calls[0]![0]).toContain(message);
});

function cyclic(): unknown {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

describe("the key", () => {
  test.each<[string, unknown[], unknown[]]>([
    ["1 and '1'", [1], ["1"]],
    ["true and 1", [true], [1]],
    ["null and undefined", [null], [undefined]],
    ["5 and 5n", [5], [5n]],
    ["5n at another place", [5n, 5], [5, 5n]],
    ["an object and a Map", [{ a: 1 }], [new Map([["a", 1]])]],
    ["a list and a Set", [[1]], [new Set([1])]],
    ["a Date and its text", [new Date(0)], ["1970-01-01T00:00:00.000+00:00"]],
    ["bytes", [new Uint8Array([1])], [new Uint8Array([2])]],
    ["kinds of numbers", [new Int8Array([1])], [new Uint8Array([1])]],
    ["-0 and 0", [-0], [0]],
    ["one argument and two", [1], [1, 1]],
    ["nesting", [[1], 2], [1, [2]]],
  ])("tells %s apart", async (_what, one, other) => {
    const f = counting((...args) => args.length);
    await f.fn(...one);
    await f.fn(...one);
    expect(f.runs).toBe(1);
    await f.fn(...other);
    expect(f.runs).toBe(2);
  });

  test("has the source, the name, and what is named beside", async () => {
    let runs = 0;
    const call = (options?: CacheOptions) => cache(() => ++runs, options)();
    expect([await call(), await call(), await call({ name: "other" }), await call({ key: 1 })]).toEqual([
      1, 1, 2, 3,
    ]);
    expect([await call({ key: "1" }), await call({ key: 1 }), await cache(() => ++runs + 0)()]).toEqual([
      4, 3, 5,
    ]);
  });

  test("names an argument that has no content", async () => {
    const f = counting(() => 1, { name: "f" });
    const error = {
      name: "TypeError",
      message: expect.stringContaining("key for f: argument[1]: it is a function"),
    };
    await expect(f.fn(1, () => 2)).rejects.toMatchObject(error);
    await expect(counting(() => 1, { key: Symbol("s") }).fn()).rejects.toThrow("key: it is a symbol");
  });
});

test("what the function throws is thrown, and not kept", async () => {
  const f = counting((n) => {
    throw new RangeError(`no ${n}`);
  });
  await expect(f.fn(1)).rejects.toEqual(new RangeError("no 1"));
  await expect(f.fn(1)).rejects.toEqual(new RangeError("no 1"));
  expect(f.runs).toBe(2);
});

test("of several calls at once one computes", async () => {
  const f = counting(async (n) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return n;
  });
  expect(await Promise.all([1, 2, 3, 4].map(() => f.fn("x")))).toEqual(["x", "x", "x", "x"]);
  expect(f.runs).toBe(1);
});

test("reset computes again and keeps that", async () => {
  const f = counting((): number => f.runs);
  expect([await f.fn(), await f.fn.reset(), await f.fn()]).toEqual([1, 2, 2]);
});

test("an age bounds what counts; 0 asks nobody", async () => {
  const f = counting((): number => f.runs, { maxAge: 0 });
  const call = vi.spyOn(door, "call");
  expect([await f.fn(), await f.fn()]).toEqual([1, 2]);
  expect(call).not.toHaveBeenCalled();
  const g = counting((): number => g.runs, { maxAge: "1h" });
  expect([await g.fn(), await g.fn()]).toEqual([1, 1]);
  expect(call.mock.calls[0]![1]).toMatchObject({ maxAgeMs: 3_600_000 });
});

test("without the permission it is called each time, and that is said once", async () => {
  isGranted = false;
  const warn = warnings();
  const f = counting((n) => n);
  expect([await f.fn(1), await f.fn(1)]).toEqual([1, 1]);
  expect(f.runs).toBe(2);
  expect(warn.mock.calls).toEqual([["Results are not kept: Requires cache access"]]);
});

test("a cache that cannot be used, and a function outside of any isolate, too", async () => {
  const warn = warnings();
  await opened.close();
  const f = counting((n) => n, { name: "closed" });
  expect(await f.fn(1)).toBe(1);
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^The results of closed are not kept: Cannot look/)],
  ]);
  door.call = outside;
  expect(await counting((n) => n, { name: "outside" }).fn(1)).toBe(1);
  expect(warn.mock.calls[1]).toEqual([expect.stringContaining("this UDF runs in no isolate")]);
});

test("functions without a source are told apart by `key`", async () => {
  const add = (a: number, b: number) => a + b;
  const [one, two] = [1, 2].map((n) => cache(add.bind(null, n), { key: n }));
  expect([await one?.(10), await two?.(10)]).toEqual([11, 12]);
});

test("who waits too long hears of it", async () => {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const wait = () => {
    started.resolve();
    return release.promise;
  };
  const slow = cache(wait, { name: "slow", lockTimeoutMs: 30 });
  const first = slow();
  await started.promise;
  await expect(slow()).rejects.toMatchObject({ name: "CacheError", code: "timeout" });
  release.resolve();
  await first;
});

test.each<[unknown, CacheOptions, string]>([
  [1, {}, "it must be a function: received number"],
  [undefined, {}, "it must be a function: received undefined"],
  [
    () => 1,
    { maxAge: "1w" },
    'maxAge must be a whole number and s, m, h or d ("12h"), or seconds: received "1w"',
  ],
  [() => 1, { maxAge: -1 }, "received -1"],
  [((n: number) => n).bind(null, 1), {}, "bound functions have none: wrap it"],
  [Math.max, {}, "Cannot cache max: it has no source to tell it by"],
  [() => 1, { lockTimeoutMs: -1 }, "lockTimeoutMs must be a number of milliseconds from 0: received -1"],
])("cache(%s, %j) is refused", (fn, options, message) => {
  expect(() => cache(fn as () => void, options)).toThrow(message);
});
