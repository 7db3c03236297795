/** Whole processes: the command line against scripts that do the same without a sandbox. */
import { join } from "node:path";
import { flagsOf } from "../../../runtime/isolate/child-process.node.ts";
import { nodeProgram } from "../../../runtime/isolate/node-program.node.ts";
import { atMost, atMostMore, fasterBy, figure, interleave, timeProcess } from "../measure.mjs";

export async function run(bench) {
  const { node, cli, udf, peer } = bench;
  const hello = '{"hello":"World","squares":[0,1,4]}';
  const fuselet = (file, expect, env) => () => timeProcess(node, [cli, "run", udf(file)], { expect, env });
  const script =
    (file, expect, distribution, ...packages) =>
    () =>
      timeProcess(node, [peer("pyodide-script.mjs"), distribution, peer(file), ...packages], { expect });

  const python = await interleave(
    { ours: fuselet("hello.py", hello), peer: script("hello.py", "squares", bench.pyodide) },
    { rounds: 12, warmUps: 2 },
  );
  const pandas = await interleave(
    {
      ours: fuselet("frame.py", '"key":6', { FUSELET_PYODIDE: bench.dataPyodide }),
      peer: script("frame.py", '"key":6', bench.dataPyodide, "pandas"),
    },
    { rounds: 8, warmUps: 2 },
  );
  const deno = join(bench.root, "node_modules/deno/deno");
  const typescript = await interleave(
    {
      ours: fuselet("hello.ts", hello),
      bare: () => timeProcess(node, [peer("bare-parent.mjs"), ...flagsOf(nodeProgram())], { expect: hello }),
      deno: () => timeProcess(deno, ["run", peer("hello.deno.ts")], { expect: hello }),
    },
    { rounds: 20, warmUps: 3 },
  );
  return [
    figure(
      {
        id: "process-python",
        title: "`fuselet run hello.py`",
        peer: "raw Pyodide script",
        target: fasterBy(4),
      },
      python.ours,
      python.peer,
    ),
    figure(
      {
        id: "process-pandas",
        title: "`fuselet run frame.py` (pandas, Pyodide 0.27.7)",
        peer: "raw Pyodide script",
        target: fasterBy(3),
        stretch: fasterBy(5),
      },
      pandas.ours,
      pandas.peer,
    ),
    figure(
      {
        id: "process-typescript",
        title: "`fuselet run hello.ts`",
        peer: "bare Node parent and child",
        target: atMostMore(60),
        note: "the peer is a Node program that starts a Node child with the isolate's flags, sends it a line and prints the echo.",
      },
      typescript.ours,
      typescript.bare,
    ),
    figure(
      {
        id: "process-typescript-deno",
        title: "`fuselet run hello.ts`",
        peer: "`deno run`",
        target: atMost(5),
        note: "Deno runs the function in its own process: no second process, no sandbox inside.",
      },
      typescript.ours,
      typescript.deno,
    ),
  ];
}
