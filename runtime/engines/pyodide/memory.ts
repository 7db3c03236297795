/**
 * Puts a living interpreter back to what it was: its memory, its tables of JavaScript references, its files, its
 * environment. This is hygiene between runs of one UDF of one principal, not a wall between principals.
 */
import type { FsNode, Pyodide, PyodideModule } from "./module.ts";

/** Runs of bytes that are copied, and between them runs that are zero. */
const CHUNK = 64 * 1024;

interface FileState {
  node: FsNode;
  mode: number;
  usedBytes: number;
  contents: FsNode["contents"];
  entries: Record<string, FsNode> | null;
}

export interface Baseline {
  /** Puts everything back. @throws Error where it cannot be: the interpreter must be thrown away. */
  restore(): void;
  /** Takes what is in memory now as the new baseline. */
  recapture(): void;
}

/**
 * Contents that were there at the capture are never written in place afterwards: a write makes its own copy first, so that putting
 * a file back is putting a reference back, and mounted archives stay what they are.
 */
function copyOnWrite(pyodide: Pyodide, kept: WeakSet<object>): void {
  const memfs = pyodide.FS.filesystems.MEMFS;
  const write = memfs.stream_ops.write;
  const guardedWrite: typeof write = (stream, ...rest) => {
    const contents = stream.node.contents;
    if (contents instanceof Uint8Array && kept.has(contents)) stream.node.contents = contents.slice();
    return Reflect.apply(write, memfs.stream_ops, [stream, ...rest]);
  };
  memfs.stream_ops.write = guardedWrite;
  memfs.ops_table.file.stream.write = guardedWrite;
}

function captureFiles(pyodide: Pyodide, kept: WeakSet<object>): () => void {
  const { FS } = pyodide;
  const files: FileState[] = [];
  const walk = (node: FsNode): void => {
    if (node.mount && node.mount.type !== FS.filesystems.MEMFS) return;
    const directory = FS.isDir(node.mode);
    const contents = node.contents;
    files.push({
      node,
      mode: node.mode,
      usedBytes: node.usedBytes,
      contents,
      entries: directory ? { ...(contents as Record<string, FsNode>) } : null,
    });
    if (directory) for (const child of Object.values(contents as Record<string, FsNode>)) walk(child);
    else if (contents instanceof Uint8Array) kept.add(contents);
  };
  walk(FS.root);
  const streams = FS.streams.map((stream) => ({ stream, position: stream?.position ?? 0 }));
  const nameTable = [...FS.nameTable];
  const cwd = FS.cwd();
  return () => {
    for (const { node, mode, usedBytes, contents, entries } of files) {
      node.mode = mode;
      if (entries) {
        const now = node.contents as Record<string, FsNode>;
        for (const name of Object.keys(now)) if (!Object.hasOwn(entries, name)) delete now[name];
        Object.assign(now, entries);
      } else {
        node.usedBytes = usedBytes;
        node.contents = contents;
      }
    }
    FS.streams.length = 0;
    streams.forEach(({ stream, position }, fd) => {
      FS.streams[fd] = stream;
      if (stream) stream.position = position;
    });
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

/** Copies of the stretches of memory that are not empty. Above the end of the heap nothing has been written yet. */
function copyRuns(memory: Uint8Array, heapEnd: number): { start: number; bytes: Uint8Array }[] {
  const words = new Int32Array(memory.buffer);
  const isEmpty = (start: number, end: number) => {
    for (let word = start / 4; word < end / 4; word++) if (words[word] !== 0) return false;
    return true;
  };
  const runs: { start: number; end: number }[] = [];
  for (let start = 0; start < heapEnd; start += CHUNK) {
    const end = Math.min(start + CHUNK, memory.length);
    if (isEmpty(start, end)) continue;
    const last = runs.at(-1);
    if (last?.end === start) last.end = end;
    else runs.push({ start, end });
  }
  return runs.map(({ start, end }) => ({ start, bytes: memory.slice(start, end) }));
}

/** Captures the interpreter as it is now. Costs a copy of its memory, and that much space. */
export function captureBaseline(pyodide: Pyodide): Baseline {
  const module = pyodide._module;
  const kept = new WeakSet<object>();
  copyOnWrite(pyodide, kept);
  const nextEpoch = guardFinalizers(module);
  const libraries = () => Object.keys(module.LDSO.loadedLibsByName).length;

  let runs: { start: number; bytes: Uint8Array }[];
  let stack: number;
  let tableLength: number;
  let libraryCount: number;
  let env: Record<string, string>;
  let putFilesBack: () => void;
  let putReferencesBack: () => void;

  const capture = () => {
    runs = copyRuns(new Uint8Array(module.HEAP8.buffer), module._sbrk(0) >>> 0);
    stack = module.stackSave();
    tableLength = module.wasmTable.length;
    libraryCount = libraries();
    env = { ...module.ENV };
    putFilesBack = captureFiles(pyodide, kept);
    putReferencesBack = captureReferences(module);
  };
  capture();

  return {
    recapture: capture,
    restore() {
      if (libraries() !== libraryCount) throw new Error("a dynamic library was loaded during the run");
      const now = new Uint8Array(module.HEAP8.buffer);
      let end = 0;
      for (const { start, bytes } of runs) {
        if (start > end) now.fill(0, end, start);
        now.set(bytes, start);
        end = start + bytes.length;
      }
      now.fill(0, end);
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
