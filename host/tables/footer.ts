/**
 * The footer of a Parquet file (parquet-format, parquet.thrift): what its row groups are and where they lie; and a file of one row group
 * alone, made of its bytes and the footer, so that nothing else of a large file has to be read.
 */
import { concat } from "../../runtime/bytes.ts";
import { TableError } from "./errors.ts";
import { type List, readStruct, type Struct, type Value, writeStruct } from "./thrift.ts";

const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31);
/** The length of the footer, and the magic number behind it. */
export const TAIL_BYTES = 8;

/** Numbers of fields. */
const FILE = { schema: 2, rows: 3, rowGroups: 4, keyValues: 5, columnOrders: 7 } as const;
const KEY_VALUE = { key: 1, value: 2 } as const;
const GROUP = { columns: 1, rows: 3, sorting: 4, fileOffset: 5 } as const;
const CHUNK = { filePath: 1, fileOffset: 2, metadata: 3, offsetIndex: [4, 5, 6, 7] } as const;
const COLUMN = {
  path: 3,
  bytes: 7,
  dataOffset: 9,
  indexOffset: 10,
  dictionaryOffset: 11,
  statistics: 12,
  bloomFilter: [14, 15],
} as const;
const ELEMENT = { name: 4, children: 5 } as const;
const STATISTICS = { max: 1, min: 2, maxValue: 5, minValue: 6 } as const;

/** One column of a row group. */
export interface ColumnChunk {
  /** The name of the file's column that it belongs to. */
  name: string;
  /** Where it lies in the file. */
  offset: number;
  bytes: number;
  /** The least and the greatest value as Parquet writes them; null where the file does not say. */
  range: { min: Uint8Array; max: Uint8Array } | null;
}

export interface RowGroup {
  rows: number;
  columns: readonly ColumnChunk[];
}

/** @returns how many bytes the footer has in front of the tail @throws TableError */
export function footerLength(tail: Uint8Array, url: string): number {
  if (tail.length !== TAIL_BYTES || MAGIC.some((byte, i) => tail[4 + i] !== byte))
    throw noTable(url, "it is no Parquet file");
  return new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
}

const noTable = (url: string, why: string) => new TableError("no table", `Cannot read ${url}: ${why}`);

/** What a file says of itself. */
export class Footer {
  readonly keyValues: ReadonlyMap<string, string>;
  /** The names of the file's columns. */
  readonly columns: readonly string[];
  readonly rowGroups: readonly RowGroup[];
  readonly #file: Struct;

