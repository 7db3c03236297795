/**
 * Frames of pandas and tables of pyarrow. A UDF that does not import pyarrow has its frames written by our own code, one that
 * does by pyarrow: what arrives must be the same, so all groups are run both ways. Cases import the same wherever they
 * can: each set of packages has a snapshot, and building one takes seconds.
 */
import * as arrow from "apache-arrow";
import type { TableValue } from "../../../runtime/value.ts";
import { type Case, defineCase, pythonWith, table } from "../case.ts";
import { type Group, refusalsOf, roundTrip, valuesOf } from "../groups.ts";
import { allColumns, allTypes, column, ipcOf, small } from "../tables.ts";

const PANDAS =
  "import datetime, decimal\nimport numpy as np, pandas as pd\nfrom decimal import Decimal as D\ndef frame(**columns):\n    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})\n";
const PYARROW = `${PANDAS}import pyarrow as pa\n`;

type Columns = Parameters<typeof table>[1];

/** A frame with the index that pandas gives by itself. */
const plainFrame = (rows: number, columns: Columns) =>
  table("dataframe", columns, { rows, meta: { index: [rangeOf(rows)] } });
const rangeOf = (stop: number, start = 0, step = 1, name: string | null = null) => ({
  kind: "range",
  name,
  start,
  stop,
  step,
});

const nanoseconds = (...date: Parameters<typeof Date.UTC>): bigint => BigInt(Date.UTC(...date)) * 1_000_000n;
const MOMENT = nanoseconds(2026, 0, 2, 3, 4, 5);
/** 2026-01-02 in days since 1970: 56 years, of which 14 were leap years, and one day. */
const DAY = 56 * 365 + 14 + 1;

const NUMBERS: Group = {
  integers: [
    "pd.DataFrame({t: np.array([np.iinfo(t).min, np.iinfo(t).max], t) for t in ('i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8')})",
    plainFrame(2, {
      i1: ["Int8", [-128, 127]],
      i2: ["Int16", [-32768, 32767]],
      i4: ["Int32", [-(2 ** 31), 2 ** 31 - 1]],
      i8: ["Int64", [-(2n ** 63n), 2n ** 63n - 1n]],
      u1: ["Uint8", [0, 255]],
      u2: ["Uint16", [0, 65535]],
      u4: ["Uint32", [0, 2 ** 32 - 1]],
      u8: ["Uint64", [0n, 2n ** 64n - 1n]],
    }),
  ],
  // NaN is how pandas says "missing" in a column of floats.
  floats: [
    "pd.DataFrame({t: np.array([0.5, np.nan, np.inf, -np.inf, -0.0], t) for t in ('f2', 'f4', 'f8')})",
    plainFrame(5, {
      f2: ["Float16", [0.5, null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]],
      f4: ["Float32", [0.5, null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]],
      f8: ["Float64", [0.5, null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]],
    }),
  ],
  nullable: [
    "pd.DataFrame({'i': pd.array([1, None], dtype='Int64'), 'u': pd.array([255, None], dtype='UInt8'), 'f': pd.array([0.5, None], dtype='Float32'), 'b': pd.array([True, None], dtype='boolean')})",
    plainFrame(2, {
      i: ["Int64", [1n, null]],
      u: ["Uint8", [255, null]],
      f: ["Float32", [0.5, null]],
      b: ["Bool", [true, null]],
    }),
  ],
  booleans: ["pd.DataFrame({'b': [True, False, True]})", plainFrame(3, { b: ["Bool", [true, false, true]] })],
  slices: [
    "pd.DataFrame({'a': np.arange(10, dtype='i4'), 'b': [True, False] * 5}).iloc[1::3].reset_index(drop=True)",
    plainFrame(3, { a: ["Int32", [1, 4, 7]], b: ["Bool", [false, true, false]] }),
  ],
  "no rows": [
    "pd.DataFrame({'i': np.array([], 'i4'), 's': pd.array([], dtype='string'), 'o': pd.Series([], dtype=object)})",
    plainFrame(0, { i: ["Int32", []], s: ["Utf8", []], o: ["Null", []] }),
  ],
  "no columns": ["pd.DataFrame()", plainFrame(0, {})],
};

