import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TimeLimit } from "./time-limit.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("is reached after its time", () => {
  const reached = vi.fn();
  new TimeLimit(100, reached);
  vi.advanceTimersByTime(99);
  expect(reached).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(reached).toHaveBeenCalledOnce();
});

test("stands still while it is paused, by however many", () => {
  const reached = vi.fn();
  const limit = new TimeLimit(100, reached);
  vi.advanceTimersByTime(40);
  const goOn = [limit.pause(), limit.pause()] as const;
  vi.advanceTimersByTime(1000);
  goOn[0]();
  goOn[0]();
  vi.advanceTimersByTime(1000);
  expect(reached).not.toHaveBeenCalled();
  goOn[1]();
  vi.advanceTimersByTime(59);
  expect(reached).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(reached).toHaveBeenCalledOnce();
});

test("is never reached once it has ended, paused or not", () => {
  const reached = vi.fn();
  const one = new TimeLimit(100, reached);
  one.end();
  const two = new TimeLimit(100, reached);
  const goOn = two.pause();
  two.end();
  goOn();
  two.pause()();
  vi.advanceTimersByTime(1000);
  expect(reached).not.toHaveBeenCalled();
});
