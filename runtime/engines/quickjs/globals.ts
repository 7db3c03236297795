/**
 * Every global that a UDF in QuickJS sees, and nothing else: the guest script takes all others away before a UDF runs. What ECMAScript
 * defines, and the platform's small tools that prelude/boot.ts adds. There is no fetch, no file, no process, no worker.
 */
export const GUEST_GLOBALS: readonly string[] = Object.freeze([
  // ECMAScript 2025
  "AggregateError", "Array", "ArrayBuffer", "BigInt", "BigInt64Array", "BigUint64Array", "Boolean", "DataView", "Date", "Error",
  "EvalError", "FinalizationRegistry", "Float16Array", "Float32Array", "Float64Array", "Function", "Infinity", "Int16Array", "Int32Array",
  "Int8Array", "Iterator", "JSON", "Map", "Math", "NaN", "Number", "Object", "Promise", "Proxy", "RangeError", "ReferenceError",
  "Reflect", "RegExp", "Set", "String", "Symbol", "SyntaxError", "TypeError", "URIError", "Uint16Array", "Uint32Array", "Uint8Array",
  "Uint8ClampedArray", "WeakMap", "WeakRef", "WeakSet", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape",
  "eval", "globalThis", "isFinite", "isNaN", "parseFloat", "parseInt", "undefined", "unescape",
  // QuickJS's own error for a full heap and a full stack
  "InternalError",
  // The web's, added here
  "TextDecoder", "TextEncoder", "URL", "URLSearchParams", "atob", "btoa", "clearInterval", "clearTimeout", "console", "crypto",
  "performance", "queueMicrotask", "setInterval", "setTimeout", "structuredClone",
]);