const OBJECTS: Group = {
  text: [
    "pd.DataFrame({'o': ['', None, 'Å🌍'], 's': pd.array(['', None, 'Å🌍'], dtype='string')})",
    plainFrame(3, { o: ["Utf8", ["", null, "Å🌍"]], s: ["Utf8", ["", null, "Å🌍"]] }),
  ],
  bytes: [
    "frame(o=[b'', None, b'\\x00\\xff'])",
    plainFrame(3, { o: ["Binary", [new Uint8Array(), null, Uint8Array.of(0, 255)]] }),
  ],
  "plain values": [
    "frame(i=[1, None], f=[0.5, None], b=[None, True], n=[None, None], m=[pd.NA, 'x'], t=[np.nan, 'x'])",
    plainFrame(2, {
      i: ["Int64", [1n, null]],
      f: ["Float64", [0.5, null]],
      b: ["Bool", [null, true]],
      n: ["Null", [null, null]],
      m: ["Utf8", [null, "x"]],
      t: ["Utf8", [null, "x"]],
    }),
  ],
  decimals: [
    "frame(d=[D('1.10'), None, D('-23.4')], w=[D('9' * 38), D(0), D(-1)])",
    plainFrame(3, {
      d: ["Decimal[4e+2]", ["1.10", null, "-23.40"]],
      w: ["Decimal[38e0]", ["9".repeat(38), "0", "-1"]],
    }),
  ],
  days: [
    "frame(d=[datetime.date(2026, 1, 2), None], t=[datetime.time(0, 0, 1, 2), None], w=[datetime.datetime(2026, 1, 2, 3, 4, 5), None])",
    plainFrame(2, {
      d: ["Date32<DAY>", [DAY, null]],
      t: ["Time64<MICROSECOND>", [1_000_002n, null]],
      w: ["Timestamp<MICROSECOND>", [MOMENT / 1000n, null]],
    }),
  ],
  lists: [
    "frame(l=[[1, None], None, []], n=[[['a'], []], [], None], a=[np.array([0.5, 1]), None, np.array([])], t=[(1, 2), [], None])",
    plainFrame(3, {
      l: ["List<Int64>", [[1n, null], null, []]],
      n: ["List<List<Utf8>>", [[["a"], []], [], null]],
      a: ["List<Float64>", [[0.5, 1], null, []]],
      t: ["List<Int64>", [[1n, 2n], [], null]],
    }),
  ],
  structs: [
    "frame(s=[{'x': 1, 'y': 'a'}, None, {'x': None}], d=[{'p': {'q': [True]}}, {}, None], l=[[{'x': 0.5}], [], None])",
    plainFrame(3, {
      s: ["Struct<{x:Int64, y:Utf8}>", [{ x: 1n, y: "a" }, null, { x: null, y: null }]],
      d: ["Struct<{p:Struct<{q:List<Bool>}>}>", [{ p: { q: [true] } }, { p: null }, null]],
      l: ["List<Struct<{x:Float64}>>", [[{ x: 0.5 }], [], null]],
    }),
  ],
};

