/** Arrow tables that cases hand over: written here column by column, as they lie in memory. */
import * as arrow from "apache-arrow";

/** An Arrow stream of columns of one length. */
export const ipcOf = (columns: Record<string, arrow.Data>): Uint8Array => {
  const fields = Object.entries(columns).map(([name, { type }]) => new arrow.Field(name, type, true));
  const data = arrow.makeData({
    type: new arrow.Struct(fields),
    length: Object.values(columns)[0]?.length ?? 0,
    nullCount: 0,
    children: Object.values(columns),
  });
  const schema = new arrow.Schema(fields);
  return arrow.tableToIPC(new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]), "stream");
};

/** A column of values as JavaScript has them. */
export const column = (values: readonly unknown[], type: arrow.DataType): arrow.Data =>
  arrow.vectorFromArray(values, type).data[0] as arrow.Data;

/** Three values as they lie in memory; the second is missing. */
const raw = (type: arrow.DataType, data: ArrayLike<number | bigint>): arrow.Data =>
  arrow.makeData({ type, length: 3, nullCount: 1, nullBitmap: Uint8Array.of(0b101), data } as never);

/** Three rows of a number and a text. */
export const small = ipcOf({
  id: column([1, 2, 3], new arrow.Int32()),
  name: column(["a", null, "Å🌍"], new arrow.Utf8()),
});
export const smallColumns = {
  id: ["Int32", [1, 2, 3]],
  name: ["Utf8", ["a", null, "Å🌍"]],
} as const;

const item = (type: arrow.DataType) => new arrow.Field("item", type, true);
const pair = new arrow.Struct([
  new arrow.Field("key", new arrow.Utf8(), false),
  new arrow.Field("value", new arrow.Int32(), true),
]);
const point = new arrow.Struct([
  new arrow.Field("x", new arrow.Float64(), true),
  new arrow.Field("tags", new arrow.List(item(new arrow.Utf8())), true),
]);

