/**
 * Dynamic libraries in snapshots. Pyodide's own snapshots leave them out; here their order, addresses and table positions are
 * recorded when a snapshot is made, and before its memory is put back they are loaded again at the same places.
 */
import type { GlueHooks } from "./glue.ts";
import type { PyodideModule } from "./module.ts";

/** What a snapshot remembers of its libraries. */
export interface LibraryRecord {
  /** Paths in the file system, in the order of loading. */
  names: string[];
  /** One entry for each library with data: where it went, and how long the function table was. */
  places: { base: number; end: number; table: number }[];
  /** dlopen's handles: [address, name]. */
  handles: [number, string][];
  tableLength: number;
}

type LibraryHooks = Pick<GlueHooks, "libraryMemory" | "libraryModule" | "resolveEach">;

/** Hooks that record what a boot loads. */
export function recordLibraries(): { hooks: LibraryHooks; finish(module: PyodideModule): LibraryRecord; start(module: PyodideModule): void } {
  const record: LibraryRecord = { names: [], places: [], handles: [], tableLength: 0 };
  let module: PyodideModule | undefined;
  return {
    hooks: {
      libraryMemory(size, allocate) {
        const base = allocate(size);
        record.places.push({ base, end: base + size, table: module?.wasmTable.length ?? 0 });
        return base;
      },
      libraryModule(name) {
        record.names.push(name);
        return undefined;
      },
      resolveEach: () => true,
    },
    start(of) {
      module = of;
    },
    finish(of) {
      record.handles = Object.entries(of.LDSO.loadedLibsByHandle).map(([handle, library]) => [Number(handle), library.name]);
      record.tableLength = of.wasmTable.length;
      return record;
    },
  };
}

/**
 * Hooks that load the recorded libraries again, and the function that does it, to be called just before memory is put back; it gives
 * the end of the memory that they wrote to.
 */
export function replayLibraries(
  record: LibraryRecord,
  compiled: (path: string) => WebAssembly.Module | undefined,
): { hooks: LibraryHooks; load(module: PyodideModule): number } {
  let module: PyodideModule | undefined;
  let next = 0;
  let replaying = false;
  const growTable = (of: PyodideModule, length: number) => {
    if (of.wasmTable.length > length) throw new Error(`The function table has ${of.wasmTable.length} slots where the snapshot has ${length}`);
    if (of.wasmTable.length < length) of.wasmTable.grow(length - of.wasmTable.length);
  };
  return {
    hooks: {
      libraryMemory(size, allocate) {
        const place = replaying ? record.places[next++] : undefined;
        if (!place) return allocate(size);
        growTable(module as PyodideModule, place.table);
        return place.base;
      },
      libraryModule: (name) => compiled(name),
      resolveEach: () => !replaying,
    },
    load(of) {
      module = of;
      replaying = true;
      const handles = new Map(record.handles.map(([handle, name]) => [name, handle]));
      const files = {
        findObject(path: string) {
          try {
            return of.FS.lookupPath(path).node;
          } catch {
            return null;
          }
        },
        readFile: (path: string) => of.FS.readFile(path),
      };
      for (const name of record.names) {
        of.loadDynamicLibrary(name, { global: false, nodelete: true, loadAsync: false, fs: files }, {}, 0);
        const handle = handles.get(name);
        const library = of.LDSO.loadedLibsByName[name];
        if (handle !== undefined && library) of.LDSO.loadedLibsByHandle[handle] = library;
      }
      of.reportUndefinedSymbols();
      growTable(of, record.tableLength);
      replaying = false;
      return record.places.reduce((end, place) => Math.max(end, place.end), 0);
    },
  };
}
