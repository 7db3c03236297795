/** The Python package `fused` as a wheel is one: what JupyterLite installs. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { zipSync } from "fflate";

/** Where its sources are. */
export const packageFolder = join(import.meta.dirname, "../../sdk/python");

/** @returns {Uint8Array} a zip of its modules */
export function packageZip() {
  const files = {};
  for (const entry of readdirSync(join(packageFolder, "fused"), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name.endsWith(".py"))
      files[relative(packageFolder, path)] = new Uint8Array(readFileSync(path));
  }
  return zipSync(files, { level: 1 });
}
