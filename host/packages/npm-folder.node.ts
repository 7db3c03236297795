/** The npm packages beside a UDF: `node_modules` in its folder and above, up to its project's. */
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
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
  const read = async (file: string): Promise<string | null> => {
    const real = await realOf(join(folder, file));
    if (real === null || !isBelow(real, folder)) return null;
    const found = await stat(real);
    return found.isFile() && found.size <= MOST_BYTES ? readFile(real, "utf8") : null;
  };
  const manifest = await read("package.json");
  if (manifest === null) return null;
  const { size, mtimeMs } = await stat(join(folder, "package.json"));
  return { path: folder, manifest, stamp: `${size} ${mtimeMs}`, read };
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
