import { expect, test } from "vitest";
import { inOrder } from "./in-order.ts";

test("every step is taken, also behind those that fail, and each failure is logged", async () => {
  const taken: string[] = [];
  const logged: unknown[] = [];
  const fail = async (step: string) => {
    taken.push(step);
    throw new Error(`no ${step}`);
  };
  const log = {
    error: (event: string, error: unknown, fields = {}) => logged.push([event, String(error), fields]),
  };
  const closed = inOrder(log, {
    jobs: () => fail("jobs"),
    runs: () => taken.push("runs"),
    storage: () => {
      throw new Error("no storage");
    },
    store: async () => taken.push("store"),
  });
  await expect(closed).rejects.toThrow("no jobs");
  expect(taken).toEqual(["jobs", "runs", "store"]);
  expect(logged).toEqual([
    ["close", "Error: no jobs", { step: "jobs" }],
    ["close", "Error: no storage", { step: "storage" }],
  ]);
  await inOrder(log, { store: () => taken.push("again") });
  expect(taken.at(-1)).toBe("again");
});
