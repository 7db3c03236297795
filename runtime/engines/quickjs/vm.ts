/**
 * QuickJS in WebAssembly, over its raw functions. One runtime and one context are made and kept as a copy of their memory;
 * putting that copy back undoes whatever ran: no value, patched prototype or broken heap survives it.
 */

import loadEmscripten from "@jitl/quickjs-wasmfile-release-sync/emscripten-module";
import { QuickJSFFI } from "@jitl/quickjs-wasmfile-release-sync/ffi";
import { decodeSnapshot, encodeSnapshot, restoreSnapshot, type Snapshot } from "../../isolate/snapshot.ts";
import { exportTable, memoryLimits } from "../wasm-memory.ts";
import { attachRejections, openRejections, type Rejections, type RejectionsPlace } from "./rejections.ts";

/** The raw functions that are used here; pointers are numbers. */
export interface RawQuickJs {
  QTS_NewRuntime(): number;
  QTS_RuntimeSetMemoryLimit(runtime: number, bytes: number): void;
  QTS_RuntimeSetMaxStackSize(runtime: number, bytes: number): void;
  QTS_RuntimeEnableInterruptHandler(runtime: number): void;
  QTS_RuntimeEnableModuleLoader(runtime: number, normalizer: number): void;
  QTS_NewContext(runtime: number, intrinsics: number): number;
  QTS_GetGlobalObject(context: number): number;
  QTS_SetProp(context: number, object: number, key: number, value: number): void;
  QTS_GetUndefined(): number;
  QTS_GetNull(): number;
  QTS_NewFloat64(context: number, value: number): number;
  QTS_GetFloat64(context: number, value: number): number;
  QTS_NewString(context: number, text: number): number;
  QTS_GetString(context: number, value: number): number;
  QTS_FreeCString(context: number, text: number): void;
  QTS_NewArrayBuffer(context: number, bytes: number, length: number): number;
  QTS_GetArrayBuffer(context: number, value: number): number;
  QTS_GetArrayBufferLength(context: number, value: number): number;
  QTS_NewError(context: number): number;
  QTS_Throw(context: number, error: number): number;
  QTS_NewFunction(context: number, name: string, length: number, isConstructor: boolean, id: number): number;
  QTS_ArgvGetJSValueConstPointer(list: number, index: number): number;
  QTS_DupValuePointer(context: number, value: number): number;
  QTS_FreeValuePointer(context: number, value: number): void;
  QTS_Call(context: number, fn: number, self: number, count: number, list: number): number;
  QTS_Eval(
    context: number,
    code: number,
    length: number,
    file: string,
    detect: number,
    flags: number,
  ): number;
  QTS_ResolveException(context: number, value: number): number;
  QTS_ExecutePendingJob(runtime: number, most: number, context: number): number;
  QTS_Typeof(context: number, value: number): number;
}

