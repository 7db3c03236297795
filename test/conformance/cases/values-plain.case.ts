/** What JSON has: it comes back as it is, from both languages alike. */
import { type Case, defineCase, python, pythonWith, typescript, typescriptWith } from "../case.ts";

const echoPython = pythonWith("value", "value");
const tree = {
  name: "Ålesund",
  open: true,
  closed: false,
  nothing: null,
  list: [1, [2, [3, []]], {}],
  nested: { a: { b: { c: [{ d: 1.5 }] } } },
};

export default [
  defineCase("null comes back", {
    python: python("None"),
    typescript: typescript("null"),
    value: null,
  }),
  defineCase("a UDF that returns nothing gives null", {
    python: "@fused.udf\ndef udf():\n    pass\n",
    typescript: "export default () => {};\n",
    value: null,
  }),
  defineCase("true and false come back", {
    python: python("[True, False]"),
    typescript: typescript("[true, false]"),
    value: [true, false],
  }),
  defineCase("a tree of lists and objects comes back", {
    python: python(
      '{"name": "Ålesund", "open": True, "closed": False, "nothing": None, "list": [1, [2, [3, []]], {}], "nested": {"a": {"b": {"c": [{"d": 1.5}]}}}}',
    ),
    typescript: typescript(JSON.stringify(tree)),
    value: tree,
  }),
  defineCase("empty containers come back", {
    python: python('[[], {}, "", [[]], [{}]]'),
    typescript: typescript('[[], {}, "", [[]], [{}]]'),
    value: [[], {}, "", [[]], [{}]],
  }),
  defineCase("an object keeps the order of its keys", {
    python: python('{"z": 1, "a": 2, "m": {"y": 1, "b": 2}}'),
    typescript: typescript("({ z: 1, a: 2, m: { y: 1, b: 2 } })"),
    scenario: async ({ runtime, source }) => JSON.stringify((await runtime.run(source)).value),
    value: '{"z":1,"a":2,"m":{"y":1,"b":2}}',
  }),
  defineCase("keys that JavaScript treats specially are plain keys", {
    python: python('{"__proto__": 1, "constructor": 2, "toString": 3, "": 4, "a.b": 5}'),
    typescript: typescript(
      'JSON.parse(\'{"__proto__": 1, "constructor": 2, "toString": 3, "": 4, "a.b": 5}\')',
    ),
    scenario: async ({ runtime, source }) => JSON.stringify((await runtime.run(source)).value),
    value: '{"__proto__":1,"constructor":2,"toString":3,"":4,"a.b":5}',
  }),
  defineCase("the encoding's own key is a plain key", {
    python: python('[{"$": "bytes", "b": 0}, {"$": {"$": 1}}, {"$": "dict", "v": []}]'),
    typescript: typescript('[{ $: "bytes", b: 0 }, { $: { $: 1 } }, { $: "dict", v: [] }]'),
    value: [{ $: "bytes", b: 0 }, { $: { $: 1 } }, { $: "dict", v: [] }],
  }),
  defineCase("the encoding's own key in a parameter is a plain key", {
    python: pythonWith("value: dict", "value"),
    typescript: typescriptWith("{ value: unknown }", "given.value"),
    parameters: { value: { $: "set", v: [1] } },
    value: { $: "set", v: [1] },
  }),
  defineCase("keys that are no texts become texts, as JSON writes them", {
    python: python('{1: "int", 2.5: "float", False: "bool", None: "none"}'),
    value: { 1: "int", "2.5": "float", false: "bool", null: "none" },
  }),
  defineCase("undefined is left out of objects and null in lists", {
    typescript: typescript("({ a: undefined, b: [undefined, 1], c: null })"),
    value: { b: [null, 1], c: null },
  }),
  defineCase("a Map with texts as keys is an object", {
    typescript: typescript('new Map<string, unknown>([["a", 1], ["b", new Map([["c", 2]])]])'),
    value: { a: 1, b: { c: 2 } },
  }),
  defineCase("an object that writes itself as JSON does so", {
    typescript: typescript(
      "[new Point(1)]",
      "class Point {\n  x: number;\n  constructor(x: number) { this.x = x; }\n  toJSON() { return { at: this.x }; }\n}",
    ),
    value: [{ at: 1 }],
  }),
  defineCase("a parameter without annotation comes as text where it is a list, an object or a boolean", {
    python: pythonWith("a, b, c, d, e, f", "[a, b, c, d, e, f]"),
    parameters: { a: [1, 2], b: { k: "é" }, c: true, d: 1, e: 1.5, f: null },
    value: ["[1, 2]", '{"k": "\\u00e9"}', "true", 1, 1.5, null],
  }),
  defineCase("a text parameter of any length comes back", {
    python: echoPython,
    typescript: typescriptWith("{ value: string }", "given.value"),
    parameters: { value: "0123456789".repeat(1000) },
    value: "0123456789".repeat(1000),
  }),
  defineCase("a megabyte of text comes back", {
    python: python('("é" * 1000 + "\\n") * 1000'),
    typescript: typescript('("é".repeat(1000) + "\\n").repeat(1000)'),
    scenario: async ({ runtime, source }) => {
      const text = (await runtime.run(source)).value as string;
      return [text.length, text === `${"é".repeat(1000)}\n`.repeat(1000)];
    },
    value: [1_001_000, true],
  }),
  defineCase("a list of a hundred thousand numbers comes back", {
    python: python("list(range(100_000))"),
    typescript: typescript("Array.from({ length: 100_000 }, (_, i) => i)"),
    scenario: async ({ runtime, source }) => {
      const list = (await runtime.run(source)).value as number[];
      return [list.length, list.every((item, i) => item === i)];
    },
    value: [100_000, true],
  }),
  defineCase("one object in two places comes back in both", {
    python: "@fused.udf\ndef udf():\n    a = [1]\n    return {'x': a, 'y': [a, a]}\n",
    typescript: "export default () => {\n  const a = [1];\n  return { x: a, y: [a, a] };\n};\n",
    value: { x: [1], y: [[1], [1]] },
  }),
] satisfies Case[];
