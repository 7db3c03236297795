/**
 * Dynamic libraries in snapshots. Pyodide's own snapshots leave them out; here their order, addresses and table positions are
 * recorded when a snapshot is made, and before its memory is put back they are loaded again at the same places.
 */
import type { GlueHooks } from "./glue.ts";
import type { PyodideModule } from "./module.ts";

/** Whether a file is a library that extension modules need, and not such a module itself. */
export const isSharedLibrary = (path: string): boolean =>
  /(^|\/)lib[^/]*\.so[.\d]*$/.test(path) && !/\.(cpython|abi3)/.test(path);

/** What a snapshot remembers of its libraries. */
export interface LibraryRecord {
  /** Paths in the file system, in the order of loading. */
  names: string[];
  /** One entry for each library with data: where it went, and how long the function table was. */
  places: { base: number; end: number; table: number }[];
  /** Short names under which libraries that others need were made known: [name, path]. */
  aliases: [string, string][];
  /** dlopen's handles: [address, name]. */
  handles: [number, string][];
  tableLength: number;
}

type LibraryHooks = Pick<GlueHooks, "libraryMemory" | "libraryModule">;

/** Hooks that keep the symbols that are still without an address apart, in the order in which they were asked for. */
export function trackSymbols(): Pick<GlueHooks, "symbolWanted" | "wantedSymbols"> {
  let wanted: string[] = [];
  return {
    symbolWanted: (name) => void wanted.push(name),
    wantedSymbols(table) {
      const entries = wanted.map((name): [string, WebAssembly.Global] => [
        name,
        table[name] as WebAssembly.Global,
      ]);
      // Emscripten marks "unknown" by 0 (3.1) or -1 (later).
      const open = entries.filter(([, { value }]) => value === 0 || value === -1);
      wanted = open.map(([name]) => name);
      return open;
    },
  };
}

/** Hooks that record what a boot loads. */
export function recordLibraries(): {
  hooks: LibraryHooks;
  finish(module: PyodideModule): LibraryRecord;
  start(module: PyodideModule): void;
} {
  const record: LibraryRecord = { names: [], places: [], aliases: [], handles: [], tableLength: 0 };
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
    },
    start(of) {
      module = of;
    },
    finish(of) {
      record.handles = Object.entries(of.LDSO.loadedLibsByHandle).map(([handle, library]) => [
        Number(handle),
        library.name,
      ]);
      const loaded = Object.entries(of.LDSO.loadedLibsByName);
      for (const [name, library] of loaded) {
        const path = name.includes("/")
          ? undefined
          : loaded.find(([other, same]) => same === library && other.includes("/"))?.[0];
        if (path) record.aliases.push([name, path]);
      }
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
    if (of.wasmTable.length > length)
      throw new Error(`The function table has ${of.wasmTable.length} slots where the snapshot has ${length}`);
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
        // Functions get their slots in the table as symbols are resolved: that must happen just when it did before.
        const allowUndefined = isSharedLibrary(name);
        of.loadDynamicLibrary(
          name,
          { global: false, nodelete: true, loadAsync: false, allowUndefined, fs: files },
          {},
          0,
        );
        const handle = handles.get(name);
        const library = of.LDSO.loadedLibsByName[name];
        for (const [alias, path] of record.aliases)
          if (path === name && library) of.LDSO.loadedLibsByName[alias] = library;
        if (handle !== undefined && library) of.LDSO.loadedLibsByHandle[handle] = library;
      }
      growTable(of, record.tableLength);
      replaying = false;
      return record.places.reduce((end, place) => Math.max(end, place.end), 0);
    },
  };
}
