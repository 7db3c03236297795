/** Finds and reads the configuration file on this machine. */
import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { UsageError } from "../../runtime/errors.ts";
import { type Config, parseConfig } from "./config.ts";

/** A configuration and the file that it came from. */
export interface FoundConfig extends Config {
  file: string;
}

const NAMES = ["fuselet.json", "fuselet.toml"];

/**
 * Reads a configuration file.
 * @throws UsageError that names the file, the place and the value
 */
export async function readConfig(file: string): Promise<FoundConfig> {
  const path = resolve(file);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (error as Error).message;
    throw new UsageError(`Cannot use ${path}: ${why}`, { cause: error });
  }
  const folder = dirname(path).split(sep).join("/");
  return { ...(await parseConfig(text, { name: path, folder })), file: path };
}

/**
 * The nearest configuration file of a folder or one above it.
 * @throws UsageError where there is none, or two in one folder, or where it belongs to another user: whoever may write to a
 *   folder above must not grant anything by that
 */
export async function findConfig(folder: string): Promise<string> {
  for (let here = resolve(folder); ; here = dirname(here)) {
    const found = [];
    for (const name of NAMES) {
      const file = join(here, name);
      const info = await stat(file).catch(() => undefined);
      if (!info?.isFile()) continue;
      const mine = process.getuid === undefined || info.uid === process.getuid() || info.uid === 0;
      if (!mine)
        throw new UsageError(
          `Cannot use ${file}: it belongs to another user; to use it, name it with --config`,
        );
      found.push(file);
    }
    if (found.length > 1)
      throw new UsageError(`Cannot choose between ${found.join(" and ")}: name one with --config`);
    if (found[0] !== undefined) return found[0];
    if (dirname(here) === here) {
      throw new UsageError(
        `There is no ${NAMES.join(" or ")} in ${resolve(folder)} or a folder above: name one with --config`,
      );
    }
  }
}
