/** Parameters: what a value or a text becomes by its annotation. The rules of Python are the reference's; TypeScript's are its own. */
import { type Case, defineCase, type Expectation, pythonWith, typescriptWith } from "../case.ts";

/** One annotation and what values become: `[given, expected]`. A text as `expected` that starts with "!" is no value: it is refused. */
const REFUSED = Symbol("refused");
type Row = readonly [given: unknown, becomes: unknown];

const rows = (
  name: string,
  list: readonly Row[],
): (Expectation & { parameters: Record<string, unknown> })[] =>
  list.map(([given, becomes]) => ({
    parameters: { [name]: given },
    ...(becomes === REFUSED
      ? { error: { name: "ParameterError", parameter: name, exitCode: 2 } }
      : { value: becomes }),
  }));

const pythonType = (annotation: string, list: readonly Row[], show = "a", before = ""): Case =>
  defineCase(`Python: what becomes of a parameter that is ${annotation}`, {
    python: pythonWith(`a: ${annotation}`, show, before),
    runs: rows("a", list),
  });

const typescriptType = (annotation: string, list: readonly Row[], show = "given.a"): Case =>
  defineCase(`TypeScript: what becomes of a parameter that is ${annotation}`, {
    typescript: typescriptWith(`{ a: ${annotation} }`, show),
    runs: rows("a", list),
  });

