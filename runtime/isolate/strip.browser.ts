/** What a worker's global scope keeps before untrusted code runs in it: the language. All else is deleted, known to us or not. */

/** ECMAScript's globals, those of coming editions included, and WebAssembly. Shared memory is not among them: guests have no other thread. */
const LANGUAGE: readonly string[] = [
  ...["globalThis", "Infinity", "NaN", "undefined"],
  ...["parseFloat", "parseInt", "isFinite", "isNaN"],
  ...["decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "unescape"],
  ...["Object", "Function", "Array", "Number", "Boolean", "String", "Symbol", "BigInt", "Date", "RegExp"],
  ...["Promise", "Proxy", "Reflect", "JSON", "Math", "Intl", "Iterator", "Atomics"],
  ...["Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SuppressedError"],
  ...["SyntaxError", "TypeError", "URIError"],
  ...["Map", "Set", "WeakMap", "WeakSet", "WeakRef", "FinalizationRegistry"],
  ...["DisposableStack", "AsyncDisposableStack"],
  ...["ArrayBuffer", "DataView", "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array"],
  ...["Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array"],
  ...["Float16Array", "Float32Array", "Float64Array", "WebAssembly"],
];

/** WebAssembly without what reads responses from the network. */
const WEBASSEMBLY: readonly string[] = [
  ...["compile", "instantiate", "validate"],
  ...["Module", "Instance", "Memory", "Table", "Global", "Tag", "JSTag", "Exception"],
  ...["CompileError", "LinkError", "RuntimeError", "Suspending", "promising"],
];

/** Constants of an old storage API that Chromium does not let go; they are numbers. */
const IMMOVABLE: readonly string[] = ["TEMPORARY", "PERSISTENT"];

function keepOnly(owner: object, names: ReadonlySet<string>): void {
  for (const key of Reflect.ownKeys(owner)) {
    if (typeof key === "symbol" || names.has(key) || Reflect.deleteProperty(owner, key)) continue;
    const { value } = Reflect.getOwnPropertyDescriptor(owner, key) ?? {};
    if (!IMMOVABLE.includes(key) || typeof value !== "number")
      throw new TypeError(`Cannot open an isolate: its realm does not let go of ${key}`);
  }
}

/**
 * Deletes every global that is not the language's, from the global object and from what it inherits.
 * @throws TypeError where one stays: then nothing may run here
 */
export function strip(): void {
  const nothing: ReadonlySet<string> = new Set();
  keepOnly(globalThis, new Set(LANGUAGE));
  for (
    let owner: object | null = Reflect.getPrototypeOf(globalThis);
    owner !== null && owner !== Object.prototype;
    owner = Reflect.getPrototypeOf(owner)
  ) {
    keepOnly(owner, nothing);
    Object.freeze(owner);
  }
  keepOnly(WebAssembly, new Set(WEBASSEMBLY));
}
