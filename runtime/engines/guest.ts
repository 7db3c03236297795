/**
 * What every engine looks like from inside the isolate. A guest is bundled by itself (see build.mjs), runs in the bare
 * realm, and sees nothing but the `GuestHost` that the isolate hands to it.
 */
import type { Encoded } from "../value.ts";

/** What the isolate gives to an engine. Every method copies: nothing of the caller's realm crosses. */
export interface GuestHost {
  /** A host call that does not block. The reply's text is `{"ok": true, "value": …}` or `{"ok": false, "error": GuestFailure}`. */
  call(binding: string, method: string, argument: Encoded): Promise<Encoded>;
  /** The same, blocking the engine. Undefined where the platform cannot (capability `blockingCalls`). */
  callBlocking: ((binding: string, method: string, argument: Encoded) => Encoded) | undefined;
  /** The UDF's own output, UTF-8. The isolate caps it. */
  output(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  /** Milliseconds from an arbitrary start, monotonic. */
  now(): number;
  /** Fills with cryptographically secure random bytes. */
  random(bytes: Uint8Array): void;
  /** Ends the isolate for good: the engine is beyond use. */
  fatal(reason: string): void;
}

/** What a guest answers after a run, when the isolate asks whether it may be used again. */
export interface PutBack {
  /** False: the isolate must be thrown away. */
  reusable: boolean;
  /** Why not: a late library, growth, a pending suspension. */
  reason: string | null;
  /** The engine's heap now. */
  heapBytes: number;
}

export interface GuestEngine {
  /**
   * Runs a UDF. The request's text is a `RunRequest` as JSON (its `parameters` an encoded value's text), its buffers are the parameters'.
   * Never throws: the reply's text is `{"ok": true, "value": <encoded value>}` or `{"ok": false, "error": GuestFailure}`.
   * The reply's buffers may be views on the engine's heap: they are sent before anything else runs.
   */
  run(request: Encoded, limits: GuestLimits): Encoded | Promise<Encoded>;
  /** Reads a UDF without running it: entrypoint, parameters, permissions, packages, headers; or a failure of kind `load`. */
  inspect(request: Encoded): Encoded | Promise<Encoded>;
  /** Puts memory back to what it was before the first run. */
  putBack(): PutBack | Promise<PutBack>;
}

/** The limits that the guest itself helps to keep; the isolate's owner keeps all of them from outside. */
export interface GuestLimits {
  /** `GuestHost.now()` at which the engine should give up by itself. */
  deadline: number;
  memoryBytes: number;
}
