import { expect, test } from "vitest";
import { checkContext } from "./context.ts";

test("checkContext() fills in the defaults and lower-cases header names", () => {
  expect(checkContext(undefined)).toMatchObject({ headers: {}, recursionFactor: 0, kind: "local" });
  expect(checkContext({ headers: { "X-A": "1" }, kind: "batch", userEmail: "a@b.c" })).toEqual({
    headers: Object.assign(Object.create(null), { "x-a": "1" }),
    recursionFactor: 0,
    clientId: null,
    userEmail: "a@b.c",
    kind: "batch",
    shareToken: null,
  });
});

test.each([
  [null, "context must be an object: received null"],
  [[], "context must be an object: received []"],
  [{ user: "a" }, "context.user is unknown; fields are headers, recursionFactor"],
  [{ recursionFactor: -1 }, "context.recursionFactor must be a whole number from 0: received -1"],
  [{ kind: "tile" }, 'context.kind must be local, realtime, batch: received "tile"'],
  [{ headers: { a: 1 } }, 'context.headers["a"] must be a text: received 1'],
  [{ headers: "a" }, 'context.headers must be an object of texts: received "a"'],
  [{ clientId: 3 }, "context.clientId must be a text or null: received 3"],
])("checkContext() refuses %j", (value, message) => {
  expect(() => checkContext(value)).toThrow(message);
});
