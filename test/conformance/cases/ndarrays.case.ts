/** Arrays of numbers: typed arrays in TypeScript, numpy in Python. */
import { type Case, defineCase, ndarray, pythonWith, typescript, typescriptWith } from "../case.ts";
import { type Group, refusalsOf, valuesOf } from "../groups.ts";

const guest = "import { NdArray, ndarray } from 'fuselet/udf';";

/** With pandas, because the cases of frames have that, too: each set of packages has a snapshot, and building one takes seconds. */
const NUMPY = "import numpy as np, pandas";

const LARGEST = 2n ** 63n - 1n;
const nan = Number.NaN;

const cases = (values: Group) => valuesOf(values, NUMPY, "pandas");
const refused = (values: Group<RegExp>) =>
  refusalsOf(values, NUMPY, "pandas", (message) => ({
    name: "ResultError",
    path: "result",
    exitCode: 1,
    message,
  }));

export default [
  defineCase("typed arrays of every kind come as arrays of one dimension", {
    typescript: typescript(
      `[
        new Int8Array([-128, 127]), new Int16Array([-32768]), new Uint16Array([65535]), new Int32Array([-2147483648]),
        new Uint32Array([4294967295]), new Float32Array([0.5, -Infinity]), new Float64Array([0.1, NaN, -0]),
        new BigInt64Array([-(2n ** 63n)]), new BigUint64Array([2n ** 64n - 1n]), new Float64Array(),
      ]`,
    ),
    value: [
      ndarray("|i1", [2], [-128, 127]),
      ndarray("<i2", [1], [-32768]),
      ndarray("<u2", [1], [65535]),
      ndarray("<i4", [1], [-(2 ** 31)]),
      ndarray("<u4", [1], [2 ** 32 - 1]),
      ndarray("<f4", [2], [0.5, Number.NEGATIVE_INFINITY]),
      ndarray("<f8", [3], [0.1, nan, -0]),
      ndarray("<i8", [1], [-(2n ** 63n)]),
      ndarray("<u8", [1], [2n ** 64n - 1n]),
      ndarray("<f8", [0], []),
    ],
  }),
  defineCase("a part of a typed array comes as that part", {
    typescript: typescript("new Int32Array([1, 2, 3, 4]).subarray(1, 3)"),
    value: ndarray("<i4", [2], [2, 3]),
  }),
  defineCase("arrays have the shape that they are given", {
    typescript: typescript(
      `[
        ndarray(new Uint8Array([1, 2, 3, 4, 5, 6]), [2, 3]), ndarray(new Float64Array([7]), []),
        ndarray(new Int32Array(), [0, 5]), ndarray(new Int16Array([1, 2]), [1, 2, 1, 1]), ndarray(new Int8Array([3])),
      ]`,
      guest,
    ),
    value: [
      ndarray("|u1", [2, 3], [1, 2, 3, 4, 5, 6]),
      ndarray("<f8", [], [7]),
      ndarray("<i4", [0, 5], []),
      ndarray("<i2", [1, 2, 1, 1], [1, 2]),
      ndarray("|i1", [1], [3]),
    ],
  }),
  defineCase("a shape of another size is refused", {
    typescript: typescript("ndarray(new Int8Array(5), [2, 3])", guest),
    error: {
      name: "UdfRuntimeError",
      type: "RangeError",
      message: /shape \[2, 3\] has 6 elements: received 5/,
    },
  }),
  defineCase("an array goes in with dtype, shape and data", {
    typescript: typescriptWith(
      "{ data: NdArray }",
      "[given.data instanceof NdArray, given.data.dtype, [...given.data.shape], [...given.data.data], given.data]",
      guest,
    ),
    python: pythonWith(
      "data",
      "[isinstance(data, np.ndarray), data.dtype.str, list(data.shape), data.tolist(), data]",
      NUMPY,
    ),
    distribution: "pandas",
    parameters: ({ NdArray }) => ({ data: NdArray.from(new Int16Array([1, -2, 3])) }),
    value: [true, "<i2", [3], [1, -2, 3], ndarray("<i2", [3], [1, -2, 3])],
  }),
  defineCase("a typed array goes in as an array, and can be written to", {
    typescript: typescriptWith(
      "{ data: NdArray }",
      "(() => { const data = given.data.data; data[0] = 9; return [data, given.data]; })()",
      guest,
    ),
    parameters: { data: new Float64Array([1, 2]) },
    value: [ndarray("<f8", [2], [9, 2]), ndarray("<f8", [2], [1, 2])],
  }),
  defineCase("an array of numpy can be written to", {
    python: `${NUMPY}\n@fused.udf\ndef udf(data):\n    data[0] = 9\n    return [data, data.flags.writeable, data.flags.aligned]\n`,
    distribution: "pandas",
    parameters: { data: new Float64Array([1, 2]) },
    value: [ndarray("<f8", [2], [9, 2]), true, true],
  }),
  defineCase("a large array comes back", {
    typescript: typescript("new Float64Array(1 << 20).fill(0.5)"),
    python: pythonWith("", "np.full(1 << 20, 0.5)", NUMPY),
    distribution: "pandas",
    scenario: async ({ runtime, source }) => {
      const { dtype, shape, data } = (await runtime.run(source)).value as {
        dtype: string;
        shape: number[];
        data: Float64Array;
      };
      return [dtype, shape, data.every((number) => number === 0.5)];
    },
    value: ["<f8", [1 << 20], true],
  }),
  defineCase("numpy arrays of every dtype that JavaScript has numbers for", {
    ...cases({
      bool: ["np.array([True, False])", ndarray("|b1", [2], [1, 0])],
      int8: ["np.array([-128, 127], 'i1')", ndarray("|i1", [2], [-128, 127])],
      uint8: ["np.array([0, 255], 'u1')", ndarray("|u1", [2], [0, 255])],
      int16: ["np.array([-32768, 32767], 'i2')", ndarray("<i2", [2], [-32768, 32767])],
      uint16: ["np.array([0, 65535], 'u2')", ndarray("<u2", [2], [0, 65535])],
      int32: ["np.array([-2**31, 2**31 - 1], 'i4')", ndarray("<i4", [2], [-(2 ** 31), 2 ** 31 - 1])],
      uint32: ["np.array([0, 2**32 - 1], 'u4')", ndarray("<u4", [2], [0, 2 ** 32 - 1])],
      int64: ["np.array([-2**63, 2**63 - 1], 'i8')", ndarray("<i8", [2], [-(2n ** 63n), LARGEST])],
      uint64: ["np.array([0, 2**64 - 1], 'u8')", ndarray("<u8", [2], [0n, 2n ** 64n - 1n])],
      float32: ["np.array([0.5, np.nan, -np.inf], 'f4')", ndarray("<f4", [3], [0.5, nan, -Infinity])],
      float64: ["np.array([0.1, np.nan, np.inf, -0.0])", ndarray("<f8", [4], [0.1, nan, Infinity, -0])],
    }),
  }),
  defineCase("numpy arrays of other dtypes keep dtype and shape", {
    ...cases({
      float16: ["np.array([1.5], 'f2')", ndarray("<f2", [1], null)],
      complex64: ["np.array([1 + 2j], 'c8')", ndarray("<c8", [1], null)],
      complex128: ["np.array([1 + 2j])", ndarray("<c16", [1], null)],
      datetime: ["np.array(['2026-01-02', 'NaT'], 'M8[ns]')", ndarray("<M8[ns]", [2], null)],
      days: ["np.array(['2026-01-02'], 'M8[D]')", ndarray("<M8[D]", [1], null)],
      timedelta: ["np.array([1], 'm8[s]')", ndarray("<m8[s]", [1], null)],
      text: ["np.array(['a', 'Åb'])", ndarray("<U2", [2], null)],
      bytes: ["np.array([b'abc'])", ndarray("|S3", [1], null)],
    }),
  }),
  defineCase("numpy arrays come in row order, little-endian, whatever they lay like", {
    ...cases({
      scalar: ["np.array(7, 'i4')", ndarray("<i4", [], [7])],
      empty: ["np.zeros((0, 3))", ndarray("<f8", [0, 3], [])],
      transposed: ["np.arange(6, dtype='i4').reshape(2, 3).T", ndarray("<i4", [3, 2], [0, 3, 1, 4, 2, 5])],
      columns: ["np.asfortranarray([[1, 2], [3, 4]], 'i2')", ndarray("<i2", [2, 2], [1, 2, 3, 4])],
      strided: ["np.arange(10, dtype='u1')[::3]", ndarray("|u1", [4], [0, 3, 6, 9])],
      reversed: ["np.arange(3, dtype='i8')[::-1]", ndarray("<i8", [3], [2n, 1n, 0n])],
      bigEndian: ["np.array([1, 258], '>u2')", ndarray("<u2", [2], [1, 258])],
      bigEndianFloat: ["np.array([0.5], '>f8')", ndarray("<f8", [1], [0.5])],
      broadcast: ["np.broadcast_to(np.array([1, 2], 'i4'), (2, 2))", ndarray("<i4", [2, 2], [1, 2, 1, 2])],
      matrix: ["np.matrix([[1, 2]], 'i4')", ndarray("<i4", [1, 2], [1, 2])],
      field: ["np.array([(1, 2), (3, 4)], [('a', 'i4'), ('b', 'i2')])['b']", ndarray("<i2", [2], [2, 4])],
      dimensions: [
        "np.arange(8, dtype='u1').reshape(2, 2, 2)",
        ndarray("|u1", [2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]),
      ],
    }),
  }),
  defineCase("numpy arrays that have no plain form are refused, with what helps", {
    ...refused({
      structured: ["np.array([(1, 2)], [('a', 'i4'), ('b', 'i2')])", /structured array.*DataFrame/],
      record: ["np.rec.array([(1, 2.0)], names='a,b')", /structured array/],
      objects: ["np.array([1, 'a'], object)", /dtype object.*tolist/],
      raw: ["np.zeros(2, 'V3')", /dtype \|V3.*astype/],
    }),
  }),
  defineCase("numpy's scalars come as plain values", {
    ...cases({
      bool: ["np.bool_(True)", true],
      int64: ["np.int64(2**63 - 1)", LARGEST],
      small: ["[np.int8(-1), np.uint16(65535)]", [-1, 65535]],
      float32: ["np.float32(0.1)", 0.10000000149011612],
      float64: ["[np.float64(0.1), np.float64('nan')]", [0.1, nan]],
      complex: ["np.complex64(1 + 2j)", [1, 2]],
      text: ["[np.str_('Å'), np.bytes_(b'a')]", ["Å", Uint8Array.of(97)]],
      moment: ["[np.datetime64('2026-01-02T03:04:05'), np.datetime64('NaT')]", ["2026-01-02T03:04:05", null]],
      duration: ["[np.timedelta64(1500, 'ms'), np.timedelta64('NaT')]", ["1.5", null]],
      keys: ["{np.str_('a'): np.int8(1)}", { a: 1 }],
    }),
  }),
  defineCase("masked arrays come as lists, null where they are masked", {
    ...cases({
      numbers: ["np.ma.masked_equal([1, 2, 3], 2)", [1, null, 3]],
      rows: ["np.ma.array([[1.5, 2.5]], mask=[[True, False]])", [[null, 2.5]]],
    }),
  }),
] satisfies Case[];
