/**
 * A Pyodide that stays: booted once in a process of its own and asked over IPC; it takes the time itself, so that no
 * message between processes is in it.
 *
 *     fork(pyodide-living.mjs, [DISTRIBUTION, PACKAGE…])
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [distribution, ...packages] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(distribution, "pyodide.mjs")).href);
const pyodide = await loadPyodide({ indexURL: `${distribution}/` });
if (packages.length > 0) await pyodide.loadPackage(packages, { messageCallback() {} });

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

function repeat(times, work) {
  const taken = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    work();
    taken.push(performance.now() - started);
  }
  return median(taken);
}

const actions = {
  /** Runs Python, gives its value. */
  python: ({ code }) => pyodide.runPython(code),
  /** A call as one writes it: the source with the arguments in it, the answer as JSON. */
  source: ({ code, times }) => repeat(times, () => JSON.parse(pyodide.runPython(code))),
  /** A call of a function that was defined before; the answer is made a JavaScript object. */
  proxy({ code, parameters, times }) {
    pyodide.runPython(code);
    const udf = pyodide.globals.get("udf");
    return repeat(times, () => {
      const answer = udf.callKwargs(parameters);
      answer.toJs({ dict_converter: Object.fromEntries });
      answer.destroy();
    });
  },
  /** One copy of a buffer out of the heap. */
  slice({ code, times }) {
    const buffer = pyodide.runPython(code);
    const view = buffer.getBuffer("u8");
    const taken = repeat(times, () => view.data.slice());
    view.release();
    buffer.destroy();
    return taken;
  },
};

process.on("message", ({ action, ...argument }) => process.send({ value: actions[action](argument) }));
process.on("disconnect", () => process.exit(0));
process.send({ value: "ready" });
