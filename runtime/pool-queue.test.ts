import { describe, expect, test } from "vitest";
import { fakePlatform, openPool, pause } from "./fixtures/pool.ts";
import type { Lease, Place } from "./lease.ts";

describe("a pool", () => {
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

  test("runs that wait for runs do not count; the deepest go first, and no more are open than are nested", async () => {
    const { state, lease } = openPool({ maxIsolates: 1 });
    let most = 0;
    const tree = { owner: "me" };
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
    const tree = { owner: "me" };
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
    const tree = { owner: "me" };
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

  test("the runs of one owner never have more than their share: others are served, whoever asked first", async () => {
    const { pool, lease } = openPool({ maxIsolates: 3, mostPerOwner: 2 });
    const tree = { owner: "greedy" };
    // By a link of theirs, which is another identity, and below a run of theirs.
    const busy = [
      await lease("greedy", "a", { tree }),
      await lease("link", "b", { tree: { owner: "greedy" } }),
    ];
    const given: string[] = [];
    const third = lease("greedy", "a", { tree: { owner: "greedy" } }).then((lease) => {
      given.push("third");
      return lease;
    });
    const nested = lease("greedy", "c", { tree, depth: 1 }).then((lease) => {
      given.push("nested");
      return lease;
    });
    const other = await lease("other");
    await pause(5);
    expect(given).toEqual([]);
    other.release();
    await pause(5);
    expect(given).toEqual([]);
    busy[0]!.release();
    await nested;
    expect(given).toEqual(["nested"]);
    busy[1]!.release();
    await third;
    await pool.close();
  });

  test("a run at the bound of its owner waits for another one, whose place it gives", async () => {
    const { pool, lease } = openPool({ maxIsolates: 2, mostPerOwner: 1 });
    const tree = { owner: "me" };
    const root = await lease("me", "a", { tree });
    const place = root.wait();
    const below = await lease("me", "b", { tree, depth: 1, place });
    below.release();
    place.end();
    root.release();
    await lease("me", "c");
    await pool.close();
  });
});
