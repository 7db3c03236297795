/**
 * The layer and portability check, a part of `npm run lint`.
 *
 *     sdk -> host -> runtime        dependencies point one way
 *     x.ts                          portable: no node:*, no *.node.ts, no *.browser.ts (test/types.mjs proves that it needs no DOM)
 *     x.node.ts, sdk/cli            may import node:*, never *.browser.ts
 *     x.browser.ts, sdk/web         never node:*, never *.node.ts
 *     guest code                    runs inside the isolate: only the files and packages listed in GUEST_IMPORTS
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "@babel/parser";

export interface SourceFile {
  /** Path relative to the repository, with slashes. */
  path: string;
  text: string;
}

export type Platform = "portable" | "node" | "browser" | "test";

const LAYERS = ["runtime", "host", "sdk"];

/** What code inside an isolate may import at run time: each package is one more thing that an attacker can reach. */
const GUEST_IMPORTS: { files: RegExp; local: RegExp; packages: readonly string[] }[] = [
  {
    files: /^runtime\/engines\/quickjs\/guest(\/|[.-])/,
    local:
      /^runtime\/(engines\/(guest\.ts|quickjs\/)|(isolate\/snapshot|errors|limits|udf|value|parameters)\.ts)/,
    packages: ["quickjs-emscripten-core", "@jitl/quickjs-wasmfile-release-sync", "sucrase", "@babel/parser"],
  },
  {
    files: /^runtime\/engines\/pyodide\/guest(\/|[.-])/,
    local:
      /^runtime\/(engines\/(guest\.ts|pyodide\/)|(isolate\/snapshot|errors|limits|udf|value|parameters)\.ts)/,
    packages: [],
  },
  {
    files:
      /^sdk\/typescript\/(api|udf|prelude|cache|coerce|datasets|door|files|context|h3|ingest|options|run|secrets|server-api|tables|server\/(account|answers|connection|decode|files-resolve|jobs|outcome|saved-udfs|schedules|server-error|sessions|settings))\.ts$/,
    local:
      /^(host\/cache\/age|sdk\/typescript\/(api|udf|prelude|cache|coerce|datasets|door|files|context|h3|ingest|options|run|secrets|server-api|tables|server\/(account|answers|connection|decode|files-resolve|jobs|outcome|saved-udfs|schedules|server-error|sessions|settings))|runtime\/(engines\/quickjs\/prelude\/[a-z-]+|bytes|record|errors|limits|udf|value|parameters))\.ts/,
    packages: [],
  },
];

/** Which platform a file is for, from its path alone. */
export function platformOf(path: string): Platform {
  if (/\.test\.ts$/.test(path) || path.startsWith("test/")) return "test";
  if (/\.node\.ts$/.test(path) || path.startsWith("sdk/cli/")) return "node";
  if (/\.browser\.ts$/.test(path) || path.startsWith("sdk/web/")) return "browser";
  return "portable";
}

interface Import {
  specifier: string;
  typeOnly: boolean;
  line: number;
}

/** All imports of a file: static, re-exports, `import()` and type imports. */
function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const walk = (node: unknown): void => {
    if (node === null || typeof node !== "object") return;
    if (Array.isArray(node)) {
      for (const item of node) walk(item);
      return;
    }
    const { type, source, importKind, exportKind, loc } = node as Record<string, unknown>;
    const literal = source as { type?: string; value?: unknown } | null | undefined;
    if (
      typeof type === "string" &&
      /^(Import|Export|TSImport)/.test(type) &&
      typeof literal?.value === "string"
    ) {
      const line = (loc as { start: { line: number } }).start.line;
      const typeOnly = importKind === "type" || exportKind === "type" || type === "TSImportType";
      found.push({ specifier: literal.value, typeOnly, line });
    }
    for (const [key, child] of Object.entries(node)) if (key !== "loc") walk(child);
  };
  walk(
    parse(file.text, {
      sourceType: "module",
      sourceFilename: file.path,
      plugins: ["typescript"],
    }).program,
  );
  return found;
}

const packageOf = (specifier: string) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** Why a relative import breaks a rule, or undefined. */
function checkLocal(file: SourceFile, target: string): string | undefined {
  const from = LAYERS.indexOf(file.path.split("/")[0] as string);
  const to = LAYERS.indexOf(target.split("/")[0] as string);
  if (from >= 0 && to > from) {
    return `${LAYERS[from]} may not import ${LAYERS[to]}: dependencies point from sdk to host to runtime`;
  }
  const platform = platformOf(file.path);
  const other = platformOf(target);
  if (platform === "test") return undefined;
  if (from >= 0 && to < 0) return "sources may not import from outside runtime, host and sdk";
  if (other === "test") return "a source may not import a test";
  if (other !== "portable" && other !== platform) return `a ${platform} file may not import a ${other} file`;
  return undefined;
}

/** Why a package import breaks a rule, or undefined. */
function checkPackage(
  file: SourceFile,
  specifier: string,
  dependencies: ReadonlySet<string>,
): string | undefined {
  const platform = platformOf(file.path);
  if (specifier.startsWith("node:")) {
    return platform === "node" || platform === "test"
      ? undefined
      : `a ${platform} file may not import ${specifier}`;
  }
  const name = packageOf(specifier);
  if (platform !== "test" && !dependencies.has(name)) return `the package ${name} is not in dependencies`;
  return undefined;
}

function checkGuest(file: SourceFile, specifier: string, target: string | undefined): string | undefined {
  if (platformOf(file.path) === "test") return undefined;
  const rule = GUEST_IMPORTS.find((candidate) => candidate.files.test(file.path));
  if (!rule) return undefined;
  const allowed =
    target === undefined ? rule.packages.includes(packageOf(specifier)) : rule.local.test(target);
  return allowed
    ? undefined
    : "guest code runs inside the isolate and may import only what GUEST_IMPORTS lists";
}

/**
 * Checks files against the rules.
 * @returns one line a violation: `path:line imports "specifier": why`.
 */
export function checkLayers(files: readonly SourceFile[], dependencies: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  for (const file of files) {
    for (const { specifier, typeOnly, line } of importsOf(file)) {
      const target = /^\.{1,2}\//.test(specifier)
        ? posix.normalize(posix.join(posix.dirname(file.path), specifier))
        : undefined;
      const why =
        (target === undefined ? checkPackage(file, specifier, dependencies) : checkLocal(file, target)) ??
        (typeOnly ? undefined : checkGuest(file, specifier, target));
      if (why) problems.push(`${file.path}:${line} imports ${JSON.stringify(specifier)}: ${why}`);
    }
  }
  return problems;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** All TypeScript sources of the three layers, sorted by path. */
export function sourceFiles(): SourceFile[] {
  return LAYERS.flatMap((layer) =>
    readdirSync(join(root, layer), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/")),
  )
    .filter((path) => !path.includes("/node_modules/") && !path.includes("/fixtures/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

if (import.meta.main) {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const files = sourceFiles();
  const problems = checkLayers(files, new Set(Object.keys(manifest.dependencies)));
  for (const problem of problems) console.error(problem);
  console.log(`layers: ${files.length} files, ${problems.length} problems`);
  process.exitCode = problems.length ? 1 : 0;
}
