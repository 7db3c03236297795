/** Which packages a UDF imports, in all of its files. */
import { parseSource, type SourceText } from "./ast.ts";
import { isBuiltin } from "./npm-specifier.ts";
import { GUEST_MODULE } from "./ops.ts";
import { readImports, type TypeScriptSource } from "./source.ts";
import { stripTypes } from "./strip.ts";

/** Most UDFs import none: no need to parse one to see that. */
const MAY_IMPORT = new RegExp(`(?:from|import)\\s*(?:\\(\\s*)?["'](?!\\.\\.?/|${GUEST_MODULE}["'])`);

const isJavaScript = (file: string) => /\.m?js$/.test(file);

/** The imports of a file that are left once its types are gone. */
function importsOf(source: SourceText): string[] {
  const body = parseSource(source);
  const code = isJavaScript(source.file) ? null : stripTypes(source.code, body);
  const left = code === null ? body : parseSource({ file: "stripped.js", code });
  return readImports(left)
    .filter(({ typeOnly }) => !typeOnly)
    .map(({ specifier }) => specifier);
}

/**
 * Specifiers of packages, each once. Modules of Node are none, even where a package has their name: `npm:` says that it is meant.
 * @throws UdfLoadError for a syntax error
 */
export function packageImports({ file, code, headers }: Omit<TypeScriptSource, "name">): string[] {
  const files = [{ file, code }, ...headers].filter(
    (each) => !each.file.endsWith(".json") && MAY_IMPORT.test(each.code),
  );
  const all = files
    .flatMap(importsOf)
    .filter(
      (specifier) => specifier !== GUEST_MODULE && !isBuiltin(specifier) && !/^\.\.?(\/|$)/.test(specifier),
    );
  return [...new Set(all)].sort();
}
