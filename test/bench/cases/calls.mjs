/** Many calls of the host at once. */
import assert from "node:assert/strict";
import { figure, interleave, pause, time, under } from "../measure.mjs";

export async function run(bench) {
  const runtime = await bench.fuselet.createRuntime({
    host: {
      clock: {
        async wait([number]) {
          await pause(100);
          return number;
        },
      },
    },
  });
  try {
    const contender = async (file) => {
      const udf = await runtime.load(bench.udf(file));
      return () =>
        time(async () => {
          const { value } = await runtime.run(udf);
          assert.deepEqual(value, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        });
    };
    const { python, typescript } = await interleave(
      { python: await contender("calls.py"), typescript: await contender("calls.ts") },
      { rounds: 10, warmUps: 2 },
    );
    return [
      figure(
        { id: "calls-python", title: "Python: ten host calls of 100 ms at once", target: under(300) },
        python,
      ),
      figure(
        { id: "calls-typescript", title: "TypeScript: ten host calls of 100 ms at once", target: under(300) },
        typescript,
      ),
    ];
  } finally {
    await runtime.close();
  }
}
