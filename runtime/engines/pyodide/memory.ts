/**
 * Puts a living interpreter back to what it was: its memory, its tables of JavaScript references, its files, its
 * environment. This is hygiene between runs of one UDF of one principal, not a wall between principals.
 */
import { copyMemory } from "./memory-copy.ts";
import type { FsNode, Pyodide, PyodideModule } from "./module.ts";

interface FileState {
  node: FsNode;
  /** What a node says itself: a rename changes where it is, and removing one changes the chain of names that it is in. */
  fields: Pick<FsNode, "name" | "parent" | "name_next" | "mode" | "usedBytes" | "contents">;
  entries: Record<string, FsNode> | null;
}

export interface Baseline {
  /** Puts everything back. @throws Error where it cannot be: the interpreter must be thrown away. */
  restore(): void;
  /** Takes what is in memory now as the new baseline. */
  recapture(): void;
}

/** All that changes a node of the file system in memory, but for `write`. */
const CHANGES = ["setattr", "mknod", "rename", "unlink", "rmdir", "symlink", "allocate"];

/**
 * Notes whether a run changes files: most do not, and there are thousands to be put back. Contents in `kept` are never written in
 * place: a write makes its own copy first, so that putting a file back is putting a reference back, and mounted archives stay what
 * they are.
 */
function watchFiles(pyodide: Pyodide, kept: WeakSet<object>): { changed: boolean } {
  const files = { changed: false };
  const memfs = pyodide.FS.filesystems.MEMFS;
  const write = memfs.stream_ops.write;
  const guardedWrite: typeof write = (stream, ...rest) => {
    files.changed = true;
    const contents = stream.node.contents;
    if (contents instanceof Uint8Array && kept.has(contents)) stream.node.contents = contents.slice();
    return Reflect.apply(write, memfs.stream_ops, [stream, ...rest]);
  };
  memfs.stream_ops.write = guardedWrite;
  memfs.ops_table.file.stream.write = guardedWrite;
  for (const operations of Object.values(memfs.ops_table).flatMap(({ node, stream }) => [node, stream])) {
    for (const name of CHANGES) {
      const change = operations[name];
      if (!change) continue;
      operations[name] = function (...args) {
        files.changed = true;
        return Reflect.apply(change, this, args);
      };
    }
  }
  return files;
}

function captureFiles(pyodide: Pyodide, kept: WeakSet<object>, watched: { changed: boolean }): () => void {
  const { FS } = pyodide;
  const files: FileState[] = [];
  const walk = (node: FsNode): void => {
    if (node.mount && node.mount.type !== FS.filesystems.MEMFS) return;
    const directory = FS.isDir(node.mode);
    const { name, parent, name_next, mode, usedBytes, contents } = node;
    files.push({
      node,
      fields: { name, parent, name_next, mode, usedBytes, contents },
      entries: directory ? { ...(contents as Record<string, FsNode>) } : null,
    });
    if (directory) for (const child of Object.values(contents as Record<string, FsNode>)) walk(child);
    else if (contents instanceof Uint8Array) kept.add(contents);
  };
  walk(FS.root);
  const streams = FS.streams.map((stream) => ({ stream, position: stream?.position ?? 0 }));
  const nameTable = [...FS.nameTable];
  const cwd = FS.cwd();
  watched.changed = false;
  const putTreeBack = () => {
    for (const { node, fields, entries } of files) {
      Object.assign(node, fields);
      if (entries) node.contents = { ...entries };
    }
    watched.changed = false;
  };
  return () => {
    if (watched.changed) putTreeBack();
    FS.streams.length = 0;
    streams.forEach(({ stream, position }, fd) => {
      FS.streams[fd] = stream;
      if (stream) stream.position = position;
    });
    // Pipes and sockets are in it, too.
    FS.nameTable.length = nameTable.length;
    nameTable.forEach((entry, i) => {
      FS.nameTable[i] = entry;
    });
    FS.chdir(cwd);
  };
}

/** The table of JavaScript objects that Python refers to. Reading past its end traps; writing there would let it grow. */
function captureReferences(module: PyodideModule): () => void {
  const isThere = (index: number): boolean => {
    try {
      module.__hiwire_get(index);
      return true;
    } catch {
      return false;
    }
  };
  const kept: unknown[] = [];
  while (isThere(kept.length)) kept.push(module.__hiwire_get(kept.length));
  const numbers = [...(module.referenceNumbers ?? [])];
  let length = kept.length;
  return () => {
    module.referenceNumbers?.clear();
    for (const [value, number] of numbers) module.referenceNumbers?.set(value, number);
    kept.forEach((value, index) => void module.__hiwire_set(index, value));
    while (isThere(length)) length++;
    for (let index = kept.length; index < length; index++) module.__hiwire_set(index, null);
  };
}

/** A proxy that died with an earlier run must not touch the memory of the next: its finalizer knows its epoch. */
function guardFinalizers(module: PyodideModule): () => void {
  let epoch = 0;
  const registry = new FinalizationRegistry<{ epoch: number; held: { ptr: number } }>((dead) => {
    if (dead.epoch === epoch) module._Py_DecRef(dead.held.ptr);
  });
  module.finalizationRegistry = {
    register: (target, held, token) => registry.register(target, { epoch, held }, token),
    unregister: (token) => registry.unregister(token),
  };
  return () => {
    epoch++;
  };
}

/**
 * Captures the interpreter as it is now. Costs a copy of its memory, and that much space.
 * @param random fills with random bytes
 */
export function captureBaseline(pyodide: Pyodide, random: (into: Uint8Array) => void): Baseline {
  const module = pyodide._module;
  const kept = new WeakSet<object>();
  const files = watchFiles(pyodide, kept);
  const nextEpoch = guardFinalizers(module);
  const libraries = () => Object.keys(module.LDSO.loadedLibsByName).length;

  const heapEnd = () => module._sbrk(0) >>> 0;
  const memory = copyMemory(module.memory, heapEnd(), random);
  let stack: number;
  let tableLength: number;
  let libraryCount: number;
  let env: Record<string, string>;
  let putFilesBack: () => void;
  let putReferencesBack: () => void;

  const capture = () => {
    stack = module.stackSave();
    tableLength = module.wasmTable.length;
    libraryCount = libraries();
    env = { ...module.ENV };
    putFilesBack = captureFiles(pyodide, kept, files);
    putReferencesBack = captureReferences(module);
  };
  capture();

  return {
    recapture() {
      memory.update(heapEnd());
      capture();
    },
    restore() {
      if (libraries() !== libraryCount) throw new Error("a dynamic library was loaded during the run");
      memory.putBack();
      module.stackRestore(stack);
      // Functions added to the table by the run (ctypes callbacks) stay as holes; slots are never reused for others.
      for (let slot = tableLength; slot < module.wasmTable.length; slot++) module.wasmTable.set(slot, null);
      putReferencesBack();
      putFilesBack();
      for (const name of Object.keys(module.ENV)) if (!Object.hasOwn(env, name)) delete module.ENV[name];
      Object.assign(module.ENV, env);
      nextEpoch();
    },
  };
}
