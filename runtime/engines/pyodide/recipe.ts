/** How Python isolates are made: the distribution, the packages, and the snapshot that is built on first use. */
import type { Assets } from "../../assets.ts";
import { IsolateError } from "../../errors.ts";
import { Isolate, type IsolateOptions, type IsolateRecipe } from "../../isolate/isolate.ts";
import type { IsolateAsset, IsolatePlatform } from "../../isolate/platform.ts";
import { decodeSnapshot } from "../../isolate/snapshot.ts";
import { once } from "../../once.ts";
import type { PackageCaller } from "../../packages.ts";
import { capMemory } from "../wasm-memory.ts";
import { type Distribution, hasPackage } from "./distribution.ts";
import { decodePack } from "./pack.ts";
import type { PackageSet, PackageWish, PythonPackages } from "./packages-choose.ts";
import { packPackages } from "./packages-install.ts";

/** What is going on while a first use takes long. */
export interface ProgressEvent {
  /** `cache`: something kept is damaged, or cannot be kept, and time is lost by it; worth a line also where no progress is shown. */
  phase: "packages" | "snapshot" | "cache";
  message: string;
}

/** Modules that every snapshot holds: what small UDFs import. */
const BASE_IMPORTS = [
  "fused",
  "fused._guest",
  "fused.types",
  "asyncio",
  "base64",
  "collections.abc",
  "copy",
  "csv",
  "dataclasses",
  "datetime",
  "enum",
  "functools",
  "hashlib",
  "io",
  "itertools",
  "json",
  "math",
  "operator",
  "os.path",
  "pathlib",
  "random",
  "re",
  "statistics",
  "string",
  "textwrap",
  "time",
  "typing",
  "urllib.request",
  "uuid",
];

/** So many different wishes are remembered. */
const MAX_WISHES = 1000;

export interface PythonRecipes {
  /** The recipe for a UDF that wants these packages. */
  /** @param options.helpful packages besides, as far as they are on this machine */
  recipe(
    wish: PackageWish,
    options?: { helpful?: readonly string[]; caller?: PackageCaller | undefined },
  ): Promise<IsolateRecipe>;
}

export interface PythonRecipeOptions {
  assets: Assets;
  platform: IsolatePlatform;
  packages: PythonPackages;
  /** Name of the realm's bundle in `assets.own`. */
  realm: string;
  memoryBytes: number;
  installMs: number;
  onProgress: (event: ProgressEvent) => void;
}