const TIMES: Group = {
  moments: [
    "pd.DataFrame({u: pd.Series(pd.to_datetime(['2026-01-02T03:04:05', None])).astype(f'M8[{u}]') for u in ('s', 'ms', 'us', 'ns')})",
    plainFrame(2, {
      s: ["Timestamp<SECOND>", [MOMENT / 1_000_000_000n, null]],
      ms: ["Timestamp<MILLISECOND>", [MOMENT / 1_000_000n, null]],
      us: ["Timestamp<MICROSECOND>", [MOMENT / 1000n, null]],
      ns: ["Timestamp<NANOSECOND>", [MOMENT, null]],
    }),
  ],
  // Noon in Berlin is eleven in UTC in winter, ten in summer.
  zones: [
    "pd.DataFrame({'u': pd.Series(pd.to_datetime(['2026-01-02T12:00', None])).dt.tz_localize('UTC'), 'b': pd.Series(pd.to_datetime(['2026-01-02T12:00', '2026-07-02T12:00'])).dt.tz_localize('Europe/Berlin'), 'o': pd.to_datetime(['2026-01-02T12:00+05:30', None])})",
    plainFrame(2, {
      u: ["Timestamp<NANOSECOND, UTC>", [nanoseconds(2026, 0, 2, 12), null]],
      b: ["Timestamp<NANOSECOND, Europe/Berlin>", [nanoseconds(2026, 0, 2, 11), nanoseconds(2026, 6, 2, 10)]],
      o: ["Timestamp<NANOSECOND, +05:30>", [nanoseconds(2026, 0, 2, 6, 30), null]],
    }),
  ],
  "first and last nanosecond": [
    "pd.DataFrame({'m': [pd.Timestamp.min, pd.Timestamp.max, pd.Timestamp(-1)]})",
    // The least integer stands for NaT, so pandas' first moment is one later.
    plainFrame(3, { m: ["Timestamp<NANOSECOND>", [-(2n ** 63n) + 1n, 2n ** 63n - 1n, -1n]] }),
  ],
  durations: [
    "pd.DataFrame({u: pd.Series(pd.to_timedelta([-90, None], unit='s')).astype(f'm8[{u}]') for u in ('s', 'ns')})",
    plainFrame(2, {
      s: ["Duration<SECOND>", [-90n, null]],
      ns: ["Duration<NANOSECOND>", [-90_000_000_000n, null]],
    }),
  ],
  periods: [
    "pd.DataFrame({'p': pd.period_range('1970-01', periods=2, freq='M')})",
    plainFrame(2, { p: ["Int64", [0n, 1n]] }),
  ],
};

const CATEGORIES: Group = {
  texts: [
    "pd.DataFrame({'c': pd.Categorical(['x', None, 'y', 'x'], categories=['y', 'x', 'never'])})",
    plainFrame(4, { c: ["Dictionary<Int8, Utf8>", ["x", null, "y", "x"]] }),
  ],
  ordered: [
    "pd.DataFrame({'c': pd.Categorical([3, 1, 3], ordered=True)})",
    plainFrame(3, { c: ["Dictionary<Int8, Int64>", [3n, 1n, 3n]] }),
  ],
  many: [
    "pd.DataFrame({'c': pd.Categorical(range(300))}).tail(2).reset_index(drop=True)",
    plainFrame(2, { c: ["Dictionary<Int16, Int64>", [298n, 299n]] }),
  ],
  intervals: [
    "pd.DataFrame({'i': pd.interval_range(0, 2)})",
    plainFrame(2, {
      i: [
        "Struct<{left:Int64, right:Int64}>",
        [
          { left: 0n, right: 1n },
          { left: 1n, right: 2n },
        ],
      ],
    }),
  ],
};

const AB = "pd.DataFrame({'a': np.array([7, 8], 'i4')}";
const a = ["Int32", [7, 8]] as const;
const INDEXES: Group = {
  range: [
    `${AB}, index=pd.RangeIndex(10, 30, 10, name='n'))`,
    table("dataframe", { a }, { meta: { index: [rangeOf(30, 10, 10, "n")] } }),
  ],
  named: [
    `${AB}, index=pd.Index(['p', 'q'], name='id'))`,
    table("dataframe", { a, id: ["Utf8", ["p", "q"]] }, { meta: { index: ["id"] } }),
  ],
  "without a name": [
    `${AB}, index=[0.5, 1.5])`,
    table(
      "dataframe",
      { a, __index_level_0__: ["Float64", [0.5, 1.5]] },
      { meta: { index: ["__index_level_0__"] } },
    ),
  ],
  "of moments in a zone": [
    `${AB}, index=pd.date_range('2026-01-02', periods=2, tz='Asia/Tokyo', name='t'))`,
    table(
      "dataframe",
      {
        a,
        t: ["Timestamp<NANOSECOND, Asia/Tokyo>", [nanoseconds(2026, 0, 1, 15), nanoseconds(2026, 0, 2, 15)]],
      },
      { meta: { index: ["t"] } },
    ),
  ],
  "two levels": [
    `${AB}, index=pd.MultiIndex.from_tuples([('x', 1), ('y', 2)], names=['k', None]))`,
    table(
      "dataframe",
      { a, k: ["Utf8", ["x", "y"]], __index_level_1__: ["Int64", [1n, 2n]] },
      { meta: { index: ["k", "__index_level_1__"] } },
    ),
  ],
  "columns with numbers": [
    "pd.DataFrame(np.array([[1, 2]], 'i4'))",
    plainFrame(1, { 0: ["Int32", [1]], 1: ["Int32", [2]] }),
  ],
  "columns of two levels": [
    "pd.DataFrame([[1.5, 2.5]], columns=pd.MultiIndex.from_tuples([('a', 'x'), ('a', 'y')]))",
    plainFrame(1, { "('a', 'x')": ["Float64", [1.5]], "('a', 'y')": ["Float64", [2.5]] }),
  ],
};

