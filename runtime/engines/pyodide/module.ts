/** The part of Pyodide's and Emscripten's inner surface that we use, typed once. */

export interface FsNode {
  name: string;
  parent: FsNode;
  /** The next node under the same hash in the name table. */
  name_next: FsNode | undefined;
  mode: number;
  contents: Record<string, FsNode> | Uint8Array | null;
  usedBytes: number;
  mount?: { type: unknown };
  link?: string;
  node_ops: { mknod(parent: FsNode, name: string, mode: number, device?: number): FsNode };
  stream_ops: unknown;
}

export interface FsStream {
  node: FsNode;
  fd: number;
  path: string;
  flags: number;
  position: number;
}

export interface FileSystem {
  root: FsNode;
  streams: (FsStream | null | undefined)[];
  nameTable: (FsNode | undefined)[];
  filesystems: { MEMFS: MemFs };
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  mkdirTree(path: string): void;
  writeFile(path: string, data: Uint8Array, options?: { canOwn?: boolean }): void;
  readFile(path: string): Uint8Array;
  lookupPath(path: string): { node: FsNode };
  /** Makes a node that is found by its name, and is in no list of its parent. */
  createNode(parent: FsNode, name: string, mode: number, device: number): FsNode;
  destroyNode(node: FsNode): void;
  open(path: string, flags: number): FsStream;
  ErrnoError: new (errno: number) => Error;
  chdir(path: string): void;
  cwd(): string;
}

type Write = (stream: { node: FsNode }, buffer: unknown, ...rest: unknown[]) => number;
type Operations = Record<string, (this: unknown, ...args: unknown[]) => unknown>;
export interface MemFs {
  createNode(parent: FsNode, name: string, mode: number, device: number): FsNode;
  /** What a kind of node can do, by kind; nodes refer to these objects. */
  ops_table: Record<"dir" | "file" | "link" | "chrdev", { node: Operations; stream: Operations }> & {
    file: { stream: { write: Write } };
  };
  stream_ops: { write: Write };
}

/** Emscripten's module object with Pyodide's additions. */
export interface PyodideModule {
  _calloc(count: number, size: number): number;
  _free(pointer: number): void;
  memory: WebAssembly.Memory;
  HEAP8: Int8Array;
  HEAPU8: Uint8Array;
  FS: FileSystem;
  ENV: Record<string, string>;
  LDSO: {
    loadedLibsByName: Record<string, { name: string }>;
    loadedLibsByHandle: Record<number, { name: string }>;
  };
  wasmTable: WebAssembly.Table;
  finalizationRegistry: {
    register(target: object, held: { ptr: number }, token?: object): void;
    unregister(token: object): void;
  };
  /** The end of the heap so far. */
  _sbrk(increment: 0): number;
  stackSave(): number;
  stackRestore(pointer: number): void;
  reportUndefinedSymbols(): void;
  loadDynamicLibrary(name: string, flags: object, localScope: object, handle: number): unknown;
  _emscripten_resize_heap(bytes: number): unknown;
  _Py_DecRef(pointer: number): void;
  getPyProxyClass(flags: number): unknown;
  /** Numbers of the references to JavaScript objects that have one for good; made when the first is handed over. */
  referenceNumbers?: Map<unknown, number>;
  __hiwire_get(index: number): unknown;
  __hiwire_set(index: number, value: unknown): number;
}

/** A Python object as Pyodide gives it to JavaScript. */
export interface PyProxy {
  (...args: unknown[]): unknown;
  callPromising(...args: unknown[]): Promise<unknown>;
  getBuffer(type: "u8"): { data: Uint8Array; release(): void };
  destroy(): void;
  [attribute: string]: unknown;
}

export interface Pyodide {
  _module: PyodideModule;
  _api: {
    scheduleCallback?: unknown;
    on_fatal?: (error: unknown) => void;
    loadDynlib(path: string, global: boolean, folders: string[]): Promise<void>;
  };
  FS: FileSystem;
  /** The classes of proxies and errors, among others. */
  ffi: Record<string, unknown>;
  version: string;
  runPython(code: string): unknown;
  pyimport(name: string): PyProxy;
  makeMemorySnapshot(options?: object): Uint8Array;
  setStdout(options: { write(bytes: Uint8Array): number; isatty?: boolean }): void;
  setStderr(options: { write(bytes: Uint8Array): number; isatty?: boolean }): void;
  setStdin(options: { stdin(): null }): void;
  setInterruptBuffer(buffer: unknown): void;
}
