/**
 * Pyodide's own JavaScript (the loader and Emscripten's glue) as one script expression that needs no imports, no network and no
 * globals: a function of `hooks` that gives `{ loadPyodide, createPyodideModule }`. The places where the glue reaches out
 * are turned into calls of a hook; a distribution in which a place is not found is refused, never half patched.
 */
import { AssetError } from "../../errors.ts";

/** What the glue calls instead of the world. */
export interface GlueHooks {
  fetch(
    url: unknown,
  ): Promise<{ ok: boolean; arrayBuffer(): Promise<ArrayBuffer>; json(): Promise<unknown> }>;
  /** Modules are not loaded. @throws TypeError */
  refuseImport(specifier: unknown): never;
  instantiate(
    source: unknown,
    imports: WebAssembly.Imports,
  ): Promise<WebAssembly.WebAssemblyInstantiatedSource>;
  /** The address at which a dynamic library's data goes; `allocate` is the glue's own way. */
  libraryMemory(size: number, allocate: (size: number) => number): number;
  /** The compiled library, or undefined: then the glue reads and compiles the file. */
  libraryModule(name: string): WebAssembly.Module | undefined;
  /** A symbol has been asked for whose address is not known yet. */
  symbolWanted(name: string): void;
  /** The entries of the table of symbols that may still be without an address: looking at all of them after each library is quadratic. */
  wantedSymbols(table: Record<string, WebAssembly.Global>): [string, WebAssembly.Global][];
  /** Puts a snapshot's memory in place, just before the interpreter reads it. */
  restore(module: unknown, memory: Uint8Array): void;
  /** Bytes of memory that the glue should start with (0.27; later builds are fixed and grown). */
  initialMemory(length: number): number;
  /** The time in ms. */
  now(): number;
  /** The most 64-KiB pages of memory (builds that make their memory in JavaScript). */
  maximumPages: number;
}

interface Patch {
  what: string;
  pattern: RegExp;
  replacement: string;
  /** Builds without the place are fine. */
  optional?: boolean;
}