const OTHERS: Group = {
  series: [
    "pd.Series([0.5, None], name='s', index=pd.Index([5, 6], name='id'))",
    table(
      "series",
      { s: ["Float64", [0.5, null]], id: ["Int64", [5n, 6n]] },
      { meta: { name: "s", index: ["id"] } },
    ),
  ],
  "series without a name": [
    "pd.Series([True])",
    table("series", { value: ["Bool", [true]] }, { meta: { name: null, index: [rangeOf(1)] } }),
  ],
  categorical: [
    "pd.Categorical(['x', 'y'])",
    table(
      "series",
      { value: ["Dictionary<Int8, Utf8>", ["x", "y"]] },
      { meta: { name: null, index: [rangeOf(2)] } },
    ),
  ],
  index: [
    "pd.Index(['p', None], name='id')",
    table("index", { 0: ["Utf8", ["p", null]] }, { meta: { names: ["id"], index: [rangeOf(2)] } }),
  ],
  "index of two levels": [
    "pd.MultiIndex.from_tuples([('x', 1)], names=['k', None])",
    table(
      "index",
      { 0: ["Utf8", ["x"]], 1: ["Int64", [1n]] },
      { meta: { names: ["k", null], index: [rangeOf(1)] } },
    ),
  ],
  "inside of lists and objects": [
    "[{'f': pd.DataFrame({'a': [True]})}, (pd.Series([0.5]),)]",
    [
      { f: plainFrame(1, { a: ["Bool", [true]] }) },
      [table("series", { value: ["Float64", [0.5]] }, { meta: { name: null, index: [rangeOf(1)] } })],
    ],
  ],
  scalars: [
    "[pd.Timestamp('2026-01-02T03:04:05.000000001', tz='UTC'), pd.Timestamp('2026-01-02'), pd.Timedelta(seconds=-1.5), pd.NaT, pd.NA]",
    ["2026-01-02T03:04:05.000000001+00:00", "2026-01-02T00:00:00", "-1.5", null, null],
  ],
};

const GROUPS: Readonly<Record<string, Group>> = {
  "frames of numbers": NUMBERS,
  "frames of objects": OBJECTS,
  "frames of moments and lengths of time": TIMES,
  "frames of categories and intervals": CATEGORIES,
  "indexes of frames": INDEXES,
  "series, indexes and scalars of pandas": OTHERS,
};

const REFUSED: Group<string> = {
  mixed: ["frame(ok=[1], bad=[object()])", 'result["bad"]'],
  "numbers and texts": ["frame(ok=[1, 2], bad=[1, 'x'])", 'result["bad"]'],
  complex: ["pd.DataFrame({'bad': [1j]})", 'result["bad"]'],
  "too large": ["frame(bad=[2**64])", 'result["bad"]'],
  "two of one name": ["pd.DataFrame([[1, 2]], columns=['a', 'a'])", "result"],
};
const refused = (before: string) =>
  refusalsOf(REFUSED, before, "pandas", (path) => ({
    name: "ResultError",
    exitCode: 1,
    path,
    message: /Arrow cannot hold it/,
  }));

const STREAM =
  "class Stream:\n    def __arrow_c_stream__(self, requested_schema=None):\n        return pa.table({'a': pa.array([1, None], pa.int8())}).__arrow_c_stream__(requested_schema)\n";

