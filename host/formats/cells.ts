/**
 * The cells of Arrow columns as plain values: null, boolean, number, bigint, string, Uint8Array, lists and objects.
 *
 * apache-arrow's own getters lose digits of 64-bit times and decimals, so these are read from the buffers. Times become ISO
 * 8601 text, decimals their exact digits as text, integers of 64 bits stay bigint.
 */
import { type Data, DataType, DateUnit, type Schema, TimeUnit, Type, Vector } from "apache-arrow";

/** Reads the cell of a row; rows of `Data` count from its own start. */
export type CellReader = (row: number) => unknown;

const DIGITS: Record<number, number> = {
  [TimeUnit.SECOND]: 0,
  [TimeUnit.MILLISECOND]: 3,
  [TimeUnit.MICROSECOND]: 6,
  [TimeUnit.NANOSECOND]: 9,
};

/** Makes the reader of a chunk. */
export function cellReader(data: Data): CellReader {
  const read = valueReader(data);
  return data.nullCount === 0 ? read : (row) => (data.getValid(row) ? read(row) : null);
}

function valueReader(data: Data): CellReader {
  const { type, values } = data;
  const integer = (row: number) => BigInt(values[row] as number | bigint);
  if (DataType.isNull(type)) return () => null;
  if (DataType.isDictionary(type)) return dictionaryReader(data);
  if (DataType.isTimestamp(type)) {
    const digits = DIGITS[type.unit] as number;
    const suffix = type.timezone ? "Z" : "";
    return (row) => formatTimestamp(integer(row), digits) + suffix;
  }
  if (DataType.isDate(type)) {
    const perDay = type.unit === DateUnit.DAY ? 1n : 86_400_000n;
    return (row) => formatDay(floorDivide(integer(row), perDay));
  }
  if (DataType.isTime(type)) return (row) => formatTime(integer(row), DIGITS[type.unit] as number);
  if (DataType.isDuration(type)) return (row) => formatDuration(integer(row), DIGITS[type.unit] as number);
  if (DataType.isDecimal(type))
    return (row) => formatDecimal(values as Uint32Array, row, data.stride, type.scale);
  if (DataType.isList(type) || DataType.isLargeList(type)) return listReader(data);
  if (DataType.isFixedSizeList(type)) return fixedListReader(data, type.listSize);
  if (DataType.isMap(type)) return mapReader(data);
  if (DataType.isStruct(type)) return structReader(data);
  if (DataType.isUnion(type)) return unionReader(data);
  // All others have no digits to lose: booleans, numbers, texts, bytes.
  const vector = new Vector([data]);
  return (row) => vector.get(row);
}

/** Whether cells of a type are numbers, for alignment. */
export function isNumericType(type: DataType): boolean {
  if (DataType.isDictionary(type)) return isNumericType(type.dictionary);
  return DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type);
}

/** Whether cells of a type are floats. */
export function isFloatType(type: DataType): boolean {
  return DataType.isDictionary(type) ? isFloatType(type.dictionary) : DataType.isFloat(type);
}

/** Whether a column holds well-known binary, by its extension name (https://geoarrow.org/extension-types). */
export function isGeometryField({ metadata }: Schema["fields"][number]): boolean {
  return /^(geoarrow|ogc)\.wkb$/.test(metadata.get("ARROW:extension:name") ?? "");
}

function dictionaryReader(data: Data): CellReader {
  const chunks = data.dictionary?.data ?? [];
  const readers = chunks.map(cellReader);
  return (row) => {
    let index = Number(data.values[row]);
    for (const [number, chunk] of chunks.entries()) {
      if (index < chunk.length) return (readers[number] as CellReader)(index);
      index -= chunk.length;
    }
    return null;
  };
}

function listReader(data: Data): CellReader {
  const child = data.children[0] as Data;
  const read = cellReader(child);
  const offsets = data.valueOffsets as Int32Array | BigInt64Array;
  return (row) => range(Number(offsets[row]), Number(offsets[row + 1]), child.length, read);
}

