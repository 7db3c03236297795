import { describe, expect, test } from "vitest";
import { decodeParsed, encodeValue, type TableValue } from "./value.ts";

const table = (b: number, n: unknown) => ({ $: "table", kind: "arrow", meta: {}, b, n });
const frame = Uint8Array.from({ length: 32 }, (_, i) => i);
/** Views behind each other on one memory, as the buffers of a frame are. */
const adjacent = [frame.subarray(8, 11), frame.subarray(11, 11), frame.subarray(11, 20)];
const apart = adjacent.map((part) => part.slice());

describe("a table in parts", () => {
  test.each([
    ["of one frame", adjacent],
    ["of messages", apart],
  ])("is put together from the buffers %s", (_, buffers) => {
    const { ipc } = decodeParsed(table(0, 3), buffers) as TableValue;
    expect([...ipc]).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });
  test("is not copied where they lie behind each other", () => {
    const { ipc } = decodeParsed(table(0, 3), adjacent) as TableValue;
    expect(ipc.buffer).toBe(frame.buffer);
  });
  test("does not reach beyond the buffers", () => {
    expect(() => decodeParsed(table(1, 3), apart)).toThrow("names the buffer 3 of 3");
  });
  test.each([0, -1, 1.5, 4, 1e9, "3"])("does not have %s parts", (n) => {
    expect(() => decodeParsed(table(0, n), apart)).toThrow("parts");
  });
  test("does not begin at null", () => {
    expect(() => decodeParsed({ ...table(0, 2), b: null }, apart)).toThrow("from null on");
  });
  test("shares no parts with another, not even empty ones", () => {
    for (const buffers of [apart, apart.map(() => new Uint8Array())])
      expect(() => decodeParsed([table(0, 3), table(0, 3)], buffers)).toThrow("more parts than there are");
  });
});

test("a number in raw JSON crosses as it is written", () => {
  expect(encodeValue({ a: [JSON.rawJSON("2.0"), 2] }).text).toBe('{"a":[2.0,2]}');
});

test("an integer has as many digits as Python takes, and the message says how many", () => {
  const integer = (digits: number) => ({ $: "int", v: "9".repeat(digits) });
  expect(decodeParsed(integer(5000), [])).toBe(10n ** 5000n - 1n);
  for (const digits of [0, 5001])
    expect(() => decodeParsed(integer(digits), [])).toThrow("an integer must be 1 to 5000 digits");
});
