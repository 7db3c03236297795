/** Makes JavaScript that QuickJS runs of a TypeScript UDF. */
import { loadError, parseSource } from "./ast.ts";
import { bundle, findFile, refusal } from "./bundle.ts";
import type { LoadEsbuild } from "./esbuild.ts";
import type { NpmTree } from "./npm.ts";
import { GUEST_MODULE } from "./ops.ts";
import type { CallPlan } from "./plan.ts";
import { type ImportUse, readImports, type TypeScriptSource, type UdfReading } from "./source.ts";
import { stripTypes } from "./strip.ts";

/** A UDF as it is sent to the isolate, and the way back to its source. */
export interface CompiledUdf {
  /** An ES module; its imports are `fuselet/udf` or nothing. */
  code: string;
  /** A source map (JSON text) for `mapFailure`, or null where code and source have the same lines and columns. */
  map: string | null;
  plan: CallPlan;
}

const isJavaScript = (file: string) => /\.m?js$/.test(file);

/**
 * Compiles a UDF that has been read. A file on its own has its types taken away; one that imports others, or has syntax that must
 * be rewritten, needs esbuild.
 * @param tree its packages, if it has any
 * @throws UdfLoadError with file and line, for an import that is no file of the UDF
 * @throws AssetError where esbuild is needed and cannot be had
 */
export async function compileTypeScript(
  source: TypeScriptSource,
  reading: UdfReading,
  loadEsbuild: LoadEsbuild,
  tree?: NpmTree,
): Promise<CompiledUdf> {
  const { plan } = reading;
  const files = new Map(source.headers.map(({ file, code }) => [file, code]));
  const follows = reading.imports.some(
    ({ specifier, typeOnly }) => !typeOnly && findFile(source.file, specifier, files) !== null,
  );
  if (!tree && !follows && !reading.needsTransform) {
    const code = isJavaScript(source.file) ? source.code : stripTypes(source.code, parseSource(source));
    if (code !== null) {
      checkImports(source, code, reading.imports);
      return { code, map: null, plan };
    }
  }
  return { ...(await bundle(source, await loadEsbuild(), tree)), plan };
}

/** What is still imported once the types are gone must be ours. */
function checkImports(source: TypeScriptSource, code: string, imports: readonly ImportUse[]): void {
  const foreign = imports.filter(({ specifier }) => specifier !== GUEST_MODULE);
  if (foreign.length === 0) return;
  const left = new Set(
    readImports(parseSource({ file: "stripped.js", code })).map(({ specifier }) => specifier),
  );
  const refused = foreign.find(({ specifier }) => left.has(specifier));
  if (refused)
    throw loadError(refusal(refused.specifier), { line: refused.line, column: refused.column - 1 }, source);
}
