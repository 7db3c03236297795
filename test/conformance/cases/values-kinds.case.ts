/** Kinds of values that JSON does not have: bytes, moments, sets, and what cannot cross. */
import { type Case, defineCase, python, pythonWith, typescript, typescriptWith } from "../case.ts";

export default [
  defineCase("bytes come back", {
    python: python('[b"", b"\\x00\\xff\\x80", bytearray(b"ab"), memoryview(b"cd")]'),
    typescript: typescript(
      "[new Uint8Array(), new Uint8Array([0, 255, 128]), new TextEncoder().encode('ab'), new Uint8Array([98, 99, 100]).subarray(1)]",
    ),
    value: [
      new Uint8Array(),
      new Uint8Array([0, 255, 128]),
      new Uint8Array([97, 98]),
      new Uint8Array([99, 100]),
    ],
  }),
  defineCase("bytes go in and come back", {
    python: pythonWith("data: bytes", "[len(data), data[::-1]]"),
    typescript: typescriptWith("{ data: Uint8Array }", "[given.data.length, given.data.slice().reverse()]"),
    parameters: { data: new Uint8Array([1, 2, 255, 0]) },
    value: [4, new Uint8Array([0, 255, 2, 1])],
  }),
  defineCase("bytes inside of a list and an object go in", {
    python: pythonWith("value: dict", "[type(value['a']).__name__, value['b'][0]]"),
    typescript: typescriptWith(
      "{ value: any }",
      "[given.value.a.constructor === Uint8Array ? 'bytes' : 'other', given.value.b[0]]",
    ),
    parameters: { value: { a: new Uint8Array([1]), b: [new Uint8Array([2, 3])] } },
    value: ["bytes", new Uint8Array([2, 3])],
  }),
  defineCase("four megabytes come back", {
    python: python("bytes(range(256)) * 16384"),
    typescript: typescript("Uint8Array.from({ length: 4 << 20 }, (_, i) => i)"),
    scenario: async ({ runtime, source }) => {
      const bytes = (await runtime.run(source)).value as Uint8Array;
      return [bytes.length, bytes.every((byte, i) => byte === (i & 255))];
    },
    value: [4 << 20, true],
  }),
  defineCase("ArrayBuffers, views and clamped arrays are bytes", {
    typescript: typescript(
      "[new Uint8Array([1, 2]).buffer, new DataView(new Uint8Array([3, 4, 5]).buffer, 1), new Uint8ClampedArray([300])]",
    ),
    value: [new Uint8Array([1, 2]), new Uint8Array([4, 5]), new Uint8Array([255])],
  }),
  defineCase("moments come as ISO text, with their zone where they have one", {
    python: python(
      "[datetime(2026, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=1))), datetime(2026, 1, 2), datetime(1, 1, 1, tzinfo=timezone.utc), datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(2026, 1, 2, tzinfo=timezone(-timedelta(hours=3, minutes=30)))]",
      "from datetime import datetime, timedelta, timezone",
    ),
    value: [
      "2026-01-02T03:04:05.000006+01:00",
      "2026-01-02T00:00:00",
      "0001-01-01T00:00:00+00:00",
      "9999-12-31T23:59:59.999999",
      "2026-01-02T00:00:00-03:30",
    ],
  }),
  defineCase("dates, times of day and lengths of time come as text", {
    python: python(
      "[date(2026, 2, 28), time(3, 4, 5, 600), time(23, 59, tzinfo=timezone.utc), timedelta(days=1, microseconds=1), -timedelta(seconds=1.5)]",
      "from datetime import date, time, timedelta, timezone",
    ),
    value: ["2026-02-28", "03:04:05.000600", "23:59:00+00:00", "86400.000001", "-1.5"],
  }),
  defineCase("a Date comes as ISO text", {
    typescript: typescript("[new Date(0), new Date('2026-01-02T03:04:05.678+01:00'), new Date(-1)]"),
    value: [
      "1970-01-01T00:00:00.000+00:00",
      "2026-01-02T02:04:05.678+00:00",
      "1969-12-31T23:59:59.999+00:00",
    ],
  }),
  defineCase("a Date goes in as a moment", {
    python: pythonWith("when", "[type(when).__name__, when.isoformat(), when.utcoffset().total_seconds()]"),
    typescript: typescriptWith(
      "{ when: Date }",
      "[given.when.constructor.name, given.when.toISOString(), 0]",
    ),
    parameters: { when: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)) },
    inPython: { value: ["datetime", "2026-01-02T03:04:05.678000+00:00", 0] },
    inTypeScript: { value: ["Date", "2026-01-02T03:04:05.678Z", 0] },
  }),
  defineCase("sets and tuples come as lists", {
    python: python("[(1, 2), (), {7}, frozenset(), ((1,), [2])]"),
    typescript: typescript("[[1, 2], [], new Set([7]), new Set(), [[1], [2]]]"),
    value: [[1, 2], [], [7], [], [[1], [2]]],
  }),
  defineCase("a Set goes in as a set", {
    python: pythonWith("value", "[type(value).__name__, sorted(value)]"),
    parameters: { value: new Set([2, 1]) },
    value: ["set", [1, 2]],
  }),
  defineCase("a UUID comes as text", {
    python: python('uuid.UUID("12345678-1234-5678-1234-567812345678")', "import uuid"),
    value: "12345678-1234-5678-1234-567812345678",
  }),
  defineCase("dataclasses, named tuples, ranges and paths come as plain values", {
    python: python(
      '[Point(1, 2), Pair(3, 4), range(3), pathlib.PurePosixPath("/a/b"), collections.OrderedDict(b=1, a=2), collections.deque([1, 2])]',
      "import collections, dataclasses, pathlib\n@dataclasses.dataclass\nclass Point:\n    x: int\n    y: int\nPair = collections.namedtuple('Pair', 'a b')",
    ),
    scenario: async ({ outcome }) => {
      const { value, error } = await outcome();
      return value ?? error ?? null;
    },
    value: [{ x: 1, y: 2 }, [3, 4], [0, 1, 2], "/a/b", { b: 1, a: 2 }, [1, 2]],
  }),
  defineCase("typed arrays come as arrays of their dtype", {
    typescript: typescript(
      "[new Float64Array([1.5, NaN]), new Int32Array([-1]), new BigInt64Array([2n ** 62n])]",
    ),
    scenario: async ({ runtime, source }) => {
      const arrays = (await runtime.run(source)).value as { dtype: string; shape: number[]; data: unknown }[];
      return arrays.map(({ dtype, shape, data }) => [dtype, shape, data]);
    },
    value: [
      ["<f8", [2], [1.5, Number.NaN]],
      ["<i4", [1], [-1]],
      ["<i8", [1], [2n ** 62n]],
    ],
  }),
  defineCase("an invalid Date cannot cross", {
    typescript: typescript("({ when: [new Date(NaN)] })"),
    error: {
      name: "ResultError",
      path: 'result["when"][0]',
      message: 'Cannot return result["when"][0]: it is an invalid date, which cannot cross the wall',
    },
  }),
  defineCase("what cannot cross is named by its path", {
    python: python('{"a": [0, {"b c": object()}]}'),
    typescript: typescript('({ a: [0, { "b c": () => 1 }] })'),
    error: { name: "ResultError", path: 'result["a"][1]["b c"]', exitCode: 1 },
  }),
  defineCase("generators, modules, classes and functions cannot cross", {
    python: pythonWith(
      "kind: str",
      "{'generator': (i for i in []), 'module': sys, 'class': int, 'function': len, 'lambda': lambda: 0}[kind]",
      "import sys",
    ),
    runs: ["generator", "module", "class", "function", "lambda"].map((kind) => ({
      parameters: { kind },
      error: { name: "ResultError", path: "result" },
    })),
  }),
  defineCase("symbols, class instances and Maps with other keys cannot cross", {
    typescript: typescriptWith(
      "{ kind: string }",
      "({ symbol: Symbol('s'), instance: new Thing(), map: new Map([[1, 2]]), weak: new WeakMap(), regexp: /x/, error: new Error('e') })[given.kind]",
      "class Thing { x = 1; }",
    ),
    runs: ["symbol", "instance", "map", "weak", "regexp", "error"].map((kind) => ({
      parameters: { kind },
      error: { name: "ResultError", path: "result" },
    })),
  }),
] satisfies Case[];
