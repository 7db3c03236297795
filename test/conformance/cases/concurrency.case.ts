/** Several runs at once: each gets its own parameters, output, calls and errors. */
import { type Bench, type Case, defineCase } from "../case.ts";

const meetingPython =
  "from fused._host import call_async\n@fused.udf\nasync def udf(name: str, room: str = 'room', count: int = 3):\n    print(name, flush=True)\n    return await call_async('test.meet', room, count, name)\n";
const meetingTypeScript =
  "import { host } from 'fuselet/udf';\nexport default async ({ name, room = 'room', count = 3 }: { name: string; room?: string; count?: number }) => {\n  console.log(name);\n  return host.call('test.meet', room, count, name);\n};\n";

const valuesOf = (outcomes: Awaited<ReturnType<Bench["outcome"]>>[]): unknown =>
  outcomes.map(
    ({ value, stdout, error }) =>
      (error as { name: string } | undefined)?.name ?? [value ?? null, stdout ?? ""],
  );

export default [
  defineCase("three runs of one principal are under way together", {
    python: meetingPython,
    typescript: meetingTypeScript,
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 3, spares: 0 } });
      const runs = ["a", "b", "c"].map((name) => outcome({ parameters: { name } }, { runtime }));
      return valuesOf(await Promise.all(runs));
    },
    value: [
      ["a", "a\n"],
      ["b", "b\n"],
      ["c", "c\n"],
    ],
  }),
  defineCase("three runs of three principals are under way together", {
    python: meetingPython,
    typescript: meetingTypeScript,
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 3, spares: 0 } });
      const runs = ["a", "b", "c"].map((name) =>
        outcome({ principal: name, parameters: { name } }, { runtime }),
      );
      return valuesOf(await Promise.all(runs));
    },
    value: [
      ["a", "a\n"],
      ["b", "b\n"],
      ["c", "c\n"],
    ],
  }),
  defineCase("more runs than isolates take turns, and none is lost", {
    python: "@fused.udf\ndef udf(n: int):\n    print(n)\n    return n * n\n",
    typescript: "export default ({ n }: { n: number }) => {\n  console.log(n);\n  return n * n;\n};\n",
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 2, spares: 0 } });
      const runs = Array.from({ length: 6 }, (_, n) =>
        outcome({ parameters: { n }, principal: `p${n % 3}` }, { runtime }),
      );
      const outcomes = valuesOf(await Promise.all(runs));
      return [outcomes, runtime.isolates.isolates <= 2];
    },
    value: [Array.from({ length: 6 }, (_, n) => [n * n, `${n}\n`]), true],
  }),
  defineCase("a run that fails harms none of the others", {
    python: "@fused.udf\ndef udf(n: int):\n    if n % 2:\n        raise ValueError(n)\n    return n\n",
    typescript:
      "export default ({ n }: { n: number }) => {\n  if (n % 2) throw new RangeError(String(n));\n  return n;\n};\n",
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 2, spares: 0 } });
      const runs = Array.from({ length: 6 }, (_, n) => outcome({ parameters: { n } }, { runtime }));
      return valuesOf(await Promise.all(runs));
    },
    value: [[0, ""], "UdfRuntimeError", [2, ""], "UdfRuntimeError", [4, ""], "UdfRuntimeError"],
  }),
  defineCase("a run that reaches its limit harms none of the others", {
    python: "@fused.udf\ndef udf(n: int):\n    while n == 0:\n        pass\n    return n\n",
    typescript: "export default ({ n }: { n: number }) => {\n  while (n === 0);\n  return n;\n};\n",
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 2, spares: 0 } });
      const late = outcome({ parameters: { n: 0 }, limits: { timeMs: 500 } }, { runtime });
      const others = [1, 2, 3].map((n) => outcome({ parameters: { n } }, { runtime }));
      return valuesOf(await Promise.all([late, ...others]));
    },
    value: ["LimitExceededError", [1, ""], [2, ""], [3, ""]],
  }),
  defineCase("two languages run in one runtime at once", {
    python: meetingPython,
    scenario: async ({ createRuntime }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 2, spares: 0 } });
      const both = [meetingPython, meetingTypeScript].map((source, i) =>
        runtime.run(source, { parameters: { name: `n${i}`, count: 2 } }),
      );
      return (await Promise.all(both)).map(({ value, stdout }) => [value, stdout]);
    },
    value: [
      ["n0", "n0\n"],
      ["n1", "n1\n"],
    ],
  }),
  defineCase("submit gives the results in the order of the arguments", {
    python: "@fused.udf\ndef udf(n: int):\n    return n * 10\n",
    typescript: "export default ({ n }: { n: number }) => n * 10;\n",
    scenario: async ({ runtime, source }) => {
      const values: unknown[] = [];
      for await (const { value } of runtime.submit(source, [{ n: 3 }, { n: 1 }, { n: 2 }], { maxWorkers: 2 }))
        values.push(value);
      return values;
    },
    value: [30, 10, 20],
  }),
  defineCase("submit ends with the first run that fails", {
    python: "@fused.udf\ndef udf(n: int):\n    return 10 // n\n",
    typescript:
      "export default ({ n }: { n: number }) => {\n  if (n === 0) throw new RangeError('zero');\n  return 10 / n;\n};\n",
    scenario: async ({ runtime, source }) => {
      const values: unknown[] = [];
      try {
        for await (const { value } of runtime.submit(source, [{ n: 5 }, { n: 0 }, { n: 2 }], {
          maxWorkers: 1,
        }))
          values.push(value);
      } catch (error) {
        values.push((error as Error).name);
      }
      return values;
    },
    value: [2, "UdfRuntimeError"],
  }),
  defineCase("leaving submit early ends what is under way", {
    python: "@fused.udf\ndef udf(n: int):\n    while n > 0:\n        pass\n    return n\n",
    typescript: "export default ({ n }: { n: number }) => {\n  while (n > 0);\n  return n;\n};\n",
    scenario: async ({ createRuntime, source }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 2, spares: 0 } });
      for await (const { value } of runtime.submit(source, [{ n: 0 }, { n: 1 }], { maxWorkers: 2 }))
        return value;
      return null;
    },
    value: 0,
  }),
] satisfies Case[];
