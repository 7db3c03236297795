import { expect, test } from "vitest";
import { MAX_AGE_MS, parseAge } from "./age.ts";

test.each([
  ["12h", 43_200_000],
  ["7d", 604_800_000],
  [" 30 S ", 30_000],
  ["10m", 600_000],
  ["0s", 0],
  ["0", 0],
  [" 0 ", 0],
  [0, 0],
  [30, 30_000],
  [`${"9".repeat(400)}d`, MAX_AGE_MS],
  [Number.MAX_SAFE_INTEGER, MAX_AGE_MS],
])("%j is %d ms", (age, ms) => {
  expect(parseAge(age)).toBe(ms);
});

test.each([
  "",
  "5",
  "1w",
  "1.5h",
  "-1s",
  "h",
  "1h2m",
  "١h",
  1.5,
  -1,
  Number.NaN,
  true,
  null,
  undefined,
  ["1h"],
])("%j is none", (age) => {
  expect(parseAge(age)).toBeUndefined();
});
