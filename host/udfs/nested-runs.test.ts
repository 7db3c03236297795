import { describe, expect, test, vi } from "vitest";
import {
  LimitExceededError,
  PermissionDeniedError,
  UdfRuntimeError,
  UdfSelfRecursionError,
  UsageError,
} from "../../runtime/errors.ts";
import type { RunResult } from "../../runtime/result.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import type { Call } from "../host.ts";
import { type UdfBindingOptions, udfBinding } from "./binding.ts";
import type { FinishedRun } from "./nested-runs.ts";

const whole: UdfSource = {
  name: "whole",
  language: "python",
  code: "whole",
  file: "whole.py",
  headers: [],
  metadata: {},
  lock: "locked",
};
const PART = { name: "part", code: "part", file: "part.py", entrypoint: "part", headers: [] };

/** A call of the host in which runs end as a test says. */
function open(options: Partial<UdfBindingOptions> = {}, more: Partial<Call> = {}) {
  const ending = new AbortController();
  const runs: {
    source: UdfSource;
    parameters: Readonly<Record<string, unknown>>;
    depth: number;
    end(value: unknown, bytes?: number): void;
    fail(error: Error): void;
  }[] = [];
  const denials: Error[] = [];
  const held = { now: 0 };
  const call = {
    udf: { name: "whole", hash: "hash" },
    source: whole,
    context: { recursionFactor: 0 },
    signal: ending.signal,
    taken: () => Promise.resolve(),
    hold: () => {
      held.now++;
      return () => held.now--;
    },
    run(source: UdfSource, { parameters, context }: Parameters<Call["run"]>[1]) {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
      runs.push({
        source,
        parameters,
        depth: context.recursionFactor,
        end: (raw, bytes = 1) => resolve({ raw, bytes, stdout: "out", stderr: "" } as RunResult),
        fail: reject,
      });
      return promise;
    },
    require: async (permission: string, value: string) => ({ permission, value }),
    requireUndenied: () => {},
    noteDenial: (error: Error) => denials.push(error),
    keepNothing: () => {},
    ...more,
  } as unknown as Call;
  const find = vi.fn(async (name: string) => (name === "other" ? { ...whole, name } : null));
  const binding = udfBinding({ find, readGitHub: async () => null, atOnce: 2, ...options });
  const ask = async (method: string, ...args: unknown[]) => binding[method]?.(args, call);
  const take = (timeoutMs = 0) => ask("take", timeoutMs) as Promise<FinishedRun[]>;
  const start = (target: unknown, list: unknown) => ask("start", target, list, null) as Promise<number[]>;
  return { ask, take, start, runs, denials, find, held, end: () => ending.abort() };
}

const sets = (count: number, extra: object = {}) =>
  Array.from({ length: count }, (_, n) => ({ n, ...extra }));

