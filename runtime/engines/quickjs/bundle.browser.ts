/** A page's esbuild: `esbuild-wasm`, loaded from where the page says when it is needed first. */
import { AssetError } from "../../errors.ts";
import type { Esbuild } from "./esbuild.ts";

export interface EsbuildOptions {
  /** The folder of the npm package `esbuild-wasm`: it has `esm/browser.min.js` and `esbuild.wasm`. */
  esbuildUrl?: string | undefined;
}

interface EsbuildWasm extends Esbuild {
  initialize(options: { wasmURL: string; worker: boolean }): Promise<void>;
}

const started = new Map<string, Promise<Esbuild>>();

async function start(url: string): Promise<Esbuild> {
  try {
    const esbuild = (await import(new URL("esm/browser.min.js", url).href)) as EsbuildWasm;
    await esbuild.initialize({ wasmURL: new URL("esbuild.wasm", url).href, worker: true });
    return esbuild;
  } catch (cause) {
    started.delete(url);
    throw new AssetError(`Cannot load esbuild-wasm from ${url}`, { cause });
  }
}

/**
 * Loads esbuild when a UDF of several files is compiled first.
 * @throws AssetError without a URL, or where it does not load
 */
export async function loadEsbuild({ esbuildUrl }: EsbuildOptions = {}): Promise<Esbuild> {
  if (esbuildUrl === undefined) {
    throw new AssetError(
      "Cannot compile this UDF in a page without esbuild-wasm: it has several files or syntax that must be rewritten; " +
        "set assets.esbuildUrl to the folder of the npm package esbuild-wasm",
    );
  }
  const url = esbuildUrl.endsWith("/") ? esbuildUrl : `${esbuildUrl}/`;
  const running = started.get(url) ?? start(url);
  started.set(url, running);
  return running;
}
