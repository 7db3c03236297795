/** The secret key of a folder, for the MACs of what lies in it. */
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const KEY_BYTES = 32;

/**
 * The key of a folder, in its file `key` (mode 0600): made on first use, once, whoever comes first.
 * @returns null where another file is in its place and stays there
 * @throws the system's error
 */
export async function readKey(folder: string): Promise<Buffer | null> {
  const path = join(folder, "key");
  const existing = () => readFile(path).catch(() => null);
  const before = await existing();
  if (before?.length === KEY_BYTES) return before;
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(temporary, randomBytes(KEY_BYTES), { flag: "wx", mode: 0o600 });
    await chmod(temporary, 0o600);
    // A link never replaces the key that another process has just made. One that is no key is replaced, and so is any where
    // the file system has no links.
    await (before ? rename(temporary, path) : link(temporary, path)).catch(async (error) => {
      if (error.code !== "EEXIST") await rename(temporary, path);
    });
    const made = await existing();
    return made?.length === KEY_BYTES ? made : null;
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
