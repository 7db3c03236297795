/**
 * Pyodide as its documentation shows it: load, load packages, run a file, print, end.
 *
 *     node pyodide-script.mjs DISTRIBUTION FILE.py [PACKAGE…]
 *
 * With PRINT_BOOT set, it prints the milliseconds from the call of loadPyodide to the result.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [distribution, file, ...packages] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(distribution, "pyodide.mjs")).href);
const started = performance.now();
const pyodide = await loadPyodide({ indexURL: `${distribution}/` });
if (packages.length > 0) await pyodide.loadPackage(packages, { messageCallback() {} });
console.log(pyodide.runPython(readFileSync(file, "utf8")));
if (process.env.PRINT_BOOT) console.log(`boot ${performance.now() - started}`);
// Without this, the process waits for what Pyodide left open.
process.exit(0);