describe("started runs", () => {
  test("are under way as many as may be, in their order, and are taken as they end", async () => {
    const { take, start, runs, held } = open();
    expect(held.now).toBe(0);
    expect(await start("other", sets(4))).toEqual([1, 2, 3, 4]);
    expect(held.now).toBe(1);
    expect(runs.map(({ parameters, depth }) => [parameters, depth])).toEqual([
      [{ n: 0 }, 1],
      [{ n: 1 }, 1],
    ]);
    expect(await take()).toEqual([]);
    const waiting = take(1000);
    runs[1]?.end("b");
    expect(await waiting).toMatchObject([{ id: 2, value: "b", failure: null, error: null, stdout: "out" }]);
    expect(runs).toHaveLength(3);
    runs[0]?.end("a");
    runs[2]?.end("c");
    await new Promise((resolve) => setTimeout(resolve, 1));
    runs[3]?.end("d");
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await take()).map(({ id, value }) => [id, value])).toEqual([
      [1, "a"],
      [3, "c"],
      [4, "d"],
    ]);
    expect(await take(60_000)).toEqual([]);
    expect(held.now).toBe(0);
  });

  test("that fail say how", async () => {
    const { take, start, runs, denials } = open({ atOnce: 9 });
    await start("other", sets(4));
    const denied = new PermissionDeniedError("no", { permission: "net", value: "a:1", grant: "" });
    runs[0]?.fail(new UdfRuntimeError("ValueError: x", { type: "ValueError", traceback: "trace" }));
    runs[1]?.fail(denied);
    runs[2]?.fail(new LimitExceededError("late", { limit: "timeMs", allowed: 1 }));
    runs[3]?.fail(new Error("a secret of the host"));
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await take()).map(({ failure, error }) => failure ?? error)).toEqual([
      { type: "ValueError", message: "ValueError: x", traceback: "trace" },
      { type: "PermissionDeniedError", message: "no", kind: "permission", subject: "net", value: "a:1" },
      { type: "LimitExceededError", message: "late", subject: "timeMs" },
      { type: "Error", message: "udfs.start failed in the host" },
    ]);
    expect(denials).toContain(denied);
  });

  test("of a UDF that its caller may not read show no lines of it, whichever way it is run", async () => {
    const find = async (name: string) => ({ ...whole, name, isHidden: true });
    const { ask, take, start, runs } = open({ find });
    const raised = () => new UdfRuntimeError("ValueError: x", { type: "ValueError", traceback: "its lines" });
    const failure = { type: "ValueError", message: "ValueError: x", traceback: "ValueError: x\n" };
    const waiting = ask("run", "other", {});
    await start("other", sets(1));
    for (const run of runs) run.fail(raised());
    expect(await waiting).toMatchObject({ failure });
    expect(await take(1000)).toMatchObject([{ failure }]);
  });

  test("have bounds: their number, what waits for them, and what nobody takes", async () => {
    const many = open();
    expect(await many.start("other", sets(2000))).toHaveLength(1024);
    expect(await many.start("other", sets(1))).toEqual([]);

    const large = open();
    const content = new Uint8Array(10 * 1024 * 1024);
    // Two are under way; of those that wait, as many as fit.
    expect(await large.start("other", sets(8, { content }))).toHaveLength(3);
    expect(await large.start("other", sets(2, { content }))).toHaveLength(2);

    const kept = open();
    await kept.start("other", sets(9));
    for (const run of kept.runs.slice(0, 2)) run.end("large", 30 * 1024 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(kept.runs).toHaveLength(2);
    expect(await kept.take()).toHaveLength(1);
    expect(await kept.take()).toHaveLength(1);
    expect(kept.runs.length).toBeGreaterThan(2);
  });

  test("that have not begun can be cancelled", async () => {
    const { ask, take, start, runs } = open({ atOnce: 1 });
    await start("other", sets(3));
    expect(await ask("cancel", [1, 3, 99, "x"])).toEqual([3]);
    runs[0]?.end(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    runs[1]?.end(2);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await take()).map(({ id }) => id)).toEqual([1, 2]);
    expect(runs).toHaveLength(2);
  });

  test("end with the run that has started them, and so does a wait", async () => {
    const { take, start, runs, held, end } = open();
    await start("other", sets(4));
    const waiting = take(60_000);
    end();
    expect(held.now).toBe(0);
    expect(await waiting).toEqual([]);
    runs[0]?.end("late");
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(runs).toHaveLength(2);
    expect(held.now).toBe(0);
    expect(await take()).toEqual([]);
  });
});

describe("a part of a UDF", () => {
  test("has the packages of the whole, and is nobody else's", async () => {
    const { ask, start, runs } = open();
    const part = await ask("define", { ...PART, headers: [{ moduleName: "a.b", code: "", file: "a/b.py" }] });
    await start(part, [{}]);
    const { source } = runs[0] as { source: UdfSource };
    expect(source).toMatchObject({
      name: "part",
      language: "python",
      part: { of: "hash", entrypoint: "part" },
    });
    expect(source.part?.whole).toBe(whole);
    const nested = open({}, { source, udf: { name: "part", hash: "another" } });
    await nested.start(await nested.ask("define", PART), [{}]);
    expect(nested.runs[0]?.source.part).toMatchObject({ of: "hash", whole });
  });

  test("is checked when it comes", async () => {
    const { ask } = open();
    const wrong: [object, RegExp][] = [
      [{ name: "a/b" }, /Cannot name a UDF/],
      [{ name: 1 }, /name must be a text/],
      [{ code: null }, /code must be a text/],
      [{ code: "x".repeat(8 * 1024 * 1024 + 1) }, /code is larger than 8 MB/],
      [{ file: "../x.py" }, /it leaves the folder/],
      [{ entrypoint: "a.b" }, /entrypoint must be the name of a function: received "a.b"/],
      [{ headers: {} }, /headers must be a list/],
      [{ headers: [null] }, /headers\[0\] must be an object/],
      [
        { headers: [{ moduleName: "a-b", code: "", file: "a.py" }] },
        /moduleName must be the name of a module/,
      ],
      [
        { headers: Array(5).fill({ moduleName: "a", code: "x".repeat(7_000_000), file: "a.py" }) },
        /larger than 32 MB/,
      ],
    ];
    for (const [fields, message] of wrong)
      await expect(ask("define", { ...PART, ...fields })).rejects.toThrow(message);
    await expect(ask("define", "text")).rejects.toThrow(UsageError);
    for (let n = 0; n < 100; n++) await ask("define", PART);
    await expect(ask("define", PART)).rejects.toThrow(/may define 100 parts of a UDF at most/);
  });

  test("is refused where run is denied, and where runs are nested too deep", async () => {
    const denied = open(
      {},
      {
        requireUndenied() {
          throw new PermissionDeniedError("denied", { permission: "run", value: "", grant: "" });
        },
      },
    );
    await expect(denied.ask("define", PART)).rejects.toThrow("denied");
    const deep = open({}, { context: { recursionFactor: 5 } as Call["context"] });
    await expect(deep.ask("define", PART)).rejects.toThrow("runs are nested 5 deep");
    await expect(deep.start("other", [{}])).rejects.toThrow("runs are nested 5 deep");
  });
});

