/** What `import fused` costs inside an isolate. */
import { figure, under } from "../measure.mjs";

const ROUNDS = 20;

export async function run(bench) {
  const runtime = await bench.fuselet.createRuntime();
  try {
    const udf = await runtime.load(bench.udf("imports.py"));
    const samples = { warm: [], cold: [] };
    for (let round = -1; round < ROUNDS; round++) {
      const { value } = await runtime.run(udf);
      if (round < 0) continue;
      samples.warm.push(value.warm);
      samples.cold.push(value.cold);
    }
    return [
      figure(
        {
          id: "import-warm",
          title: "`import fused` in an isolate that started from a snapshot",
          target: under(5),
        },
        samples.warm,
      ),
      figure(
        {
          id: "import-cold",
          title: "`import fused` in an isolate, nothing of it loaded",
          target: under(150),
          note: "its modules are compiled from their sources.",
        },
        samples.cold,
      ),
    ];
  } finally {
    await runtime.close();
  }
}
