/** What the host notes of a run: whether its result may be kept, and whose secrets count for it. */
import { expect, test } from "vitest";
import { RunResult } from "../runtime/result.ts";
import type { Caller } from "../runtime/runtime.ts";
import { decodeValue, encodeValue } from "../runtime/value.ts";
import { type Call, openHost } from "./host.ts";
import { createBroker } from "./permissions/broker.ts";
import { checkPermissions } from "./permissions/descriptor.ts";
import { outermostOf } from "./secrets/runs.ts";

const permissions = checkPermissions({});
const host = openHost({
  broker: createBroker({ permissions }),
  bindings: {
    test: {
      one: () => 1,
      nest: async (_, call: Call) =>
        (await call.run({} as never, { parameters: {}, context: call.context })).raw,
      forget: (_, call: Call) => call.keepNothing(),
    },
    other: { one: () => 1 },
  },
  own: { other: { two: () => 2 } },
});

function callerOf(parent?: AbortSignal) {
  const details = { stdout: "", stderr: "", cached: false, kept: null, timing: {} as never, bytes: 1 };
  const caller = {
    principal: "me",
    udf: { name: "test", hash: "0" },
    engine: "test",
    permissions,
    context: {},
    signal: new AbortController().signal,
    parent,
    uses: { fields: new Set<string>(), isShareable: true },
    isNested: parent !== undefined,
    run: () => RunResult.of(5, details),
  };
  return caller as unknown as Caller & typeof caller;
}
const ask = async (name: string, caller: Caller) =>
  decodeValue(await host(name, encodeValue([]), caller)) as { value?: unknown; error?: { message: string } };

test.each([
  ["test.one", 1, true],
  ["test.forget", null, false],
  ["test.nest", 5, false],
  ["other.two", 2, false],
])("a run that calls %s gets %j; its result may be kept: %s", async (name, value, isShareable) => {
  const caller = callerOf();
  expect((await ask(name, caller)).value).toBe(value);
  expect(caller.uses.isShareable).toBe(isShareable);
});

test("a binding of the program stands in place of the host's", async () => {
  expect((await ask("other.one", callerOf())).error?.message).toBe("The host has no binding other.one");
});

test("runs are noted below the outermost one as they first ask", async () => {
  const outer = callerOf();
  const middle = callerOf(outer.signal);
  const inner = callerOf(middle.signal);
  for (const caller of [outer, middle, inner]) {
    await ask("test.one", caller);
    expect(outermostOf(caller.signal)).toBe(outer.signal);
  }
});
