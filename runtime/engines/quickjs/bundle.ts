/**
 * Bundles a UDF of several files, and its packages. All that the bundler sees is a virtual file system of the UDF's own files and those of
 * packages that were granted: no disk, no settings.
 */
import { FuseletError, UdfLoadError } from "../../errors.ts";
import { child, children, type Node, parseSource, type SourceText, text, visit } from "./ast.ts";
import type { Esbuild, EsbuildContent, EsbuildMessage, EsbuildPlugin } from "./esbuild.ts";
import type { NpmTree } from "./npm.ts";
import type { npmFiles } from "./npm-files.ts";
import { isBuiltin } from "./npm-specifier.ts";
import { GUEST_MODULE } from "./ops.ts";
import type { TypeScriptSource } from "./source.ts";

/** The namespace of the UDF's files; paths in the source map begin with it. */
export const NAMESPACE = "udf";
/** The namespace of packages' files; paths in the source map begin with it. */
export const NPM_NAMESPACE = "npm";

const EXTENSIONS = ["", ".ts", ".mts", ".js", ".mjs", ".json", "/index.ts", "/index.js"];
const OUT = "bundle.js";

/** A specifier relative to its importer, as a path from the UDF's folder; null where it leaves the folder. */
export function joinPath(importer: string, specifier: string): string | null {
  const parts = importer.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return null;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** The files that an import may mean, in the order in which TypeScript looks for them. */
export function candidates(importer: string, specifier: string): string[] {
  if (!/^\.\.?(\/|$)/.test(specifier)) return [];
  const path = joinPath(importer, specifier);
  if (path === null) return [];
  // `./x.js` is how TypeScript writes an import of `./x.ts`.
  const written = /\.(m?)js$/.test(path) ? [path.replace(/\.(m?)js$/, ".$1ts")] : [];
  return [...EXTENSIONS.map((extension) => path + extension), ...written];
}

/** The file that an import means; null where there is none. */
export function findFile(
  importer: string,
  specifier: string,
  files: ReadonlyMap<string, string>,
): string | null {
  return candidates(importer, specifier).find((file) => files.has(file)) ?? null;
}

/** Why an import cannot be followed. */
export function refusal(specifier: string): string {
  if (/^\.\.?(\/|$)/.test(specifier))
    return `Cannot import ${JSON.stringify(specifier)}: the UDF has no such file`;
  if (isBuiltin(specifier))
    return `Cannot import ${JSON.stringify(specifier)}: it is a module of Node, and a UDF runs in none; "${GUEST_MODULE}" has what it may use`;
  return `Cannot import ${JSON.stringify(specifier)}: a UDF imports its own files (./…), packages ("npm:NAME@VERSION") and "${GUEST_MODULE}"`;
}

const loaderOf = (path: string) => (path.endsWith(".json") ? "json" : /\.m?js$/.test(path) ? "js" : "ts");

/**
 * The code with what an import names at run time hidden from esbuild: it takes a pattern (`import("./" + name)`) for all files of the disk
 * that fit, past every plugin. Where the code runs, such an import fails as in a UDF of one file.
 * @throws UdfLoadError for a syntax error: what cannot be read cannot be hidden
 */
export function hidePatterns(source: SourceText): string {
  const cuts: { at: number; text: string }[] = [];
  const hide = (named: Node | null | undefined) => {
    if (!named || named.type === "StringLiteral" || named.type === "SpreadElement") return;
    if (named.type === "TemplateLiteral" && children(named, "expressions").length === 0) return;
    cuts.push({ at: named.start, text: "(x=>x)((" }, { at: named.end, text: "))" });
  };
  const isLoader = (callee: Node): boolean => {
    let found = false;
    visit(callee, (node) => {
      found ||= node.type === "Import" || (node.type === "Identifier" && text(node, "name") === "require");
    });
    return found;
  };
  for (const statement of parseSource(source)) {
    visit(statement, (node) => {
      if (node.type === "ImportExpression") hide(child(node, "source"));
      const callee = /^(Optional)?CallExpression$/.test(node.type) ? child(node, "callee") : null;
      if (callee && isLoader(callee)) hide(children(node, "arguments")[0]);
    });
  }
  // From behind, so that the places before stay right.
  let { code } = source;
  for (const { at, text } of cuts.sort((a, b) => b.at - a.at))
    code = code.slice(0, at) + text + code.slice(at);
  return code;
}

function virtualFiles(
  entry: string,
  files: ReadonlyMap<string, string>,
  packages: ReturnType<typeof npmFiles> | undefined,
): EsbuildPlugin {
  return {
    name: "udf-files",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path, importer, namespace, kind }) => {
        if (kind === "entry-point") return { path: entry, namespace: NAMESPACE };
        if (packages && namespace === NPM_NAMESPACE) return packages.resolve(importer, path, kind);
        if (path === GUEST_MODULE) return { path, external: true };
        const found = findFile(importer, path, files);
        if (found !== null) return { path: found, namespace: NAMESPACE };
        return (await packages?.resolveRoot(path, kind)) ?? { errors: [{ text: refusal(path) }] };
      });
      if (packages)
        build.onLoad({ filter: /.*/, namespace: NPM_NAMESPACE }, ({ path }) => packages.load(path));
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }): EsbuildContent => {
        const loader = loaderOf(path);
        const code = files.get(path) as string;
        if (loader === "json") return { contents: code, loader };
        try {
          return { contents: hidePatterns({ file: path, code }), loader };
        } catch (error) {
          if (!(error instanceof UdfLoadError)) throw error;
          return { errors: [{ text: error.message, detail: error }] };
        }
      });
      // Whatever way esbuild finds to a file of the disk: it is not read.
      build.onLoad({ filter: /.*/, namespace: "file" }, () => ({
        errors: [{ text: "a UDF imports its own files" }],
      }));
    },
  };
}

