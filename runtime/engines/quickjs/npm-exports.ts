/** Which file of a package an import means: its `exports` and `imports`, and what bundlers do with `module` and `browser`. */
import { resolve } from "resolve.exports";
import { isRecord } from "../../record.ts";

/** The part of package.json that counts here, as it came: data of strangers. */
export type Manifest = Readonly<Record<string, unknown>>;

/** How something is imported. */
export type ImportKind = "import" | "require";

/**
 * What counts for whom. There is no Node inside an isolate: what packages have for browsers fits better. `resolve` stays with the first
 * condition that counts, even where nothing within it does: then fewer of them find what comes after it.
 */
const CONDITIONS: Record<ImportKind, readonly (readonly string[])[]> = {
  import: [["import", "module", "browser"], ["import"], []],
  require: [["require", "browser"], ["require"], []],
};

/** Without patterns of more than plain names: `resolve` makes regular expressions of them, as they are. */
const withPlainPatterns = (map: unknown) =>
  isRecord(map)
    ? Object.fromEntries(
        Object.entries(map).filter(([key]) => !key.includes("*") || /^[\w@./~#-]*\*[\w@./~-]*$/.test(key)),
      )
    : map;

/** The targets of an entry, best first. */
function targetsOf({ exports, imports }: Manifest, entry: string, kind: ImportKind): string[] {
  const manifest = { name: "", exports: withPlainPatterns(exports), imports: withPlainPatterns(imports) };
  for (const conditions of CONDITIONS[kind]) {
    try {
      return resolve(manifest, entry, { unsafe: true, conditions }) ?? [];
    } catch {
      // There is none for these, or the manifest is of no known form.
    }
  }
  return [];
}

/**
 * The paths that an import may mean, best first. What a package with `exports` does not name there, nobody can import.
 * @param subpath what follows the package's name: empty, or `sub/path`
 */
export function entriesOf(manifest: Manifest, subpath: string, kind: ImportKind): string[] {
  if (manifest.exports !== undefined && manifest.exports !== null) {
    return targetsOf(manifest, subpath === "" ? "." : `./${subpath}`, kind)
      .filter((target) => target.startsWith("./"))
      .map((target) => target.slice(2));
  }
  if (subpath !== "") return withExtensions(subpath);
  const fields = kind === "import" ? ["browser", "module", "main"] : ["browser", "main"];
  const named = fields
    .map((field) => manifest[field])
    .filter((value): value is string => typeof value === "string" && value !== "");
  return [...named.map((path) => path.replace(/^\.\//, "")).flatMap(withExtensions), "index.js"];
}

/** What an import of `#name` means: a path that begins with `./`, or the name of a package; null for nothing. */
export const importsEntryOf = (manifest: Manifest, specifier: string, kind: ImportKind): string | null =>
  targetsOf(manifest, specifier, kind)[0] ?? null;

/** The files that a path inside of a package may mean, as CommonJS looks for them. */
export function withExtensions(path: string): string[] {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  const plain = path.slice(0, end);
  const within = plain === "" || plain === "." ? "" : `${plain}/`;
  const files = within === "" ? [] : [plain, `${plain}.js`, `${plain}.mjs`, `${plain}.cjs`, `${plain}.json`];
  return [...files, `${within}index.js`, `${within}index.mjs`, `${within}index.cjs`, `${within}index.json`];
}

/**
 * What the field `browser` puts in the place of a file or a package.
 * @returns the text that takes its place, false for an empty module, undefined where it says nothing
 */
export function replacementOf({ browser }: Manifest, name: string): string | false | undefined {
  if (!isRecord(browser) || !Object.hasOwn(browser, name)) return undefined;
  const value = browser[name];
  return value === false || typeof value === "string" ? value : undefined;
}
