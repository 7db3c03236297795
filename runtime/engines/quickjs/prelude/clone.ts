/** `structuredClone`, for the types that this engine has. Source: the HTML standard, "Safe passing of structured data". */
import { DOMException } from "./dom-exception.ts";

const ERRORS: Record<string, ErrorConstructor> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

const refuse = (what: string): never => {
  throw new DOMException(`Cannot clone ${what}`, "DataCloneError");
};

/** @throws DOMException named DataCloneError for functions, symbols and objects that hold more than data */
export function structuredClone(value: unknown): unknown {
  const seen = new Map<object, object>();
  const clone = (v: unknown): unknown => {
    if (typeof v === "function") return refuse(`a function (${v.name})`);
    if (typeof v === "symbol") return refuse("a symbol");
    if (v === null || typeof v !== "object") return v;
    const known = seen.get(v);
    if (known) return known;
    const add = <T extends object>(copy: T): T => {
      seen.set(v, copy);
      return copy;
    };
    if (Array.isArray(v)) {
      const copy = add(new Array(v.length));
      for (const name of Object.keys(v)) copy[name as never] = clone(v[name as never]) as never;
      return copy;
    }
    if (v instanceof Date) return add(new Date(v.getTime()));
    if (v instanceof RegExp) return add(new RegExp(v.source, v.flags));
    if (v instanceof ArrayBuffer) return add(v.slice(0));
    if (v instanceof DataView)
      return add(new DataView(clone(v.buffer) as ArrayBuffer, v.byteOffset, v.byteLength));
    if (ArrayBuffer.isView(v)) {
      const view = v as Uint8Array;
      const make = view.constructor as new (
        buffer: ArrayBuffer,
        offset: number,
        length: number,
      ) => Uint8Array;
      return add(new make(clone(view.buffer) as ArrayBuffer, view.byteOffset, view.length));
    }
    if (v instanceof Map) {
      const copy = add(new Map());
      for (const [key, item] of [...v]) copy.set(clone(key), clone(item));
      return copy;
    }
    if (v instanceof Set) {
      const copy = add(new Set());
      for (const item of [...v]) copy.add(clone(item));
      return copy;
    }
    if (v instanceof Error) {
      const copy = add(new (ERRORS[v.name] ?? Error)(v.message));
      if (v.stack !== undefined) copy.stack = v.stack;
      if ("cause" in v) copy.cause = clone(v.cause);
      return copy;
    }
    if (v instanceof Promise || v instanceof WeakMap || v instanceof WeakSet || v instanceof WeakRef)
      return refuse(`a ${v.constructor.name}`);
    if (v instanceof Number || v instanceof String || v instanceof Boolean)
      return add(Object(v.valueOf()) as object);
    const copy = add({} as Record<string, unknown>);
    for (const [name, item] of Object.entries(v)) {
      Object.defineProperty(copy, name, {
        value: clone(item),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return copy;
  };
  return clone(value);
}
