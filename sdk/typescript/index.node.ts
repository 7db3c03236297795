/** `fuselet` in Node and Deno. */
import { createHash } from "node:crypto";
import { type BindingsOptions, openBindings } from "../../host/bindings.node.ts";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import { readHeaders, readSource } from "../../host/udfs/source.node.ts";
import { type AssetOptions, openAssets } from "../../runtime/assets.node.ts";
import { cacheFolder } from "../../runtime/cache-folder.node.ts";
import { loadEsbuild } from "../../runtime/engines/quickjs/bundle.node.ts";
import { nodePlatform } from "../../runtime/isolate/platform.node.ts";
import { composeRuntime, type FuseletRuntime, type RuntimeOptions } from "./compose.ts";

export * from "./public.ts";

/** The options of `createRuntime` in Node. */
export interface NodeRuntimeOptions extends RuntimeOptions {
  /** Where distributions and builds are. */
  assets?: AssetOptions;
  /** How `s3://` and `gs://` are reached. Default: `s3://` without signatures, so public buckets only, and no `gs://`. */
  storage?: BindingsOptions["storage"];
}

/**
 * Makes a runtime: a pool of isolates in child processes, with nothing allowed that is not granted.
 * @throws UsageError for options that are wrong
 * @example
 * const runtime = await createRuntime();
 * const udf = await runtime.load("hello.py");
 * const { value } = await runtime.run(udf, { parameters: { name: "world" } });
 * await runtime.close();
 */
export async function createRuntime(options: NodeRuntimeOptions = {}): Promise<FuseletRuntime> {
  const assets = openAssets(options.assets);
  return composeRuntime(options, {
    assets,
    platform: nodePlatform(assets.own),
    readSource,
    readHeaders,
    loadEsbuild,
    openBindings: () =>
      openBindings({
        cacheFolder: options.assets?.cache ?? cacheFolder(),
        dataFolder: dataFolder(),
        storage: options.storage,
      }),
    realms: { python: "realm-pyodide.js", typescript: "realm-quickjs.js" },
    hash: async (text) => createHash("sha256").update(text).digest("hex"),
  });
}