interface RawModule {
  callbacks: unknown;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

/** What the machine asks of its owner while QuickJS runs. */
export interface VmOwner {
  /** The host function: numbers, strings, `ArrayBuffer`s and booleans come as pointers; null answers undefined. */
  call(args: readonly number[]): number | null;
  /** True ends the running script with an error that it cannot catch. */
  interrupt(): boolean;
  /** Text of the error for an import that is not the guest's own module. */
  refuseImport(specifier: string): string;
}

export interface VmOptions {
  wasm: Uint8Array | WebAssembly.Module;
  /** The most that the heap may grow to. */
  memoryBytes: number;
  /** Stack for the guest: beyond it, an error that the guest can catch. */
  stackBytes: number;
  /** Memory to start from, made by `keep` with the same binary. */
  image?: Snapshot<VmFacts> | null;
}

/** A value that the guest threw: a pointer to it. */
export class Thrown {
  readonly pointer: number;
  constructor(pointer: number) {
    this.pointer = pointer;
  }
}

/** The wasm heap is at its limit. */
export class OutOfMemory extends Error {}

/** A pointer that the machine gave; 0 is a heap without room. */
function present(pointer: number): number {
  if (pointer === 0) throw new OutOfMemory();
  return pointer;
}

const MODULE_FLAGS = 1;
const ALL_INTRINSICS = 0;
const PAGE = 65536;
/** The maximum that the binary declares for the memory that it imports: 2 GiB. */
const MOST_PAGES = 32768;

/** The name of the function table in a prepared binary. */
const TABLE = "fuselet_table";

/** The QuickJS binary as `openVm` wants it compiled: with its function table exported. @throws TypeError for no wasm binary. */
export function prepareQuickJs(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  return exportTable(wasm, TABLE);
}

/** What the addresses in an image of the memory mean. */
export interface VmFacts {
  runtime: number;
  context: number;
  /** The guest script's entry function. */
  entry: number;
  randomAt: number;
  rejections: RejectionsPlace;
}

export class Vm {
  readonly memory: WebAssembly.Memory;
  readonly raw: RawQuickJs;
  readonly runtime: number;
  readonly context: number;
  readonly rejections: Rejections;
  readonly #module: RawModule;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #randomAt: number;
  #image: Snapshot<VmFacts> | null;

