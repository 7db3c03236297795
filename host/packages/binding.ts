/** The binding `packages`: a running Python UDF installs more packages, without code for a platform, as `micropip` does. */
import type { PythonPackages } from "../../runtime/engines/pyodide/packages-choose.ts";
import { AssetError, UsageError } from "../../runtime/errors.ts";
import type { LockedPackage } from "../../runtime/lock-file.ts";
import type { PackageCaller } from "../../runtime/packages.ts";
import type { Binding, Call } from "../host.ts";

const MOST_CHOICES = 1000;
const MOST_REQUIREMENTS = 200;
const MOST_INSTALLED = 5000;
const MOST_CHARACTERS = 1024;
const MOST_VERSION_CHARACTERS = 256;

/**
 * Makes the binding.
 *
 *     choose(requirements, installed)   which files are to be installed: { choice, files: [{ name, version, file }] }; asks for `import` of each
 *                                       that is not on this machine. `installed` is versions by name, which stay
 *     provider(module)                  the name of the package that has a module, in the folder of wheels or the distribution; else null
 *     read(choice, n)                   the bytes of its nth file
 *
 * @param sha256 hexadecimal
 * @throws UsageError for arguments that are wrong; PermissionDeniedError, UdfLoadError, AssetError
 */
export function packagesBinding(
  openPackages: () => Promise<PythonPackages>,
  sha256: (bytes: Uint8Array) => Promise<string>,
): Binding {
  /** Of each run. */
  const choices = new WeakMap<AbortSignal, (readonly LockedPackage[])[]>();
  return {
    async choose([requirements, installed], call) {
      const own = choices.get(call.signal) ?? [];
      choices.set(call.signal, own);
      if (own.length >= MOST_CHOICES)
        throw new UsageError(`Cannot install more than ${MOST_CHOICES} times in a run`);
      const packages = await openPackages();
      const wish = { file: "micropip", imports: [], requirements: readTexts(requirements) };
      const chosen = await withoutPaths(
        packages,
        packages.chooseMore(wish, readInstalled(installed), callerOf(call)),
      );
      const choice = own.push(chosen) - 1;
      return { choice, files: chosen.map(({ name, version, file }) => ({ name, version, file })) };
    },
    async provider([module]) {
      if (typeof module !== "string")
        throw new UsageError(`Cannot find a module: its name must be a text: received ${typeof module}`);
      return (await (await openPackages()).provider(module)) ?? null;
    },
    async read([choice, n], call) {
      const entry = choices.get(call.signal)?.[choice as number]?.[n as number];
      if (typeof choice !== "number" || typeof n !== "number" || !entry)
        throw new UsageError("Cannot read a package's file: it was not chosen");
      const packages = await openPackages();
      const bytes = await withoutPaths(packages, packages.read(entry, callerOf(call)));
      if (entry.sha256 !== "" && (await sha256(bytes)) !== entry.sha256) {
        throw new AssetError(
          `The wheel ${entry.file} is damaged: its SHA-256 is not ${entry.sha256}. It was not installed`,
        );
      }
      return bytes;
    },
  };
}

/** The same, with errors that name no place of this machine. */
async function withoutPaths<T>(packages: PythonPackages, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof AssetError)
      throw new AssetError(packages.withoutPaths(error.message), { cause: error });
    throw error;
  }
}

/** In a run, its own broker call asks: the clock stands still meanwhile. */
function callerOf(call: Call): PackageCaller {
  const { principal, udf, permissions, signal } = call;
  return {
    principal,
    udf,
    permissions,
    isNested: false,
    signal,
    ask: (value) => call.require("import", value),
  };
}

function readTexts(value: unknown): string[] {
  const isFine = (item: unknown) => typeof item === "string" && item.length <= MOST_CHARACTERS;
  if (!Array.isArray(value) || value.length > MOST_REQUIREMENTS || !value.every(isFine)) {
    throw new UsageError(`Cannot install: requirements must be a list of at most ${MOST_REQUIREMENTS} texts`);
  }
  return value as string[];
}

function readInstalled(value: unknown): Map<string, string> {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : null;
  if (
    !entries ||
    entries.length > MOST_INSTALLED ||
    entries.some(
      ([name, version]) =>
        name.length > MOST_VERSION_CHARACTERS ||
        typeof version !== "string" ||
        version.length > MOST_VERSION_CHARACTERS,
    )
  )
    throw new UsageError("Cannot install: what is installed must be an object of names and versions");
  return new Map(entries as [string, string][]);
}