const ARROW: Group = {
  decimals: [
    "pa.table({'d': pa.array([D('1.5'), None], pa.decimal128(10, 3)), 'w': pa.array([D(-1), None], pa.decimal256(60, 2))})",
    table("arrow", {
      d: ["Decimal[10e+3]", ["1.500", null]],
      w: ["Decimal[60e+2]", ["-1.00", null]],
    }),
  ],
  dictionary: [
    "pa.table({'d': pa.array(['x', None, 'x']).dictionary_encode()})",
    table("arrow", { d: ["Dictionary<Int32, Utf8>", ["x", null, "x"]] }),
  ],
  "dictionaries that differ from chunk to chunk": [
    "pa.table({'d': pa.chunked_array([pa.array(['x']).dictionary_encode(), pa.array(['y', 'x']).dictionary_encode()])})",
    table("arrow", { d: ["Dictionary<Int32, Utf8>", ["x", "y", "x"]] }),
  ],
  nested: [
    "pa.table({'l': pa.array([[{'x': 1}], None, []], pa.list_(pa.struct([('x', pa.int8())]))), 'm': pa.array([[('a', 1)], None, []], pa.map_(pa.string(), pa.int32())), 'f': pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int16(), 2))})",
    table("arrow", {
      l: ["List<Struct<{x:Int8}>>", [[{ x: 1 }], null, []]],
      m: ["Map<{key:Utf8, value:Int32}>", [{ a: 1 }, null, {}]],
      f: ["FixedSizeList[2]<Int16>", [[1, 2], null, [3, 4]]],
    }),
  ],
  texts: [
    "pa.table({'l': pa.array(['Å', None], pa.large_string()), 'v': pa.array(['Å', None], pa.string_view()), 'b': pa.array([b'a', None], pa.large_binary()), 'f': pa.array([b'ab', None], pa.binary(2))})",
    table("arrow", {
      l: ["LargeUtf8", ["Å", null]],
      v: ["LargeUtf8", ["Å", null]],
      b: ["LargeBinary", [Uint8Array.of(97), null]],
      f: ["FixedSizeBinary[2]", [Uint8Array.of(97, 98), null]],
    }),
  ],
  times: [
    "pa.table({'d': pa.array([1, None], pa.duration('ms')), 't': pa.array([1, None], pa.time32('s')), 'z': pa.array([1, None], pa.timestamp('us', 'Europe/Oslo')), 'm': pa.array([86400000, None], pa.date64())})",
    table("arrow", {
      d: ["Duration<MILLISECOND>", [1n, null]],
      t: ["Time32<SECOND>", [1, null]],
      z: ["Timestamp<MICROSECOND, Europe/Oslo>", [1n, null]],
      m: ["Date64<MILLISECOND>", [86_400_000n, null]],
    }),
  ],
  chunks: [
    "pa.concat_tables([pa.table({'a': pa.array([1, 2], pa.int8())}), pa.table({'a': pa.array([3], pa.int8())})])",
    table("arrow", { a: ["Int8", [1, 2, 3]] }, { rows: 3, meta: {} }),
  ],
  slice: [
    "pa.table({'a': ['p', None, 'r', 's'], 'b': [True, False, True, None]}).slice(1, 2)",
    table("arrow", { a: ["Utf8", [null, "r"]], b: ["Bool", [false, true]] }, { rows: 2 }),
  ],
  batch: ["pa.record_batch({'a': pa.array([1], pa.int8())})", table("arrow", { a: ["Int8", [1]] })],
  reader: ["pa.table({'a': pa.array([1], pa.int8())}).to_reader()", table("arrow", { a: ["Int8", [1]] })],
  columns: [
    "[pa.array([1, None], pa.int8()), pa.chunked_array([['a'], ['b']])]",
    [
      table("arrow", { value: ["Int8", [1, null]] }, { meta: { column: "value" } }),
      table("arrow", { value: ["Utf8", ["a", "b"]] }, { meta: { column: "value" } }),
    ],
  ],
  "anything with a stream": ["Stream()", table("arrow", { a: ["Int8", [1, null]] }, { rows: 2, meta: {} })],
  scalars: [
    "[pa.scalar(2**60), pa.scalar(None), pa.scalar('Å'), pa.scalar([1, None])]",
    [2n ** 60n, null, "Å", [1, null]],
  ],
  empty: [
    "pa.table({'a': pa.array([], pa.int8()), 'n': pa.nulls(0)})",
    table("arrow", { a: ["Int8", []], n: ["Null", []] }, { rows: 0 }),
  ],
  "arrow inside of pandas": [
    "pd.DataFrame({'a': pd.array([1, None], dtype='int8[pyarrow]'), 's': pd.array(['x', None], dtype=pd.ArrowDtype(pa.string()))})",
    plainFrame(2, { a: ["Int8", [1, null]], s: ["Utf8", ["x", null]] }),
  ],
};

