import { expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { readRequest } from "./request.ts";

test("readRequest() reads permissions, and a reason for all or one each", () => {
  const one = readRequest({ net: ["A.org"], cache: true, reason: "for the weather" }, "hello.py");
  expect(one.permissions).toEqual({ net: ["a.org"], cache: true });
  expect([one.reasonFor("net"), one.reasonFor("cache")]).toEqual(["for the weather", "for the weather"]);
  const each = readRequest({ net: ["a.org"], reason: { net: "for the weather" } }, "hello.py");
  expect([each.reasonFor("net"), each.reasonFor("cache")]).toEqual(["for the weather", null]);
  expect(readRequest({}, "hello.py").reasonFor("net")).toBe(null);
});

test.each([
  [{ deny: { net: true } }, "cannot deny anything"],
  [{ net: "a.org" }, "Cannot set hello.py.net: it must be true, false or a list of texts"],
  [{ net: ["a b"] }, "Cannot set hello.py.net[0]"],
  [{ reasons: "x" }, '"reasons" is unknown'],
  [{ reason: 1 }, "Cannot set hello.py.reason: it must be a text, or a text for each permission"],
  [{ reason: { nett: "x" } }, '"nett" is no permission'],
  [{ reason: { net: ["x"] } }, "Cannot set hello.py.reason.net: it must be a text"],
  [{ reason: "x".repeat(1001) }, "at most 1000 characters"],
])("readRequest(%j) says why not", (value, message) => {
  expect(() => readRequest(value, "hello.py")).toThrow(message);
  expect(() => readRequest(value, "hello.py")).toThrow(UsageError);
});
