/** What the runtime reads from where it is installed: its own bundles, engine binaries, Python distributions; and the cache where it keeps what it built. */

/** A folder of files: a Pyodide distribution, our own bundles. */
export interface Folder {
  /** What to call it in messages: its path or URL. */
  readonly name: string;
  /** @throws AssetError when the file is not there or cannot be read. */
  read(file: string): Promise<Uint8Array>;
  has(file: string): Promise<boolean>;
}

/** A folder whose files can be counted. */
export interface ListedFolder extends Folder {
  /** Its files, each with something that changes when it does. @throws AssetError where it cannot be read */
  list(): Promise<{ file: string; stamp: string }[]>;
}

/** Bytes that were built once. Reading checks that they are what was written: in Node with a MAC, in a browser with a hash. */
export interface BuildCache {
  /** Undefined when there is none; `damaged` is called first when there is one that cannot be trusted. */
  get(key: string, damaged: (reason: string) => void): Promise<Uint8Array | undefined>;
  /** Never throws: what cannot be kept is built again. @returns why not, or undefined. */
  put(key: string, bytes: Uint8Array): Promise<string | undefined>;
}

export interface Assets {
  /** Our own bundles for the inside of isolates, and the package `fused`. */
  own: Folder;
  /** The Pyodide distribution. */
  pyodide: Folder;
  /** Wheels beside the distribution. */
  wheels?: ListedFolder;
  /** quickjs-emscripten's WebAssembly binary. */
  quickjs: Folder;
  cache: BuildCache;
  sha256(bytes: Uint8Array): Promise<string>;
}
