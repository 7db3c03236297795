/**
 * What the script inside QuickJS and the code around it say to each other. Text crosses as JSON text, which is free of NUL
 * characters and lone surrogates: QuickJS's C strings hold neither.
 */

/** Calls out of QuickJS, by the first argument of the one host function. */
export const OP = {
  /** (entry function) The script is ready to be called; see `ENTRY`. */
  ready: 0,
  /** (1 | 2, JSON text) stdout or stderr. */
  output: 1,
  /** () -> milliseconds since the run began. */
  now: 2,
  /** (count) -> ArrayBuffer of secure random bytes. */
  random: 3,
  /** (JSON text) -> ArrayBuffer in UTF-8. */
  encode: 4,
  /** (ArrayBuffer, fatal, keepBom) -> JSON text, or null for bytes that are no UTF-8. */
  decode: 5,
  /** (ArrayBuffer) A buffer of the call or the result that follows. */
  give: 6,
  /** (index) -> ArrayBuffer: a buffer of the request, or of the host call's reply that was delivered last. */
  take: 7,
  /** (id, binding, method, JSON text) Starts a host call. */
  call: 8,
  /** (id, milliseconds) */
  timer: 9,
  /** (id) */
  clear: 10,
  /** (JSON text of the encoded value) The run succeeded. */
  done: 11,
  /** (JSON text of a GuestFailure) The run failed. */
  fail: 12,
  /** () Lets the memory limit up a little, so that running out of memory can be reported. */
  relax: 13,
} as const;

/** Calls into QuickJS, by the first argument of the script's one entry function. */
export const ENTRY = {
  /** (JSON text of `{file, name, plan, parameters, tile}`) Coerces the parameters. Reports a failure by itself. */
  prepare: 0,
  /** (module namespace or a promise of one) Calls the UDF. */
  invoke: 1,
  /** (error, 1 where an import was refused) Reports what was thrown while the module was compiled or evaluated. */
  loadFailed: 2,
  /** (error) Reports what nobody caught: in a timer, or a rejection without a handler. */
  uncaught: 3,
  /** (id) A timer is due. */
  fire: 4,
  /** (id, JSON text of the reply, number of its buffers) A host call has been answered. */
  answer: 5,
} as const;

/** The module that a UDF imports, and the name of the guest script's own frames. */
export const GUEST_MODULE = "fuselet/udf";

/** The name under which the script finds its host function, before it takes it away. */
export const HOST_NAME = "__fuselet_host";
