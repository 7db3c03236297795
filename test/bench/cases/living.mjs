/** A runtime that lives: the same UDF again, back to back, with its memory put back between all runs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { atMost, figure, forScale, interleave, median, time, under } from "../measure.mjs";
import { livingPyodide } from "../peers/living.mjs";

/** Long enough for memory to be put back. The host stays awake: its peer is called in a loop and never sleeps, either. */
const SETTLED_MS = 6;
async function settle() {
  const started = performance.now();
  while (performance.now() - started < SETTLED_MS) await new Promise(setImmediate);
}
const CALLS = 15;
const WARM_CALLS = 200;

/** The median of several runs, each after the memory of the one before was put back. */
async function settledRuns(runtime, udf, parameters) {
  const taken = [];
  for (let i = 0; i < CALLS; i++) {
    await settle();
    taken.push(await time(() => runtime.run(udf, { parameters })));
  }
  return median(taken);
}

/**
 * Runs without a pause: each has to wait until the memory of the one before is back. The UDF leaves traces and says
 * whether it found any.
 * @returns milliseconds a run takes beyond the run itself
 */
async function backToBack(runtime, udf, runs = 60) {
  const itself = [];
  await runtime.run(udf);
  const total = await time(async () => {
    for (let i = 0; i < runs; i++) {
      const { value, timing } = await runtime.run(udf);
      assert.equal(value.traces, 0, "A run began before memory was put back");
      assert.ok(timing.restoreMs > 0, "Memory was not put back before a run");
      itself.push(timing.runMs);
    }
  });
  return total / runs - median(itself);
}

async function same(bench) {
  const { createRuntime } = bench.fuselet;
  const runtime = await createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
  const raw = await livingPyodide(bench.pyodide);
  const udf = await runtime.load(bench.udf("hello.py"));
  const code = readFileSync(bench.peer("hello.py"), "utf8");
  // The arguments change from call to call, as they do for ours: nobody may keep a result.
  const call = code.replace("udf()", 'udf(**json.loads(\'{"name": "Bob", "n": 20}\'))');
  const definition = code.slice(0, code.lastIndexOf("json.dumps"));
  const parameters = { name: "Bob", n: 20 };
  try {
    // Both have lived for a while: V8 has compiled what is called often.
    for (let i = 0; i < WARM_CALLS; i++) await runtime.run(udf, { parameters });
    await raw.ask("source", { code: call, times: WARM_CALLS });
    const { ours, source, proxy } = await interleave(
      {
        ours: () => settledRuns(runtime, udf, parameters),
        source: () => raw.ask("source", { code: call, times: CALLS }),
        proxy: () => raw.ask("proxy", { code: definition, parameters, times: CALLS }),
      },
      { rounds: 15, warmUps: 3 },
    );
    return [
      figure(
        {
          id: "living-same",
          title: "The same Python UDF again, to its result",
          peer: "raw `runPython` of source, call and `json.dumps`",
          target: atMost(2.5),
          note: "the peer's process holds the interpreter: no process boundary, nothing is put back, and globals stay. The host stays awake between runs; where it slept 25 ms instead, a run took 3.2x as long as the peer (2026-11-24).",
        },
        ours,
        source,
      ),
      figure(
        {
          id: "living-same-proxy",
          title: "The same Python UDF again, to its result",
          peer: "raw call of a prepared function, `toJs`",
          target: forScale,
        },
        ours,
        proxy,
      ),
    ];
  } finally {
    raw.close();
    await runtime.close();
  }
}

/** What an interpreter with pandas has in its heap, about. */
const PANDAS_BYTES = 64 << 20;

/** @returns a function that copies so many bytes over a wasm memory; the median of several copies, in milliseconds */
function heapCopies() {
  const memory = new WebAssembly.Memory({ initial: PANDAS_BYTES / 65536 });
  const heap = new Uint8Array(memory.buffer);
  const kept = new Uint8Array(PANDAS_BYTES).fill(1);
  return async () => {
    const taken = [];
    for (let i = 0; i < CALLS; i++) taken.push(await time(async () => heap.set(kept)));
    return median(taken);
  };
}

async function restores(bench) {
  const { createRuntime } = bench.fuselet;
  const pool = { maxIsolates: 1, spares: 0 };
  const plain = await createRuntime({ pool });
  const data = await createRuntime({ pool, assets: { pyodide: bench.dataPyodide } });
  try {
    const traces = await plain.load(bench.udf("traces.py"));
    const pandasTraces = await data.load(bench.udf("traces_frame.py"));
    const { ours, pandas, copy } = await interleave(
      {
        ours: () => backToBack(plain, traces),
        pandas: () => backToBack(data, pandasTraces),
        copy: heapCopies(),
      },
      { rounds: 12, warmUps: 2 },
    );
    const note =
      "that each run found clean memory is asserted. Ours is the time from run to run without the run itself.";
    return [
      figure({ id: "living-restore", title: "Memory put back, back to back", target: under(3), note }, ours),
      figure(
        {
          id: "living-restore-pandas",
          title: "Memory put back, back to back, with pandas",
          target: under(6),
        },
        pandas,
      ),
      figure(
        {
          id: "living-restore-pandas-copy",
          title: "Memory put back, back to back, with pandas",
          peer: "one copy of 64 MB, about what the heap holds",
          target: forScale,
        },
        pandas,
        copy,
      ),
    ];
  } finally {
    await plain.close();
    await data.close();
  }
}

export const run = async (bench) => [...(await same(bench)), ...(await restores(bench))];