/** Of each type: the column, what Arrow calls it, and its values. */
const ALL_TYPES: Record<string, [arrow.Data, string, readonly unknown[]]> = {
  bool: [column([true, null, false], new arrow.Bool()), "Bool", [true, null, false]],
  int8: [column([-128, null, 127], new arrow.Int8()), "Int8", [-128, null, 127]],
  int16: [column([-32768, null, 32767], new arrow.Int16()), "Int16", [-32768, null, 32767]],
  int32: [
    column([-(2 ** 31), null, 2 ** 31 - 1], new arrow.Int32()),
    "Int32",
    [-(2 ** 31), null, 2 ** 31 - 1],
  ],
  int64: [
    column([-(2n ** 63n), null, 2n ** 63n - 1n], new arrow.Int64()),
    "Int64",
    [-(2n ** 63n), null, 2n ** 63n - 1n],
  ],
  uint8: [column([0, null, 255], new arrow.Uint8()), "Uint8", [0, null, 255]],
  uint16: [column([0, null, 65535], new arrow.Uint16()), "Uint16", [0, null, 65535]],
  uint32: [column([0, null, 2 ** 32 - 1], new arrow.Uint32()), "Uint32", [0, null, 2 ** 32 - 1]],
  uint64: [column([0n, null, 2n ** 64n - 1n], new arrow.Uint64()), "Uint64", [0n, null, 2n ** 64n - 1n]],
  // 0x3e00 is 1.5, 0xfc00 is -Infinity.
  float16: [
    raw(new arrow.Float16(), Uint16Array.of(0x3e00, 0, 0xfc00)),
    "Float16",
    [1.5, null, Number.NEGATIVE_INFINITY],
  ],
  float32: [
    column([0.5, null, Number.POSITIVE_INFINITY], new arrow.Float32()),
    "Float32",
    [0.5, null, Number.POSITIVE_INFINITY],
  ],
  float64: [column([0.1, null, Number.NaN], new arrow.Float64()), "Float64", [0.1, null, Number.NaN]],
  utf8: [column(["", null, "Å🌍"], new arrow.Utf8()), "Utf8", ["", null, "Å🌍"]],
  large_utf8: [column(["", null, "Å🌍"], new arrow.LargeUtf8()), "LargeUtf8", ["", null, "Å🌍"]],
  binary: [
    column([Uint8Array.of(), null, Uint8Array.of(0, 255)], new arrow.Binary()),
    "Binary",
    [Uint8Array.of(), null, Uint8Array.of(0, 255)],
  ],
  large_binary: [
    column([Uint8Array.of(), null, Uint8Array.of(0, 255)], new arrow.LargeBinary()),
    "LargeBinary",
    [Uint8Array.of(), null, Uint8Array.of(0, 255)],
  ],
  fixed_binary: [
    column([Uint8Array.of(1, 2), null, Uint8Array.of(0, 255)], new arrow.FixedSizeBinary(2)),
    "FixedSizeBinary[2]",
    [Uint8Array.of(1, 2), null, Uint8Array.of(0, 255)],
  ],
  day: [raw(new arrow.DateDay(), Int32Array.of(-1, 0, 20_000)), "Date32<DAY>", [-1, null, 20_000]],
  date: [
    raw(new arrow.DateMillisecond(), BigInt64Array.of(-86_400_000n, 0n, 86_400_000n)),
    "Date64<MILLISECOND>",
    [-86_400_000n, null, 86_400_000n],
  ],
  time_s: [raw(new arrow.TimeSecond(), Int32Array.of(0, 0, 86_399)), "Time32<SECOND>", [0, null, 86_399]],
  time_ms: [
    raw(new arrow.TimeMillisecond(), Int32Array.of(0, 0, 86_399_999)),
    "Time32<MILLISECOND>",
    [0, null, 86_399_999],
  ],
  time_us: [
    raw(new arrow.TimeMicrosecond(), BigInt64Array.of(0n, 0n, 86_399_999_999n)),
    "Time64<MICROSECOND>",
    [0n, null, 86_399_999_999n],
  ],
  time_ns: [
    raw(new arrow.TimeNanosecond(), BigInt64Array.of(0n, 0n, 1n)),
    "Time64<NANOSECOND>",
    [0n, null, 1n],
  ],
  timestamp_s: [
    raw(new arrow.TimestampSecond(), BigInt64Array.of(-1n, 0n, 1n)),
    "Timestamp<SECOND>",
    [-1n, null, 1n],
  ],
  timestamp_ms: [
    raw(new arrow.TimestampMillisecond("UTC"), BigInt64Array.of(-1n, 0n, 1n)),
    "Timestamp<MILLISECOND, UTC>",
    [-1n, null, 1n],
  ],
  timestamp_us: [
    raw(new arrow.TimestampMicrosecond("Europe/Oslo"), BigInt64Array.of(-1n, 0n, 1n)),
    "Timestamp<MICROSECOND, Europe/Oslo>",
    [-1n, null, 1n],
  ],
  timestamp_ns: [
    raw(new arrow.TimestampNanosecond(), BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n)),
    "Timestamp<NANOSECOND>",
    [-(2n ** 63n), null, 2n ** 63n - 1n],
  ],
  duration: [
    raw(new arrow.DurationMillisecond(), BigInt64Array.of(-1500n, 0n, 1500n)),
    "Duration<MILLISECOND>",
    [-1500n, null, 1500n],
  ],
  // 128 bits, little-endian: -1.05 is -105 with two digits behind the point.
  decimal: [
    raw(
      new arrow.Decimal(2, 38),
      Uint32Array.of(-105 >>> 0, -1 >>> 0, -1 >>> 0, -1 >>> 0, 0, 0, 0, 0, 7, 0, 0, 1),
    ),
    "Decimal[38e+2]",
    ["-1.05", null, "792281625142643375935439503.43"],
  ],
  list: [
    column([[1, null], null, []], new arrow.List(item(new arrow.Int32()))),
    "List<Int32>",
    [[1, null], null, []],
  ],
  fixed_list: [
    column([[1, 2], null, [3, 4]], new arrow.FixedSizeList(2, item(new arrow.Int32()))),
    "FixedSizeList[2]<Int32>",
    [[1, 2], null, [3, 4]],
  ],
  struct: [
    column([{ x: 0.5, tags: ["a"] }, null, { x: null, tags: [] }], point),
    "Struct<{x:Float64, tags:List<Utf8>}>",
    [{ x: 0.5, tags: ["a"] }, null, { x: null, tags: [] }],
  ],
  map: [
    column([new Map([["a", 1]]), null, new Map()], new arrow.Map_(new arrow.Field("entries", pair, false))),
    "Map<{key:Utf8, value:Int32}>",
    [{ a: 1 }, null, {}],
  ],
  dictionary: [
    column(["x", null, "y"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8(), 7)),
    "Dictionary<Int8, Utf8>",
    ["x", null, "y"],
  ],
  nothing: [arrow.makeData({ type: new arrow.Null(), length: 3 }), "Null", [null, null, null]],
};

/** A table with a column of each type. */
export const allTypes = ipcOf(
  Object.fromEntries(Object.entries(ALL_TYPES).map(([name, [data]]) => [name, data])),
);
export const allColumns = Object.fromEntries(
  Object.entries(ALL_TYPES).map(([name, [, type, values]]) => [name, [type, values]] as const),
);
