/**
 * What may cross the wall, and how it is written: one encoding for all engines.
 *
 * A value is JSON text plus a list of binary buffers. Plain JSON stays as it is. Everything else is an object
 * with the key `$`, the tag, and `v` (JSON) or `b` (index into the buffers):
 *
 *     {"$":"float","v":"NaN"}             NaN, Infinity, -Infinity, -0
 *     {"$":"int","v":"9007199254740993"}  an integer beyond ±(2^53 - 1)
 *     {"$":"bytes","b":0}
 *     {"$":"datetime","v":"2026-01-02T03:04:05.000006+01:00"}   ISO 8601; no zone where the value has none
 *     {"$":"date","v":"2026-01-02"}  {"$":"time","v":"03:04:05"}  {"$":"timedelta","v":"1.5"}  (seconds)
 *     {"$":"decimal","v":"1.10"}  {"$":"uuid","v":"…"}  {"$":"complex","v":[re, im]}
 *     {"$":"tuple","v":[…]}  {"$":"set","v":[…]}
 *     {"$":"dict","v":[[key, value], …]}  a mapping that has the key `$`
 *     {"$":"ndarray","b":0}               a .npy file (numpy/lib/format.py, version 1.0)
 *     {"$":"table","b":0,"kind":"arrow"|"dataframe"|"geodataframe"|"series"|"index"|"geoseries","meta":{…}}   an Arrow IPC stream
 *     {"$":"table","b":0,"n":3,…}         the same in parts, the buffers 0 to 2: from isolates only
 *     {"$":"columns","kind":"dataframe"|…,"meta":{…},"rows":1,"pandas":"…","columns":[…]}   from isolates only: see columns.ts
 *     {"$":"media","type":"image/png","b":0}   a finished document: PNG, TIFF, HTML, SVG, …
 *
 * The reading side trusts nothing: tags, indices and depth are checked.
 */
import { concat } from "./bytes.ts";
import { ResultError } from "./errors.ts";

declare global {
  // ES2026; all of ours but QuickJS have it.
  interface JSON {
    rawJSON(text: string): object;
    isRawJSON?(value: unknown): boolean;
  }
}

// Held: inside QuickJS the user's code may change JSON.
const { parse, stringify, isRawJSON } = JSON;

/** An encoded value: JSON text and its buffers. */
export interface Encoded {
  text: string;
  buffers: Uint8Array[];
}

/** Values nested deeper than this do not cross: deep enough for data, shallow enough for every engine's stack. */
export const MAX_DEPTH = 500;

