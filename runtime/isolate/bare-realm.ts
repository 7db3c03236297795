/**
 * The web's globals for a realm that has only ECMAScript's: just what the engines' own JavaScript asks for.
 * Everything is made of this realm's objects; `outer` stays in closures and no object of its realm is kept or returned.
 */
import type { Outer } from "./outer.ts";

/** What the globals are made with. */
export type Loan = Pick<
  Outer,
  "now" | "random" | "setTimeout" | "clearTimeout" | "setImmediate" | "encode" | "decode"
>;

/**
 * Errors of the outer realm must not come in: their constructors lead out. Every loan can throw one, if only because the stack ends
 * inside of it.
 */
export function guarded<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      throw new TypeError(String((error as Error).message));
    }
  };
}

/**
 * The same bytes, as a view that is what it says: a proxy that the outer realm asks for anything is answered with objects of that realm.
 */
export const genuine = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/**
 * Installs the globals. @returns the function that drops what a run may leave in the realm itself: timers, which must not run in the
 * next run, and the one property of an intrinsic that can be written.
 */
export function furnish(loan: Loan): () => void {
  const outer: Loan = {
    now: guarded(loan.now),
    random: guarded(loan.random),
    setTimeout: guarded(loan.setTimeout),
    clearTimeout: guarded(loan.clearTimeout),
    setImmediate: guarded(loan.setImmediate),
    encode: guarded(loan.encode),
    decode: guarded(loan.decode),
  };
  const global = globalThis as unknown as Record<string, unknown>;
  /** By id; without a timer of the platform's where it is due in the next turn. */
  const timers = new Map<number, number | null>();

  // Large and of no use to the engines: what is not there need not be frozen.
  for (const name of ["Intl", "Temporal"]) Reflect.deleteProperty(globalThis, name);

  // Pyodide asks whether it runs in a worker.
  const WorkerGlobalScope = Object.defineProperty(() => {}, Symbol.hasInstance, {
    value: (candidate: unknown) => candidate === globalThis,
  });

  class RealmTextDecoder {
    readonly encoding: string;
    readonly fatal: boolean;
    constructor(encoding = "utf-8", options: { fatal?: boolean } = {}) {
      this.encoding = String(encoding);
      this.fatal = options.fatal === true;
    }
    decode(source?: ArrayBuffer | ArrayBufferView): string {
      if (source === undefined) return "";
      const bytes = ArrayBuffer.isView(source) ? genuine(source) : new Uint8Array(source);
      return outer.decode(bytes, this.encoding, this.fatal);
    }
  }
  class RealmTextEncoder {
    readonly encoding = "utf-8";
    encode(text = ""): Uint8Array {
      const bytes = new Uint8Array(String(text).length * 3);
      return bytes.slice(0, outer.encode(String(text), bytes));
    }
    encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
      const bytes = this.encode(text);
      const part = bytes.subarray(0, into.length);
      into.set(part);
      return { read: bytes.length <= into.length ? text.length : 0, written: part.length };
    }
  }
  class RealmUrl {
    readonly href: string;
    readonly protocol = "file:";
    readonly origin = "null";
    constructor(url: unknown) {
      this.href = String(url).includes("://")
        ? String(url)
        : `file:///isolate/${String(url).replace(/^\.?\//, "")}`;
    }
    get pathname(): string {
      return this.href.replace(/^[a-z]+:\/\/[^/]*/, "");
    }
    toString(): string {
      return this.href;
    }
  }
  class AbortSignal {}
  class AbortController {
    readonly signal = new AbortSignal();
    abort(): void {}
  }
  class EventTarget {}
  class ImageData {}

  let lastTimer = 0;
  Object.assign(global, {
    WorkerGlobalScope,
    self: globalThis,
    // Pyodide asks whether classic workers' importScripts works; it must not.
    importScripts() {
      throw new TypeError("importScripts is not available");
    },
    location: { href: "file:///isolate/", origin: "null", toString: () => "file:///isolate/" },
    navigator: { userAgent: "", platform: "", hardwareConcurrency: 1 },
    performance: { now: () => outer.now(), timeOrigin: 0 },
    crypto: {
      getRandomValues(view: ArrayBufferView) {
        outer.random(genuine(view));
        return view;
      },
    },
    console: { log() {}, info() {}, debug() {}, warn() {}, error() {} },
    setTimeout(callback: (...args: unknown[]) => void, ms: number, ...args: unknown[]) {
      const id = ++lastTimer;
      const fire = () => {
        if (timers.delete(id)) callback(...args);
      };
      // Pyodide's way to the next turn of the event loop. A message channel would be as fast, but Pyodide keeps what waits
      // for its messages in a list of its own, from where it would run in the middle of the next run.
      if (!(ms > 0)) {
        timers.set(id, null);
        outer.setImmediate(fire);
      } else {
        timers.set(id, outer.setTimeout(fire, Number(ms)));
      }
      return id;
    },
    clearTimeout(id: number) {
      const timer = timers.get(id);
      timers.delete(id);
      if (typeof timer === "number") outer.clearTimeout(timer);
    },
    queueMicrotask(callback: () => void) {
      void Promise.resolve().then(callback);
    },
    // Pyodide before 0.28 clones small descriptions of functions.
    structuredClone: (value: unknown) => JSON.parse(JSON.stringify(value)),
    TextDecoder: RealmTextDecoder,
    TextEncoder: RealmTextEncoder,
    URL: RealmUrl,
    AbortController,
    AbortSignal,
    EventTarget,
    ImageData,
  });
  const { stackTraceLimit } = Error;
  return () => {
    Error.stackTraceLimit = stackTraceLimit;
    for (const timer of timers.values()) if (timer !== null) outer.clearTimeout(timer);
    timers.clear();
  };
}
