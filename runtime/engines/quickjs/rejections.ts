/**
 * Promises that were rejected and that nobody handles. QuickJS reports them to a C callback (JS_SetHostPromiseRejectionTracker)
 * that its WebAssembly builds do not offer, so the callback is put into the runtime's memory by hand.
 */
import type { Vm } from "./vm.ts";

export interface Rejections {
  /** Where in memory and in the function table the callback is: what an image of the memory must come with. */
  readonly place: RejectionsPlace;
  /** The reason (a value pointer) of the first rejection that has no handler yet, or null. */
  first(): number | null;
  /** Forgets all of them. */
  forget(): void;
}

export interface RejectionsPlace {
  /** Address of eight bytes for values on their way. */
  cell: number;
  /** The callback's slot in the function table. */
  slot: number;
}

/**
 * `(import "e" "f" (func (param i32 i64 i64 i32 i32)))`, exported again: WebAssembly's own way to give a JavaScript function
 * the signature of `JSHostPromiseRejectionTracker`. A JSValue is an i64 on wasm32 (JS_NAN_BOXING, quickjs.h).
 */
const ADAPTER = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 9, 1, 0x60, 5, 0x7f, 0x7e, 0x7e, 0x7f, 0x7f, 0, 2, 7, 1, 1, 0x65, 1,
  0x66, 0, 0, 7, 5, 1, 1, 0x66, 0, 0,
]);

/** How much of the runtime's structure is looked at. */
const RUNTIME_BYTES = 512;

/**
 * Starts to watch. The callback's field follows the two of the interrupt handler (struct JSRuntime, quickjs.c), and those are
 * found by what enabling that handler changes.
 * @throws TypeError where the runtime is laid out in another way
 */
export function openRejections(vm: Vm, table: WebAssembly.Table): Rejections {
  const words = () => new Uint32Array(vm.memory.buffer.slice(vm.runtime, vm.runtime + RUNTIME_BYTES));
  const before = words();
  vm.raw.QTS_RuntimeEnableInterruptHandler(vm.runtime);
  const after = words();
  const handler = after.findIndex((word, i) => word !== before[i]);
  if (handler < 0 || after[handler + 2] !== 0 || after[handler + 3] !== 0) {
    throw new TypeError(
      "Cannot use this build of QuickJS: the place of its rejection callback was not found",
    );
  }
  const rejections = attachRejections(vm, table, { cell: vm.allocate(8), slot: table.length });
  new DataView(vm.memory.buffer).setUint32(vm.runtime + (handler + 2) * 4, rejections.place.slot, true);
  return rejections;
}

/**
 * Puts the callback into the function table, for a memory that refers to it already.
 * @throws TypeError where the table is of another length than the memory expects
 */
export function attachRejections(vm: Vm, table: WebAssembly.Table, place: RejectionsPlace): Rejections {
  const open = new Map<bigint, { promise: number; reason: number }>();
  const { cell } = place;
  const keep = (value: bigint): number => {
    new DataView(vm.memory.buffer).setBigUint64(cell, BigInt.asUintN(64, value), true);
    return vm.raw.QTS_DupValuePointer(vm.context, cell);
  };
  const track = (_context: number, promise: bigint, reason: bigint, handled: number) => {
    const known = open.get(promise);
    if (handled) {
      if (!known) return;
      open.delete(promise);
      vm.raw.QTS_FreeValuePointer(vm.context, known.promise);
      vm.raw.QTS_FreeValuePointer(vm.context, known.reason);
    } else if (!known) {
      // The promise is kept too: freed, its address could become another promise's.
      const kept = { promise: keep(promise), reason: keep(reason) };
      // 0 is a heap without room for either: running out of memory is reported elsewhere.
      if (kept.promise && kept.reason) open.set(promise, kept);
    }
  };

  const adapter = new WebAssembly.Instance(new WebAssembly.Module(ADAPTER), { e: { f: track } });
  if (table.grow(1, adapter.exports.f) !== place.slot) {
    throw new TypeError("Cannot use this image of QuickJS: it was made with another build");
  }

  return {
    place,
    first: () => open.values().next().value?.reason ?? null,
    forget: () => open.clear(),
  };
}
