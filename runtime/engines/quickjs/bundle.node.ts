/** Node's esbuild: the native one. */
import type { Esbuild } from "./esbuild.ts";

export interface EsbuildOptions {
  /** Where a page loads `esbuild-wasm` from; Node has its own and ignores it. */
  esbuildUrl?: string | undefined;
}

/** Loads esbuild when a UDF of several files is compiled first. */
export async function loadEsbuild(_options: EsbuildOptions = {}): Promise<Esbuild> {
  return (await import("esbuild")) as unknown as Esbuild;
}
