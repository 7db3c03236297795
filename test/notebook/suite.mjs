/**
 * The notebook of examples/notebook runs as it is shown: with CPython, and in a Pyodide of its own, as a JupyterLite kernel is one; both
 * against a server that is started for it. `--write` puts what it shows into the notebook. Prints `N passed, N failed` at the end.
 * FUSELET_DIST names another build.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { report, runCases } from "../setup/cases.mjs";
import { python } from "../setup/python.mjs";
import { packageFolder, packageZip } from "../setup/python-package.mjs";
import { startServer, TOKEN } from "../setup/serve.mjs";

const root = join(import.meta.dirname, "../..");
const notebook = join(root, "examples/notebook/udfs.ipynb");
const runner = join(import.meta.dirname, "run_cells.py");

async function inPython(url) {
  const env = {
    PATH: process.env.PATH,
    PYTHONPATH: packageFolder,
    FUSELET_URL: url,
    FUSED_AUTH_TOKEN: TOKEN,
  };
  const child = spawn(await python(), [runner, notebook], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (!output) throw new Error(errors);
  return JSON.parse(output);
}

async function inPyodide(url) {
  const { loadPyodide } = await import("pyodide");
  const pyodide = await loadPyodide({ env: { HOME: "/home", FUSELET_URL: url, FUSED_AUTH_TOKEN: TOKEN } });
  pyodide.setStderr({ batched: () => {} });
  pyodide.unpackArchive(packageZip(), "zip", { extractDir: "/lib/own" });
  pyodide.FS.writeFile("/lib/own/run_cells.py", readFileSync(runner));
  pyodide.globals.set("notebook", readFileSync(notebook, "utf8"));
  const shown = await pyodide.runPythonAsync(
    "import sys\nsys.path.insert(0, '/lib/own')\nfrom run_cells import run_cells\nawait run_cells(notebook)",
  );
  return JSON.parse(shown);
}

/** What the notebook shows, as it is in its file. */
const shownIn = ({ cells }) =>
  cells
    .filter(({ cell_type }) => cell_type === "code")
    .map(({ outputs }) => {
      const of = (type) => outputs.find(({ output_type }) => output_type === type);
      return {
        text: (of("stream")?.text ?? []).join(""),
        result: of("execute_result")?.data["text/plain"].join("") ?? null,
      };
    });

function withOutputs(book, shown) {
  let at = 0;
  const cells = book.cells.map((cell) => {
    if (cell.cell_type !== "code") return cell;
    const { text: printed, result } = shown[at++];
    const lines = (whole) => whole.split(/(?<=\n)/);
    const stream = { name: "stdout", output_type: "stream", text: lines(printed) };
    const value = {
      data: { "text/plain": lines(result ?? "") },
      execution_count: at,
      metadata: {},
      output_type: "execute_result",
    };
    return {
      ...cell,
      execution_count: at,
      outputs: [...(printed ? [stream] : []), ...(result === null ? [] : [value])],
    };
  });
  return { ...book, cells };
}

const server = await startServer();
const { url } = server;
try {
  const book = JSON.parse(readFileSync(notebook, "utf8"));
  if (process.argv.includes("--write")) {
    const written = withOutputs(book, await inPython(url));
    writeFileSync(notebook, `${JSON.stringify(written, null, 1)}\n`);
  }
  const expected = shownIn(JSON.parse(readFileSync(notebook, "utf8")));
  await runCases([
    [
      "the notebook shows what it says, in CPython",
      async () => assert.deepEqual(await inPython(url), expected),
    ],
    ["the same in a plain Pyodide", async () => assert.deepEqual(await inPyodide(url), expected)],
    [
      "its cells do something",
      () =>
        assert.ok(
          expected.filter(({ result }) => result !== null).length >= 6 && expected.some((cell) => cell.text),
        ),
    ],
    [
      "the server ends with 0, and has no trouble to tell of",
      async () => {
        assert.equal(await server.end(), 0);
        assert.equal(server.errors(), "");
      },
    ],
  ]);
} finally {
  await server.close();
}
report();
// Time limits of the client, which are over by now, are timers of Pyodide: they would keep this process for minutes.
process.exit();