function fixedListReader(data: Data, size: number): CellReader {
  const child = data.children[0] as Data;
  const read = cellReader(child);
  return (row) => range(row * size, (row + 1) * size, child.length, read);
}

/** Offsets come from the UDF: what lies beyond the child is refused before a list of that length is made. */
function range(from: number, to: number, length: number, read: CellReader): unknown[] {
  if (!(from >= 0 && from <= to && to <= length)) throw new RangeError("a list lies outside its data");
  return Array.from({ length: to - from }, (_, index) => read(from + index));
}

function structReader(data: Data): CellReader {
  const fields = (data.type as DataType<Type.Struct>).children;
  const readers = data.children.map(cellReader);
  return (row) => {
    const object: Record<string, unknown> = Object.create(null);
    fields.forEach((field, index) => {
      object[field.name] = readers[index]?.(row) ?? null;
    });
    return object;
  };
}

/** A map is an object where its keys are texts, else a list of pairs. */
function mapReader(data: Data): CellReader {
  const entries = data.children[0] as Data;
  const [keys, values] = entries.children.map(cellReader) as [CellReader, CellReader];
  const isText = entries.children[0]?.typeId === Type.Utf8 || entries.children[0]?.typeId === Type.LargeUtf8;
  const offsets = data.valueOffsets as Int32Array;
  return (row) => {
    const pairs = range(offsets[row] as number, offsets[row + 1] as number, entries.length, (at) => [
      keys(at),
      values(at),
    ]) as [string, unknown][];
    if (!isText) return pairs;
    const object: Record<string, unknown> = Object.create(null);
    for (const [key, value] of pairs) object[key] = value;
    return object;
  };
}

function unionReader(data: Data): CellReader {
  const { typeIdToChildIndex } = data.type as DataType<Type.Union> & {
    typeIdToChildIndex: Record<number, number>;
  };
  const readers = data.children.map(cellReader);
  const isDense = DataType.isDenseUnion(data.type);
  return (row) => {
    const child = typeIdToChildIndex[(data.typeIds as Int8Array)[row] as number] as number;
    return readers[child]?.(isDense ? ((data.valueOffsets as Int32Array)[row] as number) : row) ?? null;
  };
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

/** Days since 1970 as a date; years beyond four digits as ISO 8601 expands them. */
function formatDay(days: bigint): string {
  const date = new Date(Number(days) * 86_400_000);
  return Number.isNaN(date.getTime()) ? `${days} days` : (date.toISOString().split("T")[0] as string);
}

function formatTimestamp(value: bigint, digits: number): string {
  const perDay = 86_400n * 10n ** BigInt(digits);
  const days = floorDivide(value, perDay);
  return `${formatDay(days)}T${formatTime(value - days * perDay, digits)}`;
}

function formatTime(value: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits);
  const seconds = Number(value / unit);
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}${fraction(value % unit, digits)}`;
}

/** ISO 8601 in seconds: `PT1.5S`. */
function formatDuration(value: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits);
  const size = value < 0n ? -value : value;
  return `${value < 0n ? "-" : ""}PT${size / unit}${fraction(size % unit, digits).replace(/0+$/, "")}S`;
}

/** The part below a second, in groups of three digits; nothing where it is zero. */
function fraction(value: bigint, digits: number): string {
  if (value === 0n) return "";
  return `.${String(value)
    .padStart(digits, "0")
    .replace(/(000)+$/, "")}`;
}

/** A decimal of 32 to 256 bits: little-endian words, two's complement. */
function formatDecimal(words: Uint32Array, row: number, stride: number, scale: number): string {
  let value = 0n;
  for (let index = stride - 1; index >= 0; index--)
    value = (value << 32n) | BigInt(words[row * stride + index] as number);
  value = BigInt.asIntN(32 * stride, value);
  const sign = value < 0n ? "-" : "";
  const digits = String(value < 0n ? -value : value);
  if (scale <= 0) return `${sign}${digits}${value === 0n ? "" : "0".repeat(-scale)}`;
  const padded = digits.padStart(scale + 1, "0");
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
