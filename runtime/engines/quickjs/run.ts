/** One run of a UDF in QuickJS: its event loop, its host calls and what it answers. */

import type { GuestFailure } from "../../udf.ts";
import type { Encoded } from "../../value.ts";
import type { GuestHost } from "../guest.ts";
import { DEADLINE_TYPE, failure } from "./guest.ts";
import { ENTRY, OP } from "./ops.ts";
import type { QuickJsRequest, QuickJsUdf } from "./plan.ts";
import { OutOfMemory, Thrown, type Vm } from "./vm.ts";

/** Jobs between two looks at the clock. */
const JOBS_AT_ONCE = 256;

/** How much the limit is let up so that running out of memory can be put into words. */
const RELAXED_BYTES = 1024 * 1024;

/** A heap that has grown to this part of its limit is taken for the reason of a failure without an error. */
const STARVED_SHARE = 0.75;

const UNREADABLE = "UnreadableError";

/** What the platform's timers hold; a longer one would fire at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** The failure of a run that has used up its memory. */
export const outOfMemory = (file: string | null) =>
  failure("memory", "OutOfMemory", "The UDF needs more memory than it may have", file);

export interface RunLimits {
  /** On `GuestHost.now()`'s clock, in ms. */
  deadline: number;
  heapBytes: number;
}

interface Timer {
  id: number;
  due: number;
}

export class Run {
  /** Set by the module loader: an import was refused while the module was loaded. */
  refusedImport = false;
  readonly #vm: Vm;
  readonly #entry: number;
  readonly #host: GuestHost;
  readonly #limits: RunLimits;
  readonly #begun: number;
  readonly #encoder = new TextEncoder();
  #closed = false;
  #late = false;
  /** When the guest was last entered: timers that it sets in one turn count from there, and fire in the order of their times. */
  #turn = 0;
  #pendingCalls = 0;
  #timers: Timer[] = [];
  #inbox: readonly Uint8Array[] = [];
  #outbox: Uint8Array[] = [];
  #answers: { id: number; reply: Encoded }[] = [];
  #wake: (() => void) | null = null;
  #outcome: Encoded | null = null;
  #failed = false;

  constructor(vm: Vm, entry: number, host: GuestHost, limits: RunLimits) {
    this.#vm = vm;
    this.#entry = entry;
    this.#host = host;
    this.#limits = limits;
    this.#begun = host.now();
  }

