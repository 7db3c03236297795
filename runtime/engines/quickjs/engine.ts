/** The TypeScript engine as the runtime sees it. */
import type { Assets } from "../../assets.ts";
import type { IsolateRecipe } from "../../isolate/isolate.ts";
import { memoBySource } from "../../memo.ts";
import { once } from "../../once.ts";
import type { NpmRegistry, PackageCaller } from "../../packages.ts";
import type { Udf, UdfSource } from "../../udf.ts";
import type { Engine } from "../engine.ts";
import { capMemory } from "../wasm-memory.ts";
import type { CompiledUdf } from "./compile.ts";
import type { LoadEsbuild } from "./esbuild.ts";
import type { NpmTree } from "./npm.ts";
import { prepareQuickJs } from "./vm.ts";

export interface TypeScriptEngineOptions {
  assets: Assets;
  /** Name of the realm's bundle in `assets.own`. */
  realm: string;
  memoryBytes: number;
  loadEsbuild: LoadEsbuild;
  /** What fetches packages; without it none can be used. */
  registry?: NpmRegistry;
}

/** Identifies this build's compiler. */
declare const FUSELET_COMPILER: string;

/** Compiled sources that are kept: a UDF that runs often is compiled once. */
const KEPT = 256;
/** Most UDFs import no packages: no need to parse one to see that. */
const MAY_IMPORT_PACKAGES = /(?:from|import)\s*(?:\(\s*)?["'](?!\.\.?\/|fuselet\/udf["'])/;

/** So many of a process are kept for later ones: a command line has one, and a server's many would only fill the cache. */
const KEPT_FOR_OTHERS = 8;

export function quickjsEngine(options: TypeScriptEngineOptions): Engine {
  const { assets, realm, memoryBytes, loadEsbuild, registry } = options;
  const compiled = new Map<string, Promise<CompiledUdf>>();
  let toKeep = KEPT_FOR_OTHERS;

  const plain = once(async (): Promise<IsolateRecipe> => {
    const [script, image, wasm] = await Promise.all([
      assets.own.read(realm),
      assets.own.read("quickjs.image"),
      assets.quickjs.read("emscripten-module.wasm"),
    ]);
    return {
      key: "quickjs",
      realm: `(function(){"use strict";${new TextDecoder().decode(script)};return realm.start})()`,
      assets: [
        { name: "core", kind: "module", bytes: prepareQuickJs(capMemory(wasm, memoryBytes)) },
        { name: "image", kind: "bytes", bytes: image },
      ],
      start: {},
      realmPerUdf: false,
    };
  });

  const packages = once(async () => new (await import("./npm.ts")).NpmPackages(assets, registry));
  /** Specifiers of packages; the parser is loaded where there may be some. */
  const specifiersOf = memoBySource(async (source): Promise<string[]> => {
    if (![source, ...source.headers].some(({ code }) => MAY_IMPORT_PACKAGES.test(code))) return [];
    return (await import("./npm-imports.ts")).packageImports(source);
  });
  /** By the run that asks: the recipe and the code want the same. */
  const trees = new WeakMap<PackageCaller, Promise<NpmTree>>();
  const treeOf = async (
    source: UdfSource,
    caller: PackageCaller | undefined,
  ): Promise<NpmTree | undefined> => {
    const specifiers = await specifiersOf(source);
    if (specifiers.length === 0) return undefined;
    const known = caller && trees.get(caller);
    if (known) return known;
    const tree = (await packages()).open(source, specifiers, caller);
    if (caller) trees.set(caller, tree);
    return tree;
  };
  /** What each source was compiled to last, for the places in its errors. */
  const last = new WeakMap<UdfSource, Promise<CompiledUdf>>();

  const compile = async (source: UdfSource, tree: NpmTree | undefined): Promise<CompiledUdf> => {
    const [{ readTypeScript }, { compileTypeScript }] = await Promise.all([
      import("./source.ts"),
      import("./compile.ts"),
    ]);
    const made = await compileTypeScript(source, readTypeScript(source), loadEsbuild, tree);
    await tree?.noteReads();
    return made;
  };
  /** Parser and compiler are large: a source that an earlier process compiled does not need them. */
  const compileOrFind = async (
    source: UdfSource,
    tree: NpmTree | undefined,
    identity: string,
  ): Promise<CompiledUdf> => {
    if (toKeep === 0 || tree?.isPinned === false) return compile(source, tree);
    toKeep--;
    const key = `typescript-${await assets.sha256(new TextEncoder().encode(`${FUSELET_COMPILER}\n${identity}`))}`;
    const kept = await assets.cache.get(key, () => {});
    if (kept) return JSON.parse(new TextDecoder().decode(kept)) as CompiledUdf;
    const made = await compile(source, tree);
    // What cannot be kept is compiled again.
    await assets.cache.put(key, new TextEncoder().encode(JSON.stringify(made)));
    return made;
  };
  const compileOnce = async (source: UdfSource, caller: PackageCaller | undefined): Promise<CompiledUdf> => {
    const tree = await treeOf(source, caller);
    const identity = JSON.stringify([source.name, source.file, source.code, source.headers, tree?.identity]);
    let result = compiled.get(identity);
    if (!result) {
      const oldest = compiled.keys().next();
      if (compiled.size >= KEPT && !oldest.done) compiled.delete(oldest.value);
      result = compileOrFind(source, tree, identity);
      compiled.set(identity, result);
    }
    last.set(source, result);
    return result;
  };

  return {
    languages: ["typescript"],
    async recipe(source, { caller } = {}) {
      const [recipe, tree] = await Promise.all([plain(), treeOf(source, caller)]);
      if (!tree) return recipe;
      // The same UDF with other packages is other code.
      return { ...recipe, key: `quickjs ${await assets.sha256(new TextEncoder().encode(tree.identity))}` };
    },
    lock: async (source, caller) => (await packages()).lock(source, await specifiersOf(source), caller),
    async prepare(source, caller) {
      const { code, plan } = await compileOnce(source, caller);
      return { name: source.name, file: source.file, code, headers: [], entrypoint: null, plan };
    },
    async read(source): Promise<Udf> {
      const { readTypeScript } = await import("./source.ts");
      const reading = readTypeScript(source);
      return {
        ...source,
        name: reading.name,
        entrypoint: reading.entrypoint,
        parameters: reading.parameters,
        permissions: reading.permissions,
        packages: [...new Set([...reading.packages, ...(await specifiersOf(source))])],
        metadata: { ...source.metadata, ...reading.metadata },
      };
    },
    async locate(failure, source) {
      const { map } = (await last.get(source)) ?? { map: null };
      const { mapFailure } = await import("./stack.ts");
      return mapFailure(failure, map);
    },
  };
}
