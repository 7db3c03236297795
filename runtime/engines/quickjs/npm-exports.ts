/** Which file of a package an import means. Source: nodejs.org/api/packages.html (`exports`), and what bundlers do with `module` and `browser`. */

/** The part of package.json that counts here, as it came: data of strangers. */
export type Manifest = Readonly<Record<string, unknown>>;

/** How something is imported. */
export type ImportKind = "import" | "require";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What counts for whom. There is no Node inside an isolate: what packages have for browsers fits better. */
const CONDITIONS: Record<ImportKind, ReadonlySet<string>> = {
  import: new Set(["import", "module", "browser", "default"]),
  require: new Set(["require", "browser", "default"]),
};

const MOST_DEPTH = 20;

/** The target of an entry of `exports`: a path, or null where there is none for whom asks. */
function targetOf(entry: unknown, conditions: ReadonlySet<string>, star: string, depth = 0): string | null {
  if (depth > MOST_DEPTH) return null;
  if (typeof entry === "string")
    return entry.startsWith("./") ? entry.replaceAll("*", () => star).slice(2) : null;
  if (Array.isArray(entry)) {
    for (const each of entry) {
      const found = targetOf(each, conditions, star, depth + 1);
      if (found !== null) return found;
    }
    return null;
  }
  if (!isObject(entry)) return null;
  for (const [condition, value] of Object.entries(entry)) {
    if (!conditions.has(condition)) continue;
    const found = targetOf(value, conditions, star, depth + 1);
    if (found !== null || value === null) return found;
  }
  return null;
}

/**
 * The paths that an import may mean, best first; of a package with `exports`, one or none.
 * @param subpath what follows the package's name: empty, or `sub/path`
 */
export function entriesOf(manifest: Manifest, subpath: string, kind: ImportKind): string[] {
  const { exports } = manifest;
  if (exports !== undefined && exports !== null) {
    const key = subpath === "" ? "." : `./${subpath}`;
    const map =
      isObject(exports) && Object.keys(exports).some((name) => name.startsWith("."))
        ? exports
        : { ".": exports };
    const found = findExport(map, key, CONDITIONS[kind]);
    return found === null ? [] : [found];
  }
  if (subpath !== "") return withExtensions(subpath);
  const fields = kind === "import" ? ["browser", "module", "main"] : ["browser", "main"];
  const named = fields
    .map((field) => manifest[field])
    .filter((value): value is string => typeof value === "string" && value !== "");
  return [...named.map((path) => path.replace(/^\.\//, "")).flatMap(withExtensions), "index.js"];
}

/** What an import of `#name` means: a path that begins with `./`, or the name of a package; null for nothing. */
export function importsEntryOf({ imports }: Manifest, specifier: string, kind: ImportKind): string | null {
  if (!isObject(imports) || !Object.hasOwn(imports, specifier)) return null;
  const pick = (entry: unknown, depth = 0): string | null => {
    if (typeof entry === "string") return entry;
    if (!isObject(entry) || depth > MOST_DEPTH) return null;
    for (const [condition, value] of Object.entries(entry))
      if (CONDITIONS[kind].has(condition)) return pick(value, depth + 1);
    return null;
  };
  return pick(imports[specifier]);
}

function findExport(
  map: Record<string, unknown>,
  key: string,
  conditions: ReadonlySet<string>,
): string | null {
  if (Object.hasOwn(map, key) && !key.includes("*")) return targetOf(map[key], conditions, "");
  // Of several patterns the one with the longest beginning counts.
  const patterns = Object.keys(map)
    .filter((name) => name.split("*").length === 2)
    .sort((a, b) => b.indexOf("*") - a.indexOf("*"));
  for (const pattern of patterns) {
    const [before, after] = pattern.split("*") as [string, string];
    if (key.length >= pattern.length && key.startsWith(before) && key.endsWith(after))
      return targetOf(map[pattern], conditions, key.slice(before.length, key.length - after.length));
  }
  return null;
}

/** The files that a path inside of a package may mean, as CommonJS looks for them. */
export function withExtensions(path: string): string[] {
  const plain = path.replace(/\/+$/, "");
  const within = plain === "" || plain === "." ? "" : `${plain}/`;
  const files = within === "" ? [] : [plain, `${plain}.js`, `${plain}.mjs`, `${plain}.cjs`, `${plain}.json`];
  return [...files, `${within}index.js`, `${within}index.mjs`, `${within}index.cjs`, `${within}index.json`];
}

/**
 * What the field `browser` puts in the place of a file or a package.
 * @returns the text that takes its place, false for an empty module, undefined where it says nothing
 */
export function replacementOf({ browser }: Manifest, name: string): string | false | undefined {
  if (!isObject(browser) || !Object.hasOwn(browser, name)) return undefined;
  const value = browser[name];
  return value === false || typeof value === "string" ? value : undefined;
}
