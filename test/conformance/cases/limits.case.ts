/** Limits: each ends the run with an error that names it, and the runtime goes on. */
import { type Case, defineCase } from "../case.ts";

const MiB = 1024 * 1024;
const timeError = { name: "LimitExceededError", limit: "timeMs", allowed: 250, exitCode: 124 };

/** A UDF that never ends by itself. */
const endless = (title: string, sources: Pick<Case, "python" | "typescript">): Case =>
  defineCase(title, { ...sources, limits: { timeMs: 250 }, error: timeError });

/** The next run of the same runtime works, whatever the last one did. */
const then = (title: string, spec: Omit<Case, "title">): Case =>
  defineCase(title, {
    ...spec,
    scenario: async ({ outcome, language }) => {
      const { limits, parameters } = spec;
      const first = await outcome({
        ...(limits ? { limits } : {}),
        ...(parameters ? { parameters: parameters as Record<string, unknown> } : {}),
      });
      const simple =
        language === "python"
          ? "@fused.udf\ndef udf():\n    return 'alive'\n"
          : "export default () => 'alive';\n";
      const { name, limit } = first.error as { name: string; limit?: string };
      return [name, limit ?? null, (await outcome({}, { source: simple })).value];
    },
  });

export default [
  endless("an endless loop is ended", {
    python: "@fused.udf\ndef udf():\n    while True:\n        pass\n",
    typescript: "export default () => { for (;;) {} };\n",
  }),
  endless("module-level code counts", {
    python: "while True:\n    pass\n@fused.udf\ndef udf():\n    return 1\n",
    typescript: "for (;;) {}\nexport default () => 1;\n",
  }),
  endless("a loop that catches everything is ended", {
    python:
      "@fused.udf\ndef udf():\n    while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            pass\n",
    typescript: "export default () => { for (;;) { try { for (;;) {} } catch {} finally { continue; } } };\n",
  }),
  endless("a wait that nobody ends is ended", {
    python: "import asyncio\n@fused.udf\nasync def udf():\n    await asyncio.sleep(1000)\n",
    typescript: "export default () => new Promise((resolve) => setTimeout(resolve, 1e6));\n",
  }),
  endless("sleeping is ended", { python: "import time\n@fused.udf\ndef udf():\n    time.sleep(1000)\n" }),
  endless("a power of a huge integer is ended", {
    python: "@fused.udf\ndef udf():\n    return (3 ** (10 ** 9)) % 7\n",
  }),
  endless("a regular expression that backtracks for ever is ended", {
    python: "import re\n@fused.udf\ndef udf():\n    return bool(re.match(r'(a+)+$', 'a' * 60 + 'b'))\n",
    typescript: "export default () => /(a+)+$/.test('a'.repeat(60) + 'b');\n",
  }),
  endless("a flood of microtasks is ended", {
    python: "import asyncio\n@fused.udf\nasync def udf():\n    while True:\n        await asyncio.sleep(0)\n",
    typescript: "export default async () => { for (;;) await null; };\n",
  }),
  then("the runtime goes on after the time limit", {
    python: "@fused.udf\ndef udf():\n    while True:\n        pass\n",
    typescript: "export default () => { for (;;) {} };\n",
    limits: { timeMs: 300 },
    value: ["LimitExceededError", "timeMs", "alive"],
  }),
  then("memory that only grows is ended, and the runtime goes on", {
    python:
      "@fused.udf\ndef udf():\n    kept = []\n    while True:\n        kept.append(bytearray(10_000_000))\n",
    typescript:
      "export default () => { const kept = []; for (;;) kept.push(new Uint8Array(1e6).fill(1)); };\n",
    limits: { memoryBytes: 200 * MiB },
    value: ["LimitExceededError", "memoryBytes", "alive"],
  }),
  defineCase("running out of memory can be caught", {
    python:
      "@fused.udf\ndef udf():\n    try:\n        kept = [bytearray(10_000_000) for _ in range(100)]\n    except MemoryError:\n        return 'caught'\n",
    limits: { memoryBytes: 200 * MiB },
    value: "caught",
  }),
  then("endless recursion is the UDF's error, and the runtime goes on", {
    python:
      "@fused.udf\ndef udf():\n    return udf._function() if False else deeper(0)\ndef deeper(n):\n    return deeper(n + 1)\n",
    typescript: "const deeper = (n: number): number => deeper(n + 1) + 1;\nexport default () => deeper(0);\n",
    value: ["UdfRuntimeError", null, "alive"],
  }),
  then("nesting that ends the interpreter is the UDF's error, and the runtime goes on", {
    python: "import json\n@fused.udf\ndef udf():\n    return json.loads('[' * 200000)\n",
    value: ["UdfRuntimeError", null, "alive"],
  }),
  then("an exit is the UDF's end, and the runtime goes on", {
    python: "import os\n@fused.udf\ndef udf():\n    os._exit(3)\n",
    value: ["UdfExitError", null, "alive"],
  }),
  defineCase("a result above the limit is refused by its size", {
    python: "@fused.udf\ndef udf(n: int):\n    return b'x' * n\n",
    typescript: "export default (n: number) => new Uint8Array(n);\n",
    limits: { outputBytes: 10_000 },
    runs: [
      {
        parameters: { n: 20_000 },
        error: { name: "LimitExceededError", limit: "outputBytes", allowed: 10_000, exitCode: 125 },
      },
      { parameters: { n: 3 } },
    ],
    inPython: { value: new Uint8Array([120, 120, 120]) },
    inTypeScript: { value: new Uint8Array(3) },
  }),
  defineCase("host calls are counted", {
    python:
      "import fused._host\n@fused.udf\ndef udf(n: int):\n    for i in range(n):\n        fused._host.call('test.echo', i)\n    return n\n",
    needs: ["blockingCalls"],
    limits: { hostCalls: 10 },
    runs: [
      { parameters: { n: 10 }, value: 10 },
      { parameters: { n: 11 }, error: { name: "LimitExceededError", limit: "hostCalls", allowed: 10 } },
    ],
  }),
  defineCase("a message above the limit ends the run", {
    python:
      "import fused._host\n@fused.udf\nasync def udf(n: int):\n    return len(await fused._host.call_async('test.echo', b'x' * n))\n",
    typescript:
      'import { host } from "fuselet/udf";\nexport default async (n: number) => ((await host.call("test.echo", new Uint8Array(n))) as Uint8Array).length;\n',
    scenario: async ({ createRuntime, source }) => {
      const runtime = await createRuntime({ limits: { messageBytes: 10_000 } });
      const small = (await runtime.run(source, { parameters: { n: 5000 } })).value;
      const large = await runtime
        .run(source, { parameters: { n: 20_000 } })
        .catch((error) => [error.name, error.limit]);
      return [small, large];
    },
    value: [5000, ["LimitExceededError", "messageBytes"]],
  }),
  defineCase("a message that is small as text and large as objects ends the run", {
    python:
      "import fused._host\n@fused.udf\nasync def udf(n: int):\n    return len(await fused._host.call_async('test.echo', [[]] * n))\n",
    typescript:
      'import { host } from "fuselet/udf";\nexport default async (n: number) => ((await host.call("test.echo", Array.from({ length: n }, () => []))) as unknown[]).length;\n',
    scenario: async ({ createRuntime, source }) => {
      const runtime = await createRuntime({ limits: { messageBytes: 100_000 } });
      const small = (await runtime.run(source, { parameters: { n: 1000 } })).value;
      const large = await runtime
        .run(source, { parameters: { n: 5000 } })
        .catch((error) => [error.name, error.limit]);
      return [small, large];
    },
    value: [1000, ["LimitExceededError", "messageBytes"]],
  }),
  defineCase("a run cannot raise the runtime's limits", {
    python: "@fused.udf\ndef udf():\n    while True:\n        pass\n",
    typescript: "export default () => { for (;;) {} };\n",
    scenario: async ({ createRuntime, source }) => {
      const runtime = await createRuntime({ limits: { timeMs: 300 } });
      return runtime
        .run(source, { limits: { timeMs: 60_000 } })
        .catch((error) => [error.name, error.allowed]);
    },
    value: ["LimitExceededError", 300],
  }),
  defineCase("a limit of 0 is refused before anything runs", {
    python: "@fused.udf\ndef udf():\n    return 1\n",
    typescript: "export default () => 1;\n",
    limits: { timeMs: 0 },
    error: {
      name: "UsageError",
      message: /limits\.timeMs: it must be a number above 0: received 0/,
      exitCode: 2,
    },
  }),
];
