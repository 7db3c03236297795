import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FoundRun, KeptResults, KeptRun, ResultKey, RunLease } from "../../runtime/results.ts";
import { checkContext, type RunContext, watchContext } from "../context/context.ts";
import { openCache } from "./cache.node.ts";
import { runResults } from "./results.ts";

let folder: string;
let opened: ReturnType<typeof openCache>;
let results: KeptResults;
let problems: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuselet-results-"));
  problems = [];
  opened = openCache(folder);
  results = runResults({ cache: opened.cache, version: "1", onProblem: (problem) => problems.push(problem) });
});
afterEach(async () => {
  await opened.close();
  await rm(folder, { recursive: true, force: true });
});

const keyOf = (fields: Partial<ResultKey> = {}): ResultKey => ({
  principal: "ada",
  owner: "ada",
  udf: { name: "u", hash: "h1" },
  engine: "python",
  permissions: { net: ["a.org"], cache: true },
  limits: { memoryBytes: 100 },
  parameters: { text: '{"n":3}', buffers: [] },
  tile: null,
  ...fields,
});

interface Asking {
  key?: Partial<ResultKey>;
  context?: Partial<RunContext>;
  maxAgeMs?: number;
  waitMs?: number;
  reset?: boolean;
  signal?: AbortSignal;
}
const find = ({ key, context, maxAgeMs = 60_000, waitMs = 5000, reset = false, signal }: Asking = {}) =>
  results.find(keyOf(key), { context: checkContext(context), maxAgeMs, waitMs, reset, signal });

const run = (text: string, { stdout = "", stderr = "", buffers = [] as Uint8Array[] } = {}): KeptRun => ({
  reply: { text, buffers },
  stdout,
  stderr,
});

/** Looks, and runs where nothing is there: `read` is what the run reads of its context. */
async function runOrFind(
  text: string,
  asking: Asking = {},
  read: (context: RunContext) => unknown = () => {},
  isShareable = true,
) {
  const found = await find(asking);
  if (found && "reply" in found) return found.reply.text;
  const fields = new Set<string>();
  read(watchContext(checkContext(asking.context), fields));
  await found?.keep(run(text), { fields, isShareable });
  return text;
}

test("a kept run comes back whole", async () => {
  const kept = run('{"ok":true}', {
    stdout: "out é\n",
    stderr: "err",
    buffers: [new Uint8Array([1, 2, 3]), new Uint8Array(), new Uint8Array(50_000).fill(7)],
  });
  const lease = (await find()) as RunLease;
  await lease.keep(kept, { fields: new Set(), isShareable: true });
  const found = (await find()) as FoundRun;
  expect(found.reply.buffers.map((buffer) => [...buffer])).toEqual(
    kept.reply.buffers.map((buffer) => [...buffer]),
  );
  expect({ ...found, reply: found.reply.text }).toEqual({
    reply: '{"ok":true}',
    stdout: "out é\n",
    stderr: "err",
    fields: [],
    keptAtMs: expect.closeTo(Date.now(), -4),
  });
  expect(problems).toEqual([]);
});

test.each<[string, Partial<ResultKey>]>([
  ["another principal", { principal: "bob" }],
  ["other code", { udf: { name: "u", hash: "h2" } }],
  ["another engine", { engine: "python pandas" }],
  ["other permissions", { permissions: { net: ["b.org"], cache: true } }],
  ["fewer permissions", { permissions: { cache: true } }],
  ["another limit", { limits: { memoryBytes: 99 } }],
  ["other parameters", { parameters: { text: '{"n":"3"}', buffers: [] } }],
  ["other bytes in them", { parameters: { text: '{"n":3}', buffers: [new Uint8Array([1])] } }],
  ["another epoch", { epoch: "2" }],
  ["a tile", { tile: { x: 0, y: 0, z: 0 } }],
])("%s does not meet it", async (_what, key) => {
  expect(await runOrFind("first")).toBe("first");
  expect(await runOrFind("second", { key })).toBe("second");
  expect(await runOrFind("third")).toBe("first");
});

test("another version of fuselet does not meet it", async () => {
  await runOrFind("first");
  results = runResults({ cache: opened.cache, version: "2", onProblem: expect.fail });
  expect(await runOrFind("second")).toBe("second");
});

test("permissions in another order do", async () => {
  await runOrFind("first");
  expect(await runOrFind("second", { key: { permissions: { cache: true, net: ["a.org"] } } })).toBe("first");
});

test("an older result is run again; a reset one as well", async () => {
  await runOrFind("first");
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(await runOrFind("second", { maxAgeMs: 20 })).toBe("second");
  expect(await runOrFind("third", { reset: true })).toBe("third");
  expect(await runOrFind("fourth")).toBe("third");
});

