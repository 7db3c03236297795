import { describe, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import type { Call } from "../host.ts";
import { checkContext, contextBinding, contextValue, watchContext } from "./context.ts";

const USER = {
  id: "1",
  email: "a@b.c",
  handle: "a",
  name: "A",
  executionEnvironmentId: "t",
  isAdmin: false,
};

test("checkContext() keeps of a user what a user has", () => {
  const { user } = checkContext({ user: { ...USER, token: "secret" } });
  expect(user).toEqual(USER);
  expect(Object.isFrozen(user)).toBe(true);
});

test("checkContext() fills in the defaults and lower-cases header names", () => {
  expect(checkContext(undefined)).toMatchObject({ headers: {}, recursionFactor: 0, kind: "local" });
  expect(checkContext({ headers: { "X-A": "1" }, kind: "batch", userEmail: "a@b.c" })).toEqual({
    headers: Object.assign(Object.create(null), { "x-a": "1" }),
    recursionFactor: 0,
    clientId: null,
    userEmail: "a@b.c",
    user: null,
    kind: "batch",
    shareToken: null,
    sessionToken: null,
    executionEnvironmentId: null,
  });
});

test.each([
  [null, "context must be an object: received null"],
  [[], "context must be an object: received []"],
  [{ person: "a" }, "context.person is unknown; fields are headers, recursionFactor"],
  [{ recursionFactor: -1 }, "context.recursionFactor must be a whole number from 0: received -1"],
  [{ kind: "tile" }, 'context.kind must be local, realtime, batch: received "tile"'],
  [{ headers: { a: 1 } }, 'context.headers["a"] must be a text: received 1'],
  [{ headers: "a" }, 'context.headers must be an object of texts: received "a"'],
  [{ user: "ada" }, 'context.user must be an object or null: received "ada"'],
  [{ user: { ...USER, isAdmin: "no" } }, 'context.user.isAdmin must be a boolean: received "no"'],
  [{ user: { id: "1" } }, "context.user.email must be a string: received undefined"],
  [{ clientId: 3 }, "context.clientId must be a text or null: received 3"],
])("checkContext() refuses %j", (value, message) => {
  expect(() => checkContext(value)).toThrow(message);
});

describe("watchContext()", () => {
  const context = checkContext({ userEmail: "a@b.c", headers: { Accept: "x", host: "h" } });
  const readBy = (read: (watched: ReturnType<typeof watchContext>) => unknown) => {
    const fields = new Set<string>();
    read(watchContext(context, fields));
    return [...fields].sort();
  };

  test("has what the context has, and cannot be changed", () => {
    const watched = watchContext(context, new Set());
    expect({ ...watched, headers: { ...watched.headers } }).toEqual({
      ...context,
      headers: { ...context.headers },
    });
    expect(() => Object.assign(watched, { kind: "batch" })).toThrow(TypeError);
    expect(() => Object.assign(watched.headers, { accept: "y" })).toThrow(TypeError);
    expect(() => delete (watched.headers as Record<string, string>).accept).toThrow(TypeError);
    expect(watched.headers.accept).toBe("x");
  });

  test("notes what is read, and nothing else", () => {
    expect(readBy(() => {})).toEqual([]);
    expect(readBy((watched) => watched.headers)).toEqual([]);
    expect(readBy(({ kind, userEmail }) => [kind, userEmail])).toEqual(["kind", "userEmail"]);
    expect(readBy(({ headers }) => [headers.accept, "x" in headers, Object.hasOwn(headers, "y")])).toEqual([
      "headers.accept",
      "headers.x",
      "headers.y",
    ]);
    expect(readBy(({ headers }) => Object.keys(headers))).toEqual(expect.arrayContaining(["headers"]));
    expect(readBy((watched) => JSON.stringify(watched))).toEqual(
      expect.arrayContaining([
        "clientId",
        "executionEnvironmentId",
        "headers",
        "kind",
        "recursionFactor",
        "sessionToken",
        "shareToken",
        "user",
        "userEmail",
      ]),
    );
  });

  test("notes so many single headers, then all", () => {
    const fields = readBy(({ headers }) => Array.from({ length: 1000 }, (_, i) => headers[`x-${i}`]));
    expect(fields).toContain("headers");
    expect(fields.length).toBeLessThan(60);
  });

  test("a field has its value under the name that was noted", () => {
    expect(contextValue(context, "userEmail")).toBe("a@b.c");
    expect(contextValue(context, "headers.accept")).toBe("x");
    expect(contextValue(context, "headers.cookie")).toBeUndefined();
    expect(contextValue(context, "headers")).toEqual([
      ["accept", "x"],
      ["host", "h"],
    ]);
  });
});

describe("the binding", () => {
  const context = checkContext({ userEmail: "a@b.c", headers: { Accept: "x" } });
  const ask = (method: string, ...args: unknown[]) =>
    contextBinding[method]?.(args, { context, udf: { name: "u", hash: "h" } } as Call);

  test("gives all, a field, or a header", () => {
    expect(ask("get")).toEqual({ ...context, udf: { name: "u", hash: "h" } });
    expect(ask("field", "userEmail")).toBe("a@b.c");
    expect(ask("field", "headers")).toEqual({ accept: "x" });
    expect([ask("header", "ACCEPT"), ask("header", "cookie")]).toEqual(["x", null]);
  });

  test.each([
    ["field", "email"],
    ["field", "toString"],
    ["field", null],
    ["header", 1],
    ["header", "x".repeat(1001)],
  ])("%s refuses %j", (method, name) => {
    expect(() => ask(method, name)).toThrow(UsageError);
  });
});