test("a name is looked up once, and asked for", async () => {
  const require = vi.fn(async (permission: string, value: string) => ({ permission, value }));
  const { start, runs, find } = open({}, { require } as unknown as Partial<Call>);
  await start("other", [{}]);
  await start("other", [{}]);
  expect(require.mock.calls).toEqual([["run", "other"]]);
  expect(find).toHaveBeenCalledTimes(1);
  expect(runs[0]?.source).toBe(runs[1]?.source);
  await expect(start("nobody", [{}])).rejects.toThrow("there is no UDF of that name");
  await expect(start(0, [{}])).rejects.toThrow("the number of a defined part is needed");
  await expect(start("other", [1])).rejects.toThrow("parameters must be an object");
  await expect(start("other", {})).rejects.toThrow("must be a list");
});

test("a UDF does not start runs of itself", async () => {
  const { start, runs } = open({ find: async () => ({ ...whole }) });
  await expect(start("whole", sets(1))).rejects.toBeInstanceOf(UdfSelfRecursionError);
  expect(runs).toEqual([]);
});

test("a run goes to the server where that is granted, as deep as it is nested", async () => {
  const result = { raw: 7, stdout: "out", stderr: "" } as RunResult;
  const runRemote = vi.fn(async () => result);
  const asked: string[] = [];
  const require = async (permission: string, value: string) => {
    asked.push(`${permission} ${value}`);
    if (value === "m5.large") throw new PermissionDeniedError("no", { permission, value, grant: "" });
    return { permission, value };
  };
  const more = { require, context: { recursionFactor: 2 } } as unknown as Partial<Call>;
  const { ask, runs } = open({ runRemote }, more);
  const answer = await ask("run", "other", { n: 1 }, null, 0, "realtime");
  expect(answer).toEqual({ value: 7, failure: null, stdout: "out", stderr: "" });
  expect(asked).toEqual(["run other", "remote realtime"]);
  expect(runRemote).toHaveBeenCalledWith(
    expect.objectContaining({ name: "other" }),
    expect.objectContaining({ parameters: { n: 1 }, instanceType: "realtime", recursion: 2, cacheMaxAge: 0 }),
  );
  await expect(ask("run", "other", {}, null, 0, "m5.large")).rejects.toBeInstanceOf(PermissionDeniedError);
  await expect(ask("run", "other", {}, null, 0, 7)).rejects.toThrow("its instance type must be a text");
  expect(runRemote).toHaveBeenCalledTimes(1);
  expect(runs).toEqual([]);
  await expect(open({}, more).ask("run", "other", {}, null, 0, "realtime")).rejects.toThrow(
    "this runtime has none",
  );
});

test("the source of a UDF is given by its name, where it may be read and is Python", async () => {
  const found: UdfSource = {
    ...whole,
    code: "def help(): pass",
    headers: [{ moduleName: "lib", code: "a = 1", file: "lib.py" }],
    saved: { entrypoint: "udf" },
  };
  const keepNothing = vi.fn();
  const source = (more: Partial<UdfSource> = {}) =>
    open({ find: async () => ({ ...found, ...more }) }, { keepNothing }).ask("source", "other");
  expect(await source()).toEqual({
    code: "def help(): pass",
    entrypoint: "udf",
    headers: [{ module_name: "lib", source_code: "a = 1", source_file: "lib.py" }],
  });
  expect(keepNothing).toHaveBeenCalledOnce();
  await expect(source({ isHidden: true })).rejects.toThrow("may not read it");
  await expect(source({ language: "typescript" })).rejects.toThrow("it is typescript");
  await expect(open().ask("source", "none")).rejects.toThrow("there is no UDF of that name");
  const denied = async () =>
    Promise.reject(new PermissionDeniedError("no", { permission: "run", value: "other", grant: "" }));
  await expect(open({}, { require: denied }).ask("source", "other")).rejects.toThrow(PermissionDeniedError);
});
