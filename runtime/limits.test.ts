import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, narrowLimits, ownLimits } from "./limits.ts";

describe("limits", () => {
  test("a run can only narrow them", () => {
    expect(narrowLimits(DEFAULT_LIMITS, { timeMs: 5 }).timeMs).toBe(5);
    expect(narrowLimits(DEFAULT_LIMITS, { timeMs: 1e12 }).timeMs).toBe(DEFAULT_LIMITS.timeMs);
    expect(narrowLimits(DEFAULT_LIMITS)).toEqual(DEFAULT_LIMITS);
  });

  test("the owner of a runtime can raise them, memory up to what an engine can hold", () => {
    expect(ownLimits({ timeMs: 1e9 }).timeMs).toBe(1e9);
    expect(ownLimits({ memoryBytes: 1e15 }).memoryBytes).toBe(4 * 1024 ** 3);
    expect(ownLimits({ logBytes: 10 })).toEqual({ ...DEFAULT_LIMITS, logBytes: 10 });
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "5" as never, null as never])(
    "%s is refused",
    (value) => {
      expect(() => narrowLimits(DEFAULT_LIMITS, { timeMs: value })).toThrow(
        /limits\.timeMs: it must be a number above 0/,
      );
      expect(() => ownLimits({ timeMs: value })).toThrow(/limits\.timeMs/);
    },
  );

  test("an unknown limit is refused by name", () => {
    expect(() => narrowLimits(DEFAULT_LIMITS, { time: 5 } as never)).toThrow('Unknown limit "time"');
    expect(() => ownLimits({ __proto__: { x: 1 }, toString: 5 } as never)).toThrow(
      'Unknown limit "toString"',
    );
  });
});
