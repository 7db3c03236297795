/** Many runs of one UDF, which a UDF submits: over several isolates, and what each costs beyond itself. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { atMostMore, fasterBy, figure, interleave, median } from "../measure.mjs";

const ISOLATES = 4;
const RUNS = 200;
const RUN_MS = 100;
const TRIVIAL_RUNS = 10_000;

export async function run(bench) {
  const open = (maxIsolates) => bench.fuselet.createRuntime({ pool: { maxIsolates, spares: 0 } });
  const [many, one] = await Promise.all([open(ISOLATES), open(1)]);
  try {
    const udf = await one.load(bench.udf("submit.py"));
    const submit = async (runtime, parameters) => (await runtime.run(udf, { parameters })).value;
    // So many rounds of its loop take about 100 ms of one processor.
    await submit(one, { n: 3, rounds: 1_000_000 });
    const rounds = Math.round((1_000_000 * RUN_MS * 10) / (await submit(one, { n: 10, rounds: 1_000_000 })));
    const parallel = await interleave(
      {
        ours: () => submit(many, { n: RUNS, rounds }),
        peer: () => submit(one, { n: RUNS, rounds }),
      },
      { rounds: 3, warmUps: 0 },
    );
    const cores = availableParallelism();
    const trivial = await interleave(
      {
        ours: async () => (await submit(many, { n: TRIVIAL_RUNS })) / TRIVIAL_RUNS,
        peer: () => alone(one),
      },
      { rounds: 3, warmUps: 0 },
    );
    return [
      figure(
        {
          id: "submit-parallel",
          title: `\`fused.submit\` of ${RUNS} runs of ${RUN_MS} ms over ${ISOLATES} isolates`,
          peer: "over one isolate",
          target: fasterBy(Math.min(2.5, 0.8 * cores)),
          note: `the machine has ${cores} cores; with 4 or more the target is 2.5x. Results are asserted to come in order.`,
        },
        parallel.ours,
        parallel.peer,
      ),
      figure(
        {
          id: "submit-trivial",
          title: `\`fused.submit\` of ${TRIVIAL_RUNS} trivial runs, each`,
          peer: "the run itself",
          target: atMostMore(3),
          note: "that each run found clean memory is asserted: putting it back is in our time.",
        },
        trivial.ours,
        trivial.peer,
      ),
    ];
  } finally {
    await many.close();
    await one.close();
  }
}

/** How long the trivial run takes in a warm isolate, without what comes before and after it. */
async function alone(runtime) {
  const source = "import fused\n@fused.udf\ndef udf(x: int):\n    return x\n";
  const times = [];
  for (let x = 0; x < 100; x++) {
    const { value, timing } = await runtime.run(source, { parameters: { x } });
    assert.equal(value, x);
    times.push(timing.runMs);
  }
  return median(times);
}
