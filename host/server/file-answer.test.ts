import { expect, test } from "vitest";
import { parseRange } from "./file-answer.ts";

test.each([
  [undefined, null],
  ["bytes=0-0", { offset: 0, length: 1 }],
  ["Bytes=2-", { offset: 2, length: 8 }],
  ["bytes=2-100", { offset: 2, length: 8 }],
  ["bytes=-3", { offset: 7, length: 3 }],
  ["bytes=-100", { offset: 0, length: 10 }],
  ["bytes=5-4", null],
  ["bytes=-", null],
  ["bytes=0-1,3-4", null],
  ["bytes=x-", null],
  ["items=0-1", null],
  [`bytes=${"9".repeat(400)}-`, null],
])("the range %j of 10 bytes is %j", (header, expected) => {
  expect(parseRange(header, 10)).toEqual(expected);
});

test.each(["bytes=10-", "bytes=-0", "bytes=999999999999999-"])(
  "the range %j of 10 bytes is none",
  (header) => {
    expect(() => parseRange(header, 10)).toThrow(expect.objectContaining({ status: 416 }));
  },
);
