/** A large Arrow table out of an isolate, against one copy out of the heap of a raw Pyodide. */
import assert from "node:assert/strict";
import { atMost, figure, interleave, time } from "../measure.mjs";
import { livingPyodide } from "../peers/living.mjs";

const BYTES = 100_000_000;

const BUFFER = `
import numpy as np, pyarrow as pa
table = pa.table({"value": np.arange(${BYTES / 8}, dtype="float64")})
sink = pa.BufferOutputStream()
with pa.ipc.new_stream(sink, table.schema) as writer:
    writer.write_table(table)
memoryview(sink.getvalue())
`;

export async function run(bench) {
  const runtime = await bench.fuselet.createRuntime({
    pool: { maxIsolates: 1, spares: 0 },
    assets: { pyodide: bench.dataPyodide },
  });
  const raw = await livingPyodide(bench.dataPyodide, ["numpy", "pyarrow"]);
  const udf = await runtime.load(bench.udf("arrow.py"));
  try {
    const { ours, peer } = await interleave(
      {
        async ours() {
          // An isolate that grew is not used again: the first, small run gets a new one ready.
          await runtime.run(udf, { parameters: { bytes: 800 } });
          let result;
          const taken = await time(async () => {
            result = await runtime.run(udf, { parameters: { bytes: BYTES } });
          });
          assert.equal(result.table.numRows, BYTES / 8);
          return taken - Number(result.stdout);
        },
        peer: () => raw.ask("slice", { code: BUFFER, times: 1 }),
      },
      { rounds: 10, warmUps: 1 },
    );
    return [
      figure(
        {
          id: "arrow-out",
          title: "100 MB of Arrow out of the isolate, as a table of the host",
          peer: "raw `getBuffer().data.slice()`",
          target: atMost(1.5),
          note: "ours holds the whole run: the call, the encoding as an Arrow stream, the pipe, reading the table; only making the table is taken off.",
        },
        ours,
        peer,
      ),
    ];
  } finally {
    raw.close();
    await runtime.close();
  }
}
