/**
 * What the child's main realm gives up before untrusted code runs, so that a realm escape finds nothing: the permission
 * model leaves signals, module loading and (before Node 26) the network open. Node's internals keep their own references.
 */

/** What stays: the language, and what the child's own code calls after this. All other globals go, those of a later Node too. */
const KEPT = new Set(
  `AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError
  FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Iterator JSON Map Math
  NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError TypeError
  URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly decodeURI decodeURIComponent
  encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape
  TextDecoder TextEncoder clearTimeout setImmediate setTimeout`.split(/\s+/),
);

/** Members of `process` that signal, load, inspect or change the process. */
const PROCESS = [
  "kill",
  "_kill",
  "binding",
  "_linkedBinding",
  "dlopen",
  "getBuiltinModule",
  "mainModule",
  "chdir",
  "report",
  "abort",
  "umask",
  "setuid",
  "setgid",
  "seteuid",
  "setegid",
  "setgroups",
  "initgroups",
  "_debugProcess",
  "_debugEnd",
  "_startProfilerIdleNotifier",
  "_stopProfilerIdleNotifier",
  "execve",
  "loadEnvFile",
  "openStdin",
  "stdin",
  "stdout",
  "stderr",
  "channel",
  "send",
  "disconnect",
  "getActiveResourcesInfo",
  "_getActiveHandles",
  "_getActiveRequests",
  "moduleLoadList",
  "config",
  "argv",
  "execArgv",
  "execPath",
  "title",
  "env",
  "setUncaughtExceptionCaptureCallback",
  "setSourceMapsEnabled",
  "allowedNodeEnvironmentFlags",
  "finalization",
  "ref",
  "unref",
];

/** Removes them; what cannot be removed is set to undefined. @throws Error when something stays: then nothing may run here. */
export function scrub(): void {
  const global = globalThis as unknown as Record<PropertyKey, unknown>;
  const take = (owner: Record<PropertyKey, unknown>, key: PropertyKey) => {
    for (let o: Record<PropertyKey, unknown> | null = owner; o; o = Object.getPrototypeOf(o)) {
      if (!Object.hasOwn(o, key)) continue;
      if (!Reflect.deleteProperty(o, key)) Reflect.defineProperty(o, key, { value: undefined });
      if (Object.hasOwn(o, key) && Reflect.getOwnPropertyDescriptor(o, key)?.value !== undefined) {
        throw new Error(`Cannot scrub ${String(key)}`);
      }
    }
  };
  for (const key of PROCESS) take(process as unknown as Record<PropertyKey, unknown>, key);
  for (const key of Reflect.ownKeys(global)) if (typeof key !== "string" || !KEPT.has(key)) take(global, key);
}
