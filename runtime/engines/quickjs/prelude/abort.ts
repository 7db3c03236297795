/** `AbortController` and `AbortSignal`. Source: the DOM standard. */
import { OP } from "../ops.ts";
import { DOMException } from "./dom-exception.ts";
import { EventTarget, trustedEvent } from "./events.ts";
import { apply, floor, host, type List, list, min, nothing, typeError } from "./host.ts";
import { setTimeout } from "./timers.ts";

type Algorithm = (reason: unknown) => void;

/** The longest delay that a timer here holds. */
const MAX_DELAY = 2 ** 31 - 1;

const { dispatchEvent, addEventListener } = EventTarget.prototype;
const { MAX_SAFE_INTEGER } = Number;
const TOKEN = {};

export let isSignal: (value: unknown) => value is AbortSignal;
/** Why the signal was aborted; null where it was not. */
export let abortReason: (signal: AbortSignal) => { reason: unknown } | null;
/** When the signal will be aborted by its clock, on `performance.now()`'s; null where it has none. */
export let deadlineOf: (signal: AbortSignal) => number | null;
/** Calls a function when the signal is aborted, before its listeners. @returns a function that takes it back */
export let onAbort: (signal: AbortSignal, algorithm: Algorithm) => () => void;
/** A signal that is aborted with the first of the others. */
export let anySignal: (sources: List<AbortSignal>) => AbortSignal;

let abort: (signal: AbortSignal, reason: unknown) => void;

export class AbortSignal extends EventTarget {
  #aborted: { reason: unknown } | null = null;
  #deadline: number | null = null;
  #algorithms = list<Algorithm>();
  #handler: ((event: unknown) => unknown) | null = null;
  #handled = false;

  static {
    isSignal = (value): value is AbortSignal =>
      typeof value === "object" && value !== null && #aborted in value;
    abortReason = (signal) => signal.#aborted;
    deadlineOf = (signal) => signal.#deadline;
    onAbort = (signal, algorithm) => {
      if (signal.#aborted) return nothing;
      signal.#algorithms[signal.#algorithms.length] = algorithm;
      return () => {
        const left = list<Algorithm>();
        for (let i = 0; i < signal.#algorithms.length; i++) {
          const other = signal.#algorithms[i] as Algorithm;
          if (other !== algorithm) left[left.length] = other;
        }
        signal.#algorithms = left;
      };
    };
    abort = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = {
        reason: reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason,
      };
      const algorithms = signal.#algorithms;
      signal.#algorithms = list();
      for (let i = 0; i < algorithms.length; i++) algorithms[i]?.(signal.#aborted.reason);
      apply(dispatchEvent, signal, [trustedEvent("abort")] as never);
    };
    anySignal = (sources) => {
      const signal = new AbortSignal(TOKEN);
      for (let i = 0; i < sources.length; i++) {
        const source = sources[i] as AbortSignal;
        if (source.#aborted) {
          signal.#aborted = source.#aborted;
          return signal;
        }
      }
      for (let i = 0; i < sources.length; i++) {
        const source = sources[i] as AbortSignal;
        onAbort(source, (reason) => abort(signal, reason));
        if (source.#deadline !== null && !(signal.#deadline !== null && signal.#deadline < source.#deadline))
          signal.#deadline = source.#deadline;
      }
      return signal;
    };
  }

  constructor(token: unknown = null) {
    if (token !== TOKEN) throw typeError("Illegal constructor: an AbortController makes signals");
    super();
  }
  static abort(reason: unknown = undefined): AbortSignal {
    const signal = new AbortSignal(TOKEN);
    abort(signal, reason);
    return signal;
  }
  static any(signals: Iterable<unknown>): AbortSignal {
    const sources = list<AbortSignal>();
    for (const signal of signals) {
      if (!isSignal(signal)) throw typeError("Cannot join signals: each must be an AbortSignal");
      sources[sources.length] = signal;
    }
    return anySignal(sources);
  }
  /** @param milliseconds from now; the run's own time goes on counting */
  static timeout(milliseconds: unknown): AbortSignal {
    const wait = floor(milliseconds as number);
    if (!(wait >= 0 && wait <= MAX_SAFE_INTEGER))
      throw typeError(`Cannot make a timeout: milliseconds must be at least 0: received ${milliseconds}`);
    const signal = new AbortSignal(TOKEN);
    signal.#deadline = (host(OP.now) as number) + wait;
    setTimeout(
      () => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")),
      min(wait, MAX_DELAY),
    );
    return signal;
  }
  get aborted(): boolean {
    return this.#aborted !== null;
  }
  get reason(): unknown {
    return this.#aborted?.reason;
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#aborted.reason;
  }
  get onabort(): ((event: unknown) => unknown) | null {
    return this.#handler;
  }
  set onabort(handler: unknown) {
    this.#handler = typeof handler === "function" ? (handler as (event: unknown) => unknown) : null;
    if (this.#handled || !this.#handler) return;
    this.#handled = true;
    apply(addEventListener, this, [
      "abort",
      (event: unknown) => this.#handler && apply(this.#handler, this, [event]),
    ] as never);
  }
}

export class AbortController {
  readonly #signal = new AbortSignal(TOKEN);
  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason: unknown = undefined): void {
    abort(this.#signal, reason);
  }
}
