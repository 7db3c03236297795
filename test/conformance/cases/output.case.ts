/** What a UDF prints: all of it, in order, to the stream it was meant for. */
import { type Case, defineCase } from "../case.ts";

const MARK = "\n[output cut off: the limit is reached]\n";

export default [
  defineCase("print and console.log go to stdout, warnings to stderr", {
    python:
      'import sys\n@fused.udf\ndef udf():\n    print("a", 1, None)\n    print("b", file=sys.stderr)\n    sys.stdout.write("c\\n")\n',
    typescript:
      'export default () => {\n  console.log("a", 1, null);\n  console.warn("b");\n  console.info("c");\n};\n',
    inPython: { stdout: "a 1 None\nc\n" },
    value: null,
    stdout: "a 1 null\nc\n",
    stderr: "b\n",
  }),
  defineCase("module-level output counts", {
    python: 'print("loading")\n@fused.udf\ndef udf():\n    print("running")\n',
    typescript: 'console.log("loading");\nexport default () => {\n  console.log("running");\n};\n',
    value: null,
    stdout: "loading\nrunning\n",
  }),
  defineCase("a last line without an end is not lost", {
    python:
      'import sys\n@fused.udf\ndef udf():\n    print("no end", end="")\n    sys.stderr.write("none here")\n',
    value: null,
    stdout: "no end",
    stderr: "none here",
  }),
  defineCase("a last line without an end is not lost when the UDF raises", {
    python: '@fused.udf\ndef udf():\n    print("no end", end="")\n    raise ValueError("x")\n',
    error: { name: "UdfRuntimeError" },
    stdout: "no end",
  }),
  defineCase("both streams arrive in the order in which they were written", {
    python:
      'import sys\n@fused.udf\ndef udf():\n    for i in range(3):\n        print(f"out {i}", flush=True)\n        print(f"err {i}", file=sys.stderr, flush=True)\n',
    typescript:
      "export default () => {\n  for (let i = 0; i < 3; i++) {\n    console.log('out', i);\n    console.error('err', i);\n  }\n};\n",
    scenario: async ({ runtime, source }) => {
      const pieces: string[] = [];
      await runtime.run(source, { onOutput: (stream, text) => pieces.push(`${stream}: ${text}`) });
      return pieces.join("");
    },
    value: "stdout: out 0\nstderr: err 0\nstdout: out 1\nstderr: err 1\nstdout: out 2\nstderr: err 2\n",
  }),
  defineCase("output is heard while the UDF runs", {
    python:
      "import fused._host\n@fused.udf\nasync def udf():\n    print('first', flush=True)\n    await fused._host.call_async('test.heard')\n    print('second')\n",
    typescript:
      "import { host } from 'fuselet/udf';\nexport default async () => {\n  console.log('first');\n  await host.call('test.heard');\n  console.log('second');\n};\n",
    scenario: async ({ createRuntime, source }) => {
      const events: string[] = [];
      const runtime = await createRuntime({ host: { test: { heard: () => events.push("host") && null } } });
      await runtime.run(source, { onOutput: (_, text) => events.push(text.trim()) });
      return events;
    },
    value: ["first", "host", "second"],
  }),
  defineCase("characters that are written in parts arrive whole", {
    python:
      'import sys\n@fused.udf\ndef udf():\n    for byte in "é🌍\\n".encode():\n        sys.stdout.buffer.write(bytes([byte]))\n        sys.stdout.buffer.flush()\n',
    scenario: async ({ runtime, source }) => {
      const pieces: string[] = [];
      const { stdout } = await runtime.run(source, { onOutput: (_, text) => pieces.push(text) });
      return [stdout, pieces.join("") === stdout, pieces.some((piece) => piece.includes("\ufffd"))];
    },
    value: ["é🌍\n", true, false],
  }),
  defineCase("bytes that are no UTF-8 are shown as such", {
    python: 'import sys\n@fused.udf\ndef udf():\n    sys.stdout.buffer.write(b"a\\xff\\xfeb\\n")\n',
    value: null,
    stdout: "a\ufffd\ufffdb\n",
  }),
  defineCase("a character that is cut off at the end is shown as such", {
    python: 'import sys\n@fused.udf\ndef udf():\n    sys.stdout.buffer.write(b"a\\xf0\\x9f")\n',
    value: null,
    stdout: "a\ufffd",
  }),
  defineCase("texts of every script are printed as they are", {
    python: '@fused.udf\ndef udf():\n    print("Łódź 東京 🌍 e\\u0301 \\x00 \\u2028")\n',
    typescript: 'export default () => console.log("Łódź 東京 🌍 e\\u0301 \\x00 \\u2028");\n',
    value: null,
    stdout: "Łódź 東京 🌍 e\u0301 \0 \u2028\n",
  }),
  defineCase("half a surrogate pair in output does not fail the run", {
    python:
      '@fused.udf\ndef udf():\n    try:\n        print("a\\ud83d")\n    except UnicodeEncodeError:\n        print("refused")\n',
    typescript: 'export default () => console.log("a\\ud83d");\n',
    value: null,
    stdout: /^(a.*|refused)\n$/,
  }),
  defineCase("output above the limit is cut and marked", {
    python:
      '@fused.udf\ndef udf():\n    for i in range(100):\n        print(f"{i:09}", flush=True)\n    return "done"\n',
    typescript:
      'export default () => {\n  for (let i = 0; i < 100; i++) console.log(String(i).padStart(9, "0"));\n  return "done";\n};\n',
    limits: { logBytes: 45 },
    value: "done",
    stdout: `000000000\n000000001\n000000002\n000000003\n00000${MARK}`,
  }),
  defineCase("output of exactly the limit is whole", {
    python: '@fused.udf\ndef udf():\n    print("123456789")\n',
    typescript: 'export default () => console.log("123456789");\n',
    limits: { logBytes: 10 },
    value: null,
    stdout: "123456789\n",
  }),
  defineCase("the limit is for both streams together", {
    python:
      'import sys\n@fused.udf\ndef udf():\n    print("12345", flush=True)\n    print("12345", file=sys.stderr, flush=True)\n',
    typescript: 'export default () => {\n  console.log("12345");\n  console.error("12345");\n};\n',
    limits: { logBytes: 8 },
    value: null,
    stdout: "12345\n",
    stderr: `12${MARK}`,
  }),
  defineCase("ten thousand lines of output arrive whole", {
    python: '@fused.udf\ndef udf():\n    for i in range(10_000):\n        print(f"{i:049}")\n',
    typescript:
      'export default () => {\n  for (let i = 0; i < 10_000; i++) console.log(String(i).padStart(49, "0"));\n};\n',
    scenario: async ({ runtime, source }) => {
      const { stdout } = await runtime.run(source);
      const lines = stdout.split("\n");
      return [stdout.length, lines.every((line, i) => line === "" || Number(line) === i)];
    },
    value: [500_000, true],
  }),
  defineCase("logging and warnings go to stderr", {
    python:
      'import logging, warnings\n@fused.udf\ndef udf():\n    logging.warning("careful")\n    warnings.warn("old", DeprecationWarning, stacklevel=1)\n',
    value: null,
    stderr: /^WARNING:root:careful\n(<udf case>:5: DeprecationWarning: old\n.*\n)?$/,
  }),
  defineCase("standard input is empty", {
    python:
      "import sys\n@fused.udf\ndef udf():\n    return [sys.stdin.read(), sys.stdin.isatty(), sys.stdout.isatty()]\n",
    value: ["", false, false],
  }),
  defineCase("objects are printed for people", {
    typescript:
      "export default () => console.log({ a: [1, 'x', null], b: new Map([[1, { c: 2n }]]) }, [undefined], -0, new Date(0));\n",
    value: null,
    stdout:
      "{ a: [ 1, 'x', null ], b: Map(1) { 1 => { c: 2n } } } [ undefined ] -0 1970-01-01T00:00:00.000Z\n",
  }),
] satisfies Case[];
