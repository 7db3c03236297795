/** The Python engine as the runtime sees it. */
import { UdfLoadError } from "../../errors.ts";
import { memoBySource } from "../../memo.ts";
import { once } from "../../once.ts";
import type { Parameter, Udf, UdfSource } from "../../udf.ts";
import type { Engine } from "../engine.ts";
import { scanImports } from "./imports.ts";
import type { PackageWish, PythonPackages } from "./packages-choose.ts";
import type { PythonRecipeOptions } from "./recipe.ts";

/**
 * The block of inline script metadata; null where there is none. Read line by line, each once.
 * Source: packaging.python.org/en/latest/specifications/inline-script-metadata/
 */
function findBlock(code: string): { line: number; toml: string } | null {
  const lines = code.split("\n").map((text) => (text.endsWith("\r") ? text.slice(0, -1) : text));
  const [opening, closing, inside] = [/^# \/\/\/ script[ \t]*$/, /^# \/\/\/[ \t]*$/, /^#(?: |$)/];
  for (let first = 0; first < lines.length; first++) {
    if (!opening.test(lines[first] as string)) continue;
    let end = first + 1;
    let last = 0;
    for (; end < lines.length && inside.test(lines[end] as string); end++)
      if (closing.test(lines[end] as string)) last = end;
    // The last end of the comment counts, and one in which there is nothing is none.
    if (last > first + 1)
      return {
        line: first + 1,
        toml: lines
          .slice(first + 1, last)
          .map((text) => `${text.replace(/^# ?/, "")}\n`)
          .join(""),
      };
    // What has no end has none from any of its lines.
    first = end - 1;
  }
  return null;
}

/** What the PEP 723 block requires, if there is one. @throws UdfLoadError for a block that is no TOML, or fields of the wrong type. */
export async function scanRequirements(
  source: Pick<UdfSource, "code" | "file">,
): Promise<Pick<PackageWish, "requirements" | "requiresPython">> {
  const block = source.code.includes("# /// script") ? findBlock(source.code) : null;
  if (!block) return { requirements: [] };
  const { line, toml } = block;
  const { parse } = await import("smol-toml");
  let fields: Record<string, unknown>;
  try {
    fields = parse(toml);
  } catch (cause) {
    throw new UdfLoadError(
      `${source.file}, line ${line}: the script block is no TOML: ${(cause as Error).message.split("\n")[0]}`,
      {
        location: { file: source.file, line },
        cause,
      },
    );
  }
  const { dependencies = [], "requires-python": requiresPython } = fields;
  if (!Array.isArray(dependencies) || dependencies.some((entry) => typeof entry !== "string")) {
    throw new UdfLoadError(`${source.file}, line ${line}: dependencies must be a list of texts`, {
      location: { file: source.file, line },
    });
  }
  if (requiresPython !== undefined && typeof requiresPython !== "string") {
    throw new UdfLoadError(`${source.file}, line ${line}: requires-python must be a text`, {
      location: { file: source.file, line },
    });
  }
  return {
    requirements: dependencies as string[],
    ...(requiresPython === undefined ? {} : { requiresPython }),
  };
}

const RUNS_OTHERS =
  /\bfused\s*\.\s*(?:submit|run|load)(?:_async)?\b|\bfrom\s+fused\s+import\b.*\b(?:submit|run|load)(?:_async)?\b/;
/** `udf.map(…)`, and what makes a table of its pool or gives the tables in it. */
const MAPS = /\.\s*map(?:_async)?\s*\(/;
const POOLED = /\.\s*(?:df|collect|results|results_now|success|arg_df|logs_df|status)\s*\(/;

/** Whether a source, or one function of it, may get tables that other runs gave: that needs what the source itself may not import. */
export function mayGetTables(code: string, entrypoint: string | undefined): boolean {
  const start = entrypoint === undefined ? 0 : code.search(new RegExp(`^(async )?def ${entrypoint}\\b`, "m"));
  // The function ends where something stands at the beginning of a line again.
  const text = entrypoint === undefined ? code : code.slice(start).replace(/\n(?=[^\s#)\]])[\s\S]*$/, "");
  return start >= 0 && (RUNS_OTHERS.test(text) || (MAPS.test(text) && POOLED.test(text)));
}

/** Annotations that stand for frames and shapes, and the names that a tile's frame goes into where they have none. */
const FRAME_TYPE =
  /\btypes\s*\.\s*(?:Tile|TileGDF|ViewportGDF|Bbox)\b|\bfrom\s+fused\.types\s+import\b.*\b(?:Tile|TileGDF|ViewportGDF|Bbox)\b/;
const FRAME_PARAMETER = /\bdef\s+\w+\s*\([^)]*\b(?:bounds|bbox)\s*[,=)]/;

/** Whether a source may have a parameter that is made a GeoDataFrame: that needs what the source itself may not import. */
export function takesFrames(code: string): boolean {
  return FRAME_TYPE.test(code) || FRAME_PARAMETER.test(code);
}

/** What pandas and geopandas import only when such a file is read or written: for Parquet, and for places as `fd://a.csv`. */
const ARROW_FILE = /\b(?:read|to)_(?:parquet|feather|orc)\s*\(/;
const FILE = /\b(?:read|to)_(?:parquet|feather|orc|csv|table|fwf|json|excel|xml|pickle|file)\s*\(/;
/** A table that is uploaded becomes Parquet. */
const UPLOAD = /\bupload\s*\(/;

/** The packages by which a source may read and write tables as files, and which it need not import itself. */
export function packagesForFiles(code: string): string[] {
  const isArrow = ARROW_FILE.test(code) || (UPLOAD.test(code) && /\bpandas\b|\bgeopandas\b/.test(code));
  return [...(isArrow ? ["pyarrow"] : []), ...(FILE.test(code) ? ["fsspec"] : [])];
}

/** What `fused._guest.inspect` answers. */
interface PythonReading {
  entrypoint: string;
  parameters: Parameter[];
  permissions: Record<string, unknown>;
  packages: string[];
  headers: string[];
  metadata: Record<string, unknown>;
}

export interface PythonEngineOptions extends Omit<PythonRecipeOptions, "packages"> {
  packages(): Promise<PythonPackages>;
}

export function pythonEngine(options: PythonEngineOptions): Engine {
  const { packages } = options;
  // Who runs other UDFs does not wait for them.
  const recipes = once(async () => {
    const [{ pythonRecipes }, chooser] = await Promise.all([import("./recipe.ts"), packages()]);
    return pythonRecipes({ ...options, packages: chooser });
  });
  const scan = memoBySource(async (source) => {
    const modules = new Set(source.headers.map((header) => header.moduleName.split(".")[0]));
    const imports = [source.code, ...source.headers.map((header) => header.code)].flatMap(scanImports);
    return {
      imports: imports.filter((name) => !modules.has(name)),
      ...(await scanRequirements(source)),
    };
  });
  /** A part of a UDF has the packages of the whole, and what it imports besides, where no lock file says what there is. */
  const wishOf = async (source: UdfSource): Promise<PackageWish> => {
    const { whole } = source.part ?? { whole: source };
    const wanted = await scan(whole);
    const wish = {
      file: whole.file,
      ...wanted,
      ...(whole.lock === undefined ? {} : { lock: whole.lock }),
    };
    if (whole === source || whole.lock !== undefined) return wish;
    const own = await scan(source);
    return {
      ...wish,
      imports: [...new Set([...wanted.imports, ...own.imports])],
      requirements: [...new Set([...wanted.requirements, ...own.requirements])],
    };
  };
  const helpfulFor = memoBySource(({ code, headers, part }) => [
    ...new Set([
      ...(mayGetTables(code, part?.entrypoint) ? ["pyarrow", "pandas", "geopandas"] : []),
      ...(takesFrames(code) ? ["geopandas"] : []),
      ...[code, ...headers.map((header) => header.code)].flatMap(packagesForFiles),
    ]),
  ]);
  const prepared = ({ name, code, file, headers, part, saved }: UdfSource) => ({
    name,
    code,
    file,
    headers,
    entrypoint: part?.entrypoint ?? saved?.entrypoint ?? null,
  });
  return {
    languages: ["python"],
    async recipe(source, options) {
      const helpful = [...helpfulFor(source)];
      // Python reads Arrow streams with pyarrow. It is large, so what only writes tables goes without: see runtime/columns.ts.
      if (options?.readsTables && !helpful.includes("pyarrow")) helpful.unshift("pyarrow");
      return (await recipes()).recipe(await wishOf(source), { helpful, caller: options?.caller });
    },
    lock: async (source, caller) => (await packages()).lock(await wishOf(source), caller),
    prepare: async (source) => prepared(source),
    async read(source, ask): Promise<Udf> {
      const reading = (await ask(JSON.stringify({ udf: prepared(source) }))) as PythonReading;
      return {
        ...source,
        name: typeof reading.metadata.name === "string" ? reading.metadata.name : source.name,
        entrypoint: reading.entrypoint,
        parameters: reading.parameters,
        permissions: reading.permissions,
        packages: reading.packages,
        metadata: { ...source.metadata, ...reading.metadata, headers: reading.headers },
      };
    },
    locate: async (failure) => failure,
  };
}
