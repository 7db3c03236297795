/** The QuickJS engine inside the isolate: runs compiled TypeScript UDFs, one at a time, each in memory that no other run has touched. */

import { decodeSnapshot } from "../../isolate/snapshot.ts";
import type { GuestFailure } from "../../udf.ts";
import type { Encoded } from "../../value.ts";
import type { GuestEngine, GuestHost, GuestLimits, PutBack } from "../guest.ts";
import { GUEST_MODULE, HOST_NAME } from "./ops.ts";
import type { QuickJsRequest, QuickJsUdf } from "./plan.ts";
import { outOfMemory, Run } from "./run.ts";
import { openVm, Thrown, type Vm, type VmFacts } from "./vm.ts";

const MiB = 1024 * 1024;

/** Beyond this an engine that a run made grow is thrown away: a wasm memory never shrinks. */
const GROWTH = { factor: 2, bytes: 64 * MiB };

/** Measured: with more, Firefox and WebKit end the engine instead of the recursion. */
const STACK_BYTES = 192 * 1024;

/** What the heap holds beyond QuickJS's own limit, for text and buffers on their way through. */
const RESERVE = { share: 8, mostBytes: 16 * MiB };

export interface QuickJsOptions {
  /** The binary of `@jitl/quickjs-wasmfile-release-sync`, or the module compiled from `prepareQuickJs(binary)`. */
  wasm: Uint8Array | WebAssembly.Module;
  /** The script that `bundlePrelude` made; not needed with an image. */
  prelude: string;
  /** `QuickJsEngine.image`, made with the same binary and script: starting from it saves most of the time. */
  image?: Uint8Array;
  /** The most that the engine's heap may grow to, in bytes; not below 16 MiB, which it starts with. */
  memoryBytes: number;
}

/** The failure of a run that reached `GuestLimits.deadline`. Whoever keeps the clock outside reports it as the time limit. */
export const DEADLINE_TYPE = "DeadlineExceeded";

export function failure(
  kind: GuestFailure["kind"],
  type: string,
  message: string,
  file: string | null = null,
): GuestFailure {
  return {
    kind,
    type,
    message,
    traceback: `${type}: ${message}`,
    file,
    line: null,
    subject: null,
    value: null,
  };
}

/** The realm's own stack ended before QuickJS's did: a parser's frames are larger there. V8 and JavaScriptCore, Firefox. */
function isHostStackOverflow(error: unknown): boolean {
  return error instanceof Error && /maximum call stack|too much recursion/i.test(error.message);
}

function reply(error: GuestFailure): Encoded {
  return { text: JSON.stringify({ ok: false, error }), buffers: [] };
}

/** The engine, which can be written down before its first run. */
export interface QuickJsEngine extends GuestEngine {
  /** The memory with the guest script loaded, for `QuickJsOptions.image`. */
  readonly image: Uint8Array;
}

function loadPrelude(vm: Vm, prelude: string): void {
  vm.setGlobal(HOST_NAME, vm.hostFunction());
  try {
    vm.evalModule(prelude, GUEST_MODULE);
  } catch (error) {
    const why = error instanceof Thrown ? vm.readString(error.pointer) : String(error);
    throw new TypeError(`Cannot open QuickJS: the guest script failed: ${why}`);
  }
}

/**
 * Opens the engine (about 10 ms from an image). The realm needs `TextEncoder`, `TextDecoder`, `WebAssembly` and `setTimeout`.
 * @throws TypeError for a wasm binary or script that is not ours
 */
export async function openQuickJs(options: QuickJsOptions, host: GuestHost): Promise<QuickJsEngine> {
  let run: Run | null = null;
  let { image } = options;
  const start = image ? decodeSnapshot<VmFacts>(image) : null;
  let entry = start?.metadata.entry ?? 0;
  const vm: Vm = await openVm(
    { wasm: options.wasm, memoryBytes: options.memoryBytes, stackBytes: STACK_BYTES, image: start },
    {
      call(args) {
        if (run) return run.call(args);
        // Before the first run there is one call only: the script hands over its entry function.
        entry = vm.raw.QTS_DupValuePointer(vm.context, args[1] as number);
        return null;
      },
      interrupt: () => run?.interrupt() ?? false,
      refuseImport(specifier) {
        if (run) run.refusedImport = true;
        return `Cannot import ${JSON.stringify(specifier)}: a UDF imports its own files and "${GUEST_MODULE}"`;
      },
    },
  );
  if (!image) {
    loadPrelude(vm, options.prelude);
    if (entry === 0) throw new TypeError("Cannot open QuickJS: the guest script did not report");
    image = vm.keep(entry);
  }

  const startBytes = vm.memory.buffer.byteLength;
  let clean = true;
  let last: QuickJsUdf | null = null;
  let broken: string | null = null;

  const putBack = (): PutBack => {
    const heapBytes = vm.memory.buffer.byteLength;
    const tooLarge = heapBytes > startBytes * GROWTH.factor + GROWTH.bytes;
    const reason = broken ?? (tooLarge ? `the heap grew to ${Math.round(heapBytes / MiB)} MiB` : null);
    if (reason === null && !clean) {
      vm.reset();
      clean = true;
    }
    return { reusable: reason === null, reason, heapBytes };
  };

  return {
    async run(request: Encoded, limits: GuestLimits): Promise<Encoded> {
      if (run)
        return reply(failure("internal", "Busy", "A run is under way: the engine runs one UDF at a time"));
      if (broken) return reply(failure("internal", "Broken", `The engine cannot run any more: ${broken}`));
      const asked = JSON.parse(request.text) as QuickJsRequest;
      const udf = asked.udf ?? last;
      if (udf === null)
        return reply(failure("internal", "NoUdf", "No UDF: the request names none, and none has run here"));
      last = udf;
      if (!clean) vm.reset();
      clean = false;
      const heap = Math.min(limits.memoryBytes, options.memoryBytes);
      const reserve = Math.min(heap / RESERVE.share, RESERVE.mostBytes);
      const seed = new Uint8Array(8);
      host.random(seed);
      vm.seed(new DataView(seed.buffer).getBigUint64(0) | 1n);
      run = new Run(vm, entry, host, { deadline: limits.deadline, heapBytes: Math.floor(heap - reserve) });
      try {
        return await run.execute(udf, asked, request.buffers);
      } catch (error) {
        // Nothing that the guest throws gets here: the machine itself has stopped midway, and its state is unknown.
        broken = error instanceof Error ? error.message : String(error);
        // QuickJS itself does not survive a full heap everywhere.
        if (run.starved) return reply(outOfMemory(udf.file));
        if (isHostStackOverflow(error))
          return reply(failure("udf", "InternalError", "stack overflow", udf.file));
        return reply(failure("internal", "EngineFailure", `QuickJS failed: ${broken}`, udf.file));
      } finally {
        run.close();
        run = null;
      }
    },
    image,
    inspect: () => reply(failure("load", "NotHere", "TypeScript is read by the host")),
    putBack,
  };
}
