/**
 * JSON (RFC 8259). NaN and infinities are null, integers keep all their digits, bytes are base64, documents are data URLs,
 * tables are lists of records with geometries as GeoJSON, arrays are nested lists.
 */
import { MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
import { nestedList } from "./ndarray.ts";
import { base64, TextSink } from "./sink.ts";
import { type Columns, columnsOf } from "./table.ts";
import { readWkb } from "./wkb.ts";

export interface JsonOptions {
  /** Line breaks and two spaces a level, for people. Default: one line. */
  pretty?: boolean;
  /** Floats of arrays and tables are told from integers: `6.0`. */
  marksFloats?: boolean;
  /** NaN and infinities are what Python's json module writes and reads for them, which is no JSON. */
  hasConstants?: boolean;
}

/** Encodes any value. A document whose type is JSON passes as it is. */
export async function encodeJson(value: unknown, options: JsonOptions = {}): Promise<Uint8Array> {
  if (isJsonDocument(value)) return value.bytes;
  const sink = new TextSink();
  await writeJson(sink, value, options);
  return sink.bytes();
}

/** Whether a value is a document that is JSON already. */
export const isJsonDocument = (value: unknown): value is MediaValue =>
  value instanceof MediaValue && /^application\/([\w.-]+\+)?json\b/.test(value.type);

/** Writes any value, tables too. */
export async function writeJson(sink: TextSink, value: unknown, options: JsonOptions): Promise<void> {
  const tables = new Map<TableValue, Columns>();
  await readTables(value, tables);
  new JsonWriter(sink, { ...options, tables }).value(value);
}

/** The value as text; without tables. */
export function jsonText(value: unknown): string {
  const sink = new TextSink();
  new JsonWriter(sink).value(value);
  return new TextDecoder().decode(sink.bytes());
}

/** Reading Arrow is asynchronous (the library is loaded then); writing is not. */
async function readTables(value: unknown, tables: Map<TableValue, Columns>): Promise<void> {
  if (value instanceof TableValue) {
    if (!tables.has(value)) tables.set(value, (await columnsOf(value)) as Columns);
  } else if (isContainer(value)) {
    for (const item of Array.isArray(value) ? value : Object.values(value)) {
      if (isContainer(item)) await readTables(item, tables);
    }
  }
}

/** Whether other values may be inside. */
function isContainer(value: unknown): value is object {
  if (value === null || typeof value !== "object") return false;
  return !(value instanceof Uint8Array || value instanceof NdArray || value instanceof MediaValue);
}

/** Writes values to a sink. A Map is an object whose keys keep their order. */
export class JsonWriter {
  readonly #sink: TextSink;
  readonly #tables: ReadonlyMap<TableValue, Columns>;
  /** What stands before an item of a level; nothing where all is one line. */
  readonly #indent: (depth: number) => string;
  readonly #colon: string;
  readonly #marksFloats: boolean;
  readonly #hasConstants: boolean;
  /** Whether the numbers that come next are floats, as far as it is known. */
  #areFloats = false;

  /** @param options.tables what was read of the tables in the values. */
  constructor(sink: TextSink, options: JsonOptions & { tables?: ReadonlyMap<TableValue, Columns> } = {}) {
    this.#sink = sink;
    this.#tables = options.tables ?? new Map();
    this.#indent = options.pretty ? (depth) => `\n${"  ".repeat(depth)}` : () => "";
    this.#colon = options.pretty ? ": " : ":";
    this.#marksFloats = options.marksFloats ?? false;
    this.#hasConstants = options.hasConstants ?? false;
  }

  value(value: unknown, depth = 0): void {
    if (typeof value === "string") this.#sink.write(JSON.stringify(value));
    else if (typeof value === "number") this.#sink.write(this.#number(value));
    else if (typeof value === "bigint" || typeof value === "boolean") this.#sink.write(String(value));
    else if (value === null || typeof value !== "object") this.#sink.write("null");
    else this.#object(value, depth);
  }

  #number(value: number): string {
    if (!Number.isFinite(value)) return this.#hasConstants ? String(value) : "null";
    if (!(this.#areFloats && Number.isInteger(value))) return String(value);
    const text = Object.is(value, -0) ? "-0" : String(value);
    return text.includes("e") ? text : `${text}.0`;
  }

  #object(value: object, depth: number): void {
    if (value instanceof Uint8Array) this.#sink.write(`"${base64(value)}"`);
    else if (value instanceof MediaValue) this.value(`data:${value.type};base64,${base64(value.bytes)}`);
    else if (value instanceof NdArray) this.#array(value, depth);
    else if (value instanceof TableValue) this.#table(this.#tables.get(value) as Columns, depth);
    else if (Array.isArray(value)) this.#list(value, depth);
    else if (value instanceof Map) this.#pairs(value, depth);
    else this.#pairs(Object.entries(value), depth);
  }

  #array(array: NdArray, depth: number): void {
    this.#areFloats = this.#marksFloats && /f\d$/.test(array.dtype);
    this.value(nestedList(array), depth);
    this.#areFloats = false;
  }

  #list(items: readonly unknown[], depth: number): void {
    this.#items(items.length, (index) => this.value(items[index], depth + 1), depth);
  }

  #items(count: number, write: (index: number) => void, depth: number): void {
    this.#sink.write("[");
    for (let index = 0; index < count; index++) {
      this.#sink.write((index === 0 ? "" : ",") + this.#indent(depth + 1));
      write(index);
    }
    this.#sink.write(`${count === 0 ? "" : this.#indent(depth)}]`);
  }

  #pairs(pairs: Iterable<readonly [string, unknown]>, depth: number): void {
    let isEmpty = true;
    this.#sink.write("{");
    for (const [key, item] of pairs) {
      if (item === undefined) continue;
      this.#sink.write((isEmpty ? "" : ",") + this.#indent(depth + 1) + JSON.stringify(key) + this.#colon);
      isEmpty = false;
      this.value(item, depth + 1);
    }
    this.#sink.write(`${isEmpty ? "" : this.#indent(depth)}}`);
  }

  #table({ columns, rows, isList }: Columns, depth: number): void {
    const cells = columns.map(({ get, isGeometry }) => {
      if (!isGeometry) return get;
      return (row: number) => {
        const cell = get(row);
        return cell instanceof Uint8Array ? readWkb(cell) : cell;
      };
    });
    // Each is written before the next is asked for.
    const cell = (row: number, index: number): unknown => {
      this.#areFloats = this.#marksFloats && columns[index]?.isFloat === true;
      return cells[index]?.(row) ?? null;
    };
    const record = function* (row: number): Iterable<readonly [string, unknown]> {
      for (const [index, { name }] of columns.entries()) yield [name, cell(row, index)];
    };
    this.#items(
      rows,
      (row) => (isList ? this.value(cell(row, 0), depth + 1) : this.#pairs(record(row), depth + 1)),
      depth,
    );
    this.#areFloats = false;
  }
}