  /** Use `openVm`. */
  constructor(
    memory: WebAssembly.Memory,
    module: RawModule,
    table: WebAssembly.Table,
    owner: VmOwner,
    stackBytes: number,
    image: Snapshot<VmFacts> | null,
  ) {
    this.memory = memory;
    this.#module = module;
    this.raw = new QuickJSFFI(module as never) as unknown as RawQuickJs;
    module.callbacks = {
      callFunction: (_: unknown, __: number, ___: number, count: number, list: number) => {
        const args: number[] = [];
        for (let i = 0; i < count; i++) args.push(this.raw.QTS_ArgvGetJSValueConstPointer(list, i));
        return owner.call(args) ?? 0;
      },
      shouldInterrupt: () => (owner.interrupt() ? 1 : 0),
      loadModuleSource: (_: unknown, __: number, ___: number, specifier: string) => {
        this.throwError("ReferenceError", owner.refuseImport(specifier));
        return 0;
      },
      freeHostRef: () => undefined,
    };
    this.#image = image;
    if (image) {
      // No guest has been here: what the module's own start has left between the image's pages can stay.
      restoreSnapshot(image, this.bytes, 0);
      const { runtime, context, randomAt, rejections } = image.metadata;
      this.runtime = runtime;
      this.context = context;
      this.rejections = attachRejections(this, table, rejections);
      this.#randomAt = randomAt;
      return;
    }
    this.runtime = this.raw.QTS_NewRuntime();
    this.raw.QTS_RuntimeSetMaxStackSize(this.runtime, stackBytes);
    this.raw.QTS_RuntimeEnableModuleLoader(this.runtime, 0);
    this.context = this.raw.QTS_NewContext(this.runtime, ALL_INTRINSICS);
    this.rejections = openRejections(this, table);
    this.#randomAt = this.#findRandomState();
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  /** Keeps the memory as it is now: `reset` comes back to this point. @returns it as a snapshot file, from which `openVm` can start */
  keep(entry: number): Uint8Array {
    const { runtime, context } = this;
    const facts: VmFacts = {
      runtime,
      context,
      entry,
      randomAt: this.#randomAt,
      rejections: this.rejections.place,
    };
    const file = encodeSnapshot(this.bytes, facts);
    this.#image = decodeSnapshot(file);
    return file;
  }

  /** Puts back the image that it started from, or that `keep` kept. The heap does not shrink; what lies above is zero again. */
  reset(): void {
    restoreSnapshot(this.#image as Snapshot<VmFacts>, this.bytes);
    this.rejections.forget();
  }

  /** Starts `Math.random` anew. @param seed not 0 */
  seed(seed: bigint): void {
    new DataView(this.memory.buffer).setBigUint64(this.#randomAt, seed, true);
  }

  /** @throws OutOfMemory */
  allocate(length: number): number {
    return present(this.#module._malloc(Math.max(length, 1)));
  }

  free(pointer: number): void {
    this.#module._free(pointer);
  }

  /** A guest string. `text` has no NUL character. @throws OutOfMemory */
  string(text: string): number {
    const [pointer] = this.#cString(text);
    const value = this.raw.QTS_NewString(this.context, pointer);
    this.free(pointer);
    return present(value);
  }

  /** @throws OutOfMemory */
  number(value: number): number {
    return present(this.raw.QTS_NewFloat64(this.context, value));
  }

  /** A guest ArrayBuffer with a copy of the bytes. @throws OutOfMemory */
  arrayBuffer(bytes: Uint8Array): number {
    const pointer = this.allocate(bytes.length);
    this.bytes.set(bytes, pointer);
    return present(this.raw.QTS_NewArrayBuffer(this.context, pointer, bytes.length));
  }

  readNumber(value: number): number {
    return this.raw.QTS_GetFloat64(this.context, value);
  }

  /** The text of a guest string. @throws OutOfMemory */
  readString(value: number): string {
    const pointer = this.raw.QTS_GetString(this.context, value);
    if (pointer === 0) throw new OutOfMemory();
    const text = this.#readCString(pointer);
    this.raw.QTS_FreeCString(this.context, pointer);
    return text;
  }

  /** A copy of a guest ArrayBuffer's bytes. @throws OutOfMemory */
  readArrayBuffer(value: number): Uint8Array<ArrayBuffer> {
    const pointer = this.raw.QTS_GetArrayBuffer(this.context, value);
    if (pointer === 0) throw new OutOfMemory();
    const length = this.raw.QTS_GetArrayBufferLength(this.context, value);
    const copy = this.bytes.slice(pointer, pointer + length);
    this.free(pointer);
    return copy as Uint8Array<ArrayBuffer>;
  }

  /** Sets a property of the global object; used before any user code runs. */
  setGlobal(name: string, value: number): void {
    this.raw.QTS_SetProp(this.context, this.raw.QTS_GetGlobalObject(this.context), this.string(name), value);
  }

  /** A guest function that calls `VmOwner.call`. */
  hostFunction(): number {
    return this.raw.QTS_NewFunction(this.context, "", 0, false, 1);
  }

  /** Throws inside the guest; the pointer is what a host function returns to do so. */
  throwError(name: string, message: string): number {
    const error = present(this.raw.QTS_NewError(this.context));
    this.raw.QTS_SetProp(this.context, error, this.string("name"), this.string(name));
    this.raw.QTS_SetProp(this.context, error, this.string("message"), this.string(message));
    return this.raw.QTS_Throw(this.context, error);
  }

  /**
   * Evaluates a module: its namespace, or a promise of it where it awaits at the top.
   * @throws Thrown @throws OutOfMemory
   */
  evalModule(code: string, file: string): number {
    const [pointer, length] = this.#cString(code);
    const value = this.raw.QTS_Eval(this.context, pointer, length, file, 0, MODULE_FLAGS);
    // What is free is zero: an image would keep the text.
    this.bytes.fill(0, pointer, pointer + length);
    this.free(pointer);
    return this.#unwrap(value);
  }

  /** @throws Thrown @throws OutOfMemory */
  call(fn: number, args: readonly number[]): number {
    const list = this.allocate(args.length * 4);
    const view = new DataView(this.memory.buffer);
    for (const [i, arg] of args.entries()) view.setUint32(list + i * 4, arg, true);
    const value = this.raw.QTS_Call(this.context, fn, this.raw.QTS_GetUndefined(), args.length, list);
    this.free(list);
    return this.#unwrap(value);
  }

  /** Runs up to `most` jobs of the microtask queue; how many ran. @throws Thrown */
  runJobs(most: number): number {
    const out = this.allocate(4);
    new DataView(this.memory.buffer).setUint32(out, 0, true);
    const value = this.raw.QTS_ExecutePendingJob(this.runtime, most, out);
    const last = new DataView(this.memory.buffer).getUint32(out, true);
    this.free(out);
    if (last === 0) return 0;
    if (this.#typeof(value) !== "number") throw new Thrown(value);
    const count = this.readNumber(value);
    this.raw.QTS_FreeValuePointer(this.context, value);
    return count;
  }

  #typeof(value: number): string {
    const pointer = this.raw.QTS_Typeof(this.context, value);
    const text = this.#readCString(pointer);
    this.free(pointer);
    return text;
  }

  #unwrap(value: number): number {
    const error = this.raw.QTS_ResolveException(this.context, present(value));
    if (error) throw new Thrown(error);
    return value;
  }

  #cString(text: string): [pointer: number, length: number] {
    const utf8 = this.#encoder.encode(text);
    const pointer = this.allocate(utf8.length + 1);
    const bytes = this.bytes;
    bytes.set(utf8, pointer);
    bytes[pointer + utf8.length] = 0;
    return [pointer, utf8.length];
  }

  #readCString(pointer: number): string {
    const bytes = this.bytes;
    return this.#decoder.decode(bytes.subarray(pointer, bytes.indexOf(0, pointer)));
  }

  /**
   * Where the context keeps the state of `Math.random`: a copy of the memory would otherwise repeat its numbers. It is the
   * word that one call moves by the generator's own step (xorshift64star, quickjs.c).
   */
  #findRandomState(): number {
    const words = () => new BigUint64Array(this.memory.buffer.slice(this.context, this.context + 512));
    const before = words();
    this.evalModule("Math.random()", "random");
    const after = words();
    const index = before.findIndex((word, i) => {
      let x = word;
      x ^= x >> 12n;
      x ^= BigInt.asUintN(64, x << 25n);
      x ^= x >> 27n;
      return word !== 0n && x === after[i];
    });
    if (index < 0)
      throw new TypeError("Cannot use this build of QuickJS: the state of its random numbers was not found");
    return this.context + index * 8;
  }
}

/**
 * Opens a machine on a binary of `@jitl/quickjs-wasmfile-release-sync`.
 * @throws TypeError for another binary, or a compiled module that `prepareQuickJs` has not prepared.
 */
export async function openVm(
  { wasm, memoryBytes, stackBytes, image = null }: VmOptions,
  owner: VmOwner,
): Promise<Vm> {
  const module = wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(prepareQuickJs(wasm));
  const least = wasm instanceof WebAssembly.Module ? 256 * PAGE : memoryLimits(wasm).minBytes;
  const memory = new WebAssembly.Memory({
    initial: least / PAGE,
    maximum: Math.floor(Math.max(least, Math.min(memoryBytes, MOST_PAGES * PAGE)) / PAGE),
  });
  let table: WebAssembly.ExportValue | undefined;
  const raw = await new Promise((resolve, reject) => {
    const instantiateWasm = (
      imports: WebAssembly.Imports,
      receive: (instance: WebAssembly.Instance) => void,
    ) => {
      WebAssembly.instantiate(module, imports).then((instance) => {
        table = instance.exports[TABLE];
        receive(instance);
      }, reject);
      return {};
    };
    const load = loadEmscripten as unknown as (options: object) => Promise<unknown>;
    load({ wasmMemory: memory, instantiateWasm }).then(resolve, reject);
  });
  if (!(table instanceof WebAssembly.Table)) {
    throw new TypeError(
      "Cannot use this module of QuickJS: it was compiled from a binary that prepareQuickJs did not prepare",
    );
  }
  return new Vm(memory, raw as RawModule, table, owner, stackBytes, image);
}