export function pythonRecipes(options: PythonRecipeOptions): PythonRecipes {
  const { assets, platform, onProgress } = options;
  const say = (phase: ProgressEvent["phase"], message: string) => onProgress({ phase, message });
  const chooser = options.packages;
  /** By the packages and their hashes. */
  const recipes = new Map<string, Promise<IsolateRecipe>>();
  /** By what was asked for, null where it is not all on this machine: looking packages up takes longer than a small run. */
  const found = new Map<string, Promise<IsolateRecipe | null>>();

  const own = once(async () => {
    const [pack, realm] = await Promise.all([assets.own.read("fused.pack"), assets.own.read(options.realm)]);
    const files = new Map<string, Uint8Array>();
    for (const [path, [offset, length]] of Object.entries(decodePack(pack)))
      files.set(path, pack.subarray(offset, offset + length));
    return { hash: await assets.sha256(pack), files, realm: new TextDecoder().decode(realm) };
  });

  const keyOf = ({ packages }: PackageSet, dist: Distribution) =>
    ["python", dist.id, ...packages.map(({ name, sha256 }) => `${name}:${sha256}`)].join(" ");

  /** @param packages their archive, which may still be on its way */
  const make = async (
    set: PackageSet,
    dist: Distribution,
    packages: Promise<{ hash: string; pack: Uint8Array }>,
  ): Promise<IsolateRecipe> => {
    const ours = await own();
    const realm = `(function(){"use strict";var pyodideGlue=${dist.glue};${ours.realm};return realm.start})()`;
    const start = {
      pythonVersion: dist.pythonVersion,
      lockInfo: dist.info,
      imports: BASE_IMPORTS,
      packageImports: set.imports,
      makeSnapshot: false,
      watchesClock: !platform.capabilities.endsOrphans,
    };
    const base: Pick<IsolateRecipe, "realm" | "assets" | "realmPerUdf"> = {
      realm,
      assets: [
        { name: "core", kind: "module", bytes: capMemory(dist.wasm, options.memoryBytes) },
        { name: "stdlib", kind: "bytes", bytes: dist.stdlib },
        packages.then(({ pack }): IsolateAsset => ({ name: "packages", kind: "bytes", bytes: pack })),
      ],
      realmPerUdf: true,
    };
    const built = packages.then(async ({ hash }) => {
      const identity = [hash, platform.snapshotFlavor, realm, ...BASE_IMPORTS, ...set.imports].join("\n");
      const key = await assets.sha256(new TextEncoder().encode(identity));
      return keepOrBuild(key, set, {
        ...base,
        key: "",
        start: { ...start, makeSnapshot: true },
      });
    });
    const snapshot = built.then(
      (result): IsolateAsset => ({ name: "snapshot", kind: "bytes", bytes: result.snapshot }),
    );
    const codeCache = built.then((result) => result.codeCache);
    // Whoever opens an isolate meets the first failure; the others would go unheard.
    for (const promise of [built, snapshot, codeCache]) promise.catch(() => {});
    return { ...base, key: keyOf(set, dist), assets: [...base.assets, snapshot], codeCache, start };
  };

  /** The snapshot and the compiled code that goes with it, from the cache or built now. */
  const keepOrBuild = async (
    key: string,
    set: PackageSet,
    recipe: IsolateRecipe,
  ): Promise<{ snapshot: Uint8Array; codeCache: Uint8Array | undefined }> => {
    const damaged = (reason: string) => say("cache", `${reason}: building it again`);
    const [kept, code] = await Promise.all([
      assets.cache.get(`snapshot-${key}`, damaged),
      assets.cache.get(`code-${key}`, damaged),
    ]);
    if (kept && code) {
      try {
        decodeSnapshot(kept);
        return { snapshot: kept, codeCache: code };
      } catch (error) {
        damaged((error as Error).message);
      }
    }
    say(
      "snapshot",
      set.packages.length > 0
        ? `building a snapshot with ${set.packages.map(({ name }) => name).join(", ")}`
        : "building a snapshot",
    );
    const [snapshot, codeCache] = await buildSnapshot(recipe);
    const problem =
      (await assets.cache.put(`snapshot-${key}`, snapshot)) ??
      (await assets.cache.put(`code-${key}`, codeCache));
    if (problem) say("cache", `the snapshot is not kept: ${problem}`);
    return { snapshot, codeCache };
  };

  /** In a throwaway isolate, without grants, from pinned wheels only. */
  const buildSnapshot = async (
    recipe: IsolateRecipe,
  ): Promise<[snapshot: Uint8Array, codeCache: Uint8Array]> => {
    const isolateOptions: IsolateOptions = {
      memoryBytes: options.memoryBytes,
      startMs: options.installMs,
      outputBytes: 4 * 1024 ** 3 - 2 ** 21,
      messageBytes: 0,
      reusable: false,
      warm: false,
    };
    const { isolate, buffers } = await Isolate.open(platform, recipe, isolateOptions);
    await isolate.close();
    const [snapshot, codeCache] = buffers;
    if (!snapshot || !codeCache) throw new IsolateError("The isolate made no snapshot");
    return [snapshot, codeCache];
  };

  const pack = async (set: PackageSet, dist: Distribution, caller?: PackageCaller) =>
    packPackages(dist, assets, set.packages, await own(), (entry) => chooser.read(entry, caller), say);

  /** With packages that nothing imports and that are of use, as far as they are here. */
  const withHelpful = async (
    set: PackageSet,
    dist: Distribution,
    helpful: readonly string[],
  ): Promise<PackageSet> => {
    const here = await Promise.all(
      helpful.map(async (name) => ((await hasPackage(dist, assets, name)) ? [name] : [])),
    );
    const imports = here.flat();
    if (imports.length === 0) return set;
    const more = await chooser.chooseHere({ file: "tables", imports, requirements: [] });
    const there = new Set(set.packages.map(({ name }) => name));
    const packages = [...set.packages, ...(more?.packages ?? []).filter(({ name }) => !there.has(name))];
    return {
      packages: packages.sort((a, b) => (a.name < b.name ? -1 : 1)),
      imports: [...new Set([...set.imports, ...(more?.imports ?? [])])].sort(),
    };
  };

  /** @returns null where something has to be fetched, or has been */
  const findHere = async (wish: PackageWish, helpful: readonly string[]): Promise<IsolateRecipe | null> => {
    // Both are wanted, and over a network each takes a while.
    own().catch(() => {});
    const dist = await chooser.distribution();
    const chosen = await chooser.chooseHere(wish);
    if (!chosen) return null;
    const set = await withHelpful(chosen, dist, helpful);
    const key = keyOf(set, dist);
    const recipe = recipes.get(key) ?? make(set, dist, pack(set, dist));
    recipes.set(key, recipe);
    return recipe;
  };

  /** For one caller, who may fetch what another may not: only when all is here, others get it too. */
  const findFor = async (
    wish: PackageWish,
    helpful: readonly string[],
    caller: PackageCaller | undefined,
  ): Promise<IsolateRecipe> => {
    const dist = await chooser.distribution();
    const chosen = await chooser.choose(wish, caller);
    const set = await withHelpful(chosen, dist, helpful);
    const key = keyOf(set, dist);
    const known = recipes.get(key);
    if (known) return known;
    const packed = await pack(set, dist, caller);
    const recipe = recipes.get(key) ?? make(set, dist, Promise.resolve(packed));
    recipes.set(key, recipe);
    return recipe;
  };

  /** What failed is tried again by the next run. */
  const forgetFailed = async (recipe: IsolateRecipe): Promise<IsolateRecipe> => {
    Promise.all(recipe.assets).catch(() => {
      found.clear();
      recipes.delete(recipe.key);
    });
    return recipe;
  };

  return {
    async recipe(wish, { helpful = [], caller } = {}) {
      const key = JSON.stringify([wish, helpful]);
      let here = found.get(key);
      if (!here) {
        if (found.size >= MAX_WISHES) found.clear();
        here = findHere(wish, helpful);
        found.set(key, here);
      }
      try {
        return await forgetFailed((await here) ?? (await findFor(wish, helpful, caller)));
      } catch (error) {
        found.clear();
        throw error;
      }
    },
  };
}
