/**
 * Tables that come out of an isolate as columns (sdk/python/fused/_columns.py) become an Arrow IPC stream here, so that the
 * isolate needs no Arrow library. Columns have Arrow's own layouts:
 *
 *     {"type":"int64","length":3,"validity":0,"data":1}            validity: a bitmap, where something is missing
 *     {"type":"utf8","length":3,"offsets":2,"data":3}              also large_utf8, binary, large_binary
 *     {"type":"list","length":3,"offsets":4,"children":[{"name":"item",…}]}    {"type":"struct",…,"children":[{"name":…}, …]}
 *     {"type":"dictionary","codes":"int8","length":3,"data":5,"ordered":false,"dictionary":{…}}
 *     {"type":"timestamp","unit":"ns","timezone":"UTC",…}  {"type":"decimal","precision":5,"scale":2,"width":16,…}
 *
 * They come from an isolate, so they are checked before anything reads them: each buffer has exactly the length that the rows need
 * and is used once, offsets rise to the end of the data, codes lie in the dictionary.
 */
import type { Data as ArrowData, DataType, Field } from "apache-arrow";
import { ResultError } from "./errors.ts";
import type { TableBuilder } from "./value.ts";

type Arrow = typeof import("apache-arrow");
type Node = Readonly<Record<string, unknown>>;
interface Column {
  field: Field;
  data: ArrowData;
}

/** Arrow's libraries count rows in 32 bits. */
const MAX_ROWS = 2 ** 31 - 1;
/** What readers of Arrow streams take at most: arrow/ipc/options.h, max_recursion_depth. */
const MAX_NESTING = 64;

/** The builder for a value's text, with the Arrow library loaded; undefined where the text holds no columns. */
export async function tableBuilder(text: string): Promise<TableBuilder | undefined> {
  // Inside of a JSON string the quotes would have backslashes.
  if (!text.includes('"$":"columns"')) return undefined;
  const arrow = await import("apache-arrow");
  return (tagged, buffers) => buildTable(arrow, tagged, buffers);
}

/**
 * Makes an Arrow IPC stream of a table's columns.
 * @throws ResultError where they break a rule
 */
export function buildTable(arrow: Arrow, tagged: Node, buffers: readonly Uint8Array[]): Uint8Array {
  const { columns, pandas } = tagged;
  const rows = count(tagged.rows, "rows");
  if (!Array.isArray(columns)) throw bad("its columns are no list");
  if (typeof pandas !== "string") throw bad("its pandas metadata are no text");
  const reader = new ColumnReader(arrow, buffers);
  const read = columns.map((column) => reader.child(column, rows, 0));
  const fields = read.map(({ field }) => field);
  const schema = new arrow.Schema(fields, new Map([["pandas", pandas]]));
  const data = arrow.makeData({
    type: new arrow.Struct(fields),
    length: rows,
    nullCount: 0,
    children: read.map((column) => column.data),
  });
  return arrow.tableToIPC(new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]), "stream");
}

class ColumnReader {
  readonly #arrow: Arrow;
  readonly #buffers: readonly Uint8Array[];
  readonly #types: Record<string, (node: Node) => DataType>;
  readonly #used = new Set<number>();
  #dictionaries = 0;

  constructor(arrow: Arrow, buffers: readonly Uint8Array[]) {
    this.#arrow = arrow;
    this.#buffers = buffers;
    this.#types = fixedTypes(arrow);
  }

