/** UDFs that run other UDFs by name: values and errors both ways, and never more than what the one that asks has. */
import type { Bench, Case } from "../case.ts";
import { defineCase } from "../case.ts";

/** The UDFs that a run may find, in both languages. */
const CHILDREN = {
  echo: `import fused\n@fused.udf\ndef udf(value, depth: bool = False):\n    return [value, fused.context.get_recursion_factor()]\n`,
  shout: `import { context } from "fuselet/udf";
export default async ({ value }: { value: unknown }) => [value, (await context()).recursionFactor];\n`,
  fail: `import fused\n@fused.udf\ndef udf(value):\n    print("before")\n    raise KeyError(value)\n`,
  ask: `import fused, urllib.request\n@fused.udf\ndef udf(value=None):\n    return urllib.request.urlopen("http://other.example/").read()\n`,
  spin: `import fused\n@fused.udf\ndef udf(value=None):\n    while True:\n        pass\n`,
  broken: `import fused\n@fused.udf\ndef udf(value=None)\n    return 1\n`,
  chain: `import fused\n@fused.udf\ndef udf(value: int = 1):\n    return [value] + fused.run("chain", value=value + 1)\n`,
  same: `export default ({ value }: { value: string }) => value + Math.random();\n`,
  meet: `import fused\n@fused.udf\ndef udf(value: str, n: int):\n    return fused._host.call("test.meet", value, n, "met")\n`,
};

const python = (body: string) =>
  `import asyncio\nimport fused\n@fused.udf\ndef udf():\n    ${body.replaceAll("\n", "\n    ")}\n`;
const typescript = (body: string) =>
  `import { run } from "fuselet/udf";\nexport default async () => {\n  ${body}\n};\n`;

/** A runtime that has the children. */
const withChildren =
  (options: Parameters<Bench["createRuntime"]>[0] = { permissions: { run: true } }, runOptions = {}) =>
  async ({ createRuntime, outcome }: Bench) => {
    const runtime = await createRuntime({ udfs: CHILDREN, pool: { spares: 0, maxIsolates: 1 }, ...options });
    return outcome(runOptions, { runtime });
  };

const quiet = { stdout: "", stderr: "" };

