/** TypeScript against the npm package `run`: QuickJS in a worker thread of the host's process. */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { figure, forScale, interleave, median, pause, time, timeProcess } from "../measure.mjs";
import { HELLO, installRun, RUN_VERSION } from "../peers/run.mjs";

const CALLS = 15;
const EXPECTED = { hello: "World", squares: [0, 1, 4] };

async function settled(call) {
  const taken = [];
  for (let i = 0; i < CALLS; i++) {
    await pause(10);
    taken.push(
      await time(async () => {
        const { value } = await call();
        assert.deepEqual({ ...value }, EXPECTED);
      }),
    );
  }
  return median(taken);
}

export async function run(bench) {
  const module = await installRun();
  const peer = `npm \`run\` ${RUN_VERSION}`;
  const { createRunner } = await import(pathToFileURL(module).href);
  const runner = createRunner();
  const runtime = await bench.fuselet.createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
  try {
    const udf = await runtime.load(bench.udf("hello.ts"));
    const warm = await interleave(
      {
        ours: () => settled(() => runtime.run(udf)),
        peer: () => settled(() => runner.run({ source: HELLO })),
      },
      { rounds: 15, warmUps: 3 },
    );
    const expect = JSON.stringify(EXPECTED);
    const cold = await interleave(
      {
        ours: () => timeProcess(bench.node, [bench.cli, "run", bench.udf("hello.ts")], { expect }),
        peer: () => timeProcess(bench.node, [bench.peer("run-script.mjs"), module], { expect }),
      },
      { rounds: 15, warmUps: 2 },
    );
    const note = "the peer's guest shares the host's process.";
    return [
      figure(
        { id: "run-warm", title: "TypeScript: the same UDF again", peer, target: forScale, note },
        warm.ours,
        warm.peer,
      ),
      figure(
        { id: "run-cold", title: "`fuselet run hello.ts`", peer, target: forScale },
        cold.ours,
        cold.peer,
      ),
    ];
  } finally {
    await runtime.close();
  }
}
