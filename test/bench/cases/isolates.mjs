/** Another UDF, another principal: what it takes to get an isolate that nobody has used. */
import { atMost, figure, interleave, pause, runProcess, time, under } from "../measure.mjs";

/** A UDF that nobody has run yet. */
let made = 0;
const another = () =>
  `import fused\n\n@fused.udf\ndef udf(n: int = 3):\n    return {"number": ${++made}, "n": n}\n`;

async function anotherUdf(bench) {
  const runtime = await bench.fuselet.createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
  try {
    return await interleave(
      {
        async ours() {
          await pause(50);
          return time(() => runtime.run(another()));
        },
        async peer() {
          const args = [bench.peer("pyodide-script.mjs"), bench.pyodide, bench.peer("hello.py")];
          const printed = await runProcess(bench.node, args, { env: { PRINT_BOOT: "1" } });
          return Number(printed.match(/boot ([\d.]+)/)[1]);
        },
      },
      { rounds: 12, warmUps: 2 },
    );
  } finally {
    await runtime.close();
  }
}

async function anotherPrincipal(bench) {
  const runtime = await bench.fuselet.createRuntime({ pool: { maxIsolates: 3, spares: 1 } });
  const spare = async () => {
    while (runtime.isolates.spares === 0) await pause(20);
    await pause(100);
  };
  try {
    await runtime.run(another());
    const samples = await interleave(
      {
        async ours() {
          await spare();
          return time(() => runtime.run(another(), { principal: `principal ${made}` }));
        },
      },
      { rounds: 15, warmUps: 2 },
    );
    return samples.ours;
  } finally {
    await runtime.close();
  }
}

export async function run(bench) {
  const { ours, peer } = await anotherUdf(bench);
  return [
    figure(
      {
        id: "isolates-another-udf",
        title: "Another UDF of the same principal, to its result",
        peer: "raw Pyodide, boot to result",
        target: atMost(0.1),
        note: "the peer's time begins at `loadPyodide`: the start of its process is not in it.",
      },
      ours,
      peer,
    ),
    figure(
      {
        id: "isolates-another-principal",
        title: "Another principal with a spare ready, to its result",
        target: under(10),
      },
      await anotherPrincipal(bench),
    ),
  ];
}