describe("the context", () => {
  const ann = { userEmail: "ann@example.org", headers: { accept: "a", "x-y": "1" } };
  const bob = { userEmail: "bob@example.org", headers: { accept: "a", "x-y": "1" } };

  test("does not count where nobody reads it", async () => {
    await runOrFind("first", { context: ann });
    expect(await runOrFind("second", { context: bob })).toBe("first");
  });

  test("counts in the fields that were read, for each of their values", async () => {
    const read = ({ userEmail }: RunContext) => userEmail;
    expect(await runOrFind("for ann", { context: ann }, read)).toBe("for ann");
    expect(await runOrFind("for bob", { context: bob }, read)).toBe("for bob");
    expect(await runOrFind("again", { context: ann }, read)).toBe("for ann");
    expect(await runOrFind("again", { context: bob, maxAgeMs: 1e9 }, read)).toBe("for bob");
    const elsewhere = { ...ann, kind: "batch" as const, headers: { accept: "b" } };
    expect(await runOrFind("again", { context: elsewhere }, read)).toBe("for ann");
  });

  test("counts header by header", async () => {
    const read = ({ headers }: RunContext) => headers.accept;
    await runOrFind("a", { context: ann }, read);
    expect(await runOrFind("again", { context: { headers: { Accept: "a", cookie: "z" } } }, read)).toBe("a");
    expect(await runOrFind("b", { context: { headers: { accept: "b" } } }, read)).toBe("b");
    expect(await runOrFind("none", { context: {} }, read)).toBe("none");
    expect(await runOrFind("again", { context: {} }, read)).toBe("none");
  });

  test("counts as a whole for who lists the headers", async () => {
    const read = ({ headers }: RunContext) => Object.entries(headers);
    await runOrFind("a", { context: ann }, read);
    expect(await runOrFind("again", { context: { headers: { "x-y": "1", accept: "a" } } }, read)).toBe("a");
    expect(await runOrFind("c", { context: { headers: { accept: "a", "x-y": "1", c: "" } } }, read)).toBe(
      "c",
    );
  });

  test("a run that reads more than the one before adds to the fields", async () => {
    await runOrFind("email", { context: ann }, ({ userEmail }) => userEmail);
    const more = ({ userEmail, kind }: RunContext) => [userEmail, kind];
    // Another user: it is run, and this time it reads more.
    expect(await runOrFind("both", { context: bob }, more)).toBe("both");
    expect(await runOrFind("again", { context: bob }, more)).toBe("both");
    expect(await runOrFind("batch", { context: { ...bob, kind: "batch" } }, more)).toBe("batch");
    expect(problems).toEqual([]);
  });
});

describe("several at once", () => {
  test("one runs, the others get its result; then nobody waits", async () => {
    const first = (await find()) as RunLease;
    const others = Promise.all([1, 2, 3].map(() => find()));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await first.keep(run("first"), { fields: new Set(["kind"]), isShareable: true });
    expect((await others).map((found) => (found as KeptRun).reply.text)).toEqual(["first", "first", "first"]);
  });

  test("where there is no result, the next one runs", async () => {
    const first = (await find()) as RunLease;
    const second = find();
    await first.abandon();
    await first.abandon();
    expect(await second).toHaveProperty("keep");
  });

  test("a run that is not for keeping leaves nothing, and holds nobody up", async () => {
    const first = (await find()) as RunLease;
    const others = [find(), find()];
    await first.keep(run("canary"), { fields: new Set(), isShareable: false });
    expect(await Promise.all(others)).toEqual([undefined, undefined]);
    expect(await find()).toBeUndefined();
    const entries = [];
    for await (const { format, size } of opened.cache.list()) entries.push({ format, size });
    expect(entries).toEqual([{ format: "run fields", size: 4 }]);
  });

  test("who has waited too long runs without", async () => {
    const first = (await find()) as RunLease;
    expect(await find({ waitMs: 20 })).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining("Waited 0.02 s")]);
    await first.abandon();
  });

  test("who is cancelled does not wait", async () => {
    const first = (await find()) as RunLease;
    const waiting = find({ signal: AbortSignal.timeout(20) });
    await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
    await first.abandon();
  });
});

test("a store that cannot be used is no reason to fail", async () => {
  await opened.close();
  expect(await find()).toBeUndefined();
  expect(problems).toEqual([expect.stringContaining("closed")]);
});

test("a result that cannot be kept is reported", async () => {
  const lease = (await find()) as RunLease;
  await lease.keep(run("x".repeat(256 * 1024 ** 2 + 1)), { fields: new Set(), isShareable: true });
  expect(problems).toEqual([expect.stringContaining("The result of u is not kept: it has 268435457 bytes")]);
});