/** An n-dimensional array, row-major. */
export class NdArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The .npy file. */
  readonly npy: Uint8Array;
  constructor(npy: Uint8Array) {
    const header = readNpyHeader(npy);
    this.npy = npy;
    this.dtype = header.dtype;
    this.shape = header.shape;
  }
  /** The elements as a typed array (copied). @throws ResultError for a dtype without one in JavaScript. */
  get data(): NumericArray {
    const header = readNpyHeader(this.npy);
    const make = TYPED_ARRAYS[header.dtype];
    if (!make) {
      throw new ResultError(
        `Cannot read an array of dtype ${header.dtype} in JavaScript: dtypes are ${Object.keys(TYPED_ARRAYS).join(", ")}`,
        { path: "data" },
      );
    }
    // A Buffer's own slice would share its memory.
    return new make(new Uint8Array(this.npy.subarray(header.offset)).buffer);
  }
  /** Writes a typed array as a one-dimensional array. */
  static from(data: NumericArray): NdArray {
    const dtype = Object.keys(TYPED_ARRAYS).find(
      (key) => data instanceof (TYPED_ARRAYS[key] as NumericArrayConstructor),
    );
    let header = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${data.length},), }`;
    header = `${header.padEnd(128 - 10 - 1)}\n`;
    const npy = new Uint8Array(128 + data.byteLength);
    npy.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
    for (let i = 0; i < header.length; i++) npy[10 + i] = header.charCodeAt(i);
    npy.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 128);
    return new NdArray(npy);
  }
}

type NumericArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;
type NumericArrayConstructor = new (source: ArrayBuffer) => NumericArray;

const TYPED_ARRAYS: Record<string, NumericArrayConstructor> = {
  "<f8": Float64Array,
  "<f4": Float32Array,
  "<i8": BigInt64Array,
  "<u8": BigUint64Array,
  "<i4": Int32Array,
  "<u4": Uint32Array,
  "<i2": Int16Array,
  "<u2": Uint16Array,
  "|i1": Int8Array,
  "|u1": Uint8Array,
  "|b1": Uint8Array,
};

/** numpy's .npy header, version 1.0 and 2.0. Source: numpy/lib/format.py. */
function readNpyHeader(npy: Uint8Array): { dtype: string; shape: number[]; offset: number } {
  const bad = (why: string) => new ResultError(`Cannot read an array: ${why}`, { path: "result" });
  if (npy.length < 12 || npy[0] !== 0x93 || npy[1] !== 0x4e) throw bad("it is no .npy file");
  const wide = npy[6] !== 1;
  const length = wide
    ? npy[8]! | (npy[9]! << 8) | (npy[10]! << 16) | (npy[11]! << 24)
    : npy[8]! | (npy[9]! << 8);
  const offset = (wide ? 12 : 10) + length;
  if (length < 0 || offset > npy.length) throw bad("its header is cut off");
  const header = String.fromCharCode(...npy.subarray(wide ? 12 : 10, offset));
  const dtype = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (dtype === undefined || shape === undefined) throw bad(`its header is ${JSON.stringify(header)}`);
  return {
    dtype,
    shape: shape
      .split(",")
      .filter((part) => part.trim())
      .map(Number),
    offset,
  };
}

export type TableKind = "arrow" | "dataframe" | "geodataframe" | "series" | "index" | "geoseries";

/** A table: an Arrow IPC stream and what the engine's own frame needs to come back (index, CRS). */
export class TableValue {
  readonly ipc: Uint8Array;
  readonly kind: TableKind;
  readonly meta: Readonly<Record<string, unknown>>;
  constructor(ipc: Uint8Array, kind: TableKind = "arrow", meta: Readonly<Record<string, unknown>> = {}) {
    this.ipc = ipc;
    this.kind = kind;
    this.meta = meta;
  }
}

/** A finished document: an image, a page, a chart. */
export class MediaValue {
  readonly type: string;
  readonly bytes: Uint8Array;
  constructor(type: string, bytes: Uint8Array) {
    this.type = type;
    this.bytes = bytes;
  }
}

const TABLE_KINDS = new Set<unknown>(["arrow", "dataframe", "geodataframe", "series", "index", "geoseries"]);

/** Values that JSON holds as text and JavaScript has no type for. */
const TEXT_TAGS = new Set(["datetime", "date", "time", "timedelta", "decimal", "uuid"]);

function describe(value: unknown): string {
  if (typeof value === "function") return `a function${value.name ? ` (${value.name})` : ""}`;
  if (typeof value === "symbol") return `a symbol (${String(value)})`;
  const name = (value as object).constructor?.name;
  return name ? `an object of class ${name}` : "an object of an unknown kind";
}

/** Whether an encoded value has a table in it. */
export function holdsTable({ text }: Encoded): boolean {
  // Inside of a JSON string the quotes would have backslashes.
  return text.includes('"$":"table"');
}

/**
 * Encodes a JavaScript value. Objects, arrays, strings, numbers, booleans, null, bigint, Date, Map with string keys, Set,
 * bytes, typed arrays, NdArray, TableValue and MediaValue cross; undefined becomes null (and is left out of objects).
 * @throws ResultError that names the path of what cannot cross.
 */
export function encodeValue(value: unknown, root = "result"): Encoded {
  const buffers: Uint8Array[] = [];
  const open = new Set<object>();
  const buffer = (bytes: Uint8Array) => buffers.push(bytes) - 1;
  const fail = (what: string, path: string): never => {
    throw new ResultError(`Cannot return ${path}: it is ${what}, which cannot cross the wall`, { path });
  };

  const number = (n: number): unknown => {
    if (Object.is(n, -0)) return { $: "float", v: "-0" };
    return Number.isFinite(n) ? n : { $: "float", v: String(n) };
  };
  const mapping = (pairs: [string, unknown][]): unknown => {
    if (pairs.some(([key]) => key === "$")) return { $: "dict", v: pairs };
    const object = Object.create(null);
    for (const [key, item] of pairs) object[key] = item;
    return object;
  };

  // One frame a level: MAX_DEPTH levels have to fit on the smallest stack of all engines (QuickJS, 192 kB).
  const walk = (v: unknown, path: string, depth: number): unknown => {
    if (v === null || v === undefined) return null;
    switch (typeof v) {
      case "boolean":
      case "string":
        return v;
      case "number":
        return number(v);
      case "bigint":
        return v >= -9007199254740991n && v <= 9007199254740991n ? Number(v) : { $: "int", v: String(v) };
      case "function":
      case "symbol":
        return fail(describe(v), path);
    }
    const object = v as object;
    // A number as somebody has written it: 2.0 is a float.
    if (isRawJSON?.(object)) return object;
    if (depth > MAX_DEPTH)
      fail(`nested more than ${MAX_DEPTH} levels deep`, path.length > 80 ? `${path.slice(0, 80)}…` : path);
    if (open.has(object)) fail("a reference back to one of its own containers", path);
    if (object instanceof TableValue) {
      return { $: "table", b: buffer(object.ipc), kind: object.kind, meta: object.meta };
    }
    if (object instanceof NdArray) return { $: "ndarray", b: buffer(object.npy) };
    if (object instanceof MediaValue) return { $: "media", type: object.type, b: buffer(object.bytes) };
    if (object instanceof Uint8Array || object instanceof Uint8ClampedArray) {
      return { $: "bytes", b: buffer(new Uint8Array(object.buffer, object.byteOffset, object.byteLength)) };
    }
    if (object instanceof ArrayBuffer) return { $: "bytes", b: buffer(new Uint8Array(object)) };
    if (object instanceof DataView) {
      return { $: "bytes", b: buffer(new Uint8Array(object.buffer, object.byteOffset, object.byteLength)) };
    }
    if (ArrayBuffer.isView(object)) {
      return { $: "ndarray", b: buffer(NdArray.from(object as NumericArray).npy) };
    }
    if (object instanceof Date) {
      if (Number.isNaN(object.getTime())) fail("an invalid date", path);
      return { $: "datetime", v: object.toISOString().replace("Z", "+00:00") };
    }
    open.add(object);
    try {
      if (Array.isArray(object) || object instanceof Set) {
        const items = Array.isArray(object) ? object : [...object];
        const out: unknown[] = [];
        for (let i = 0; i < items.length; i++) out.push(walk(items[i], `${path}[${i}]`, depth + 1));
        return items === object ? out : { $: "set", v: out };
      }
      if (object instanceof Map) {
        for (const key of object.keys()) {
          if (typeof key !== "string") fail(`a Map with a key that is no string (${String(key)})`, path);
        }
      }
      const toJson = (object as { toJSON?: unknown }).toJSON;
      if (!(object instanceof Map) && typeof toJson === "function")
        return walk(toJson.call(object), path, depth + 1);
      const prototype = Object.getPrototypeOf(object);
      if (
        !(object instanceof Map) &&
        prototype !== null &&
        prototype !== Object.prototype &&
        Object.getPrototypeOf(prototype) !== null
      ) {
        fail(describe(object), path);
      }
      const pairs: [string, unknown][] = [];
      for (const [key, item] of object instanceof Map
        ? (object as Map<string, unknown>)
        : Object.entries(object)) {
        if (item !== undefined) pairs.push([key, walk(item, `${path}[${JSON.stringify(key)}]`, depth + 1)]);
      }
      return mapping(pairs);
    } finally {
      open.delete(object);
    }
  };
  return { text: stringify(walk(value, root, 0)), buffers };
}

/** Makes the Arrow stream of a table that came as columns. @throws ResultError for columns that break a rule. */
export type TableBuilder = (
  tagged: Readonly<Record<string, unknown>>,
  buffers: readonly Uint8Array[],
) => Uint8Array;

/**
 * Decodes an encoded value; see `decodeParsed`.
 * @throws ResultError where the data breaks a rule of the encoding.
 */
export function decodeValue({ text, buffers }: Encoded, buildTable?: TableBuilder): unknown {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (cause) {
    throw new ResultError(
      `Cannot read a value that crossed the wall: it is no JSON (${(cause as Error).message})`,
      {
        path: "result",
      },
    );
  }
  return decodeParsed(parsed, buffers, buildTable);
}

/** What lists, objects and their items take at least in an engine, parsed and decoded. Measured in V8: `[]` takes 32 bytes, `{}` 56. */
const CONTAINER_BYTES = 128;
const ITEM_BYTES = 24;

/**
 * About how many bytes a JSON text takes as objects: `[[],[],…` takes forty times its length, and would fill the memory of whoever parses it.
 */
function bytesAsObjects(text: string): number {
  let containers = 0;
  let items = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (code === 0x5b || code === 0x7b) containers++;
    else if (code === 0x2c) items++;
  }
  return containers * CONTAINER_BYTES + items * ITEM_BYTES + text.length * 2;
}

/** Whether a JSON text can be parsed and decoded in so many bytes. */
export const fitsAsObjects = (text: string, bytes: number): boolean =>
  // The worst is a container every two characters.
  text.length * (CONTAINER_BYTES / 2 + 2) <= bytes || bytesAsObjects(text) <= bytes;

/** Buffers behind each other as one: without a copy where they lie so, as those of one frame do. */
function join(parts: readonly Uint8Array[]): Uint8Array {
  const [{ buffer, byteOffset }] = parts as [Uint8Array];
  let end = byteOffset;
  if (parts.every((part) => part.buffer === buffer && part.byteOffset === end && (end += part.length) >= 0))
    return new Uint8Array(buffer, byteOffset, end - byteOffset);
  return concat(parts);
}

/**
 * Decodes to JavaScript what was JSON already parsed: dates, decimals and UUIDs as their text, big integers as bigint, bytes as
 * Uint8Array, sets and tuples as arrays, `NdArray`, `TableValue`, `MediaValue` as they are.
 * @param buildTable for tables as columns; without it there can be none
 * @throws ResultError where the data breaks a rule of the encoding.
 */
export function decodeParsed(
  parsed: unknown,
  buffers: readonly Uint8Array[],
  buildTable?: TableBuilder,
): unknown {
  const bad = (why: string): never => {
    throw new ResultError(`Cannot read a value that crossed the wall: ${why}`, { path: "result" });
  };
  const buffer = (index: unknown): Uint8Array => {
    const found = typeof index === "number" ? buffers[index] : undefined;
    return found ?? bad(`it names the buffer ${JSON.stringify(index)} of ${buffers.length}`);
  };
  // One that is named twice would be there twice, and an empty one would take time.
  let partsLeft = buffers.length;
  const joined = (first: unknown, count: unknown): Uint8Array => {
    if (count === 1) return buffer(first);
    if (!Number.isInteger(first) || !Number.isInteger(count) || (count as number) < 1)
      bad(`a table has ${JSON.stringify(count)} parts from ${JSON.stringify(first)} on`);
    partsLeft -= count as number;
    if (partsLeft < 0) bad("its tables have more parts than there are buffers");
    return join(Array.from({ length: count as number }, (_, i) => buffer((first as number) + i)));
  };
  const string = (v: unknown): string => (typeof v === "string" ? v : bad("a tag's value is no text"));
  const array = (v: unknown): unknown[] => (Array.isArray(v) ? v : bad("a tag's value is no list"));

  const walk = (v: unknown, depth: number): unknown => {
    if (v === null || typeof v !== "object") return v;
    if (depth > MAX_DEPTH * 2 + 2) bad(`it is nested more than ${MAX_DEPTH} levels deep`);
    const tagged = v as Record<string, unknown>;
    const list = Array.isArray(v) ? v : null;
    const tag = !list && Object.hasOwn(tagged, "$") ? string(tagged.$) : null;
    // Containers here, one frame a level as in `encodeValue`; the rest in `leaf`.
    if (tag === "dict" || (tag === null && !list)) {
      const out: Record<string, unknown> = {};
      for (const pair of tag === "dict" ? array(tagged.v) : Object.entries(tagged)) {
        const key = string(array(pair)[0]);
        const value = walk((pair as unknown[])[1], depth + 1);
        // Assignment to `__proto__` would change the object's prototype instead of adding a key.
        if (key === "__proto__")
          Object.defineProperty(out, key, { value, writable: true, enumerable: true, configurable: true });
        else out[key] = value;
      }
      return out;
    }
    if (tag === null || tag === "complex" || tag === "tuple" || tag === "set") {
      const out: unknown[] = [];
      for (const item of list ?? array(tagged.v)) out.push(walk(item, depth + 1));
      return out;
    }
    return leaf(tag, tagged);
  };
  const table = (tagged: Record<string, unknown>, ipc: Uint8Array): TableValue => {
    if (!TABLE_KINDS.has(tagged.kind)) bad(`no such kind of table: ${JSON.stringify(tagged.kind)}`);
    const meta = tagged.meta !== null && typeof tagged.meta === "object" ? tagged.meta : {};
    return new TableValue(ipc, tagged.kind as TableKind, meta as Record<string, unknown>);
  };
  const leaf = (tag: string, tagged: Record<string, unknown>): unknown => {
    if (TEXT_TAGS.has(tag)) return string(tagged.v);
    switch (tag) {
      case "float":
        return (
          { NaN: Number.NaN, Infinity: Infinity, "-Infinity": -Infinity, "-0": -0 }[string(tagged.v)] ??
          bad("no such float")
        );
      case "int":
        return /^-?\d{1,5000}$/.test(string(tagged.v))
          ? BigInt(tagged.v as string)
          : bad("an integer must be 1 to 5000 digits");
      case "bytes":
        return buffer(tagged.b);
      case "ndarray":
        return new NdArray(buffer(tagged.b));
      case "media":
        return new MediaValue(string(tagged.type), buffer(tagged.b));
      case "table":
        return table(tagged, joined(tagged.b, tagged.n ?? 1));
      case "columns":
        return table(tagged, buildTable?.(tagged, buffers) ?? bad("columns cannot be read here"));
      default:
        return bad(`the tag ${JSON.stringify(tag)} is unknown`);
    }
  };

  return walk(parsed, 0);
}
