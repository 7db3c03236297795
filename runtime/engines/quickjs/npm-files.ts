/** The files of packages, as the bundler asks for them: each import leads into the package that it names, or nowhere. */
import { UdfLoadError } from "../../errors.ts";
import type { SourceText } from "./ast.ts";
import { NPM_NAMESPACE } from "./bundle.ts";
import type { EsbuildContent, EsbuildResolution } from "./esbuild.ts";
import type { NpmPackage, NpmTree } from "./npm.ts";
import { entriesOf, type ImportKind, importsEntryOf, replacementOf, withExtensions } from "./npm-exports.ts";
import { isBuiltin, keyOf, parseSpecifier } from "./npm-specifier.ts";

/** What stands for a module that a package leaves out in browsers. */
const EMPTY = "(empty)";

const fail = (text: string): EsbuildResolution => ({ errors: [{ text }] });

/** A path relative to a file; null where it leaves the package. */
function join(file: string, specifier: string): string | null {
  const parts = file.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return null;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** @param hide takes out of a file what would lead the bundler to the disk */
export function npmFiles(tree: NpmTree, hide: (source: SourceText) => string) {
  /** By the path that the bundler knows them by. */
  const modules = new Map<string, { owner: NpmPackage; file: string }>();

  const enter = async (
    owner: NpmPackage,
    candidates: readonly string[],
  ): Promise<EsbuildResolution | null> => {
    for (const candidate of candidates) {
      const replaced = replacementOf(owner.manifest, `./${candidate}`);
      if (replaced === false) return { path: EMPTY, namespace: NPM_NAMESPACE };
      const file = join("", replaced ?? candidate);
      if (file === null || (await owner.read(file)) === null) continue;
      const path = `${owner.id}/${file}`;
      modules.set(path, { owner, file });
      return { path, namespace: NPM_NAMESPACE };
    }
    return null;
  };
  const enterPackage = async (found: NpmPackage, subpath: string, kind: ImportKind, by: string) =>
    (await enter(found, entriesOf(found.manifest, subpath, kind))) ??
    fail(
      `${by} imports ${JSON.stringify(subpath === "" ? found.name : `${found.name}/${subpath}`)}, and ${found.id} has no such file for it`,
    );
  const kindOf = (kind: string): ImportKind => (kind.startsWith("require") ? "require" : "import");

  return {
    /** What a specifier of the UDF means; null where it names no package of the tree. */
    async resolveRoot(specifier: string, kind: string): Promise<EsbuildResolution | null> {
      const parsed = parseSpecifier(specifier);
      const found = parsed && tree.roots.get(keyOf(parsed));
      return found ? enterPackage(found, parsed.subpath, kindOf(kind), "The UDF") : null;
    },

    /** What a specifier in a package's file means. */
    async resolve(importer: string, specifier: string, kind: string): Promise<EsbuildResolution> {
      const from = modules.get(importer);
      if (!from) return fail(`${importer} is no file of a package`);
      const { owner, file } = from;
      const by = `${owner.id}/${file}`;
      // A package may look for what it can do without: such a call throws where it runs.
      const missing = (why: string): EsbuildResolution =>
        kind === "require-call"
          ? { path: specifier, external: true }
          : fail(`${by} imports ${JSON.stringify(specifier)}: ${why}`);
      if (/^\.\.?(\/|$)/.test(specifier)) {
        const path = join(file, specifier);
        const found = path === null ? null : await enter(owner, withExtensions(path));
        return found ?? missing("the package has no such file");
      }
      const replaced = replacementOf(owner.manifest, specifier);
      if (replaced === false) return { path: EMPTY, namespace: NPM_NAMESPACE };
      if (replaced?.startsWith("./"))
        return (
          (await enter(owner, withExtensions(replaced.slice(2)))) ?? missing("the package has no such file")
        );
      let wanted = replaced ?? specifier;
      if (wanted.startsWith("#")) {
        const target = importsEntryOf(owner.manifest, wanted, kindOf(kind));
        if (target === null) return missing("its package.json does not say what that is");
        if (target.startsWith("./"))
          return (await enter(owner, [target.slice(2)])) ?? missing("the package has no such file");
        wanted = target;
      }
      const parsed = parseSpecifier(wanted);
      if (!parsed || parsed.isNpm)
        return missing(isBuiltin(wanted) ? "it is a module of Node" : "it names no package");
      const found =
        parsed.name === owner.name
          ? owner
          : ((await owner.dependency(parsed.name)) ?? tree.roots.get(parsed.name));
      if (!found)
        return missing(
          isBuiltin(wanted)
            ? "it is a module of Node"
            : `there is no ${parsed.name} that its package.json names in dependencies`,
        );
      return enterPackage(found, parsed.subpath, kindOf(kind), by);
    },

    async load(path: string): Promise<EsbuildContent> {
      if (path === EMPTY) return { contents: "", loader: "js" };
      const { owner, file } = modules.get(path) as { owner: NpmPackage; file: string };
      const code = (await owner.read(file)) ?? "";
      if (file.endsWith(".json")) return { contents: code, loader: "json" };
      const isTypeScript = /\.m?ts$/.test(file);
      if (!isTypeScript && !/\.[mc]?js$/.test(file))
        return { errors: [{ text: `${path} is neither code nor JSON` }] };
      try {
        return { contents: hide({ file: path, code }), loader: isTypeScript ? "ts" : "js" };
      } catch (error) {
        if (!(error instanceof UdfLoadError)) throw error;
        return { errors: [{ text: error.message, detail: error }] };
      }
    },
  };
}
