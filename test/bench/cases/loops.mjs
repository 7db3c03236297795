/** Tight loops of Python: the sandbox must not slow down what runs inside. Python takes the time itself. */
import { readFileSync } from "node:fs";
import { atMost, figure, forScale, interleave, runProcess } from "../measure.mjs";
import { livingPyodide } from "../peers/living.mjs";

const LOOPS = { fib: "fib(27)", nested: "nested loops", texts: "texts", updates: "updates of a dict" };

export async function run(bench) {
  const runtime = await bench.fuselet.createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
  const raw = await livingPyodide(bench.pyodide);
  const udf = await runtime.load(bench.udf("loops.py"));
  // The same text without what makes it a UDF.
  const code = readFileSync(bench.udf("loops.py"), "utf8")
    .replace("import fused", "")
    .replace("@fused.udf", "");
  const figures = [];
  try {
    await raw.ask("python", { code });
    for (const [name, title] of Object.entries(LOOPS)) {
      const { ours, peer, cpython } = await interleave(
        {
          ours: async () => (await runtime.run(udf, { parameters: { name } })).value,
          peer: () => raw.ask("python", { code: `udf("${name}")` }),
          cpython: async () =>
            Number(await runProcess("python3.11", ["-c", `${code}\nprint(udf("${name}"))`])),
        },
        { rounds: 12, warmUps: 2 },
      );
      figures.push(
        figure(
          { id: `loops-${name}`, title: `Python: ${title}`, peer: "raw Pyodide", target: atMost(1.05) },
          ours,
          peer,
        ),
        figure(
          { id: `loops-${name}-cpython`, title: `Python: ${title}`, peer: "CPython 3.11", target: forScale },
          ours,
          cpython,
        ),
      );
    }
    return figures;
  } finally {
    raw.close();
    await runtime.close();
  }
}