  /** @param bytes without the tail @throws TableError for what is no footer */
  constructor(bytes: Uint8Array, url: string) {
    try {
      this.#file = readStruct(bytes);
      this.keyValues = new Map(
        items(this.#file, FILE.keyValues).map((pair) => [
          text(pair, KEY_VALUE.key),
          text(pair, KEY_VALUE.value),
        ]),
      );
      this.columns = rootColumns(items(this.#file, FILE.schema)).map(({ name }) => name);
      this.rowGroups = items(this.#file, FILE.rowGroups).map(readGroup);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw noTable(url, `its Parquet footer is damaged (${error.message})`);
    }
  }

  /**
   * A Parquet file with one row group of this one.
   * @param names the columns that it has @param arrowSchema what its metadata `ARROW:schema` becomes; null leaves it out
   * @param read gives bytes of this file
   */
  async fileOf(
    number: number,
    names: ReadonlySet<string>,
    arrowSchema: string | null,
    read: (offset: number, length: number) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const group = items(this.#file, FILE.rowGroups)[number] as Struct;
    const leaves = (this.rowGroups[number] as RowGroup).columns;
    const parts: Uint8Array[] = [MAGIC];
    let at = MAGIC.length;
    const chunks: Struct[] = [];
    for (const [position, chunk] of items(group, GROUP.columns).entries()) {
      const { name, offset, bytes } = leaves[position] as ColumnChunk;
      if (!names.has(name)) continue;
      chunks.push(moved(chunk, at - offset));
      parts.push(await read(offset, bytes));
      at += bytes;
    }
    const isThere = (_: unknown, leaf: number) => names.has(leaves[leaf]?.name ?? "");
    const orders = items(this.#file, FILE.columnOrders).filter(isThere);
    const keyValues = items(this.#file, FILE.keyValues).flatMap((pair) => {
      if (text(pair, KEY_VALUE.key) !== ARROW_SCHEMA) return [pair];
      if (arrowSchema === null) return [];
      return [withFields(pair, { [KEY_VALUE.value]: { type: BINARY_TYPE, value: encode(arrowSchema) } })];
    });
    const ofGroup = withFields(group, { [GROUP.columns]: list(chunks) }, [GROUP.fileOffset, GROUP.sorting]);
    const footer = writeStruct(
      withFields(this.#file, {
        [FILE.schema]: list(schemaOf(items(this.#file, FILE.schema), names)),
        [FILE.rowGroups]: list([ofGroup]),
        [FILE.rows]: whole((this.rowGroups[number] as RowGroup).rows),
        [FILE.keyValues]: list(keyValues),
        [FILE.columnOrders]: list(orders),
      }),
    );
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, footer.length, true);
    return concat([...parts, footer, length, MAGIC]);
  }
}

/** The metadata in which writers keep the Arrow schema. */
export const ARROW_SCHEMA = "ARROW:schema";

const STRUCT_TYPE = 12;
const LIST_TYPE = 9;
const BINARY_TYPE = 8;
const I32_TYPE = 5;
const I64_TYPE = 6;
const list = (structs: Struct[]) => ({
  type: LIST_TYPE,
  value: { type: STRUCT_TYPE, items: structs } as List,
});
const whole = (value: number) => ({ type: I64_TYPE, value });
const encode = (value: string) => new TextEncoder().encode(value);

function withFields(
  struct: Struct,
  fields: Record<number, { type: number; value: Value }>,
  left: readonly number[] = [],
): Struct {
  const copy: Struct = new Map(struct);
  for (const id of left) copy.delete(id);
  for (const [id, field] of Object.entries(fields)) if (copy.has(Number(id))) copy.set(Number(id), field);
  return copy;
}

/** A column's description with all of its places `by` bytes further. */
function moved(chunk: Struct, by: number): Struct {
  const column = chunk.get(CHUNK.metadata)?.value as Struct;
  const places: Record<number, { type: number; value: Value }> = {};
  for (const id of [COLUMN.dataOffset, COLUMN.dictionaryOffset]) {
    const old = numberOf(column, id);
    if (old !== null) places[id] = whole(old > 0 ? old + by : 0);
  }
  const changed = withFields(column, places, [COLUMN.indexOffset, ...COLUMN.bloomFilter]);
  return withFields(
    chunk,
    { [CHUNK.metadata]: { type: STRUCT_TYPE, value: changed }, [CHUNK.fileOffset]: whole(0) },
    CHUNK.offsetIndex,
  );
}

function readGroup(group: Struct): RowGroup {
  return {
    rows: wholeNumber(numberOf(group, GROUP.rows)),
    columns: items(group, GROUP.columns).map((chunk) => {
      const column = chunk.get(CHUNK.metadata)?.value;
      if (!(column instanceof Map)) throw new RangeError("it has a column without a description");
      if (chunk.has(CHUNK.filePath)) throw new RangeError("it has a column that lies in another file");
      const data = wholeNumber(numberOf(column, COLUMN.dataOffset));
      const dictionary = numberOf(column, COLUMN.dictionaryOffset) ?? 0;
      const path = (column.get(COLUMN.path)?.value as List | undefined)?.items?.[0];
      return {
        name: path instanceof Uint8Array ? decode(path) : "",
        offset: dictionary > 0 ? Math.min(dictionary, data) : data,
        bytes: wholeNumber(numberOf(column, COLUMN.bytes)),
        range: rangeOf(column.get(COLUMN.statistics)?.value),
      };
    }),
  };
}

function rangeOf(statistics: unknown): ColumnChunk["range"] {
  if (!(statistics instanceof Map)) return null;
  const bytes = (id: number) => {
    const value = (statistics as Struct).get(id)?.value;
    return value instanceof Uint8Array ? value : null;
  };
  const min = bytes(STATISTICS.minValue) ?? bytes(STATISTICS.min);
  const max = bytes(STATISTICS.maxValue) ?? bytes(STATISTICS.max);
  return min && max ? { min, max } : null;
}

const MOST_DEPTH = 64;

/** The schema is a tree, written from its root downwards: each element says how many children it has. @returns where each column begins */
function rootColumns(elements: readonly Struct[]): { name: string; at: number }[] {
  const columns: { name: string; at: number }[] = [];
  let at = 1;
  const skip = (depth: number): void => {
    const element = elements[at++];
    if (!element || depth > MOST_DEPTH) throw new RangeError("its schema is cut off");
    for (let child = numberOf(element, ELEMENT.children) ?? 0; child > 0; child--) skip(depth + 1);
  };
  while (at < elements.length) {
    columns.push({ name: text(elements[at] as Struct, ELEMENT.name), at });
    skip(0);
  }
  return columns;
}

/** The schema with some of the columns. */
function schemaOf(elements: readonly Struct[], names: ReadonlySet<string>): Struct[] {
  const columns = rootColumns(elements);
  const kept = columns.filter(({ name }) => names.has(name));
  const parts = kept.flatMap((column) => {
    const next = columns[columns.indexOf(column) + 1];
    return elements.slice(column.at, next?.at);
  });
  const root = withFields(elements[0] as Struct, {
    [ELEMENT.children]: { type: I32_TYPE, value: kept.length },
  });
  return [root, ...parts];
}

function items(struct: Struct, id: number): Struct[] {
  const value = struct.get(id)?.value;
  if (value === undefined) return [];
  const found = (value as List).items;
  if (!Array.isArray(found) || !found.every((item) => item instanceof Map))
    throw new RangeError("it has something else than a list");
  return found as Struct[];
}

function numberOf(struct: Struct, id: number): number | null {
  const value = struct.get(id)?.value;
  return typeof value === "number" ? value : null;
}

function wholeNumber(value: number | null): number {
  if (value === null || value < 0) throw new RangeError("a number in it is missing or negative");
  return value;
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function text(struct: Struct, id: number): string {
  const value = struct.get(id)?.value;
  return value instanceof Uint8Array ? decode(value) : "";
}
