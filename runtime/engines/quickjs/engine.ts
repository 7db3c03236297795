/** The TypeScript engine as the runtime sees it. */
import type { Assets } from "../../assets.ts";
import type { IsolateRecipe } from "../../isolate/isolate.ts";
import { once } from "../../once.ts";
import type { Udf, UdfSource } from "../../udf.ts";
import type { Engine } from "../engine.ts";
import { capMemory } from "../wasm-memory.ts";
import type { CompiledUdf } from "./compile.ts";
import type { LoadEsbuild } from "./esbuild.ts";
import { prepareQuickJs } from "./vm.ts";

export interface TypeScriptEngineOptions {
  assets: Assets;
  /** Name of the realm's bundle in `assets.own`. */
  realm: string;
  memoryBytes: number;
  loadEsbuild: LoadEsbuild;
}

/** Identifies this build's compiler. */
declare const FUSELET_COMPILER: string;

/** Compiled sources that are kept: a UDF that runs often is compiled once. */
const KEPT = 256;
/** So many of a process are kept for later ones: a command line has one, and a server's many would only fill the cache. */
const KEPT_FOR_OTHERS = 8;

export function quickjsEngine({ assets, realm, memoryBytes, loadEsbuild }: TypeScriptEngineOptions): Engine {
  const compiled = new Map<string, Promise<CompiledUdf>>();
  let toKeep = KEPT_FOR_OTHERS;

  const recipe = once(async (): Promise<IsolateRecipe> => {
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

  const compile = async (source: UdfSource): Promise<CompiledUdf> => {
    const [{ readTypeScript }, { compileTypeScript }] = await Promise.all([
      import("./source.ts"),
      import("./compile.ts"),
    ]);
    return compileTypeScript(source, readTypeScript(source), loadEsbuild);
  };
  /** Parser and compiler are large: a source that an earlier process compiled does not need them. */
  const compileOrFind = async (source: UdfSource, identity: string): Promise<CompiledUdf> => {
    if (toKeep === 0) return compile(source);
    toKeep--;
    const key = `typescript-${await assets.sha256(new TextEncoder().encode(`${FUSELET_COMPILER}\n${identity}`))}`;
    const kept = await assets.cache.get(key, () => {});
    if (kept) return JSON.parse(new TextDecoder().decode(kept)) as CompiledUdf;
    const made = await compile(source);
    // What cannot be kept is compiled again.
    await assets.cache.put(key, new TextEncoder().encode(JSON.stringify(made)));
    return made;
  };
  const compileOnce = (source: UdfSource): Promise<CompiledUdf> => {
    const identity = JSON.stringify([source.name, source.file, source.code, source.headers]);
    let result = compiled.get(identity);
    if (!result) {
      const oldest = compiled.keys().next();
      if (compiled.size >= KEPT && !oldest.done) compiled.delete(oldest.value);
      result = compileOrFind(source, identity);
      compiled.set(identity, result);
    }
    return result;
  };

  return {
    languages: ["typescript"],
    recipe,
    async prepare(source) {
      const { code, plan } = await compileOnce(source);
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
        packages: reading.packages,
        metadata: { ...source.metadata, ...reading.metadata },
      };
    },
    async locate(failure, source) {
      const { map } = await compileOnce(source);
      const { mapFailure } = await import("./stack.ts");
      return mapFailure(failure, map);
    },
  };
}
