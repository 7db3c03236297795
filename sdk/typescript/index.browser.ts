/** `fuselet` in pages. */
import { type BindingsOptions, openBindings } from "../../host/bindings.browser.ts";
import { readHeaders, readSource } from "../../host/udfs/source.browser.ts";
import { type AssetOptions, openAssets } from "../../runtime/assets.browser.ts";
import { loadEsbuild } from "../../runtime/engines/quickjs/bundle.browser.ts";
import { browserPlatform } from "../../runtime/isolate/platform.browser.ts";
import { composeRuntime, type FuseletRuntime, type RuntimeOptions } from "./compose.ts";
import { manageSecrets, type Secrets } from "./manage-secrets.ts";
import type { Server, ServerOptions, ServerPlatform } from "./server/server.ts";

export * from "./public.ts";

/** The options of `createRuntime` in a page. */
export interface BrowserRuntimeOptions extends RuntimeOptions {
  /** Where engines and distributions are served. */
  assets?: AssetOptions;
  /** How much one principal may hold in `fd://` (`quota`), beside the browser's own limit. Default: 10 GiB in 100,000 files and folders. */
  storage?: BindingsOptions["storage"];
}

/**
 * Makes a runtime: a pool of isolates in sandboxed frames, with nothing allowed that is not granted.
 * @throws UsageError for options that are wrong; AssetError where the page is no secure context
 * @example
 * const { createRuntime } = await import("https://example.org/embed/fuselet.js");
 * const runtime = await createRuntime();
 * const { value } = await runtime.run(await runtime.load("hello.py"), { parameters: { name: "world" } });
 * await runtime.close();
 */
export async function createRuntime(options: BrowserRuntimeOptions = {}): Promise<FuseletRuntime> {
  const assets = openAssets(options.assets);
  const { esbuildUrl, isolateUrl } = options.assets ?? {};
  return composeRuntime(options, {
    assets,
    platform: browserPlatform({ own: assets.own, isolateUrl }),
    readSource,
    readHeaders,
    loadEsbuild: () => loadEsbuild({ esbuildUrl }),
    server: platformOfServer,
    openBindings: () => openBindings({ storage: options.storage }),
    realms: { python: "realm-pyodide.js", typescript: "realm-quickjs.js" },
    hash: (text) => assets.sha256(new TextEncoder().encode(text)),
  });
}

const platformOfServer: ServerPlatform = { fetch: (url, init) => fetch(url, init as RequestInit) };

/**
 * Opens a client of a server, which must allow this page's origin. Nothing is asked before its first function is called. Results that only
 * come as Parquet, as those of jobs do, are documents.
 * @throws UsageError for options that are wrong, or where there is no server
 */
export async function openServer(options: ServerOptions): Promise<Server> {
  return (await import("./server/server.ts")).makeServer(options, platformOfServer);
}

/** Opens the secrets of this page's origin. Their key stays in the browser; scripts of the origin can use it, and cannot read it. */
export async function openSecrets(): Promise<Secrets> {
  const { openVault } = await import("../../host/secrets/vault.browser.ts");
  return manageSecrets(openVault());
}
