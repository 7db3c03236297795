import { afterEach, describe, expect, test, vi } from "vitest";
import type { Frame, Port } from "./channel.ts";
import type { IsolateRecipe } from "./isolate/isolate.ts";
import type { IsolatePlatform, IsolateProcess } from "./isolate/platform.ts";
import { type Lease, type Place, Pool } from "./pool.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A platform whose isolates answer every request at once, and count themselves. */
function fakePlatform({
  fail = () => false,
  heapBytes = 1,
  startMs = 0,
}: {
  fail?: (n: number) => boolean;
  heapBytes?: number;
  startMs?: number;
} = {}) {
  const state = { launched: 0, alive: 0, renewed: 0, starts: [] as string[] };
  const platform: IsolatePlatform = {
    name: "fake",
    capabilities: {
      processPerPrincipal: true,
      blockingCalls: true,
      onDemandFiles: true,
      totalMemoryBound: false,
      instantKill: true,
      endsOrphans: true,
      authenticatedCache: true,
      fileSystem: true,
    },
    snapshotFlavor: "fake",
    async launch(): Promise<IsolateProcess> {
      state.launched++;
      state.alive++;
      if (startMs > 0) await pause(startMs);
      const number = state.launched;
      let gone = () => {};
      let killed = false;
      const send = (frame: Partial<Frame>) =>
        port.onFrame({ kind: "reply", id: 0, name: "", text: "", buffers: [], ...frame });
      const port: Port = {
        post(frame) {
          if (frame.kind !== "request") return;
          if (frame.name === "start") state.starts.push(frame.text);
          if (frame.name === "renew") state.renewed++;
          const bad = frame.name === "start" && fail(number);
          const text = bad ? '{"ok":false,"error":{"message":"no","traceback":""}}' : '{"ok":true,"value":1}';
          queueMicrotask(() => {
            send({ id: frame.id, text });
            if (frame.name !== "run") return;
            send({
              kind: "event",
              name: "idle",
              text: JSON.stringify({ reusable: true, reason: null, heapBytes }),
            });
          });
        },
        onFrame() {},
        onClose() {},
        close() {
          if (killed) return;
          killed = true;
          state.alive--;
          gone();
        },
      };
      return {
        port,
        provide() {},
        script() {},
        kill: () => port.close(),
        gone: new Promise((resolve) => {
          gone = resolve;
        }),
      };
    },
  };
  return { platform, state };
}

const recipe = (key = "python"): Promise<IsolateRecipe> =>
  Promise.resolve({ key, realm: "", assets: [], start: {}, realmPerUdf: true });

const isolateOptions = {
  memoryBytes: 1e9,
  startMs: 1000,
  outputBytes: 1e6,
  messageBytes: 1e6,
  reusable: true,
};