  /** What arrives later, of host calls and timers, is dropped. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** QuickJS asks every 10,000 steps or so; a regular expression too. */
  interrupt(): boolean {
    if (!this.#late && this.#host.now() >= this.#limits.deadline) this.#late = true;
    return this.#late;
  }

  /** Runs to the end. Everything that the guest does is in the answer; what is thrown is the engine's own failure. */
  async execute(
    udf: QuickJsUdf,
    { parameters, tile }: QuickJsRequest,
    buffers: readonly Uint8Array[],
  ): Promise<Encoded> {
    const vm = this.#vm;
    vm.raw.QTS_RuntimeSetMemoryLimit(vm.runtime, this.#limits.heapBytes);
    this.#inbox = buffers;
    try {
      const facts = {
        file: udf.file,
        name: udf.name,
        plan: udf.plan,
        parameters,
        tile,
        buffers: buffers.length,
      };
      this.#enter(ENTRY.prepare, [vm.string(JSON.stringify(facts))]);
      if (!this.#outcome) this.#load(udf.code, udf.file);
      while (!this.#step(udf.file)) await this.#sleep();
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      this.#fail(outOfMemory(udf.file));
    }
    return this.#outcome as unknown as Encoded;
  }

  #load(code: string, file: string): void {
    this.#turn = this.#host.now();
    try {
      const namespace = this.#vm.evalModule(code, file);
      this.#enter(ENTRY.invoke, [namespace]);
    } catch (error) {
      if (!(error instanceof Thrown)) throw error;
      if (this.#late) return;
      this.#enter(ENTRY.loadFailed, [error.pointer, this.#vm.number(this.refusedImport ? 1 : 0)]);
    }
  }

  /** Does all that can be done now. True: the run has an outcome. */
  #step(file: string): boolean {
    for (const { id, reply } of this.#answers.splice(0)) {
      this.#inbox = reply.buffers;
      this.#enter(ENTRY.answer, [
        this.#vm.number(id),
        this.#vm.string(reply.text),
        this.#vm.number(reply.buffers.length),
      ]);
      this.#drain();
    }
    this.#drain();
    const now = this.#host.now();
    for (const timer of this.#timers
      .filter(({ due }) => due <= now)
      .sort((a, b) => a.due - b.due || a.id - b.id)) {
      if (this.#late || this.#outcome) break;
      if (!this.#timers.includes(timer)) continue;
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      this.#enter(ENTRY.fire, [this.#vm.number(timer.id)]);
      this.#drain();
    }
    if (this.interrupt()) {
      this.#outcome = null;
      this.#failed = false;
      this.#fail(failure("internal", DEADLINE_TYPE, "The UDF reached its time limit", file));
    } else if (
      !this.#outcome &&
      this.#pendingCalls === 0 &&
      this.#timers.length === 0 &&
      this.#answers.length === 0
    ) {
      this.#fail(
        failure(
          "udf",
          "NeverSettles",
          "The UDF's promise never settles: nothing is left that it could wait for",
          file,
        ),
      );
    }
    return this.#outcome !== null;
  }

  /** Empties the microtask queue and looks for rejections that nobody handles. */
  #drain(): void {
    try {
      while (!this.interrupt() && this.#vm.runJobs(JOBS_AT_ONCE) > 0);
    } catch (error) {
      if (!(error instanceof Thrown)) throw error;
      if (!this.#late) this.#enter(ENTRY.uncaught, [error.pointer]);
    }
    const reason = this.#late || this.#failed ? null : this.#vm.rejections.first();
    if (reason === null) return;
    // A rejection that nobody handles is a failure even where the UDF has returned a value.
    this.#outcome = null;
    this.#enter(ENTRY.uncaught, [reason]);
    this.#vm.rejections.forget();
  }

  /** Calls the script's entry function; what it throws is reported as the UDF's. */
  #enter(entry: number, args: readonly number[]): void {
    this.#turn = this.#host.now();
    try {
      this.#vm.call(this.#entry, [this.#vm.number(entry), ...args]);
    } catch (error) {
      if (!(error instanceof Thrown)) throw error;
      if (this.#late || this.#outcome) return;
      if (entry === ENTRY.uncaught)
        this.#fail(failure("udf", UNREADABLE, "The UDF failed, and its error cannot be read"));
      else this.#enter(ENTRY.uncaught, [error.pointer]);
    }
  }

  /** Waits for a host call, the next timer or the deadline, whichever is first. */
  #sleep(): Promise<void> {
    const next = this.#timers.reduce((first, { due }) => Math.min(first, due), this.#limits.deadline);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(Math.max(0, next - this.#host.now()), MAX_TIMEOUT));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The heap has grown to about its limit. */
  get starved(): boolean {
    return this.#vm.memory.buffer.byteLength >= this.#limits.heapBytes * STARVED_SHARE;
  }

  #fail(found: GuestFailure): void {
    // QuickJS throws null where it has no room for an error, and the script may have none to read it.
    const empty = (found.type === "Uncaught" && found.message === "null") || found.type === UNREADABLE;
    const error = empty && this.starved ? { ...found, ...outOfMemory(found.file) } : found;
    if (this.#outcome) return;
    this.#outcome = { text: JSON.stringify({ ok: false, error }), buffers: [] };
    this.#failed = true;
  }

  /** The guest's way out (ops.ts). Nothing may be thrown from here: QuickJS's own frames lie below. */
  call(args: readonly number[]): number | null {
    try {
      return this.#operate(this.#vm.readNumber(args[0] as number), args);
    } catch (error) {
      const message =
        error instanceof OutOfMemory
          ? "out of memory"
          : error instanceof Error
            ? error.message
            : "the host failed";
      try {
        return this.#vm.throwError("InternalError", message);
      } catch {
        // No room for an error either: the guest goes on with undefined, and fails at the next thing that it allocates.
        return null;
      }
    }
  }

  #operate(op: number, args: readonly number[]): number | null {
    const vm = this.#vm;
    const text = (index: number) => vm.readString(args[index] as number);
    const number = (index: number) => vm.readNumber(args[index] as number);
    switch (op) {
      case OP.output:
        this.#host.output(
          number(1) === 1 ? "stdout" : "stderr",
          this.#encoder.encode(JSON.parse(text(2)) as string),
        );
        return null;
      case OP.now:
        return vm.number(this.#host.now() - this.#begun);
      case OP.random: {
        const bytes = new Uint8Array(number(1));
        this.#host.random(bytes);
        return vm.arrayBuffer(bytes);
      }
      case OP.encode:
        return vm.arrayBuffer(this.#encoder.encode(JSON.parse(text(1)) as string));
      case OP.decode: {
        const bytes = vm.readArrayBuffer(args[1] as number);
        try {
          const decoder = new TextDecoder("utf-8", { fatal: number(2) !== 0, ignoreBOM: number(3) !== 0 });
          return vm.string(JSON.stringify(decoder.decode(bytes)));
        } catch (error) {
          if (error instanceof OutOfMemory) throw error;
          return null;
        }
      }
      case OP.give:
        this.#outbox.push(vm.readArrayBuffer(args[1] as number));
        return null;
      case OP.take:
        return vm.arrayBuffer(this.#inbox[number(1)] ?? new Uint8Array(0));
      case OP.call:
        this.#callHost(number(1), text(2), text(3), { text: text(4), buffers: this.#outbox.splice(0) });
        return null;
      case OP.timer:
        this.#timers.push({ id: number(1), due: this.#turn + number(2) });
        return null;
      case OP.clear: {
        const id = number(1);
        this.#timers = this.#timers.filter((timer) => timer.id !== id);
        return null;
      }
      case OP.done:
        this.#outcome ??= { text: `{"ok":true,"value":${text(1)}}`, buffers: this.#outbox.splice(0) };
        return null;
      case OP.fail:
        this.#fail(JSON.parse(text(1)) as GuestFailure);
        return null;
      case OP.relax:
        vm.raw.QTS_RuntimeSetMemoryLimit(vm.runtime, this.#limits.heapBytes + RELAXED_BYTES);
        return null;
    }
    return null;
  }

  #callHost(id: number, binding: string, method: string, argument: Encoded): void {
    this.#pendingCalls += 1;
    this.#host.call(binding, method, argument).then(
      (reply) => this.#arrive(id, reply),
      (error: unknown) => {
        const lost = failure(
          "internal",
          "HostCallFailed",
          error instanceof Error ? error.message : "the host did not answer",
        );
        this.#arrive(id, { text: JSON.stringify({ ok: false, error: lost }), buffers: [] });
      },
    );
  }

  #arrive(id: number, reply: Encoded): void {
    if (this.#closed) return;
    this.#pendingCalls -= 1;
    this.#answers.push({ id, reply });
    this.#wake?.();
  }
}
