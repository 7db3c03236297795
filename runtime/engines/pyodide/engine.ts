/** The Python engine as the runtime sees it. */
import { parse } from "smol-toml";
import { UdfLoadError } from "../../errors.ts";
import { memoBySource } from "../../memo.ts";
import type { Parameter, Udf, UdfSource } from "../../udf.ts";
import type { Engine } from "../engine.ts";
import { scanImports } from "./imports.ts";
import type { PackageWish } from "./packages-choose.ts";
import { type PythonRecipeOptions, pythonRecipes } from "./recipe.ts";

/** The block of inline script metadata. Source: packaging.python.org/en/latest/specifications/inline-script-metadata/ */
const BLOCK = /^# \/\/\/ script[ \t]*\r?\n((?:#(?:| .*)\r?\n)+)# \/\/\/[ \t]*$/m;

/** What the PEP 723 block requires, if there is one. @throws UdfLoadError for a block that is no TOML, or fields of the wrong type. */
export function scanRequirements(
  source: Pick<UdfSource, "code" | "file">,
): Pick<PackageWish, "requirements" | "requiresPython"> {
  const block = BLOCK.exec(source.code);
  if (!block) return { requirements: [] };
  const toml = (block[1] as string).replaceAll(/^# ?/gm, "");
  const line = source.code.slice(0, block.index).split("\n").length;
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

/** What `fused._guest.inspect` answers. */
interface PythonReading {
  entrypoint: string;
  parameters: Parameter[];
  permissions: Record<string, unknown>;
  packages: string[];
  headers: string[];
  metadata: Record<string, unknown>;
}

export function pythonEngine(options: PythonRecipeOptions): Engine {
  const recipes = pythonRecipes(options);
  const { packages } = options;
  const scan = memoBySource((source) => {
    const modules = new Set(source.headers.map((header) => header.moduleName.split(".")[0]));
    const imports = [source.code, ...source.headers.map((header) => header.code)].flatMap(scanImports);
    return {
      imports: imports.filter((name) => !modules.has(name)),
      ...scanRequirements(source),
    };
  });
  const wishOf = (source: UdfSource): PackageWish => ({
    file: source.file,
    ...scan(source),
    ...(source.lock === undefined ? {} : { lock: source.lock }),
  });
  const prepared = ({ name, code, file, headers }: UdfSource) => ({
    name,
    code,
    file,
    headers,
    entrypoint: null,
  });
  return {
    languages: ["python"],
    async recipe(source, options) {
      return recipes.recipe(wishOf(source), options);
    },
    lock: async (source, caller) => packages.lock(wishOf(source), caller),
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
