/** How deep values may be nested, and what refers to itself. */
import { type Case, defineCase } from "../case.ts";

const nestedPython = `
@fused.udf
def udf(depth: int, kind: str = "list"):
    value = None
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value} if kind == "dict" else (value,)
    return value
`;
const nestedTypeScript = `
export default ({ depth, kind = "list" }: { depth: number; kind?: string }) => {
  let value: unknown = null;
  for (let i = 0; i < depth; i++) value = kind === "list" ? [value] : kind === "dict" ? { a: value } : new Set([value]);
  return value;
};
`;

/** How many levels a value has. */
function depthOf(value: unknown): number {
  let depth = 0;
  let at = value;
  while (at !== null && typeof at === "object") {
    at = Array.isArray(at) ? at[0] : (at as { a: unknown }).a;
    depth++;
  }
  return depth;
}

export default [
  defineCase("500 levels of lists come back", {
    python: nestedPython,
    typescript: nestedTypeScript,
    scenario: async ({ runtime, source }) =>
      depthOf((await runtime.run(source, { parameters: { depth: 500 } })).value),
    value: 500,
  }),
  defineCase("500 levels of objects come back", {
    python: nestedPython,
    typescript: nestedTypeScript,
    scenario: async ({ runtime, source }) =>
      depthOf((await runtime.run(source, { parameters: { depth: 500, kind: "dict" } })).value),
    value: 500,
  }),
  defineCase("500 levels of tuples or sets come back", {
    python: nestedPython,
    typescript: nestedTypeScript,
    scenario: async ({ runtime, source }) =>
      depthOf((await runtime.run(source, { parameters: { depth: 500, kind: "tuple" } })).value),
    value: 500,
  }),
  defineCase("500 levels go in and come back", {
    python: "@fused.udf\ndef udf(value: list):\n    return value\n",
    typescript: "export default ({ value }: { value: unknown }) => value;\n",
    scenario: async ({ runtime, source }) => {
      let value: unknown = null;
      for (let i = 0; i < 499; i++) value = [value];
      return depthOf((await runtime.run(source, { parameters: { value } })).value);
    },
    value: 499,
  }),
  defineCase("502 levels cannot cross", {
    python: nestedPython,
    typescript: nestedTypeScript,
    parameters: { depth: 502 },
    error: { name: "ResultError", message: /nested more than 500 levels deep/ },
  }),
  defineCase("five thousand levels cannot cross, and the runtime lives", {
    python: nestedPython,
    typescript: nestedTypeScript,
    runs: [
      {
        parameters: { depth: 5000 },
        error: { name: "ResultError", message: /nested more than 500 levels deep/ },
      },
      { parameters: { depth: 1 }, value: [null] },
    ],
  }),
  // CPython lets go of nested lists recursively, which takes more stack than WebAssembly has: the interpreter is gone.
  defineCase("a hundred thousand levels end a Python interpreter at most, and the runtime lives", {
    python: nestedPython,
    typescript: nestedTypeScript,
    runs: [
      {
        parameters: { depth: 100_000 },
        error: { name: /^(ResultError|UdfRuntimeError)$/, exitCode: 1 },
        stdout: null,
      },
      { parameters: { depth: 1 }, value: [null] },
    ],
  }),
  defineCase("parameters nested too deep are refused", {
    python: "@fused.udf\ndef udf(value: list):\n    return 1\n",
    typescript: "export default ({ value }: { value: unknown }) => 1;\n",
    scenario: async ({ outcome }) => {
      let value: unknown = null;
      for (let i = 0; i < 600; i++) value = [value];
      const { error } = await outcome({ parameters: { value } });
      return (error as { name: string }).name;
    },
    value: "ParameterError",
  }),
  defineCase("a list that holds itself cannot cross", {
    python: "@fused.udf\ndef udf():\n    a = [1]\n    a.append({'b': a})\n    return a\n",
    typescript: "export default () => {\n  const a: unknown[] = [1];\n  a.push({ b: a });\n  return a;\n};\n",
    error: {
      name: "ResultError",
      path: 'result[1]["b"]',
      message: /a reference back to one of its own containers/,
    },
  }),
  defineCase("endless recursion is an error of the UDF, and the runtime lives", {
    python:
      "@fused.udf\ndef udf(deep: bool):\n    def f(n):\n        return f(n + 1) + 1\n    return f(0) if deep else 1\n",
    typescript:
      "export default ({ deep }: { deep: boolean }) => {\n  const f = (n: number): number => f(n + 1) + 1;\n  return deep ? f(0) : 1;\n};\n",
    runs: [
      { parameters: { deep: true }, error: { name: "UdfRuntimeError" } },
      { parameters: { deep: false }, value: 1 },
    ],
  }),
] satisfies Case[];