function toLoadError(
  messages: readonly EsbuildMessage[],
  source: TypeScriptSource,
  cause: unknown,
): FuseletError {
  const [first] = messages;
  if (first?.detail instanceof FuseletError) return first.detail;
  if (!first)
    return new UdfLoadError(`Cannot compile ${source.file}`, { location: { file: source.file }, cause });
  if (!first.location)
    return new UdfLoadError(`Cannot compile ${source.file}: ${first.text}`, {
      location: { file: source.file },
      cause,
    });
  const file = first.location.file.replace(`${NAMESPACE}:`, "");
  const location = { file, line: first.location.line, column: first.location.column + 1 };
  return new UdfLoadError(`${file}:${location.line}:${location.column}: ${first.text}`, { location, cause });
}

/**
 * One ES module of all the files that the entry reaches, and its source map (JSON text, sources `udf:PATH`).
 * @param tree its packages, if it has any
 * @throws UdfLoadError with file and line: a syntax error, an import of anything else
 */
export async function bundle(
  source: TypeScriptSource,
  esbuild: Esbuild,
  tree?: NpmTree,
): Promise<{ code: string; map: string }> {
  const files = new Map([
    [source.file, source.code],
    ...source.headers.map(({ file, code }): [string, string] => [file, code]),
  ]);
  const packages = tree && (await import("./npm-files.ts")).npmFiles(tree, hidePatterns);
  try {
    const { outputFiles = [] } = await esbuild.build({
      entryPoints: [source.file],
      outfile: OUT,
      bundle: true,
      format: "esm",
      // QuickJS 2025-09-13; decorators and `using` are newer than this and are rewritten.
      target: "es2023",
      platform: "neutral",
      charset: "utf8",
      sourcemap: "external",
      sourcesContent: false,
      legalComments: "none",
      write: false,
      logLevel: "silent",
      absWorkingDir: "/",
      tsconfigRaw: { compilerOptions: { target: "ES2022", verbatimModuleSyntax: false } },
      // What libraries ask to leave out what is only for their own tests.
      ...(tree ? { define: { "process.env.NODE_ENV": '"production"' } } : {}),
      plugins: [virtualFiles(source.file, files, packages)],
    });
    const text = (name: string) => outputFiles.find(({ path }) => path.endsWith(name))?.text ?? "";
    return { code: text(OUT), map: text(`${OUT}.map`) };
  } catch (error) {
    throw toLoadError((error as { errors?: EsbuildMessage[] }).errors ?? [], source, error);
  }
}
