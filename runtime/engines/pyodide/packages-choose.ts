/**
 * Chooses a UDF's Python packages: as its lock file has them, or else by its requirements and imports. A name comes from one place:
 * the folder of wheels, the distribution, or the index; what neither of the first two has is only fetched for whom `import` grants it.
 */
import type { Assets } from "../../assets.ts";
import { AssetError, PermissionDeniedError, UdfLoadError } from "../../errors.ts";
import { LOCK_FILE, type LockedPackage, lockOf, type PythonLock } from "../../lock-file.ts";
import { once } from "../../once.ts";
import type { IndexFile, PackageCaller, PythonIndex } from "../../packages.ts";
import { type Distribution, hasPackage, offerOfDistribution, openDistribution } from "./distribution.ts";
import { byPreference, type Candidate, misfitOfPython, type Offer, readRequirements } from "./packages.ts";
import { applies, parseRequirement, RequirementError } from "./packages-requirement.ts";
import { type Places, resolveRequirements, type Wanted } from "./packages-resolve.ts";
import { isPure, misfit, parseMetadata, parseWheelName, readWheel } from "./wheel.ts";
import { openWheelFolder, type WheelFolder } from "./wheel-folder.ts";

/** What a UDF wants. */
export interface PackageWish {
  /** The UDF's file, for messages and in its lock file. */
  file: string;
  /** Names as scanned from the source; those that no package provides are left to the interpreter. */
  imports: readonly string[];
  /** Texts of requirements (PEP 508). */
  requirements: readonly string[];
  /** Version specifiers of the Python that it needs. */
  requiresPython?: string;
  /** The text of its lock file. */
  lock?: string | undefined;
}

/** Packages, closed under dependencies, sorted by name. */
export interface PackageSet {
  packages: readonly LockedPackage[];
  /** Names that a snapshot holds imported. */
  imports: readonly string[];
}

/** A package's file is not on this machine. */
class Missing extends Error {}

/** What a package imports when it is first used, not when it is imported: a run would do it, and it would be lost with the run. */
const IMPORTED_LATE: Readonly<Record<string, readonly string[]>> = {
  fsspec: ["fsspec.implementations.http"],
  pyarrow: ["pandas"],
};

/** What is there in every isolate (sdk/python): nobody else's package takes its place. With the version that it stands for. */
const OURS: ReadonlyMap<string, string> = new Map([["micropip", "0.11.1"]]);

/** Resolutions that are remembered in memory; on disk all are. */
const KEPT_RESOLUTIONS = 200;

export class PythonPackages {
  readonly distribution: () => Promise<Distribution>;
  readonly #assets: Assets;
  readonly #index: PythonIndex | undefined;
  readonly #wheels: () => Promise<WheelFolder | null>;
  readonly #resolutions = new Map<string, readonly LockedPackage[]>();

