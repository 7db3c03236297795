/** Paths inside a UDF's folder or zip: which are safe, which are sources, and what module a path names. */
import { UdfLoadError } from "../../runtime/errors.ts";
import type { Language } from "../../runtime/udf.ts";

/** Folders that never hold a UDF's own code. */
const SKIPPED_FOLDERS = new Set(["node_modules", "__pycache__", "__MACOSX", "venv"]);

const EXTENSION = /\.(py|ts|js|json)$/;

/**
 * Why a path that came from a zip, a folder or a UDF is not safe; null where it is: relative, with slashes, nothing that could leave
 * its folder on any operating system.
 */
export function unsafePath(path: string): string | null {
  if (path === "") return "it is empty";
  if (path.length > 1024) return "it is longer than 1024 characters";
  if (/[\u0000-\u001f\u007f]/.test(path)) return "it has a control character";
  if (/[\u202a-\u202e\u2066-\u2069]/.test(path)) return "it has a character that turns text around";
  if (path.includes("\\")) return "it has a backslash; folders are separated by /";
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return "it is absolute";
  for (const segment of path.split("/")) {
    if (segment === "..") return "it leaves the folder";
    if (segment === "" || segment === ".") return "it has an empty part";
  }
  return null;
}

/** Checks a path of a UDF's own file. @throws UdfLoadError that names the path and the reason. */
export function checkPath(path: string): string {
  const why = unsafePath(path);
  if (why !== null) throw new UdfLoadError(`Cannot use the path ${JSON.stringify(path)} in a UDF: ${why}`);
  return path;
}

/** Whether a folder of this name is looked into: not hidden, no packages, no caches. */
export function isSourceFolder(name: string): boolean {
  return !name.startsWith(".") && !SKIPPED_FOLDERS.has(name);
}

/** Whether a file belongs to a UDF's code. Takes a path relative to the UDF's folder. */
export function isSourcePath(path: string): boolean {
  const parts = path.split("/");
  const file = parts.pop() as string;
  return (
    EXTENSION.test(file) && !file.startsWith(".") && !file.endsWith(".d.ts") && parts.every(isSourceFolder)
  );
}

/** The language of a path by its extension; null for all but .py, .ts and .js. */
export function languageOf(path: string): Language | null {
  if (path.endsWith(".py")) return "python";
  return path.endsWith(".ts") || path.endsWith(".js") ? "typescript" : null;
}

/** The file's name without folders and extension. */
export function stemOf(path: string): string {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return file.replace(/(.)\.[^.]*$/, "$1");
}

/**
 * The name under which a module is imported: `a/b.py` is `a.b`, `a/__init__.py` is `a`, `lib/geo.ts` is `lib/geo`, and a
 * JSON file keeps its path.
 */
export function moduleNameOf(path: string): string {
  if (path.endsWith(".py")) {
    return path
      .slice(0, -3)
      .replace(/\/__init__$/, "")
      .replaceAll("/", ".");
  }
  return path.endsWith(".json") ? path : path.replace(EXTENSION, "");
}