  /** A named column of a table, a list or a struct. */
  child(value: unknown, length: number, depth: number): Column {
    const node = object(value);
    if (typeof node.name !== "string") throw bad("a column has no name");
    if (count(node.length, "length") !== length) {
      throw bad(`the column ${JSON.stringify(node.name)} has ${node.length} values for ${length} rows`);
    }
    const data = this.#read(node, length, depth);
    return { field: new this.#arrow.Field(node.name, data.type, true, metadata(node.metadata)), data };
  }

  #read(node: Node, length: number, depth: number): ArrowData {
    if (depth > MAX_NESTING) throw bad(`it is nested more than ${MAX_NESTING} levels deep`);
    const { makeData, ...arrow } = this.#arrow;
    const { type } = node;
    if (type === "null") return makeData({ type: new arrow.Null(), length });
    const nullBitmap = node.validity === undefined ? undefined : this.#bitmap(node.validity, length);
    switch (type) {
      case "bool":
        return makeData({
          type: new arrow.Bool(),
          length,
          nullBitmap,
          data: this.#bitmap(node.data, length),
        });
      case "utf8":
      case "binary": {
        const data = this.#buffer(node.data);
        const valueOffsets = this.#offsets(node.offsets, length, data.length);
        return type === "utf8"
          ? makeData({ type: new arrow.Utf8(), length, nullBitmap, valueOffsets, data })
          : makeData({ type: new arrow.Binary(), length, nullBitmap, valueOffsets, data });
      }
      case "large_utf8":
      case "large_binary": {
        const data = this.#buffer(node.data);
        const valueOffsets = this.#largeOffsets(node.offsets, length, data.length);
        return type === "large_utf8"
          ? makeData({ type: new arrow.LargeUtf8(), length, nullBitmap, valueOffsets, data })
          : makeData({ type: new arrow.LargeBinary(), length, nullBitmap, valueOffsets, data });
      }
      case "list": {
        const [item, more] = list(node.children);
        if (item === undefined || more !== undefined) throw bad("a list has not one child");
        const items = count(object(item).length, "length");
        const valueOffsets = this.#offsets(node.offsets, length, items);
        const child = this.child(item, items, depth + 1);
        return makeData({
          type: new arrow.List(child.field),
          length,
          nullBitmap,
          valueOffsets,
          child: child.data,
        });
      }
      case "struct": {
        const children = list(node.children).map((entry) => this.child(entry, length, depth + 1));
        const struct = new arrow.Struct(children.map(({ field }) => field));
        return makeData({ type: struct, length, nullBitmap, children: children.map(({ data }) => data) });
      }
      case "dictionary":
        return this.#dictionary(node, length, nullBitmap, depth);
    }
    const make = typeof type === "string" && Object.hasOwn(this.#types, type) ? this.#types[type] : undefined;
    if (!make) throw bad(`there is no type ${shown(type)}`);
    return this.#fixed(make(node), node.data, length, nullBitmap);
  }

  /** A column whose values have all one width. */
  #fixed(type: DataType, index: unknown, length: number, nullBitmap: Uint8Array | undefined): ArrowData {
    const Values = type.ArrayType as unknown as typeof Uint8Array;
    const width = Values.BYTES_PER_ELEMENT * (strideOf(this.#arrow, type) as number);
    const bytes = this.#buffer(index, length * width, Values.BYTES_PER_ELEMENT);
    const data = new Values(bytes.buffer, bytes.byteOffset, bytes.length / Values.BYTES_PER_ELEMENT);
    return this.#arrow.makeData({ type, length, nullBitmap, data } as Parameters<Arrow["makeData"]>[0]);
  }

  #dictionary(node: Node, length: number, nullBitmap: Uint8Array | undefined, depth: number): ArrowData {
    const { codes: codesType, dictionary: of } = node;
    const make =
      typeof codesType === "string" && /^u?int(8|16|32|64)$/.test(codesType)
        ? this.#types[codesType]
        : undefined;
    if (!make) throw bad(`there are no codes of type ${shown(codesType)}`);
    const dictionary = object(of);
    if (dictionary.type === "dictionary") throw bad("it has a dictionary of a dictionary");
    const size = count(dictionary.length, "length");
    if (dictionary.type === "null" && size > 0)
      throw bad("it has a dictionary of nothing but missing values");
    const values = this.#read(dictionary, size, depth + 1);
    const codes = this.#fixed(make(node), node.data, length, nullBitmap);
    checkCodes(codes.values as ArrayLike<number | bigint>, nullBitmap, size);
    const { Dictionary, makeData, Vector } = this.#arrow;
    const type = new Dictionary(
      values.type,
      codes.type as ConstructorParameters<typeof Dictionary>[1],
      this.#dictionaries++,
      node.ordered === true,
    );
    return makeData({
      type,
      length,
      nullBitmap,
      data: codes.values,
      dictionary: new Vector([values]),
    } as Parameters<Arrow["makeData"]>[0]);
  }

  #bitmap(index: unknown, length: number): Uint8Array {
    return this.#buffer(index, Math.ceil(length / 8));
  }