  /** @param index what fetches; without it nothing is fetched */
  constructor(assets: Assets, index?: PythonIndex) {
    this.#assets = assets;
    this.#index = index;
    this.distribution = once(() => openDistribution(assets));
    this.#wheels = once(async () =>
      assets.wheels ? openWheelFolder(assets, (await this.distribution()).interpreter) : null,
    );
  }

  /**
   * What a UDF needs of what is here, without asking anybody.
   * @returns null where something of it has to be fetched, or has been
   * @throws UdfLoadError for a requirement that is none; AssetError for one that cannot be met, or a lock file that does not match
   */
  async chooseHere(wish: PackageWish): Promise<PackageSet | null> {
    const locked = await this.#locked(wish);
    if (locked) return (await this.#fetchedNames(locked)).length === 0 ? setOf(locked, wish.imports) : null;
    try {
      return setOf(await this.#resolve(await this.#roots(wish), { onlyHere: true }), wish.imports);
    } catch (error) {
      if (error instanceof Missing) return null;
      throw error;
    }
  }

  /**
   * What a UDF needs, fetched where that is granted.
   * @throws PermissionDeniedError with all names that were not; UdfLoadError, AssetError
   */
  async choose(wish: PackageWish, caller: PackageCaller | undefined): Promise<PackageSet> {
    const locked = await this.#locked(wish);
    if (locked && caller)
      for (const name of await this.#fetchedNames(locked)) this.#index?.refuse(name, caller);
    return setOf(locked ?? (await this.#chooseRemote(await this.#roots(wish), caller)), wish.imports);
  }

  /** What is to be locked for a UDF, whatever is locked now. @throws as `choose` */
  async lock(wish: PackageWish, caller: PackageCaller): Promise<PythonLock> {
    const { interpreter } = await this.distribution();
    const packages = await this.#resolve(await this.#roots(wish), { caller });
    const nameless = packages.find(({ sha256 }) => sha256 === "");
    if (nameless)
      throw new AssetError(
        `Cannot lock ${nameless.name}: ${interpreter.label} gives no SHA-256 for ${nameless.file}`,
      );
    // What a run will want is here then.
    await Promise.all(packages.map((entry) => this.read(entry, caller)));
    return {
      python: interpreter.python,
      abi: interpreter.abi,
      requires: [...wish.requirements].sort(),
      imports: await this.#wantedImports(wish),
      packages,
    };
  }

  /**
   * What a running Python lacks of these requirements, among wheels without code for a platform.
   * @param installed versions by name: they stay
   * @throws as `choose`
   */
  async chooseMore(
    wish: PackageWish,
    installed: ReadonlyMap<string, string>,
    caller: PackageCaller,
  ): Promise<readonly LockedPackage[]> {
    // Not kept: there are as many different ones as somebody wants.
    return this.#resolve(await this.#roots(wish), { caller, pureOnly: true, installed });
  }

  /** The name of the package that has a module, as the folder of wheels or the distribution says. */
  async provider(module: string): Promise<string | undefined> {
    if (OURS.has(module)) return undefined;
    return (await this.#wheels())?.providers.get(module) ?? (await this.distribution()).providers.get(module);
  }

  /** A message for a guest, which is not to know where on this machine files lie. */
  withoutPaths(message: string): string {
    const { pyodide, wheels } = this.#assets;
    const shown = wheels ? message.replaceAll(wheels.name, "the folder of wheels") : message;
    return shown.replaceAll(pyodide.name, "the Pyodide distribution");
  }

  /** The file of a package. @throws PermissionDeniedError where it would have to be fetched, AssetError */
  async read(
    { name, file, origin, sha256 }: LockedPackage,
    caller: PackageCaller | undefined,
  ): Promise<Uint8Array> {
    const { pyodide, wheels } = this.#assets;
    if (origin === "wheels") {
      if (!wheels)
        throw new AssetError(`The wheel ${file} is of a folder of wheels, and none is named: --wheels DIR`);
      return wheels.read(file);
    }
    const isOfDistribution = origin === "distribution";
    if (isOfDistribution && (await pyodide.has(file))) return pyodide.read(file);
    if (!this.#index || !caller) throw notHere([name]);
    if (isOfDistribution) {
      const { version } = await this.distribution();
      return this.#index.readOfDistribution(name, { file, sha256, version }, caller);
    }
    if (origin === this.#index.url) return this.#index.read(name, { file, sha256 }, caller);
    const kept = await this.#index.kept(origin, name, { file, sha256 });
    if (kept) return kept;
    throw new AssetError(
      `${LOCK_FILE} has ${name} from ${origin}, and the index here is ${this.#index.url}: a package comes from one index only. Name that one with --index, or lock again`,
    );
  }

  /** Requirements and imports as one list. */
  async #roots({ file, imports, requirements, requiresPython = "" }: PackageWish): Promise<Wanted[]> {
    const { interpreter } = await this.distribution();
    const why = misfitOfPython(requiresPython, interpreter);
    if (why !== null) throw new AssetError(`Cannot run ${file}: ${why}`);
    const roots = requirements.map((text): Wanted => {
      try {
        return { requirement: parseRequirement(text), by: file };
      } catch (cause) {
        if (!(cause instanceof RequirementError)) throw cause;
        throw new UdfLoadError(
          `${file} has the requirement ${JSON.stringify(text.slice(0, 200))}: ${cause.message}`,
          {
            location: { file },
            cause,
          },
        );
      }
    });
    const named = roots.filter(
      ({ requirement }) => applies(requirement, interpreter.environment) && !OURS.has(requirement.name),
    );
    const names = new Set(named.map(({ requirement }) => requirement.name));
    for (const module of imports) {
      const name = await this.provider(module);
      if (name === undefined || names.has(name)) continue;
      names.add(name);
      named.push({ requirement: parseRequirement(name), by: file });
    }
    return named;
  }

  /** Imports that a package provides, sorted. */
  async #wantedImports({ imports }: PackageWish): Promise<string[]> {
    const wanted: string[] = [];
    for (const module of new Set(imports))
      if ((await this.provider(module)) !== undefined) wanted.push(module);
    return wanted.sort();
  }

  /** What the lock file has for the UDF; null where it has nothing. @throws AssetError where it was made for something else */
  async #locked(wish: PackageWish): Promise<readonly LockedPackage[] | null> {
    const lock = lockOf(wish.lock, wish.file);
    if (lock === null) return null;
    const stale = (why: string) =>
      new AssetError(
        `${LOCK_FILE} no longer matches ${wish.file}: ${why}. Lock it again: fuselet lock ${wish.file}`,
      );
    if (!("python" in lock)) throw stale("it was made for a TypeScript UDF");
    const { interpreter, packages } = await this.distribution();
    if (lock.python !== interpreter.python || lock.abi !== interpreter.abi) {
      throw stale(
        `it was made for Python ${lock.python} (ABI ${lock.abi}), and ${interpreter.label} has ${interpreter.python} (ABI ${interpreter.abi})`,
      );
    }
    const differs = (ours: readonly string[], its: readonly string[]) =>
      JSON.stringify(ours) !== JSON.stringify(its);
    const requires = [...wish.requirements].sort();
    if (differs(requires, lock.requires))
      throw stale(`it was made for ${list(lock.requires)}, and the UDF requires ${list(requires)}`);
    const imports = await this.#wantedImports(wish);
    if (differs(imports, lock.imports))
      throw stale(`it was made for the imports ${list(lock.imports)}, and the UDF has ${list(imports)}`);
    for (const { name, file, origin, sha256 } of lock.packages) {
      const there = origin === "distribution" ? packages.get(name) : undefined;
      if (origin === "distribution" && (there?.file_name !== file || there.sha256 !== sha256))
        throw stale(`${interpreter.label} does not have the file ${file} that it names`);
      if (origin !== "distribution" && origin !== "wheels" && packages.has(name))
        throw stale(`it has ${name} from ${origin}, and ${interpreter.label} has its own`);
    }
    return lock.packages;
  }

  /** As resolved before, or now. Whoever has not been granted what comes from elsewhere hears so in both cases. */
  async #chooseRemote(
    roots: readonly Wanted[],
    caller: PackageCaller | undefined,
  ): Promise<readonly LockedPackage[]> {
    const index = this.#index;
    if (!index || !caller) return this.#resolve(roots, {});
    const { id } = await this.distribution();
    const wheels = (await this.#wheels())?.identity ?? "";
    const wanted = roots.map(({ requirement, by }) => [requirement.text, by]);
    const identity = JSON.stringify(["2", id, wheels, index.url, wanted]);
    const key = `resolution-${await this.#assets.sha256(new TextEncoder().encode(identity))}`;
    const kept = this.#resolutions.get(key) ?? (await this.#keptResolution(key));
    if (kept) {
      await this.#requireAll(await this.#fetchedNames(kept), index, caller);
      return kept;
    }
    const packages = await this.#resolve(roots, { caller });
    // What is all on this machine is looked up as fast.
    if ((await this.#fetchedNames(packages)).length === 0) return packages;
    if (this.#resolutions.size >= KEPT_RESOLUTIONS) this.#resolutions.clear();
    this.#resolutions.set(key, packages);
    // What cannot be kept is resolved again.
    await this.#assets.cache.put(key, new TextEncoder().encode(JSON.stringify(packages)));
    return packages;
  }

  async #keptResolution(key: string): Promise<readonly LockedPackage[] | undefined> {
    const bytes = await this.#assets.cache.get(key, () => {});
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as LockedPackage[]);
  }

  /** Names whose files are neither in the distribution nor in the folder of wheels. */
  async #fetchedNames(packages: readonly LockedPackage[]): Promise<string[]> {
    const names: string[] = [];
    for (const { name, origin, file } of packages) {
      if (origin === "wheels" || (origin === "distribution" && (await this.#assets.pyodide.has(file))))
        continue;
      names.push(name);
    }
    return names;
  }

  /** @throws PermissionDeniedError that names all that are not granted */
  async #requireAll(names: readonly string[], index: PythonIndex, caller: PackageCaller): Promise<void> {
    const denied: string[] = [];
    for (const name of names) {
      try {
        await index.require(name, caller);
      } catch (error) {
        // What a rule denies is not granted by a flag.
        if (!(error instanceof PermissionDeniedError) || error.grant === "") throw error;
        denied.push(error.value);
      }
    }
    if (denied.length > 0) throw notHere(denied);
  }

  async #resolve(roots: readonly Wanted[], options: ResolveOptions): Promise<LockedPackage[]> {
    const distribution = await this.distribution();
    const wheels = await this.#wheels();
    const { caller, pureOnly = false, installed = new Map<string, string>(), onlyHere = false } = options;
    const offers = new Map<string, Promise<Offer>>();

    const find = async (name: string): Promise<Offer> => {
      const there = installed.get(name) ?? OURS.get(name);
      if (there !== undefined) return installedOffer(name, there);
      const inFolder = wheels?.offer(name) ?? null;
      if (inFolder && inFolder.candidates.length > 0) return pureOnly ? onlyPure(inFolder) : inFolder;
      const inDistribution = offerOfDistribution(distribution, name, (entry) =>
        this.read({ ...entry, name, file: entry.file_name, origin: "distribution" }, caller),
      );
      if (inDistribution) {
        if (!(await hasPackage(distribution, this.#assets, name))) {
          if (onlyHere) throw new Missing();
          if (!this.#index || !caller) throw notHere([name]);
          await this.#index.require(name, caller);
        }
        // Its lock file says which file that is: no index puts another one in its place.
        return pureOnly ? onlyPure(inDistribution) : inDistribution;
      }
      // Somebody's own package, built for another Python, is not looked for where anybody may have taken its name.
      if (inFolder) return inFolder;
      if (onlyHere) throw new Missing();
      if (!this.#index || !caller) throw notHere([name]);
      const inIndex = await this.#offerOfIndex(name, distribution, caller, pureOnly);
      return inIndex ?? { place: this.#index.url, candidates: [], refused: [] };
    };

    const offer = (name: string) => {
      const known = offers.get(name) ?? find(name);
      offers.set(name, known);
      return known;
    };
    const places: Places = {
      offer,
      expect: async (names) => {
        const denied: string[] = [];
        // One after another: somebody may be asked.
        for (const name of names) {
          try {
            await offer(name);
          } catch (error) {
            if (!(error instanceof PermissionDeniedError) || error.grant === "") throw error;
            denied.push(error.value);
          }
        }
        if (denied.length > 0) throw notHere(denied);
      },
    };
    const chosen = await resolveRequirements(roots, places);
    return Promise.all(
      [...chosen]
        .filter(([name]) => !installed.has(name) && !OURS.has(name))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(async ([, { candidate, depends }]) => ({ ...(await candidate.lock()), depends })),
    );
  }

  /** What the index has for a name; null where it does not know it. */
  async #offerOfIndex(
    name: string,
    { interpreter }: Distribution,
    caller: PackageCaller,
    pureOnly: boolean,
  ): Promise<Offer | null> {
    const index = this.#index as PythonIndex;
    const files = await index.find(name, caller);
    if (files === null) return null;
    const refused: string[] = [];
    const candidates: Candidate[] = [];
    for (const file of files) {
      const wheel = parseWheelName(file.file);
      if (!wheel || wheel.name !== name) continue;
      const why =
        misfitOfFile(file) ??
        misfit(wheel, interpreter) ??
        (pureOnly && !isPure(wheel) ? NOT_PURE : null) ??
        misfitOfPython(file.requiresPython, interpreter);
      if (why !== null) {
        refused.push(`${file.file} cannot be used: ${why}`);
        continue;
      }
      const { version } = wheel;
      const read = once(async () =>
        readWheel(await index.read(name, file, caller), `${file.file} of ${index.url}`),
      );
      const requires = once(async () =>
        file.metadata ? parseMetadata(await index.metadata(name, file, caller)) : read(),
      );
      candidates.push({
        name,
        version,
        prereleases: false,
        isPure: isPure(wheel),
        requires: async (extras) =>
          readRequirements(
            (await requires()).requires,
            `${name} ${version} of ${index.url}`,
            interpreter,
            extras,
          ),
        lock: async () => {
          const { imports } = await read();
          return { name, version, file: file.file, origin: index.url, sha256: file.sha256, imports };
        },
      });
    }
    return { place: index.url, candidates: candidates.sort(byPreference), refused };
  }
}

interface ResolveOptions {
  caller?: PackageCaller | undefined;
  pureOnly?: boolean;
  installed?: ReadonlyMap<string, string>;
  /** True: nobody is asked, and `Missing` is thrown for what is not on this machine. */
  onlyHere?: boolean;
}

const NOT_PURE = "it has code for a platform, which is not loaded into a running Python";

function misfitOfFile({ yanked, sha256 }: IndexFile): string | null {
  if (yanked) return "it was withdrawn (yanked)";
  return sha256 === "" ? "the index gives no SHA-256 for it" : null;
}

/** A package that is there already, and stays. */
function installedOffer(name: string, version: string): Offer {
  const candidate: Candidate = {
    name,
    version,
    isPure: true,
    prereleases: true,
    requires: async () => [],
    lock: async () => {
      throw new Error("What is installed is not locked");
    },
  };
  return { place: "The interpreter", candidates: [candidate], refused: [] };
}

/** Of what a place on this machine has, what can be installed while Python runs. */
function onlyPure({ place, candidates, refused }: Offer): Offer {
  const [pure, others] = [
    candidates.filter((each) => each.isPure),
    candidates.filter((each) => !each.isPure),
  ];
  return {
    place,
    candidates: pure,
    refused: [...refused, ...others.map(({ version }) => `${version} cannot be used: ${NOT_PURE}`)],
  };
}

/** @param scanned names of modules that the source imports */
function setOf(packages: readonly LockedPackage[], scanned: readonly string[]): PackageSet {
  const provided = new Set(packages.flatMap(({ imports }) => imports));
  const imports = scanned.filter((module) => provided.has(module));
  for (const { name } of packages) imports.push(...(IMPORTED_LATE[name] ?? []));
  return { packages, imports: [...new Set(imports)].sort() };
}

const list = (texts: readonly string[]) => (texts.length === 0 ? "nothing" : texts.join(", "));

/** One error for all packages that are not here and may not be fetched. */
function notHere(names: readonly string[]): PermissionDeniedError {
  const sorted = [...names].sort();
  const grant = `--allow-import=${sorted.join(",")}`;
  const [what, them, has] =
    sorted.length === 1
      ? [`package ${sorted[0]} is`, "it", "it"]
      : [`packages ${sorted.join(", ")} are`, "them", "them"];
  const remedy = `. Fetching ${them} needs ${grant}; or name a distribution (--pyodide DIR) or a folder of wheels (--wheels DIR) that has ${has}`;
  return new PermissionDeniedError(`The ${what} not on this machine${remedy}`, {
    permission: "import",
    value: names[0] as string,
    grant,
    remedy,
  });
}
