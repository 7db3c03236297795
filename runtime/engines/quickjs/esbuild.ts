/** What is used of esbuild: the same from the native build in Node and from `esbuild-wasm` in a page. */

export interface EsbuildLocation {
  file: string;
  /** From 1. */
  line: number;
  /** From 0, in bytes. */
  column: number;
}

export interface EsbuildMessage {
  text: string;
  location: EsbuildLocation | null;
  /** What a plugin has put there. */
  detail?: unknown;
}

export interface EsbuildResolution {
  path?: string;
  namespace?: string;
  external?: boolean;
  errors?: { text: string }[];
}

export type EsbuildContent =
  | { contents: string; loader: "ts" | "js" | "json" }
  | { errors: { text: string; detail?: unknown }[] };

export interface EsbuildPlugin {
  name: string;
  setup(build: {
    onResolve(
      options: { filter: RegExp },
      callback: (args: {
        path: string;
        importer: string;
        namespace: string;
        kind: string;
      }) => EsbuildResolution | Promise<EsbuildResolution>,
    ): void;
    onLoad(
      options: { filter: RegExp; namespace: string },
      callback: (args: { path: string }) => EsbuildContent | Promise<EsbuildContent>,
    ): void;
  }): void;
}

export interface Esbuild {
  build(
    options: Record<string, unknown> & { plugins: EsbuildPlugin[] },
  ): Promise<{ outputFiles?: { path: string; text: string }[] }>;
}

/** Gives esbuild when it is needed first. */
export type LoadEsbuild = () => Promise<Esbuild>;
