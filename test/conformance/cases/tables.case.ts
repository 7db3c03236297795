/** Arrow tables and finished documents: into a TypeScript UDF, out of one, and through both languages where no frame library is. */
import * as arrow from "apache-arrow";
import { type Case, checksum, defineCase, media, table, typescript, typescriptWith } from "../case.ts";

const guest = "import { html, png, table, TableValue } from 'fuselet/udf';";

const ipcOf = (columns: Record<string, arrow.Data>): Uint8Array => {
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

const column = (values: readonly unknown[], type: arrow.DataType): arrow.Data =>
  arrow.vectorFromArray(values, type).data[0] as arrow.Data;

/** Three values as they lie in memory; the second is missing. */
const raw = (type: arrow.DataType, data: ArrayLike<number | bigint>): arrow.Data =>
  arrow.makeData({ type, length: 3, nullCount: 1, nullBitmap: Uint8Array.of(0b101), data } as never);

const small = ipcOf({
  id: column([1, 2, 3], new arrow.Int32()),
  name: column(["a", null, "Å🌍"], new arrow.Utf8()),
});
const smallColumns = {
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

const allTypes = ipcOf(Object.fromEntries(Object.entries(ALL_TYPES).map(([name, [data]]) => [name, data])));
const allColumns = Object.fromEntries(
  Object.entries(ALL_TYPES).map(([name, [, type, values]]) => [name, [type, values]] as const),
);

const MANY = 1_000_000;

export default [
  defineCase("a table goes in and comes back, byte for byte", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    parameters: ({ TableValue }) => ({ data: new TableValue(small) }),
    value: table("arrow", smallColumns, { rows: 3, meta: {}, checksum: checksum(small) }),
  }),
  defineCase("a table of every type of column goes in and comes back, byte for byte", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    parameters: ({ TableValue }) => ({ data: new TableValue(allTypes) }),
    value: table("arrow", allColumns, { rows: 3, checksum: checksum(allTypes) }),
  }),
  defineCase("a UDF sees a table's kind, meta and stream", {
    typescript: typescriptWith(
      "{ data: TableValue }",
      "[given.data instanceof TableValue, given.data.kind, given.data.meta, given.data.ipc]",
      guest,
    ),
    parameters: ({ TableValue }) => ({ data: new TableValue(small, "series", { name: "n" }) }),
    scenario: async ({ runtime, source, fuselet: { TableValue } }) => {
      const data = new TableValue(small, "series", { name: "n" });
      const value = (await runtime.run(source, { parameters: { data } })).value as unknown[];
      return [...value.slice(0, 3), checksum(value[3] as Uint8Array) === checksum(small)];
    },
    value: [true, "series", { name: "n" }, true],
  }),
  defineCase("a UDF gives a table of a kind with its meta", {
    typescript: typescriptWith(
      "{ data: Uint8Array }",
      "new TableValue(given.data, 'dataframe', { index: ['id'], 'ключ': [null, 1.5] })",
      guest,
    ),
    parameters: { data: small },
    value: table("dataframe", smallColumns, { meta: { index: ["id"], ключ: [null, 1.5] } }),
  }),
  defineCase("the bytes of an Arrow stream become a table", {
    typescript: typescriptWith("{ data: Uint8Array }", "table(given.data)", guest),
    parameters: { data: small },
    value: table("arrow", smallColumns, { rows: 3, meta: {} }),
  }),
  defineCase("tables inside of lists and objects, twice the same", {
    typescript: typescriptWith("{ all: TableValue[] }", "({ first: given.all[0], all: given.all })", guest),
    parameters: ({ TableValue }) => ({ all: [new TableValue(small), new TableValue(small)] }),
    value: {
      first: table("arrow", smallColumns),
      all: [table("arrow", smallColumns), table("arrow", smallColumns)],
    },
  }),
  defineCase("tables without rows and without columns", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    runs: [
      {
        parameters: ({ TableValue }) => ({
          data: new TableValue(ipcOf({ a: column([], new arrow.Int32()), b: column([], new arrow.Utf8()) })),
        }),
        value: table("arrow", { a: ["Int32", []], b: ["Utf8", []] }, { rows: 0 }),
      },
      {
        parameters: ({ TableValue }) => ({ data: new TableValue(ipcOf({})) }),
        value: table("arrow", {}, { rows: 0 }),
      },
    ],
  }),
  defineCase("a million rows go in and come back", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    scenario: async ({ runtime, source, fuselet: { TableValue } }) => {
      const ids = arrow.makeData({
        type: new arrow.Int32(),
        length: MANY,
        data: Int32Array.from({ length: MANY }, (_, i) => i),
      });
      const halves = arrow.makeData({
        type: new arrow.Float64(),
        length: MANY,
        data: Float64Array.from({ length: MANY }, (_, i) => i / 2),
      });
      const data = new TableValue(ipcOf({ id: ids, half: halves }));
      const result = await runtime.run(source, { parameters: { data } });
      const sum = (name: string) => {
        let total = 0;
        for (const value of result.table?.getChild(name) ?? []) total += value;
        return total;
      };
      return [result.table?.numRows, sum("id"), sum("half")];
    },
    // The sum of 0 … n - 1 is n (n - 1) / 2.
    value: [MANY, (MANY * (MANY - 1)) / 2, (MANY * (MANY - 1)) / 4],
  }),
  defineCase("a table is a list of records as a plain value", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    scenario: async ({ runtime, source, fuselet: { TableValue } }) =>
      (await runtime.run(source, { parameters: { data: new TableValue(small) } })).value,
    value: [
      { id: 1, name: "a" },
      { id: 2, name: null },
      { id: 3, name: "Å🌍" },
    ],
  }),
  defineCase("bytes that are no Arrow stream are no table", {
    typescript: typescript("table(new Uint8Array([1, 2, 3, 4]))", guest),
    error: { name: "ResultError", path: "result", exitCode: 1, message: /no Arrow stream/ },
  }),
  defineCase("documents keep their type and bytes", {
    typescript: typescript("[html('<p>Å🌍</p>'), png(new Uint8Array([137, 80]))]", guest),
    value: [media("text/html", "<p>Å🌍</p>"), media("image/png", Uint8Array.of(137, 80))],
  }),
  defineCase("a document goes in and comes back", {
    typescript: typescriptWith("{ page: unknown }", "given.page"),
    parameters: ({ MediaValue }) => ({
      page: new MediaValue("image/svg+xml", new TextEncoder().encode("<svg/>")),
    }),
    value: media("image/svg+xml", "<svg/>"),
  }),
] satisfies Case[];
