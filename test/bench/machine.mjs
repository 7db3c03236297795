/** What a reader must know of the machine to judge the numbers. */
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";

/** @param {string} root the repository */
export function machine(root) {
  const version = (name) =>
    JSON.parse(readFileSync(`${root}/node_modules/${name}/package.json`, "utf8")).version;
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    system: `${type()} ${release()}`,
    processor: `${processors.length} x ${processors[0]?.model.trim() ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 1024 ** 3)} GB`,
    node: process.versions.node,
    v8: process.versions.v8,
    pyodide: version("pyodide"),
    deno: version("deno"),
  };
}
