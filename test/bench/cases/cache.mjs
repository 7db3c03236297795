/** What the cache saves: a kept result, asked for from inside of the isolate or before there is one, against computing it again. */
import assert from "node:assert/strict";
import { fasterBy, figure, forScale, interleave, median, pause, time } from "../measure.mjs";

const CALLS = 9;

/** The median of several runs, each after the memory of the one before was put back. */
async function settled(run) {
  const taken = [];
  for (let i = 0; i < CALLS; i++) {
    await pause(10);
    taken.push(await time(run));
  }
  return median(taken);
}

export async function run(bench) {
  const runtime = await bench.fuselet.createRuntime({
    pool: { maxIsolates: 1, spares: 0 },
    permissions: { cache: true },
  });
  try {
    const udf = await runtime.load(bench.udf("cached.py"));
    // What it says of itself differs from run to run: one that is equal was kept.
    const { value: kept } = await runtime.run(udf);
    const hit = async (options) => {
      const { value, cached } = await runtime.run(udf, options);
      assert.deepEqual([value, cached], [kept, options.cacheMaxAge !== undefined]);
    };
    await runtime.run(udf, { cacheMaxAge: "1d" });
    const { inside, before, again } = await interleave(
      {
        inside: () => settled(() => hit({})),
        before: () => settled(() => hit({ cacheMaxAge: "1d" })),
        again: () =>
          time(async () => {
            const { value } = await runtime.run(udf, { parameters: { keep: false } });
            assert.notDeepEqual(value, kept);
          }),
      },
      { rounds: 15, warmUps: 3 },
    );
    const peer = "the same run, computing it again";
    return [
      figure(
        {
          id: "cache-hit",
          title: "Python: a run that gets the result of a 100 ms function from `@fused.cache`",
          peer,
          target: fasterBy(20),
          note: "ours is the whole run in a living runtime, its call of the host and the check of the entry's MAC included.",
        },
        inside,
        again,
      ),
      figure(
        {
          id: "cache-run",
          title: "Python: the kept result of that run (`cacheMaxAge`)",
          peer,
          target: forScale,
        },
        before,
        again,
      ),
    ];
  } finally {
    await runtime.close();
  }
}