const ASM: Patch[] = [
  {
    what: "import.meta.url",
    pattern: /import\.meta\.url/g,
    replacement: '"file:///isolate/pyodide.asm.mjs"',
    optional: true,
  },
  {
    what: "the default export",
    pattern: /export default _createPyodideModule;?/,
    replacement: "",
    optional: true,
  },
  {
    what: "the memory of a library",
    pattern: /getMemory\(metadata\.memorySize\s*\+\s*memAlign\)/,
    replacement: "hooks.libraryMemory(metadata.memorySize+memAlign,getMemory)",
  },
  {
    what: "the reading of a library",
    pattern: /function loadLibData\(\)\s*\{/,
    replacement: "function loadLibData(){var given=hooks.libraryModule(libName);if(given)return given;",
  },
  {
    // The interpreter exports thousands of symbols. One that nobody has asked for gets its address, and a slot, when somebody does.
    what: "the addresses of exports",
    pattern:
      /(updateGOT\s*=\s*\(exports,\s*replace\)\s*=>\s*\{)(for\s*\(var symName in exports\)\s*\{if\s*\()(isInternalSym\(symName\))/,
    replacement: "$1var first=!mainExports;mainExports||=exports;$2first&&!GOT[symName]||$3",
  },
  { what: "the table of symbols", pattern: /var GOT=\{\};/, replacement: "var mainExports,GOT={};" },
  {
    what: "the asking for a symbol",
    pattern: /rtn=GOT\[symName\]=new WebAssembly\.Global\(([^)]*)\)/,
    replacement:
      "rtn=GOT[symName]=new WebAssembly.Global($1);hooks.symbolWanted(symName);" +
      "if(mainExports&&Object.hasOwn(mainExports,symName))updateGOT({[symName]:mainExports[symName]})",
  },
  {
    // Newer builds say it themselves, later.
    what: "the memory",
    pattern: /(function updateMemoryViews\(\)\{)(var b=wasmMemory\.buffer;)/,
    replacement: "$1Module.memory=wasmMemory;$2",
  },
  {
    // By which JavaScript objects that were handed over before get their number again; putting memory back needs it.
    what: "the numbers of references",
    pattern: /(function __hiwire_deduplicate_new\(\)\s*\{\s*return )(new Map)/,
    replacement: "$1Module.referenceNumbers=$2",
  },
  {
    what: "the resolving of symbols",
    pattern: /(reportUndefinedSymbols=\(\)=>\{for\(var\s*\[symName,entry\]of )Object\.entries\(GOT\)/,
    replacement: "$1hooks.wantedSymbols(GOT)",
  },
  {
    what: "the restoring of memory",
    pattern: /return Module\.HEAP8\.set\(([\w$]+)\),([\w$]+)\}/,
    replacement: "return hooks.restore(Module,$1),$2}",
  },
  {
    // The glue notes signatures on these functions; those of the realm are frozen.
    what: "aliases of the realm's functions",
    pattern: /var (_\w+)=(Math\.\w+|clear[A-Z]\w+);/g,
    replacement: "var $1=(a,b)=>$2(a,b);",
    optional: true,
  },
  {
    // Sleeping asks for the time again and again, and for nothing else.
    what: "the clock",
    pattern: /(_emscripten_get_now\s*=\s*)\(\)\s*=>\s*performance\.now\(\)/,
    replacement: "$1()=>hooks.now()",
    optional: true,
  },
  {
    what: "the maximum of the memory",
    pattern: /"maximum":\s*4294967296\s*\/\s*65536/,
    replacement: '"maximum":hooks.maximumPages',
    optional: true,
  },
];

const LOADER: Patch[] = [
  {
    // A refused import() would be refused with an error of the realm outside, and its constructor leads there.
    what: "dynamic imports",
    pattern: /(?<![.\w$])import\(/g,
    replacement: "hooks.refuseImport(",
    optional: true,
  },
  { what: "fetch", pattern: /(?<![.\w])fetch\(/g, replacement: "hooks.fetch(" },
  {
    what: "instantiateStreaming",
    pattern: /WebAssembly\.instantiateStreaming\(/g,
    replacement: "hooks.instantiate(",
  },
  {
    what: "the initial memory",
    pattern: /([\w$]+)\.INITIAL_MEMORY\s*=\s*([\w$]+)\.length/,
    replacement: "$1.INITIAL_MEMORY=hooks.initialMemory($2.length)",
  },
  {
    what: "import.meta.url",
    pattern: /import\.meta\.url/g,
    replacement: '"file:///isolate/pyodide.mjs"',
    optional: true,
  },
  {
    what: "the exports",
    pattern: /export\s*\{\s*([\w$]+) as loadPyodide\s*,[^}]*\};?/,
    replacement: "return {loadPyodide:$1,createPyodideModule:_createPyodideModule};",
  },
  { what: "the source map", pattern: /\/\/# sourceMappingURL=.*/, replacement: "", optional: true },
];

function patch(text: string, patches: readonly Patch[], file: string): string {
  let out = text;
  for (const { what, pattern, replacement, optional } of patches) {
    const next = out.replace(pattern, replacement);
    if (next === out && !optional) {
      throw new AssetError(
        `Cannot use this Pyodide: ${what} was not found in ${file} (versions 0.27 to 314 are supported)`,
      );
    }
    out = next;
  }
  return out;
}

/**
 * @param asm text of `pyodide.asm.js` or `pyodide.asm.mjs`
 * @param loader text of `pyodide.mjs`
 * @returns the source of a function expression of one parameter, `hooks` (GlueHooks)
 * @throws AssetError for a build that is too different
 */
export function pyodideGlue(asm: string, loader: string): string {
  return `(function(hooks){"use strict";${patch(asm, ASM, "pyodide.asm")}\n${patch(loader, LOADER, "pyodide.mjs")}\n})`;
}
