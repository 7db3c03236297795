import { expect, test } from "vitest";
import { once } from "./once.ts";

test("once() shares one run, and tries again after a failure", async () => {
  let runs = 0;
  const get = once(async () => {
    if (++runs === 1) throw new Error("no network");
    return runs;
  });
  const [first, second] = [get(), get()];
  expect(second).toBe(first);
  await expect(first).rejects.toThrow("no network");
  expect(await get()).toBe(2);
  expect(await get()).toBe(2);
  expect(runs).toBe(2);
});
