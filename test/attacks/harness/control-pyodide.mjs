/**
 * A naive sandbox, for controls: plain Pyodide in a Node process, with `jsglobals` an empty object. Reads a line of JSON
 * `{files, parameters}` at a time, runs the files' UDFs in one interpreter, and answers each line with `{value}` or `{error}`.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { loadPyodide } from "pyodide";

const py = await loadPyodide({ jsglobals: {}, stdout() {}, stderr() {} });
py.runPython(`
import sys, types
fused = types.ModuleType("fused")
fused.udf = lambda function: function
sys.modules["fused"] = fused
`);

for await (const line of createInterface({ input: process.stdin })) {
  const { runs } = JSON.parse(line);
  let answer = {};
  for (const { file, parameters } of runs) {
    try {
      const namespace = py.toPy({ __name__: "attack", text: JSON.stringify(parameters) });
      py.runPython(readFileSync(file, "utf8"), { globals: namespace, filename: "attack.py" });
      let value = py.runPython(
        "import json, inspect\nanswer = udf(**{k: v for k, v in json.loads(text).items() if k in inspect.signature(udf).parameters})\nanswer",
        { globals: namespace },
      );
      if (typeof value?.then === "function") value = await value;
      namespace.set("answer", value);
      answer = { value: JSON.parse(py.runPython("json.dumps(answer)", { globals: namespace })) };
    } catch (error) {
      answer = { error: String(error.message).trim().split("\n").at(-1) };
    }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