export default [
  pythonType("int", [
    [5, 5],
    ["5", 5],
    [" 5 ", 5],
    ["-7", -7],
    ["1_000", 1000],
    [3.7, 3],
    [-3.7, -3],
    ["0x10", REFUSED],
    ["3.7", REFUSED],
    ["abc", REFUSED],
    ["", REFUSED],
    [Number.NaN, REFUSED],
    [[1], REFUSED],
    [null, null],
    [2n ** 70n, 2n ** 70n],
    ["123456789012345678901234567890", 123456789012345678901234567890n],
  ]),
  pythonType("float", [
    [5, 5],
    ["2.5", 2.5],
    ["1e3", 1000],
    ["inf", Infinity],
    ["nan", Number.NaN],
    ["x", REFUSED],
    [null, null],
  ]),
  pythonType("str", [
    ["text", "text"],
    [5, "5"],
    [2.5, "2.5"],
    [true, "true"],
    [[1, "é"], '[1, "\\u00e9"]'],
    [{ a: null }, '{"a": null}'],
    [null, null],
  ]),
  pythonType("bool", [
    [true, true],
    [false, false],
    ["false", false],
    ["False", false],
    ["FALSE", false],
    ["", false],
    ["0", true],
    ["no", true],
    ["true", true],
    [0, false],
    [1, true],
    [null, null],
  ]),
  pythonType("list", [
    [
      [1, "a", null],
      [1, "a", null],
    ],
    ['[1, "a"]', [1, "a"]],
    ["[]", []],
    ["not json", REFUSED],
    ['{"a": 1}', REFUSED],
    ["[NaN]", [Number.NaN]],
    [null, null],
  ]),
  pythonType("list[int]", [
    ['["3"]', ["3"]],
    [
      [3, "4"],
      [3, "4"],
    ],
  ]),
  pythonType("dict", [
    [{ a: { b: [1] } }, { a: { b: [1] } }],
    ['{"a": 1}', { a: 1 }],
    ["[1]", REFUSED],
  ]),
  pythonType("tuple", [["[1, 2]", ["tuple", [1, 2]]]], "[type(a).__name__, a]"),
  pythonType("set", [["[1, 2]", ["str", "[1, 2]"]]], "[type(a).__name__, a]"),
  pythonType(
    "datetime.datetime",
    [
      ["2026-01-02T03:04:05+01:00", "2026-01-02T03:04:05+01:00"],
      ["2026-01-02 03:04", "2026-01-02T03:04:00"],
      ["2026-01-02", "2026-01-02T00:00:00"],
      [0, "1970-01-01T00:00:00+00:00"],
      ["1.5", "1970-01-01T00:00:01.500000+00:00"],
      ["yesterday", REFUSED],
      [null, null],
    ],
    "a",
    "import datetime",
  ),
  pythonType(
    "datetime.date",
    [
      ["2026-01-02", "2026-01-02"],
      [86400, "1970-01-02"],
      ["2026-13-01", REFUSED],
    ],
    "a",
    "import datetime",
  ),
  pythonType(
    "datetime.time",
    [
      ["03:04:05.5", "03:04:05.500000"],
      ["25:00", REFUSED],
    ],
    "a",
    "import datetime",
  ),
  pythonType(
    "uuid.UUID",
    [
      ["12345678123456781234567812345678", "12345678-1234-5678-1234-567812345678"],
      ["12345", REFUSED],
    ],
    "a",
    "import uuid",
  ),
  pythonType("int | None", [
    ["5", 5],
    [null, null],
  ]),
  pythonType("Optional[float]", [["5", 5]], "a", "from typing import Optional"),
  pythonType("int | str", [
    ["5", "5"],
    [5, 5],
  ]),
  pythonType("'int'", [["5", "5"]]),
  pythonType("fused.types.Bounds", [
    [
      [1, 2, 3, 4.5],
      [1, 2, 3, 4.5],
    ],
    ["[1, 2, 3, 4]", [1, 2, 3, 4]],
    [[1, 2, 3], REFUSED],
    [[1, 2, 3, "x"], REFUSED],
    ["text", REFUSED],
  ]),
  defineCase("Python: text annotations count under the __future__ import", {
    python: pythonWith("a: int, b: list", "[a, b]", "from __future__ import annotations"),
    parameters: { a: "5", b: "[1]" },
    value: [5, [1]],
  }),
  defineCase("Python: **kwargs get texts", {
    python: pythonWith("a: int, **rest", "[a, rest]"),
    parameters: { a: 1, b: 2, c: 2.5, d: true, e: [1], f: "x", g: null },
    value: [1, { b: "2", c: "2.5", d: "true", e: "[1]", f: "x", g: null }],
  }),
  defineCase("Python: positional-only, keyword-only and default parameters", {
    python: pythonWith("a: int, /, b: int = 2, *, c: int, d: int = 4", "[a, b, c, d]"),
    runs: [
      { parameters: { a: "1", c: "3" }, value: [1, 2, 3, 4] },
      { parameters: { a: 1, b: 20, c: 30, d: 40 }, value: [1, 20, 30, 40] },
      { parameters: { a: 1 }, error: { name: "ParameterError", parameter: "c" } },
    ],
  }),
  defineCase("Python: parameters of the decorator are defaults that a caller can change", {
    python: "@fused.udf(default_parameters={'a': 10})\ndef udf(a: int = 1, b: int = 2):\n    return [a, b]\n",
    runs: [{ value: [10, 2] }, { parameters: { a: "5" }, value: [5, 2] }],
  }),
  typescriptType("number", [
    [5, 5],
    ["5", 5],
    [" -2.5e3 ", -2500],
    ["NaN", Number.NaN],
    ["Infinity", Infinity],
    [true, 1],
    ["0x10", REFUSED],
    ["", REFUSED],
    ["abc", REFUSED],
    [[1], REFUSED],
    [null, null],
  ]),
  typescriptType("bigint", [
    ["123456789012345678901234567890", 123456789012345678901234567890n],
    [5, 5],
    ["1.5", REFUSED],
    [1.5, REFUSED],
  ]),
  typescriptType("string", [
    ["text", "text"],
    [5, "5"],
    [true, "true"],
    [[1, "é"], '[1,"é"]'],
    [{ a: null }, '{"a":null}'],
  ]),
  typescriptType("boolean", [
    ["false", false],
    ["FALSE", false],
    ["", false],
    ["0", true],
    ["no", true],
    [0, false],
    [1, true],
  ]),
  typescriptType(
    "Date",
    [
      ["2026-01-02", "2026-01-02T00:00:00.000Z"],
      ["2026-01-02T03:04:05.678901+01:00", "2026-01-02T02:04:05.678Z"],
      ["2026-01-02 03:04", "2026-01-02T03:04:00.000Z"],
      [1.5, "1970-01-01T00:00:01.500Z"],
      ["1.5", "1970-01-01T00:00:01.500Z"],
      ["2026-13-01", REFUSED],
      ["yesterday", REFUSED],
    ],
    "given.a.toISOString()",
  ),
  typescriptType("Uint8Array", [
    [new Uint8Array([1, 255]), new Uint8Array([1, 255])],
    ["é", new Uint8Array([195, 169])],
    [5, REFUSED],
  ]),
  typescriptType("number[]", [
    [
      [1, "2"],
      [1, 2],
    ],
    ["[1, 2]", [1, 2]],
    ['["x"]', REFUSED],
    ["1", REFUSED],
  ]),
  typescriptType("[number, string]", [
    [
      ["1", 2],
      [1, "2"],
    ],
    ["[1]", REFUSED],
  ]),
  typescriptType("{ x: number; y?: string }", [
    [{ x: "1" }, { x: 1 }],
    ['{"x": 1, "y": 2, "z": 3}', { x: 1, y: "2", z: 3 }],
    [{ y: "a" }, REFUSED],
  ]),
  typescriptType("'small' | 'large'", [
    ["small", "small"],
    ["medium", REFUSED],
  ]),
  typescriptType("number | null", [
    ["5", 5],
    ["null", null],
    [null, null],
  ]),
  typescriptType("number | string", [
    ["5", "5"],
    [5, 5],
  ]),
  typescriptType("any", [
    ["5", "5"],
    [{ a: [1] }, { a: [1] }],
  ]),
  defineCase("TypeScript: parameters one by one, with defaults and a rest", {
    typescript: "export default (a: number, b: number = 2, ...rest: number[]) => [a, b, rest];\n",
    runs: [
      { parameters: { a: "1" }, value: [1, 2, []] },
      { parameters: { a: "1", b: "5", rest: "[7, 8]" }, value: [1, 5, [7, 8]] },
      { error: { name: "ParameterError", parameter: "a" } },
    ],
  }),
  defineCase("TypeScript: an interface and a type alias of the file count", {
    typescript:
      "interface Place { name: string; at: Pair }\ntype Pair = [number, number];\nexport default ({ place }: { place: Place }) => place;\n",
    parameters: { place: '{"name": 5, "at": ["1", 2]}' },
    value: { name: "5", at: [1, 2] },
  }),
  defineCase("TypeScript: parameters of udf() are defaults that a caller can change", {
    typescript:
      'import { udf } from "fuselet/udf";\nexport default udf({ parameters: { a: 10 } }, ({ a = 1, b = 2 }: { a?: number; b?: number }) => [a, b]);\n',
    runs: [{ value: [10, 2] }, { parameters: { a: "5" }, value: [5, 2] }],
  }),
  defineCase("an unknown parameter is refused by name, before anything runs", {
    python: 'print("ran")\n@fused.udf\ndef udf(count: int = 1):\n    return count\n',
    typescript: 'console.log("ran");\nexport default ({ count = 1 }: { count?: number }) => count;\n',
    parameters: { cuont: 5 },
    error: { name: "ParameterError", parameter: "cuont", message: /[Dd]id you mean "count"\?/, exitCode: 2 },
  }),
  defineCase("a missing parameter is refused by name", {
    python: pythonWith("count: int", "count"),
    typescript: typescriptWith("{ count: number }", "given.count"),
    error: { name: "ParameterError", parameter: "count", message: /[Mm]issing/, exitCode: 2 },
  }),
  defineCase("a value of the wrong type is refused by name, with the value", {
    python: pythonWith("count: int", "count"),
    typescript: typescriptWith("{ count: number }", "given.count"),
    parameters: { count: "many" },
    error: { name: "ParameterError", parameter: "count", message: /many/, exitCode: 2 },
  }),
  defineCase("a function as a parameter is refused", {
    python: pythonWith("a", "a"),
    typescript: typescriptWith("{ a: unknown }", "given.a"),
    parameters: { a: [() => 1] },
    error: {
      name: "ParameterError",
      parameter: "a",
      message: /^Cannot pass parameters\["a"\]\[0\]: it is a function/,
    },
  }),
  defineCase("unknown options of a run are refused", {
    python: pythonWith("a=1", "a"),
    typescript: typescriptWith("{ a?: unknown }", "given.a"),
    scenario: async ({ outcome }) => {
      const wrong = [{ timeout: 5 }, { parameters: [1] }, { principal: "" }, { tile: { x: 1, y: 0, z: 0 } }];
      const outcomes = await Promise.all(wrong.map((options) => outcome(options as never)));
      return outcomes.map(({ error }) => (error as { name: string }).name);
    },
    value: ["UsageError", "UsageError", "UsageError", "UsageError"],
  }),
] satisfies Case[];