  #offsets(index: unknown, length: number, end: number): Int32Array {
    const bytes = this.#buffer(index, (length + 1) * 4, 4);
    const offsets = new Int32Array(bytes.buffer, bytes.byteOffset, length + 1);
    let last = 0;
    for (const offset of offsets) {
      if (offset < last) throw bad("its offsets fall");
      last = offset;
    }
    if (offsets[0] !== 0 || last !== end) throw bad("its offsets do not match its data");
    return offsets;
  }

  #largeOffsets(index: unknown, length: number, end: number): BigInt64Array {
    const bytes = this.#buffer(index, (length + 1) * 8, 8);
    const offsets = new BigInt64Array(bytes.buffer, bytes.byteOffset, length + 1);
    let last = 0n;
    for (const offset of offsets) {
      if (offset < last) throw bad("its offsets fall");
      last = offset;
    }
    if (offsets[0] !== 0n || last !== BigInt(end)) throw bad("its offsets do not match its data");
    return offsets;
  }

  /** A buffer that no column has used before: else a short text could ask for a stream of any size. */
  #buffer(index: unknown, length?: number, alignment = 1): Uint8Array {
    const bytes = typeof index === "number" ? this.#buffers[index] : undefined;
    if (!bytes) throw bad(`it names the buffer ${shown(index)} of ${this.#buffers.length}`);
    if (this.#used.has(index as number)) throw bad(`it names the buffer ${index} twice`);
    this.#used.add(index as number);
    if (length !== undefined && bytes.length !== length) {
      throw bad(`a buffer has ${bytes.length} bytes, not ${length}`);
    }
    return bytes.byteOffset % alignment === 0 ? bytes : new Uint8Array(bytes);
  }
}

/** Types whose values have all one width, by name. */
function fixedTypes(arrow: Arrow): Record<string, (node: Node) => DataType> {
  const units: Record<string, number> = {
    s: arrow.TimeUnit.SECOND,
    ms: arrow.TimeUnit.MILLISECOND,
    us: arrow.TimeUnit.MICROSECOND,
    ns: arrow.TimeUnit.NANOSECOND,
  };
  const unit = ({ unit: name }: Node): number => {
    const found = typeof name === "string" && Object.hasOwn(units, name) ? units[name] : undefined;
    if (found === undefined) throw bad(`there is no unit ${shown(name)}`);
    return found;
  };
  return {
    int8: () => new arrow.Int8(),
    int16: () => new arrow.Int16(),
    int32: () => new arrow.Int32(),
    int64: () => new arrow.Int64(),
    uint8: () => new arrow.Uint8(),
    uint16: () => new arrow.Uint16(),
    uint32: () => new arrow.Uint32(),
    uint64: () => new arrow.Uint64(),
    float16: () => new arrow.Float16(),
    float32: () => new arrow.Float32(),
    float64: () => new arrow.Float64(),
    date32: () => new arrow.DateDay(),
    time64: () => new arrow.TimeMicrosecond(),
    timestamp: (node) => {
      const { timezone } = node;
      if (timezone !== undefined && (typeof timezone !== "string" || !/^[\w+\-:/]{1,64}$/.test(timezone))) {
        throw bad(`there is no time zone ${shown(timezone)}`);
      }
      return new arrow.Timestamp(unit(node), timezone);
    },
    duration: (node) => new arrow.Duration(unit(node)),
    decimal: ({ precision, scale, width }) => {
      const bits = width === 16 ? 128 : width === 32 ? 256 : 0;
      const digits = count(precision, "precision");
      if (bits === 0 || digits < 1 || digits > 76 || count(scale, "scale") > digits) {
        throw bad(`there is no decimal of ${shown([precision, scale, width])}`);
      }
      return new arrow.Decimal(scale as number, digits, bits);
    },
    fixed_size_binary: ({ width }) => {
      const bytes = count(width, "width");
      if (bytes < 1 || bytes > 65_536) throw bad(`there are no values of ${bytes} bytes`);
      return new arrow.FixedSizeBinary(bytes);
    },
  };
}

function strideOf({ DataType }: Arrow, type: DataType): number {
  if (DataType.isFixedSizeBinary(type)) return type.byteWidth;
  return DataType.isDecimal(type) ? type.bitWidth / 32 : 1;
}

function checkCodes(codes: ArrayLike<number | bigint>, validity: Uint8Array | undefined, size: number): void {
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] as number | bigint;
    if (code >= 0 && code < size) continue;
    if (validity === undefined || ((validity[row >> 3] as number) >> (row & 7)) & 1) {
      throw bad(`it has the code ${code} for a dictionary of ${size}`);
    }
  }
}

function metadata(value: unknown): Map<string, string> | undefined {
  if (value === undefined) return undefined;
  const entries = Object.entries(object(value));
  if (entries.some(([, text]) => typeof text !== "string")) throw bad("its metadata are no texts");
  return new Map(entries as [string, string][]);
}

function object(value: unknown): Node {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw bad("a column is no object");
  return value as Node;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw bad("its children are no list");
  return value;
}

function count(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_ROWS) return value;
  throw bad(`its ${what} is ${shown(value)}`);
}

function shown(value: unknown): string {
  return `${JSON.stringify(value)}`.slice(0, 80);
}

function bad(why: string): ResultError {
  return new ResultError(`Cannot read a table that crossed the wall: ${why}`, { path: "result" });
}
