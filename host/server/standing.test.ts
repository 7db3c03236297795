import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Standing } from "./standing.ts";

let standing: Standing;
let errors: unknown[];
beforeEach(() => {
  vi.useFakeTimers();
  errors = [];
  standing = new Standing({ error: (_event, error) => void errors.push(error) }, 100);
});
afterEach(() => {
  standing.close();
  vi.useRealTimers();
});

test("who may not any more is told once, and asked for once however many things go on", async () => {
  let looked = 0;
  let may = true;
  const isStill = async () => {
    looked++;
    return may;
  };
  const ended: string[] = [];
  standing.watch("a", isStill, () => ended.push("first"));
  standing.watch("a", isStill, () => ended.push("second"));
  standing.watch(
    "b",
    async () => true,
    () => ended.push("never"),
  );
  await vi.advanceTimersByTimeAsync(250);
  expect([looked, ended]).toEqual([2, []]);
  may = false;
  await Promise.all([standing.look(), standing.look()]);
  await vi.advanceTimersByTimeAsync(500);
  expect([looked, ended]).toEqual([4, ["first", "second"]]);
});

test("what has ended by itself is looked at no more, and then no clock runs", async () => {
  const isStill = vi.fn(async () => false);
  const end = vi.fn();
  const unwatch = standing.watch("a", isStill, end);
  expect(vi.getTimerCount()).toBe(1);
  unwatch();
  unwatch();
  await vi.advanceTimersByTimeAsync(100);
  expect([isStill.mock.calls.length, end.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0, 0]);
  standing.watch("a", isStill, end);
  await standing.look();
  expect(end).toHaveBeenCalledTimes(1);
});

test("a look that fails ends nothing, and is logged", async () => {
  let fails = true;
  const end = vi.fn();
  standing.watch("a", () => (fails ? Promise.reject(new Error("no store")) : Promise.resolve(false)), end);
  await standing.look();
  expect([end.mock.calls.length, errors.length]).toEqual([0, 1]);
  fails = false;
  await standing.look();
  expect(end).toHaveBeenCalledTimes(1);
});
