import { expect, test } from "vitest";
import { exactly, parseExact, stringifyExact } from "./exact-json.ts";

test.each([
  "2.0",
  "-0.0",
  "1e2",
  "1e400",
  "12345678901234567890",
  "9007199254740993",
  "123456789012345678.5",
])("%s is written as it was read", (number) => {
  const text = `{"a":[${number}],"b":"${number}"}`;
  expect(stringifyExact(parseExact(text))).toBe(text);
});

test("a text without such numbers is not parsed again", () => {
  const text = '{"a":[0,7,-1.5,"2.5"]}';
  const parsed = JSON.parse(text) as unknown;
  expect(exactly(parsed, text)).toBe(parsed);
});

test("small integers are JavaScript's own, large ones are BigInts", () => {
  expect(parseExact("[7,9007199254740991,12345678901234567890]")).toEqual([
    7,
    9007199254740991,
    12345678901234567890n,
  ]);
});
