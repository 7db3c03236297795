/**
 * Results in one written form, the same on every platform: JSON with sorted keys, and an object with a key `$…` for each
 * kind that JSON does not have. Two results are equal when their texts are.
 */
import { type Data, DataType, type Table, Type, tableFromIPC, type Vector } from "apache-arrow";

/** A value in canonical form: nothing but JSON. */
export type Canonical = null | boolean | number | string | Canonical[] | { [key: string]: Canonical };

/** Longer buffers are written as their length and checksum. */
const SHOWN_BYTES = 256;
/** Tables with more rows are written as their schema, the number of rows and a checksum. */
const SHOWN_ROWS = 100;

/** An expectation that is canonical already: what the functions below make. */
export class Written {
  readonly form: Canonical;
  constructor(form: Canonical) {
    this.form = form;
  }
}

/** An array as it is expected; `data` is row-major. */
export function ndarray(
  dtype: string,
  shape: readonly number[],
  data: readonly (number | bigint)[] | null,
): Written {
  return new Written({
    $ndarray: { dtype, shape: [...shape], ...(data ? { data: canonical(data) } : {}) },
  });
}

/** A finished document as it is expected. */
export function media(type: string, content: string | Uint8Array): Written {
  return new Written({ $media: { type, content: canonical(content) } });
}

/**
 * A table as it is expected: its kind, and of each column the Arrow type and the values (raw numbers of times, digits of
 * decimals). What an expectation leaves out is not compared with it, but between platforms.
 */
export function table(
  kind: string,
  columns: Readonly<Record<string, readonly [type: string, values?: readonly unknown[]]>>,
  rest: Readonly<Record<string, unknown>> = {},
): Written {
  const fields = Object.entries(columns).map(([name, [type, values]]) => [
    name,
    values === undefined ? { type } : { type, values: canonical(values) },
  ]);
  return new Written({ $table: { kind, columns: Object.fromEntries(fields), ...sorted(rest) } });
}

/** FNV-1a, 32 bits: tells results apart; nobody attacks it. Source: datatracker.ietf.org/doc/html/draft-eastlake-fnv */
export function checksum(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

const sorted = (object: object): { [key: string]: Canonical } =>
  Object.fromEntries(
    Object.entries(object)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, canonical(value)]),
  );

const bytesForm = (bytes: Uint8Array): Canonical =>
  bytes.length <= SHOWN_BYTES
    ? { $bytes: bytes.toHex?.() ?? Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") }
    : { $bytes: { length: bytes.length, checksum: checksum(bytes) } };

declare global {
  interface Uint8Array {
    /** Not in every engine that runs the cases. */
    toHex?(): string;
  }
}

/** What the values of runtime/value.ts look like, whichever build they come from. */
interface ArrayLike {
  dtype: string;
  shape: readonly number[];
  npy: Uint8Array;
  data: Numbers;
}
type Numbers = Iterable<number | bigint>;
interface TableLike {
  ipc: Uint8Array;
  kind: string;
  meta: Readonly<Record<string, unknown>>;
}
interface MediaLike {
  type: string;
  bytes: Uint8Array;
}

/** Writes a value. @throws Error for what no result can hold */
export function canonical(value: unknown): Canonical {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "bigint":
      return { $bigint: String(value) };
    case "undefined":
      return { $undefined: true };
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? "-0" : String(value) };
    case "object":
      return value === null ? null : objectForm(value);
    default:
      throw new Error(`A result holds a ${typeof value}`);
  }
}

function objectForm(value: object): Canonical {
  if (value instanceof Written) return value.form;
  if (Array.isArray(value)) return value.map(canonical);
  if (value instanceof Uint8Array) return bytesForm(value);
  if (ArrayBuffer.isView(value)) return [...(value as unknown as Numbers)].map(canonical);
  if ("npy" in value) return arrayForm(value as ArrayLike);
  if ("ipc" in value) return tableForm(value as TableLike);
  if ("bytes" in value && "type" in value && value.bytes instanceof Uint8Array) {
    const { type, bytes } = value as MediaLike;
    const content = /^text\/|xml$|json$/.test(type) ? new TextDecoder().decode(bytes) : bytesForm(bytes);
    return { $media: { type, content } };
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new Error(`A result holds an object of class ${value.constructor.name}`);
  }
  return sorted(value);
}

