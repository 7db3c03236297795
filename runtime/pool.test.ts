import { afterEach, describe, expect, test, vi } from "vitest";
import { fakePlatform, openPool } from "./fixtures/pool.ts";

afterEach(() => vi.useRealTimers());

describe("a pool", () => {
  test("gives the same UDF of the same identity its isolate again", async () => {
    const { pool, use, state } = openPool();
    expect(await use("me")).toBe(await use("me"));
    expect(state).toMatchObject({ launched: 1, renewed: 0 });
    await pool.close();
    expect(state.alive).toBe(0);
  });

  test("renews the realm for another UDF of the same identity", async () => {
    const { pool, use, state } = openPool();
    expect(await use("me", "a")).toBe(await use("me", "b"));
    expect(state).toMatchObject({ launched: 1, renewed: 1 });
    await pool.close();
  });

  test("never gives an isolate to another identity or another kind of engine", async () => {
    const { pool, use, state } = openPool({ maxIsolates: 3 });
    const isolates = [await use("me"), await use("you"), await use("me", "a", "typescript")];
    expect(new Set(isolates).size).toBe(3);
    expect(state.launched).toBe(3);
    await pool.close();
    expect(state.alive).toBe(0);
  });

  test("at its bound, ends the isolate that was idle longest", async () => {
    const { pool, use, state } = openPool({ maxIsolates: 2 });
    const first = await use("a");
    const second = await use("b");
    await use("a");
    await use("c");
    expect(second.ended).not.toBeNull();
    expect(first.ended).toBeNull();
    expect(state.alive).toBe(2);
    await pool.close();
  });

  test("at its bound on memory, ends those that were idle longest, and allows one whatever it takes", async () => {
    const { pool, use, state } = openPool(
      { maxIsolates: 8, memoryBytes: 1e9 },
      fakePlatform({ heapBytes: 2e8 }),
    );
    const [first, second, third] = [await use("a"), await use("b"), await use("c")];
    expect([first.ended === null, second.ended, third.ended]).toEqual([false, null, null]);
    expect(state.alive).toBe(2);
    await pool.close();
    const small = openPool({ memoryBytes: 1 }, fakePlatform({ heapBytes: 2e8 }));
    await small.use("a");
    await small.use("b");
    expect(small.state).toMatchObject({ launched: 2 });
    await small.pool.close();
  });

  test("many at once never exceed the bound", async () => {
    const { pool, use, state } = openPool({ maxIsolates: 3 });
    let most = 0;
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await use(`principal ${i % 7}`, `udf ${i % 3}`);
        most = Math.max(most, state.alive);
      }),
    );
    expect(most).toBeLessThanOrEqual(3);
    await pool.close();
    expect(state.alive).toBe(0);
  });

  test("an isolate that cannot start leaves nothing, and the next one is tried", async () => {
    const { pool, use, state } = openPool({}, fakePlatform({ fail: (n) => n === 1 }));
    await expect(use("me")).rejects.toThrow("The engine did not start: no");
    expect(state.alive).toBe(0);
    await use("me");
    await pool.close();
  });

  test("an isolate whose process dies before anybody listens fails at once", async () => {
    const fake = fakePlatform();
    const { launch } = fake.platform;
    fake.platform.launch = async (options) => {
      const process = await launch.call(fake.platform, options);
      process.kill();
      return { ...process, port: { ...process.port, post() {} } };
    };
    const { pool, use } = openPool({}, fake);
    await expect(use("me")).rejects.toThrow("The isolate's process has ended");
    await pool.close();
  });

  test("keeps a spare, gives it to the next stranger at once, and makes another when it is quiet", async () => {
    vi.useFakeTimers();
    const { pool, use, state } = openPool({ maxIsolates: 3, spares: 1 });
    await use("me");
    expect(pool.size.spares).toBe(0);
    await vi.advanceTimersByTimeAsync(300);
    expect(pool.size).toEqual({ isolates: 2, spares: 1 });
    expect(JSON.parse(state.starts[1] as string)).toMatchObject({ warm: true });
    await use("you");
    expect(state.launched).toBe(2);
    await vi.advanceTimersByTimeAsync(300);
    expect(pool.size).toEqual({ isolates: 3, spares: 1 });
    await pool.close();
    expect(state.alive).toBe(0);
  });

  test("makes no spare while the host is at work", async () => {
    vi.useFakeTimers();
    const { pool, use, state } = openPool({ maxIsolates: 3, spares: 1 });
    state.isHostBusy = true;
    await use("me");
    await vi.advanceTimersByTimeAsync(3000);
    expect(pool.size.spares).toBe(0);
    state.isHostBusy = false;
    await vi.advanceTimersByTimeAsync(500);
    expect(pool.size.spares).toBe(1);
    await pool.close();
  });

  test("a lease that only reads takes any isolate of the identity, as it is", async () => {
    const { pool, lease, use, state } = openPool();
    const isolate = await use("me", "a");
    const reading = await lease("me", null);
    expect(reading.isolate).toBe(isolate);
    reading.release();
    await use("me", "a");
    expect(state).toMatchObject({ launched: 1, renewed: 0 });
    expect((await lease("you", null)).isolate).not.toBe(isolate);
    await pool.close();
  });

  test("ends isolates that nobody uses", async () => {
    vi.useFakeTimers();
    const { pool, use, state } = openPool({ idleMs: 1000 });
    await use("me");
    await vi.advanceTimersByTimeAsync(1001);
    expect(state.alive).toBe(0);
    expect(pool.size.isolates).toBe(0);
  });
});