function openPool(
  options: Partial<{
    maxIsolates: number;
    memoryBytes: number;
    spares: number;
    idleMs: number;
    cores: number;
  }> = {},
  fake = fakePlatform(),
) {
  const { maxIsolates = 2, memoryBytes = 1e12, spares = 0, idleMs = 1e6, cores = 100 } = options;
  const bounds = { maxIsolates, memoryBytes, spares, cores };
  const pool = new Pool(fake.platform, bounds, isolateOptions, idleMs);
  const lease = (
    identity: string,
    hash: string | null = "a",
    more: { signal?: AbortSignal; key?: string; depth?: number; place?: Place; tree?: object } = {},
  ) =>
    pool.lease({
      recipe: recipe(more.key),
      identity,
      hash,
      depth: more.depth ?? 0,
      tree: more.tree ?? {},
      place: more.place,
      signal: more.signal,
    });
  /** Leases, runs and gives back. */
  const use = async (identity: string, hash = "a", key?: string) => {
    const { isolate, release } = await lease(identity, hash, key === undefined ? {} : { key });
    const limits = { timeMs: 1000, memoryBytes: 1e9, logBytes: 1, outputBytes: 1e6 };
    const events = { call: () => Promise.reject(new Error("none")), output() {} };
    await isolate.run({ udf: null, parameters: "{}", tile: null, limits }, [], hash, events);
    await isolate.settled;
    release();
    return isolate;
  };
  return { pool, lease, use, ...fake };
}

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

  test("at its bound, lets others wait until one is given back", async () => {
    const { pool, lease, state } = openPool({ maxIsolates: 1 });
    const first = await lease("me");
    let second: Lease | undefined;
    const waiting = lease("you").then((given) => {
      second = given;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(second).toBeUndefined();
    expect(pool.size.isolates).toBe(1);
    first.release();
    first.release();
    await waiting;
    expect(state.launched).toBe(2);
    await pool.close();
    expect(state.alive).toBe(0);
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

  test("a wait can be cancelled, and closing ends all waits", async () => {
    const { pool, lease } = openPool({ maxIsolates: 1 });
    await lease("me");
    const controller = new AbortController();
    const cancelled = lease("you", "a", { signal: controller.signal });
    const closed = lease("they");
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ name: "CancelledError" });
    await Promise.all([expect(closed).rejects.toThrow("closed"), pool.close()]);
    await expect(lease("late")).rejects.toThrow("closed");
  });

  test("a signal that fires before the wait begins ends it", async () => {
    const { pool, lease } = openPool({ maxIsolates: 1 });
    await lease("me");
    const controller = new AbortController();
    const cancelled = lease("you", "a", { signal: controller.signal });
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ name: "CancelledError" });
    await pool.close();
  });

  test("a signal that fires as the wait ends takes nobody else's place", async () => {
    const { pool, lease } = openPool({ maxIsolates: 1 });
    const first = await lease("me");
    const controller = new AbortController();
    const second = lease("you", "a", { signal: controller.signal });
    const third = lease("they");
    await new Promise((resolve) => setTimeout(resolve, 5));
    first.release();
    controller.abort();
    await expect(second).rejects.toMatchObject({ name: "CancelledError" });
    (await third).release();
    await pool.close();
  });

  test("an isolate that cannot start makes room for who waits", async () => {
    const { pool, lease } = openPool({ maxIsolates: 1 }, fakePlatform({ fail: (n) => n === 1 }));
    const first = lease("me");
    const second = lease("you");
    await expect(first).rejects.toThrow();
    (await second).release();
    await pool.close();
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

  test("runs that wait for runs do not count; the deepest go first, and no more are open than are nested", async () => {
    const { state, lease } = openPool({ maxIsolates: 1 });
    let most = 0;
    const tree = {};
    /** Each run waits for three others, four deep. */
    const run = async (depth: number, place?: Place): Promise<number> => {
      const { release, wait } = await lease(`run at ${depth}`, null, {
        tree,
        depth,
        ...(place ? { place } : {}),
      });
      most = Math.max(most, state.alive);
      let runs = 1;
      if (depth < 4) {
        const below = [0, 1, 2].map(async () => {
          const own = wait();
          const count = await run(depth + 1, own);
          own.end();
          return count;
        });
        runs += (await Promise.all(below)).reduce((sum, count) => sum + count, 0);
      }
      release();
      return runs;
    };
    expect(await run(0)).toBe(1 + 3 + 9 + 27 + 81);
    expect(most).toBeLessThanOrEqual(5);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(state.alive).toBe(1);
  });

  test("a run that starts many keeps all places only while nobody else waits for one", async () => {
    const { pool, lease } = openPool({ maxIsolates: 2 });
    const tree = {};
    const root = await lease("greedy", "a", { tree });
    const order: string[] = [];
    const wanted = Array.from({ length: 6 }, (_, at) =>
      lease("greedy", "a", { tree, depth: 1, place: root.wait() }).then((given) => {
        order.push(`greedy ${at}`);
        return given;
      }),
    );
    const [first, second] = await Promise.all([wanted[0], wanted[1]] as [Promise<Lease>, Promise<Lease>]);
    const others = ["a stranger", "another stranger"].map((name) =>
      lease(name).then((given) => {
        order.push(name);
        return given;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(order).toEqual(["greedy 0", "greedy 1"]);
    first.release();
    const stranger = await (others[0] as Promise<Lease>);
    // The next free place is not the second stranger's: the greedy run, too, goes on.
    second.release();
    await Promise.any([others[1], wanted[2]]);
    expect(order.slice(2)).toEqual(["a stranger", "greedy 2"]);
    stranger.release();
    await others[1];
    expect(order.slice(4)).toEqual(["another stranger"]);
    await Promise.allSettled([pool.close(), ...wanted]);
  });

  test("while a run holds, the isolates of those that it starts stay", async () => {
    const { pool, lease, state } = openPool({ maxIsolates: 1 });
    const tree = {};
    const root = await lease("me", "a", { tree });
    const end = root.hold();
    for (let at = 0; at < 5; at++) {
      const place = root.wait();
      const nested = await lease("me", "b", { tree, depth: 1, place });
      nested.isolate.prepared = "b";
      nested.release();
      place.end();
    }
    expect(state).toMatchObject({ launched: 2, alive: 2 });
    end();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(state.alive).toBe(1);
    await pool.close();
  });

  test("at its bound, who is soon served by an isolate of its own does not end a stranger's", async () => {
    const { pool, lease, use, state } = openPool({ maxIsolates: 2 }, fakePlatform({ startMs: 60 }));
    const stranger = await use("you");
    const own = await use("me");
    const busy = await lease("me");
    expect(busy.isolate).toBe(own);
    const waiting = lease("me");
    await pause(5);
    busy.release();
    expect((await waiting).isolate).toBe(own);
    expect(stranger.ended).toBeNull();
    expect(state.launched).toBe(2);
    await pool.close();
  });

  test("at its bound, nobody waits for one of its own for longer than another takes to start", async () => {
    const { pool, lease, use, state } = openPool({ maxIsolates: 2 }, fakePlatform({ startMs: 60 }));
    const stranger = await use("you");
    await use("me");
    const busy = await lease("me");
    const next = await lease("me");
    expect(next.isolate).not.toBe(busy.isolate);
    expect(stranger.ended).not.toBeNull();
    expect(state.launched).toBe(3);
    await pool.close();
  });

  test("where all cores are at work, short runs wait for one another, and long ones do not", async () => {
    const { pool, lease, use, state } = openPool({ maxIsolates: 9, cores: 1 }, fakePlatform({ startMs: 60 }));
    const own = await use("me");
    const busy = await lease("me");
    const waiting = lease("me");
    await pause(5);
    busy.release();
    const second = await waiting;
    expect(second.isolate).toBe(own);
    await pause(150);
    second.release();
    await lease("me");
    await lease("me");
    expect(state.launched).toBe(2);
    await pool.close();
  });

  test("while one waits for an isolate of its own, others are served", async () => {
    const { pool, lease, use } = openPool({ maxIsolates: 2 }, fakePlatform({ startMs: 60 }));
    const stranger = await use("you");
    await use("me");
    const busy = await lease("me");
    const waiting = lease("me");
    expect((await lease("you")).isolate).toBe(stranger);
    busy.release();
    expect((await waiting).isolate).toBe(busy.isolate);
    await pool.close();
  });

  test("at its bound, a UDF's second isolate goes before the only one of another, whichever was used last", async () => {
    const { pool, lease, use } = openPool({ maxIsolates: 3 });
    const only = await use("you");
    const [one, other] = [await lease("me"), await lease("me")];
    for (const { isolate, release } of [one, other]) {
      isolate.prepared = "a";
      release();
    }
    await use("third");
    expect(only.ended).toBeNull();
    expect([one, other].filter(({ isolate }) => isolate.ended)).toHaveLength(1);
    await pool.close();
  });

  test("a wait for one of its own can be cancelled, and a closed pool ends it", async () => {
    const { pool, lease, use, state } = openPool({ maxIsolates: 1 }, fakePlatform({ startMs: 60 }));
    await use("me");
    await lease("me");
    const controller = new AbortController();
    const cancelled = lease("me", "a", { signal: controller.signal });
    const closed = lease("me");
    closed.catch(() => {});
    await pause(5);
    controller.abort();
    await expect(cancelled).rejects.toThrow("cancelled");
    await pool.close();
    await expect(closed).rejects.toThrow("The runtime was closed");
    await pause(80);
    expect(state).toMatchObject({ launched: 1, alive: 0 });
  });
});
