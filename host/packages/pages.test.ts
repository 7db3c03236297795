import { describe, expect, it } from "vitest";
import { CancelledError } from "../../runtime/errors.ts";
import type { PackageCaller } from "../../runtime/packages.ts";
import { keepPages } from "./pages.ts";

const callerWith = (signal?: AbortSignal): PackageCaller => ({
  principal: "p",
  udf: { name: "u", hash: "h" },
  permissions: {},
  isNested: false,
  signal,
});

describe("keepPages()", () => {
  it("ends the wait of whom aborts, and nobody else's", async () => {
    let answer = (_page: string) => {};
    let reads = 0;
    const find = keepPages((_name, { signal }) => {
      expect(signal).toBeUndefined();
      reads++;
      return new Promise<{ page: string; bytes: number }>((resolve) => {
        answer = (page) => resolve({ page, bytes: 1 });
      });
    });
    const alice = new AbortController();
    const waiting = find("a", callerWith(alice.signal));
    const other = find("a", callerWith(new AbortController().signal));
    alice.abort();
    await expect(waiting).rejects.toThrow(CancelledError);
    await expect(find("a", callerWith(alice.signal))).rejects.toThrow(CancelledError);
    answer("page");
    expect(await other).toBe("page");
    expect(reads).toBe(1);
  });
  it("forgets what failed, and the oldest of more than 200", async () => {
    const reads: string[] = [];
    const find = keepPages(async (name) => {
      reads.push(name);
      if (name === "bad") throw new Error("it is not there");
      return { page: name, bytes: 1000 };
    });
    await expect(find("bad", callerWith())).rejects.toThrow("it is not there");
    await expect(find("bad", callerWith())).rejects.toThrow("it is not there");
    for (let i = 0; i <= 200; i++) await find(`p${i}`, callerWith());
    await find("p1", callerWith());
    await find("p0", callerWith());
    expect(reads.filter((name) => ["bad", "p0", "p1"].includes(name))).toEqual([
      "bad",
      "bad",
      "p0",
      "p1",
      "p0",
    ]);
  });
  it("keeps 64 MiB of pages, and none that is larger", async () => {
    const MiB = 1024 * 1024;
    const reads: string[] = [];
    const find = keepPages(async (name) => {
      reads.push(name);
      return { page: name, bytes: Number(name.split("-")[1]) * MiB };
    });
    const readsOf = async (...names: string[]) => {
      reads.length = 0;
      for (const name of names) expect(await find(name, callerWith())).toBe(name);
      return [...reads];
    };
    await readsOf("a-30", "b-30");
    expect(await readsOf("a-30", "b-30")).toEqual([]);
    // The oldest goes.
    await readsOf("c-20");
    expect(await readsOf("b-30", "c-20")).toEqual([]);
    expect(await readsOf("a-30")).toEqual(["a-30"]);
    expect(await readsOf("d-65", "d-65")).toEqual(["d-65", "d-65"]);
  });
});
