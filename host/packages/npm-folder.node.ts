/** The npm packages beside a UDF: `node_modules` in its folder and above, up to its project's. */
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { once } from "../../runtime/once.ts";
import type { LocalNpmPackage, NpmFolder } from "../../runtime/packages.ts";

/** A source file of a package; larger ones are no code. */
const MOST_BYTES = 32 * 1024 * 1024;

const isBelow = (path: string, folder: string) =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** The nearest folder above that has a package.json; the folder itself where none has. */
async function projectOf(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    if (await isFile(join(at, "package.json"))) return at;
    if (dirname(at) === at) return folder;
  }
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** Where a path really lies; null where nothing is there. */
const realOf = (path: string) => realpath(path).catch(() => null);

/** A package's folder, read file by file. @param folder its real path */
async function openPackage(folder: string): Promise<LocalNpmPackage | null> {
  const find = async (file: string): Promise<{ real: string; size: number; mtimeMs: number } | null> => {
    const real = await realOf(join(folder, file));
    if (real === null || !isBelow(real, folder)) return null;
    // What lies in there is another package, which has to be granted by its own name.
    if ([file, relative(folder, real)].some((path) => /(^|[\\/])node_modules([\\/]|$)/i.test(path)))
      return null;
    const found = await stat(real);
    const { size, mtimeMs } = found;
    return found.isFile() && size <= MOST_BYTES ? { real, size, mtimeMs } : null;
  };
  const read = async (file: string) => {
    const found = await find(file);
    return found && readFile(found.real, "utf8");
  };
  const manifest = await read("package.json");
  if (manifest === null) return null;
  return {
    path: folder,
    manifest,
    read,
    async stampOf(file) {
      const found = await find(file);
      return found && `${found.real} ${found.size} ${found.mtimeMs}`;
    },
  };
}

/** @param udf path or `file:` URL of the UDF's file or folder; nothing is looked at before a package is wanted */
export function openNpmFolder(udf: string): NpmFolder {
  const place = once(async () => {
    const path = await realOf(udf.startsWith("file:") ? fileURLToPath(udf) : resolve(udf));
    if (path === null) return null;
    const folder = (await stat(path)).isDirectory() ? path : dirname(path);
    return { folder, project: await projectOf(folder) };
  });
  return {
    async find(name, from) {
      const found = await place();
      if (!found) return null;
      const { folder, project } = found;
      for (let at = from ?? folder; at === project || isBelow(at, project); at = dirname(at)) {
        const real = await realOf(join(at, "node_modules", name));
        // A link may lead to another place of the project, and not out of it.
        if (real === null || !isBelow(real, project)) continue;
        const opened = await openPackage(real);
        if (opened) return opened;
      }
      return null;
    },
  };
}