/** What pandas must give back as it was; `again` is what it was written as. */
const ROUND = `${PANDAS}
FRAMES = {
    "types": lambda: pd.DataFrame({
        "i": np.array([1, 2, 3], "i2"), "f": [0.5, np.nan, -0.0], "b": [True, False, True], "s": ["x", None, "Å🌍"],
        "Int64": pd.array([1, None, 2**53 + 1], dtype="Int64"), "boolean": pd.array([True, None, False], dtype="boolean"),
        "string": pd.array(["x", None, ""], dtype="string"), "c": pd.Categorical(["x", None, "y"], ordered=True),
        "t": pd.to_datetime(["2026-01-02T03:04:05.000000001", None, "1900-01-01T00:00:00.000000000"]),
        "z": pd.Series(pd.to_datetime(["2026-01-02", None, "2026-07-02"])).dt.tz_localize("Europe/Berlin"),
        "d": pd.to_timedelta([1, None, -3], unit="s"), "day": [datetime.date(2026, 1, 2)] * 3, "bytes": [b"a", b"", None],
        "dec": [D("1.10"), D("2.20"), None],
    }),
    "named index": lambda: pd.DataFrame({"a": [1.5, 2.5]}, index=pd.Index(["p", "q"], name="id")),
    "two levels": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])),
    "range": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(10, 30, 10, name="n")),
    "numbered columns": lambda: pd.DataFrame(np.arange(4.0).reshape(2, 2)),
    "columns of two levels": lambda: pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
    "no rows": lambda: pd.DataFrame({"a": np.array([], "i4"), "s": pd.array([], dtype="string")}),
    "nothing": lambda: pd.DataFrame(),
    "series": lambda: pd.Series([1, 2], name="s", index=["p", "q"]),
    "series without a name": lambda: pd.Series(pd.Categorical(["x", "y"])),
    "index": lambda: pd.Index([1, 2], name="id"),
    "index of two levels": lambda: pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None]),
}
EQUAL = {pd.DataFrame: pd.testing.assert_frame_equal, pd.Series: pd.testing.assert_series_equal}

@fused.udf
def udf(again=None):
    made = {name: make() for name, make in FRAMES.items()}
    if again is None:
        return made
    for name, value in made.items():
        EQUAL.get(type(value), pd.testing.assert_index_equal)(again[name], value)
    return {name: type(again[name]) is type(value) for name, value in made.items()}
`;

const many = (name: string): string =>
  `${PANDAS}\n@fused.udf\ndef udf():\n    n = np.arange(1_000_000)\n    return pd.DataFrame({"id": n, "half": n / 2, "${name}": pd.Categorical.from_codes(n % 3, ["x", "y", "z"])})\n`;