export default [
  defineCase("a UDF runs others, of either language, and gets their values", {
    python: python(
      'return [fused.run("echo", value={"a": [1, None, b"x"]}), fused.run("shout", parameters={"value": 2**60})]',
    ),
    typescript: typescript(
      'return [await run("echo", { value: { a: [1, null, new Uint8Array([120])] } }), await run("shout", { value: 2n ** 60n })];',
    ),
    needs: ["blockingCalls"],
    scenario: withChildren(),
    value: {
      value: [
        [{ a: [1, null, new Uint8Array([120])] }, 1],
        [2n ** 60n, 1],
      ],
      ...quiet,
    },
  }),
  defineCase("what another UDF raises can be caught, with its class and its output", {
    python: python(
      'try:\n    fused.run("fail", value="x")\nexcept RuntimeError as error:\n    return [type(error).__name__, str(error), error.child_exception_class]',
    ),
    needs: ["blockingCalls"],
    scenario: withChildren(),
    value: {
      value: ["UdfRuntimeError", "KeyError: 'x'", "KeyError"],
      stdout: "before\n",
      stderr: `Traceback (most recent call last):\n  File "<udf fail>", line 5, in udf\n    raise KeyError(value)\nKeyError: 'x'\n`,
    },
  }),
  defineCase("what another UDF raises can be caught, with its class", {
    typescript: typescript(
      'try { await run("fail", { value: "x" }); } catch (error) { return [error.name, error.message, error.type]; }',
    ),
    scenario: withChildren(),
    value: { value: ["UdfRuntimeError", "KeyError: 'x'", "KeyError"], ...quiet },
  }),
  defineCase("of runs of other UDFs, mistakes are told by their kind", {
    python: python(
      `found = []
for name, given in [("nobody", {}), ("echo", {"other": 1}), ("echo", {}), ("broken", {})]:
    try:
        fused.run(name, **given)
    except Exception as error:
        found.append(type(error).__name__ + ": " + str(error).splitlines()[0])
return found`,
    ),
    needs: ["blockingCalls"],
    scenario: withChildren(),
    value: {
      value: [
        'ValueError: Cannot run "nobody": there is no UDF of that name',
        "TypeError: udf() got unexpected keyword argument 'other'",
        "UdfRuntimeError: TypeError: udf() missing 1 required positional argument: 'value'",
        "ValueError: udf.py, line 3: expected ':'",
      ],
      ...quiet,
      stderr: "TypeError: udf() missing 1 required positional argument: 'value'\n",
    },
  }),
  defineCase("a result of another UDF counts for as long as is asked, where the cache is granted", {
    python: python(
      `def same(value, **options):
    return fused.run("same", value=value, **options)
return [same("python", cache_max_age="1h") == same("python", cache_max_age="1h"), same("python") == same("python"), same("python", cache_max_age="0") == same("python", cache_max_age="0")]`,
    ),
    typescript: typescript(
      'const same = (options?: object) => run("same", { value: "typescript" }, options);\n  const aged = { cacheMaxAge: "1h" };\n  return [(await same(aged)) === (await same(aged)), (await same()) === (await same()), (await same({ cacheMaxAge: 0 })) === (await same({ cacheMaxAge: 0 }))];',
    ),
    needs: ["blockingCalls"],
    scenario: withChildren({ permissions: { run: true, cache: true } }),
    value: { value: [true, false, false], ...quiet },
  }),
  defineCase("without the cache it is run each time", {
    python: python(
      'found = [fused.run("same", value="a", cache_max_age="1h") for _ in range(2)]\nreturn found[0] == found[1]',
    ),
    typescript: typescript(
      'const same = () => run("same", { value: "a" }, { cacheMaxAge: "1h" });\n  return (await same()) === (await same());',
    ),
    needs: ["blockingCalls"],
    scenario: withChildren(),
    value: { value: false, ...quiet },
  }),
  defineCase("a run of another UDF needs the permission for its name", {
    python: python('return fused.run("echo", value=1)'),
    typescript: typescript('return await run("echo", { value: 1 });'),
    needs: ["blockingCalls"],
    scenario: withChildren({ permissions: { run: ["shout"] } }),
    value: {
      error: {
        exitCode: 3,
        grant: "--allow-run=echo",
        message: 'Requires run access to "echo": run again with --allow-run=echo',
        name: "PermissionDeniedError",
        permission: "run",
        value: "echo",
      },
      ...quiet,
    },
  }),
  defineCase("a nested run has no more than the run that asked, and nobody is asked for it", {
    python: python('return fused.run("ask")'),
    typescript: typescript('return await run("ask");'),
    needs: ["blockingCalls"],
    scenario: async (bench) => {
      const asked: string[] = [];
      const { error } = await withChildren(
        {
          permissions: { run: true, net: ["other.example"] },
          onUngranted: async ({ value }) => {
            asked.push(value);
            return { allowed: true, how: "prompt once" };
          },
        },
        { permissions: { run: true } },
      )(bench);
      const { name, value } = error as { name: string; value: string };
      return { name, value, asked };
    },
    value: { name: "PermissionDeniedError", value: "other.example:80", asked: [] },
  }),
  defineCase(
    "runs are nested five deep at most, and in a pool of one isolate they do not wait for each other",
    {
      python: python('return fused.run("chain")'),
      typescript: typescript('return await run("chain");'),
      needs: ["blockingCalls"],
      scenario: async (bench) => {
        const { error } = await withChildren()(bench);
        const { name, message } = error as { name: string; message: string };
        return [name, /nested \d deep, and at most \d are allowed/.exec(message)?.[0]];
      },
      value: ["UdfRuntimeError", "nested 5 deep, and at most 5 are allowed"],
    },
  ),
  defineCase("several other UDFs run at once, up to the pool's bound", {
    python: `import asyncio\nimport fused\n@fused.udf\nasync def udf():\n    return await asyncio.gather(*[fused.run("meet", value="r", n=2, sync=False) for _ in range(4)])\n`,
    typescript: typescript(
      'return await Promise.all([1, 2, 3, 4].map(() => run("meet", { value: "r", n: 2 })));',
    ),
    needs: ["blockingCalls"],
    scenario: withChildren({ permissions: { run: true }, pool: { maxIsolates: 2, spares: 0 } }),
    value: { value: ["met", "met", "met", "met"], ...quiet },
  }),
  defineCase("runs of other UDFs are counted", {
    python: python('for i in range(4):\n    fused.run("echo", value=i)'),
    typescript: typescript('for (let i = 0; i < 4; i++) await run("echo", { value: i });'),
    needs: ["blockingCalls"],
    scenario: withChildren({ permissions: { run: true } }, { limits: { nestedRuns: 3 } }),
    value: {
      error: {
        allowed: 3,
        exitCode: 125,
        limit: "nestedRuns",
        message: "The run started more than 3 runs of other UDFs. Raise it with limits.nestedRuns",
        name: "LimitExceededError",
      },
      ...quiet,
    },
  }),
  defineCase("another UDF ends with the run that asked for it", {
    python: python('return fused.run("spin")'),
    typescript: typescript('return await run("spin");'),
    needs: ["blockingCalls"],
    scenario: async ({ createRuntime, outcome, language }) => {
      const runtime = await createRuntime({
        permissions: { run: true },
        udfs: CHILDREN,
        pool: { spares: 0, maxIsolates: 1 },
      });
      const { error } = await outcome({ limits: { timeMs: 1500 } }, { runtime });
      // In the pool's one isolate: what spun is gone.
      const next = await outcome(
        {},
        { runtime, source: language === "python" ? python("return 1") : typescript("return 1;") },
      );
      return [(error as { name: string }).name, next.value];
    },
    value: ["LimitExceededError", 1],
  }),
] satisfies Case[];
