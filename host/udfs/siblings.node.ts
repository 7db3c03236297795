/** UDFs that lie beside another one: what a name stands for at the command line. */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** A file name that leads nowhere else. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u;

/**
 * @param udf path of the UDF that runs others
 * @returns finds the path of NAME.py, NAME.ts, NAME.zip or a folder NAME in its folder; null where there is none
 */
export function siblingsOf(udf: string): (name: string) => Promise<string | null> {
  const folder = dirname(resolve(udf));
  return async (name) => {
    if (!NAME.test(name)) return null;
    for (const file of [`${name}.py`, `${name}.ts`, `${name}.zip`, name]) {
      const found = await stat(join(folder, file)).catch(() => null);
      if (found && (file !== name || found.isDirectory())) return join(folder, file);
    }
    return null;
  };
}