export default [
  ...Object.entries(GROUPS).map(([title, group]) => defineCase(title, valuesOf(group, PANDAS, "pandas"))),
  defineCase(
    "the same from pyarrow",
    valuesOf(Object.assign({}, ...Object.values(GROUPS)), PYARROW, "pandas"),
  ),
  defineCase("frames that Arrow cannot hold are refused, with the column", refused(PANDAS)),
  defineCase("frames that Arrow cannot hold are refused by pyarrow, with the column", refused(PYARROW)),
  defineCase("tables, batches, readers and columns of pyarrow", valuesOf(ARROW, PYARROW + STREAM, "pandas")),
  defineCase("what pandas gave comes back as it was", roundTrip(ROUND, "pandas")),
  defineCase("a frame is the whole result", {
    python: pythonWith("", "pd.DataFrame({'a': [True, False]})", PANDAS),
    distribution: "pandas",
    scenario: async ({ runtime, source }) => {
      const result = await runtime.run(source);
      return [result.raw, result.value, result.table?.numRows];
    },
    value: [plainFrame(2, { a: ["Bool", [true, false]] }), [{ a: true }, { a: false }], 2],
  }),
  defineCase("a table of every type of column goes into Python and comes back", {
    python: `${PYARROW}
@fused.udf
def udf(data):
    return [type(data) is pa.Table, {name: [str(data[name].type), data[name].to_pylist()] for name in data.column_names}, data]
`,
    distribution: "pandas",
    parameters: ({ TableValue }) => ({ data: new TableValue(allTypes) }),
    value: [
      true,
      {
        bool: ["bool", [true, null, false]],
        int8: ["int8", [-128, null, 127]],
        int16: ["int16", [-32768, null, 32767]],
        int32: ["int32", [-(2 ** 31), null, 2 ** 31 - 1]],
        int64: ["int64", [-(2n ** 63n), null, 2n ** 63n - 1n]],
        uint8: ["uint8", [0, null, 255]],
        uint16: ["uint16", [0, null, 65535]],
        uint32: ["uint32", [0, null, 2 ** 32 - 1]],
        uint64: ["uint64", [0, null, 2n ** 64n - 1n]],
        float16: ["halffloat", [1.5, null, Number.NEGATIVE_INFINITY]],
        float32: ["float", [0.5, null, Number.POSITIVE_INFINITY]],
        float64: ["double", [0.1, null, Number.NaN]],
        utf8: ["string", ["", null, "Å🌍"]],
        large_utf8: ["large_string", ["", null, "Å🌍"]],
        binary: ["binary", [new Uint8Array(), null, Uint8Array.of(0, 255)]],
        large_binary: ["large_binary", [new Uint8Array(), null, Uint8Array.of(0, 255)]],
        fixed_binary: ["fixed_size_binary[2]", [Uint8Array.of(1, 2), null, Uint8Array.of(0, 255)]],
        day: ["date32[day]", ["1969-12-31", null, "2024-10-04"]],
        date: ["date64[ms]", ["1969-12-31", null, "1970-01-02"]],
        time_s: ["time32[s]", ["00:00:00", null, "23:59:59"]],
        time_ms: ["time32[ms]", ["00:00:00", null, "23:59:59.999000"]],
        time_us: ["time64[us]", ["00:00:00", null, "23:59:59.999999"]],
        // A time of Python has no nanoseconds.
        time_ns: ["time64[ns]", ["00:00:00", null, "00:00:00"]],
        timestamp_s: ["timestamp[s]", ["1969-12-31T23:59:59", null, "1970-01-01T00:00:01"]],
        timestamp_ms: [
          "timestamp[ms, tz=UTC]",
          ["1969-12-31T23:59:59.999000+00:00", null, "1970-01-01T00:00:00.001000+00:00"],
        ],
        timestamp_us: [
          "timestamp[us, tz=Europe/Oslo]",
          ["1970-01-01T00:59:59.999999+01:00", null, "1970-01-01T01:00:00.000001+01:00"],
        ],
        // 2 ** 63 ns are 106751 days, 23:47:16.854775808.
        timestamp_ns: ["timestamp[ns]", [null, null, "2262-04-11T23:47:16.854775807"]],
        duration: ["duration[ms]", ["-1.5", null, "1.5"]],
        decimal: ["decimal128(38, 2)", ["-1.05", null, "792281625142643375935439503.43"]],
        list: ["list<item: int32>", [[1, null], null, []]],
        fixed_list: ["fixed_size_list<item: int32>[2]", [[1, 2], null, [3, 4]]],
        struct: [
          "struct<x: double, tags: list<item: string>>",
          [{ x: 0.5, tags: ["a"] }, null, { x: null, tags: [] }],
        ],
        map: ["map<string, int32>", [[["a", 1]], null, []]],
        dictionary: ["dictionary<values=string, indices=int8, ordered=0>", ["x", null, "y"]],
        nothing: ["null", [null, null, null]],
      },
      table("arrow", allColumns, { rows: 3, meta: {} }),
    ],
  }),
  defineCase("a table becomes what its parameter is annotated with", {
    python: `${PYARROW}
@fused.udf
def udf(frame: pd.DataFrame, arrow: pa.Table, records: pd.DataFrame):
    return [type(frame).__name__, frame.shape, str(frame["id"].dtype), frame["name"].tolist(), type(arrow).__name__, arrow.num_rows, records["a"].tolist()]
`,
    distribution: "pandas",
    parameters: ({ TableValue }) => ({
      frame: new TableValue(small),
      arrow: new TableValue(small),
      records: [{ a: 1 }, { a: 2 }],
    }),
    value: ["DataFrame", [3, 2], "int32", ["a", null, "Å🌍"], "Table", 3, [1, 2]],
  }),
  defineCase("a table that lies about its offsets does not go in", {
    python: pythonWith("data", "data.num_rows", PYARROW),
    distribution: "pandas",
    parameters: ({ TableValue }) => {
      const ipc = ipcOf({ name: column(["aaaa", "bbbb"], new arrow.Utf8()) });
      // The offsets 0, 4, 8 lie before the text; the last one now reaches far beyond it.
      const text = ipc.findLastIndex((byte, i) => byte === 0x61 && ipc[i - 1] !== 0x61);
      new DataView(ipc.buffer, ipc.byteOffset).setInt32(ipc.lastIndexOf(8, text), 1 << 20, true);
      return { data: new TableValue(ipc) };
    },
    error: { name: "ParameterError", exitCode: 2, message: /Arrow/ },
  }),
  defineCase("large columns of odd lengths, in several chunks, come back beside other values", {
    python: `${PYARROW}
@fused.udf
def udf():
    chunks = [pa.record_batch({
        "flag": pa.array([i % 3 == 0 for i in range(n)], pa.bool_()),
        "id": pa.array(range(n), pa.int64()),
        "name": pa.array([None if i % 5 == 0 else f"{i}:é" for i in range(n)], pa.string()),
        "blob": pa.array([b"x" * 300_001 if i == 7 else b"" for i in range(n)], pa.large_binary()),
    }) for n in (100_003, 0, 8)]
    table = pa.Table.from_batches(chunks)
    return [b"abc", table, table.slice(99_999, 9), b"def"]
`,
    distribution: "pandas",
    scenario: async ({ runtime, source, fuselet }) => {
      const { raw } = await runtime.run(source);
      const [first, all, some, last] = raw as [Uint8Array, TableValue, TableValue, Uint8Array];
      const [whole, slice] = [all, some].map(({ ipc }) => arrow.tableFromIPC(ipc)) as [
        arrow.Table,
        arrow.Table,
      ];
      let [flags, ids, texts, bytes] = [0, 0, 0, 0];
      for (const row of whole) {
        flags += Number(row.flag);
        ids += Number(row.id);
        texts += row.name?.length ?? 0;
        bytes += row.blob.length;
      }
      return [
        all instanceof fuselet.TableValue,
        new TextDecoder().decode(first),
        [whole.numRows, flags, ids, texts, bytes],
        [...slice].map((row) => [row.flag, row.id, row.name]),
        new TextDecoder().decode(last),
      ];
    },
    value: [
      true,
      "abc",
      [100_011, 33_338, 5_000_250_031, 551_146, 600_002],
      [99_999, 100_000, 100_001, 100_002, 0, 1, 2, 3, 4].map((i) => [
        i % 3 === 0,
        BigInt(i),
        i % 5 === 0 ? null : `${i}:é`,
      ]),
      "def",
    ],
  }),
  defineCase("bytes that are no Arrow stream do not go in", {
    python: pythonWith("data", "data.num_rows", PYARROW),
    distribution: "pandas",
    parameters: ({ TableValue }) => ({ data: new TableValue(Uint8Array.of(1, 2, 3, 4)) }),
    error: { name: "ParameterError", exitCode: 2, message: /no Arrow stream/ },
  }),
  defineCase("a frame of a million rows comes back", {
    python: many("c"),
    distribution: "pandas",
    scenario: async ({ runtime, source: udf }) => {
      const { table: result } = await runtime.run(udf);
      const sum = (name: string) => {
        let total = 0;
        for (const value of result?.getChild(name) ?? []) total += Number(value);
        return total;
      };
      const last = result?.get(999_998)?.toJSON();
      return [result?.numRows, sum("id"), sum("half"), String(last?.id), last?.c];
    },
    // 999998 is 2 more than a multiple of 3.
    value: [1_000_000, 499_999_500_000, 249_999_750_000, "999998", "z"],
  }),
] satisfies Case[];