function arrayForm(array: ArrayLike): Canonical {
  const { dtype, shape, npy } = array;
  const size = shape.reduce((product, length) => product * length, 1);
  let data: Canonical | undefined;
  try {
    if (size <= SHOWN_ROWS) data = [...array.data].map(canonical);
  } catch {
    // A dtype without a typed array: the checksum stands for its data.
  }
  return { $ndarray: { dtype, shape: [...shape], ...(data ? { data } : {}), checksum: checksum(npy) } };
}

function tableForm({ ipc, kind, meta }: TableLike): Canonical {
  const table: Table = tableFromIPC(ipc);
  const columns: Record<string, Canonical> = {};
  for (const [index, { name, type }] of table.schema.fields.entries()) {
    const vector = table.getChildAt(index) as Vector;
    columns[name] = {
      type: String(type),
      ...(table.numRows <= SHOWN_ROWS ? { values: vectorForm(vector) } : {}),
    };
  }
  return {
    $table: { kind, meta: canonical(meta), rows: table.numRows, columns, checksum: checksum(ipc) },
  };
}

/** Numbers that stand for a moment or a length of time, and decimals: read from the buffer, because Arrow's reader rounds them. */
const isRaw = (type: DataType): boolean =>
  DataType.isTimestamp(type) || DataType.isTime(type) || DataType.isDuration(type) || DataType.isDate(type);

function vectorForm(vector: Vector): Canonical[] {
  let before = 0;
  return vector.data.flatMap((data: Data) => {
    const start = before;
    before += data.length;
    return Array.from({ length: data.length }, (_, i) => {
      if (!data.getValid(i)) return null;
      if (isRaw(data.type)) return canonical(data.values[i]);
      if (data.type.typeId === Type.Decimal) return decimalForm(data, i);
      return cellForm(vector.get(start + i));
    });
  });
}

/** An Arrow decimal (two's complement, little-endian) as its digits. */
function decimalForm(data: Data, index: number): Canonical {
  const { scale, bitWidth } = data.type as unknown as { scale: number; bitWidth: number };
  const words = bitWidth / 32;
  let number = 0n;
  for (let word = words - 1; word >= 0; word--) {
    number = (number << 32n) | BigInt((data.values[index * words + word] as number) >>> 0);
  }
  number = BigInt.asIntN(bitWidth, number);
  const digits = String(number < 0n ? -number : number).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${number < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ""}`;
}

function cellForm(cell: unknown): Canonical {
  if (cell === null || typeof cell !== "object" || cell instanceof Uint8Array) return canonical(cell);
  const { toJSON, data } = cell as { toJSON?: () => unknown; data?: unknown };
  if (Array.isArray(data)) return vectorForm(cell as Vector);
  if (typeof toJSON !== "function") return canonical(cell);
  const fields = Object.entries(toJSON.call(cell) as object);
  return Object.fromEntries(fields.map(([key, value]) => [key, cellForm(value)]));
}

/** An error with all its fields. @param varying fields that differ from run to run */
export function errorForm(error: unknown, varying: readonly string[]): { [key: string]: Canonical } {
  const { name, message } = error as Error;
  const form: Record<string, unknown> = { name, message, ...(error as object) };
  for (const field of ["stdout", "stderr", ...varying]) delete form[field];
  // Where an object lies in memory says nothing.
  for (const [field, text] of Object.entries(form))
    if (typeof text === "string") form[field] = text.replace(/ at 0x[0-9a-f]+/g, " at 0x…");
  return sorted(form);
}

/** Where `actual` is not as `expected`, as lines for a person; a table is compared in what is expected of it alone. */
export function differences(actual: Canonical, expected: Canonical, path = "value"): string[] {
  const bothObjects =
    typeof actual === "object" && typeof expected === "object" && actual !== null && expected !== null;
  if (!bothObjects || Array.isArray(actual) !== Array.isArray(expected)) {
    return Object.is(actual, expected) ? [] : [`${path}: ${shown(actual)} instead of ${shown(expected)}`];
  }
  const [left, right] = [actual, expected] as [Record<string, Canonical>, Record<string, Canonical>];
  const partial = /\.\$(table|ndarray)$/.test(path);
  const keys = new Set([...Object.keys(right), ...(partial ? [] : Object.keys(left))]);
  return [...keys].flatMap((key) => {
    const place = Array.isArray(actual) ? `${path}[${key}]` : `${path}.${key}`;
    if (!Object.hasOwn(left, key)) return [`${place} is missing; expected ${shown(right[key])}`];
    if (!Object.hasOwn(right, key)) return [`${place} is not expected: ${shown(left[key])}`];
    return differences(left[key] as Canonical, right[key] as Canonical, place);
  });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
