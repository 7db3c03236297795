/** `fuselet` in Node and Deno. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type BindingsOptions, openBindings } from "../../host/bindings.node.ts";
import { readLock } from "../../host/packages/lock-file.node.ts";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import { readHeaders, readSource } from "../../host/udfs/source.node.ts";
import { type AssetOptions, openAssets } from "../../runtime/assets.node.ts";
import { cacheFolder } from "../../runtime/cache-folder.node.ts";
import { loadEsbuild } from "../../runtime/engines/quickjs/bundle.node.ts";
import { nodePlatform } from "../../runtime/isolate/platform.node.ts";
import { once } from "../../runtime/once.ts";
import { composeRuntime, type FuseletRuntime, type RuntimeOptions } from "./compose.ts";
import { manageSecrets, type Secrets } from "./manage-secrets.ts";
import type { Server, ServerOptions, ServerPlatform } from "./server/server.ts";

export * from "./public.ts";

/** The options of `createRuntime` in Node. */
export interface NodeRuntimeOptions extends RuntimeOptions {
  /** Where distributions and builds are. */
  assets?: AssetOptions;
  /**
   * How `s3://` and `gs://` are reached, and how much one principal may hold in `fd://` (`quota`). Default: `s3://` without signatures, so
   * public buckets only, no `gs://`; 10 GiB in 100,000 files and folders.
   */
  storage?: BindingsOptions["storage"];
  /**
   * The folder of the files of `fd://` and the secrets, and, in `cache`, of kept results and downloads. Default: the user's own folders, as
   * of the command line.
   */
  data?: string;
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
    readLock,
    openNpmFolder(udf) {
      // Most UDFs import no packages.
      const opened = once(async () =>
        (await import("../../host/packages/npm-folder.node.ts")).openNpmFolder(udf),
      );
      return { find: async (name, from) => (await opened()).find(name, from) };
    },
    loadEsbuild,
    server: platformOfServer,
    openBindings: () =>
      openBindings({
        cacheFolder: options.data ? join(options.data, "cache") : (options.assets?.cache ?? cacheFolder()),
        dataFolder: options.data ?? dataFolder(),
        storage: options.storage,
      }),
    realms: { python: "realm-pyodide.js", typescript: "realm-quickjs.js" },
    hash: async (text) => createHash("sha256").update(text).digest("hex"),
  });
}

const platformOfServer: ServerPlatform = {
  fetch: (url, init) => fetch(url, init as RequestInit),
  openParquetReader: async () => (await import("../../host/tables/parquet.node.ts")).openParquetReader(),
};

/**
 * Opens a client of a server: `fuselet serve`, or Fused itself. Nothing is asked before its first function is called.
 * @throws UsageError for options that are wrong, or where there is no server
 * @example
 * const server = await openServer({ baseUrl: "http://127.0.0.1:8000", token: process.env.FUSELET_TOKEN });
 * const { email } = await server.whoami();
 * const { value } = await server.run("my_udf", { parameters: { city: "Rome" } });
 */
export async function openServer(options: ServerOptions): Promise<Server> {
  return (await import("./server/server.ts")).makeServer(options, platformOfServer);
}

/**
 * Opens the secrets that `fuselet secrets` sets: in the user's data folder, under FUSELET_SECRETS_KEY or a key beside them.
 * @example
 * await using secrets = await openSecrets();
 * await secrets.set("API_KEY", process.env.API_KEY);
 */
export async function openSecrets(): Promise<Secrets> {
  const { openVault } = await import("../../host/secrets/vault.node.ts");
  return manageSecrets(openVault(join(dataFolder(), "secrets"), process.env.FUSELET_SECRETS_KEY));
}
