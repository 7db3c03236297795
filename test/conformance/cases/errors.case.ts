/** Everything that can be wrong with a UDF: which error, in which line, with which words. */
import { type Case, defineCase, python, typescript } from "../case.ts";

export default [
  defineCase("an exception comes with its class, its line and its traceback", {
    python: '@fused.udf\ndef udf():\n    def inner():\n        raise ValueError("böom")\n    inner()\n',
    typescript:
      'class ValueError extends Error {\n  name = "ValueError";\n}\nexport default () => {\n  throw new ValueError("böom");\n};\n',
    inPython: {
      error: {
        name: "UdfRuntimeError",
        type: "ValueError",
        message: "ValueError: böom",
        exitCode: 1,
        location: { file: "case.py", line: 4 },
        traceback:
          'Traceback (most recent call last):\n  File "<udf case>", line 5, in udf\n    inner()\n    ~~~~~^^\n  File "<udf case>", line 4, in inner\n    raise ValueError("böom")\nValueError: böom\n',
      },
    },
    inTypeScript: {
      error: {
        name: "UdfRuntimeError",
        type: "ValueError",
        message: "ValueError: böom",
        exitCode: 1,
        location: { file: "case.ts", line: 5 },
        traceback: /^ValueError: böom\n {4}at .*case\.ts:5/,
      },
    },
  }),
  defineCase("what is thrown and is no error is shown", {
    typescript: "export default () => {\n  throw { code: 42, list: [1, 'a'] };\n};\n",
    error: { name: "UdfRuntimeError", type: "Uncaught", message: "Uncaught: { code: 42, list: [ 1, 'a' ] }" },
  }),
  defineCase("a chain of exceptions is in the traceback", {
    python:
      '@fused.udf\ndef udf():\n    try:\n        {}["key"]\n    except KeyError as error:\n        raise RuntimeError("outer") from error\n',
    typescript:
      'export default () => {\n  try {\n    null!.x;\n  } catch (cause) {\n    throw new RangeError("outer", { cause });\n  }\n};\n',
    inPython: {
      error: {
        name: "UdfRuntimeError",
        type: "RuntimeError",
        traceback:
          /KeyError: 'key'\n\nThe above exception was the direct cause of the following exception:\n\n/,
      },
    },
    inTypeScript: {
      error: {
        name: "UdfRuntimeError",
        type: "RangeError",
        traceback: /^RangeError: outer\n[\s\S]*Caused by: TypeError: /,
      },
    },
  }),
  defineCase("a group of errors is in the traceback", {
    python:
      '@fused.udf\ndef udf():\n    raise ExceptionGroup("both", [ValueError("one"), KeyError("two")])\n',
    typescript:
      'export default () => {\n  throw new AggregateError([new Error("one"), new TypeError("two")], "both");\n};\n',
    inPython: {
      error: {
        name: "UdfRuntimeError",
        type: "ExceptionGroup",
        traceback: /ValueError: one[\s\S]*KeyError: 'two'/,
      },
    },
    inTypeScript: {
      error: {
        name: "UdfRuntimeError",
        type: "AggregateError",
        traceback: /Error: one[\s\S]*TypeError: two/,
      },
    },
  }),
  defineCase("an exception in module-level code is the UDF's", {
    python: "import math\nlimit = 1 / 0\n@fused.udf\ndef udf():\n    return limit\n",
    typescript: "const limit = (undefined as any).x;\nexport default () => limit;\n",
    inPython: {
      error: { name: "UdfRuntimeError", type: "ZeroDivisionError", location: { file: "case.py", line: 2 } },
    },
    inTypeScript: {
      error: { name: "UdfRuntimeError", type: "TypeError", location: { file: "case.ts", line: 1 } },
    },
  }),
  defineCase("a syntax error names file and line", {
    python: "import math\n\n@fused.udf\ndef udf():\n    return (1 +\n",
    typescript: "const a = 1;\n\nexport default () => {\n  return (1 + ;\n};\n",
    inPython: {
      error: {
        name: "UdfLoadError",
        exitCode: 2,
        location: { file: "case.py", line: 5 },
        message: /^case\.py, line 5: /,
      },
    },
    inTypeScript: {
      error: { name: "UdfLoadError", exitCode: 2, location: { file: "case.ts", line: 4, column: 15 } },
    },
  }),
  defineCase("what cannot be loaded fails in the same way each time", {
    python: "@fused.udf\ndef udf(:\n    return 1\n",
    typescript: "export default (: number) => 1;\n",
    runs: Array.from({ length: 3 }, () => ({ error: { name: "UdfLoadError", exitCode: 2 } })),
  }),
  defineCase("wrong indentation names file and line", {
    python: "@fused.udf\ndef udf():\n    a = 1\n      return a\n",
    error: { name: "UdfLoadError", location: { file: "case.py", line: 4 } },
  }),
  defineCase("a syntax error that only the compiler finds names file and line", {
    python: "@fused.udf\ndef udf():\n    return 1\n\nbreak\n",
    typescript: "export default () => 1;\nconst a = 1;\nconst a = 2;\n",
    error: { name: "UdfLoadError" },
  }),
  defineCase("a source without a function says what to write", {
    python: "a = 1\nb = 2\n",
    typescript: "const a = 1;\n",
    error: { name: "UdfLoadError", exitCode: 2 },
  }),
  defineCase("a function that is not marked says what to write", {
    python: "def helper():\n    return 1\ndef udf():\n    return 2\n",
    typescript: "export function helper() {\n  return 1;\n}\n",
    error: { name: "UdfLoadError" },
  }),
  defineCase("two functions need a name", {
    python: "@fused.udf\ndef one():\n    return 1\n@fused.udf\ndef two():\n    return 2\n",
    error: { name: "UdfLoadError", message: /one \(line 2\), two \(line 5\)/ },
  }),
  defineCase("of two functions the one called udf is it", {
    python: "@fused.udf\ndef one():\n    return 1\n@fused.udf\ndef udf():\n    return 2\n",
    value: 2,
  }),
  defineCase("a module that does not exist is named", {
    python: python("missing_module.x", "import missing_module"),
    inPython: {
      error: {
        name: "UdfRuntimeError",
        type: "ModuleNotFoundError",
        message: /missing_module/,
        location: { file: "case.py", line: 1 },
      },
    },
    typescript: typescript("x", 'import x from "missing-module";'),
    inTypeScript: { error: { name: "UdfLoadError", message: /missing-module/ } },
  }),
  defineCase("a file that is not beside the UDF is named", {
    typescript: typescript("x", 'import x from "./missing.ts";'),
    error: { name: "UdfLoadError", message: /missing/ },
  }),
  defineCase("an exit is its own error", {
    python: "import sys\n@fused.udf\ndef udf(status):\n    sys.exit(status)\n",
    runs: [
      {
        parameters: { status: 0 },
        error: { name: "UdfExitError", exitCode: 1, message: "The UDF called exit (0)" },
      },
      {
        parameters: { status: "too bad" },
        error: { name: "UdfExitError", message: "The UDF called exit (too bad)" },
      },
      { parameters: { status: null }, error: { name: "UdfExitError", message: "The UDF called exit" } },
    ],
  }),
  defineCase("an interrupt and a cancellation that the UDF raises itself are its errors", {
    python:
      "import asyncio\n@fused.udf\ndef udf(kind: str):\n    raise {'k': KeyboardInterrupt, 'c': asyncio.CancelledError, 'g': GeneratorExit, 's': StopIteration}[kind]\n",
    runs: [
      { parameters: { kind: "k" }, error: { name: "UdfRuntimeError", type: "KeyboardInterrupt" } },
      { parameters: { kind: "c" }, error: { name: "UdfRuntimeError", type: "CancelledError" } },
      { parameters: { kind: "g" }, error: { name: "UdfRuntimeError", type: "GeneratorExit" } },
      { parameters: { kind: "s" }, error: { name: "UdfRuntimeError", type: "StopIteration" } },
    ],
  }),
  defineCase("an error whose text cannot be had is an error nevertheless", {
    python:
      "class Bad(Exception):\n    def __str__(self):\n        raise TypeError('no')\n@fused.udf\ndef udf():\n    raise Bad\n",
    typescript:
      "class Bad extends Error {\n  get message(): string {\n    throw new TypeError('no');\n  }\n}\nexport default () => {\n  throw new Bad();\n};\n",
    error: { name: "UdfRuntimeError", type: "Bad" },
  }),
  defineCase("a very long message is cut", {
    python: python("1 / 0 if False else fail()", "def fail():\n    raise ValueError('x' * 10_000_000)"),
    typescript: "export default () => {\n  throw new Error('x'.repeat(10_000_000));\n};\n",
    scenario: async ({ outcome }) => {
      const { error } = await outcome();
      const { name, message } = error as { name: string; message: string };
      return [name, message.length < 200_000, message.length > 1000];
    },
    value: ["UdfRuntimeError", true, true],
  }),
  defineCase("output before an error comes with it", {
    python:
      'import sys\n@fused.udf\ndef udf():\n    print("before")\n    print("warning", file=sys.stderr)\n    raise ValueError("x")\n',
    typescript:
      'export default () => {\n  console.log("before");\n  console.error("warning");\n  throw new Error("x");\n};\n',
    error: { name: "UdfRuntimeError" },
    stdout: "before\n",
    stderr: "warning\n",
  }),
  defineCase("a promise that nobody waits for and that fails is an error", {
    typescript: 'export default () => {\n  void Promise.reject(new Error("unheard"));\n  return 1;\n};\n',
    error: { name: "UdfRuntimeError", message: "Error: unheard" },
  }),
  defineCase("a promise that never settles is an error", {
    typescript: "export default () => new Promise(() => {});\n",
    error: { name: "UdfRuntimeError", type: "NeverSettles" },
  }),
  defineCase("an error in reading the result is the result's", {
    python:
      "class Late(dict):\n    def items(self):\n        raise ValueError('late')\n    def __len__(self):\n        raise ValueError('late')\nimport collections.abc\nclass View(collections.abc.Mapping):\n    def __getitem__(self, k):\n        raise ValueError('late')\n    def __iter__(self):\n        raise ValueError('late')\n    def __len__(self):\n        return 1\n@fused.udf\ndef udf():\n    return [View()]\n",
    typescript: "export default () => ({ get x() { throw new Error('late'); } });\n",
    error: { name: "ResultError", exitCode: 1 },
  }),
  defineCase("the runtime goes on after every kind of error", {
    python:
      "@fused.udf\ndef udf(kind: str):\n    if kind == 'raise':\n        raise ValueError('x')\n    if kind == 'result':\n        return object()\n    return 'fine'\n",
    typescript:
      "export default ({ kind }: { kind: string }) => {\n  if (kind === 'raise') throw new Error('x');\n  return kind === 'result' ? () => 1 : 'fine';\n};\n",
    runs: [
      { parameters: { kind: "raise" }, error: { name: "UdfRuntimeError" } },
      { parameters: { kind: "fine" }, value: "fine" },
      { parameters: { kind: "result" }, error: { name: "ResultError" } },
      { parameters: { kind: "fine" }, value: "fine" },
      { parameters: { kynd: "x" }, error: { name: "ParameterError" } },
      { parameters: { kind: "fine" }, value: "fine" },
    ],
  }),
] satisfies Case[];
