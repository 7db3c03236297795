/** Many runs of one UDF, which a UDF starts: of its own file without a permission, and of others by their names. */
import type { Bench, Case } from "../case.ts";
import { defineCase, table } from "../case.ts";

/** UDFs of one file. The last one is what a case runs. */
const python = (body: string, before = "", declaration = "def udf()") => `import asyncio
import fused
${before}
@fused.udf
def square(x: int, k: int = 1):
    print("square", x)
    return x * x * k

@fused.udf
def uneven(x: int):
    if x % 2 == 0:
        raise ValueError(f"{x} is even")
    return x

@fused.udf
def meet(x: int, n: int, name: str):
    return fused._host.call("test.meet", name, n, "met")

@fused.udf
def fetch(host: str):
    import urllib.request
    return urllib.request.urlopen(f"http://{host}/").status

@fused.udf
def spin(x: int):
    while True:
        pass

@fused.udf
${declaration}:
    ${body.replaceAll("\n", "\n    ")}
`;
const typescript = (body: string) =>
  `import { submit } from "fuselet/udf";\nexport default async () => {\n  ${body}\n};\n`;

const CHILDREN = {
  square: `import fused\n@fused.udf\ndef udf(x: int):\n    return x * x\n`,
  uneven: `export default ({ x }: { x: number }) => { if (x % 2 === 0) throw new TypeError(x + " is even"); return x; };\n`,
};

const scenario =
  (options: Parameters<Bench["createRuntime"]>[0] = {}, runOptions = {}) =>
  async ({ createRuntime, outcome }: Bench) => {
    const runtime = await createRuntime({
      udfs: CHILDREN,
      pool: { spares: 0, maxIsolates: 2 },
      ...options,
    });
    return outcome(runOptions, { runtime });
  };

const quiet = { stdout: "", stderr: "" };

export default [
  defineCase("results of submitted runs come in the order of their arguments, whoever ends first", {
    python: python(
      "pool = fused.submit(square, list(range(7)), k=2, collect=False)\nreturn [pool.results(), repr(pool), pool.logs()[3], len(pool.times())]",
    ),
    needs: ["blockingCalls"],
    scenario: scenario(),
    value: {
      value: [
        [0, 2, 8, 18, 32, 50, 72],
        "<JobPool with 7 jobs [7 success]>",
        "stdout\n------\nsquare 3\n",
        7,
      ],
      ...quiet,
    },
  }),
  defineCase("submitted runs by name come in the order of their arguments", {
    python: python('return fused.submit("square", [{"x": x} for x in range(5)], collect=False).results()'),
    typescript: typescript('return await submit("square", [0, 1, 2, 3, 4].map((x) => ({ x })));'),
    needs: ["blockingCalls"],
    scenario: scenario({ permissions: { run: ["square"] } }),
    value: { value: [0, 1, 4, 9, 16], ...quiet },
  }),
  defineCase("as many submitted runs as there are isolates are under way at once", {
    python: python(
      'return fused.submit(meet, [1, 2, 3, 4], n=2, name="submit", collect=False, max_retry=0).results()',
    ),
    needs: ["blockingCalls"],
    scenario: scenario(),
    value: { value: ["met", "met", "met", "met"], ...quiet },
  }),
  defineCase("what a submitted run raises has its arguments, and others' results stay", {
    python: python(
      `pool = fused.submit(uneven, [1, 2, 3], collect=False, max_retry=0)
try:
    pool.results()
except RuntimeError as error:
    return [type(error).__name__, str(error), error.child_exception_class, [list(item) for item in pool.success().items()], list(pool.errors()),
            [pool.any_failed(), pool.all_succeeded(), pool.done()], pool.logs()[1].splitlines()[-1]]`,
    ),
    needs: ["blockingCalls"],
    scenario: scenario(),
    value: {
      value: [
        "UdfRuntimeError",
        'Run #1\n{\n  "x": 2\n}\nValueError: 2 is even',
        "ValueError",
        [
          [0, 1],
          [2, 3],
        ],
        [1],
        [true, false, true],
        "ValueError: 2 is even",
      ],
      ...quiet,
    },
  }),
  defineCase("what a submitted run throws can be had in place of its value", {
    typescript: typescript(
      `const found = await submit("uneven", [{ x: 1 }, { x: 2 }], { returnErrors: true });
  const thrown = await submit("uneven", [{ x: 2 }, { x: 4 }]).catch((error) => error);
  return [found[0], found[1].name, found[1].type, thrown.message];`,
    ),
    scenario: scenario({ permissions: { run: true } }),
    value: { value: [1, "UdfRuntimeError", "TypeError", "TypeError: 2 is even"], ...quiet },
  }),
  defineCase("what failed is run again as often as asked, and not after that", {
    python: python(
      "pool = fused.submit(uneven, [1, 2], collect=False, max_retry=1)\npool.wait()\nreturn repr(pool)",
    ),
    needs: ["blockingCalls"],
    scenario: scenario(),
    value: {
      value: "<JobPool with 2 jobs [1 error, 1 success]>",
      stdout: `Error in first failing job (Run #1): UdfRuntimeError('Run #1\\n{\\n  "x": 2\\n}\\nValueError: 2 is even')\nRetrying 1 failed jobs (retry #1)...\n`,
      stderr: "",
    },
  }),
  defineCase("a frame of results has the arguments as its index", {
    python: python(
      `pool = fused.submit(uneven, [{"x": 1}, {"x": 2}, {"x": 5}], collect=False, max_retry=0)
return pool.collect(ignore_exceptions=True, verbose=False).reset_index()`,
      "import pandas",
    ),
    distribution: "pandas",
    needs: ["blockingCalls"],
    value: table(
      "dataframe",
      { x: ["Int64", [1n, 5n]], result: ["Int64", [1n, 5n]] },
      {
        rows: 2,
        meta: { index: [{ kind: "range", name: null, start: 0, stop: 2, step: 1 }] },
      },
    ),
  }),
  defineCase("frames of submitted runs become one, and their own index is its last level", {
    python: python(
      `@fused.udf
def frame(x: int):
    import pandas as pd
    return pd.DataFrame({"a": [x, x + 1]})
whole = fused.submit(frame, range(2), collect=False).collect(verbose=False)
return [list(whole.index.names), [list(key) for key in whole.index], whole["a"].tolist()]`,
    ),
    distribution: "pandas",
    needs: ["blockingCalls"],
    value: [
      ["x", null],
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      [0, 1, 1, 2],
    ],
  }),
  defineCase("what has not begun can be cancelled, and all that is asked then is answered", {
    python: python(
      `pool = fused.submit(spin, range(6), collect=False, max_workers=4)
pool.cancel()
return [repr(pool), sorted(pool.cancelled()), len(pool.results_now())]`,
    ),
    needs: ["blockingCalls"],
    scenario: scenario(),
    value: {
      value: ["<JobPool with 6 jobs [2 running, 4 cancelled]>", [2, 3, 4, 5], 0],
      stdout: "4 task(s) cancelled successfully, 2 task(s) already in progress and can not be cancelled.\n",
      stderr: "",
    },
  }),
  defineCase("submitted runs end with the run that has submitted them", {
    python: python("fused.submit(spin, range(3), collect=False)\nreturn 1"),
    needs: ["blockingCalls"],
    scenario: async (bench) => {
      const runtime = await bench.createRuntime({ pool: { spares: 0, maxIsolates: 2 } });
      const first = await bench.outcome({}, { runtime });
      // In the same isolates: what spun is gone.
      const next = await bench.outcome(
        {},
        { runtime, source: python("return fused.submit(square, [1, 2], collect=False).results()") },
      );
      return [first.value, next.value];
    },
    value: [1, [1, 4]],
  }),
  defineCase("submitted runs are counted", {
    python: python("return fused.submit(square, range(5), collect=False).results()"),
    typescript: typescript('return await submit("square", [{ x: 1 }, { x: 2 }, { x: 3 }, { x: 4 }]);'),
    needs: ["blockingCalls"],
    scenario: scenario({ permissions: { run: true } }, { limits: { nestedRuns: 3 } }),
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
  defineCase("submitted runs are nested five deep at most", {
    python: `import fused
@fused.udf
def down(depth: int = 0):
    @fused.udf
    def next(depth: int, text: str):
        source = "@fused.udf\\ndef next(depth: int, text: str):\\n" + text
        try:
            return [depth] + fused.submit(source, [{"depth": depth + 1, "text": text}], collect=False, max_retry=0).results()[0]
        except Exception as error:
            return [depth, str(error).splitlines()[-1]]
    text = next.code.partition("text: str):\\n")[2]
    return fused.submit(next, [{"depth": 1, "text": text}], collect=False, max_retry=0).results()[0]
`,
    needs: ["blockingCalls"],
    scenario: scenario(),
    value: {
      value: [1, 2, 3, 4, 5, 'Cannot run "udf": runs are nested 5 deep, and at most 5 are allowed'],
      ...quiet,
    },
  }),
  defineCase("a submitted run has no more than the run that submitted it", {
    python: python(
      `pool = fused.submit(fetch, ["other.example"], collect=False)
pool.wait()
error = pool.first_error()
return [type(error).__name__, error.permission, error.value]`,
    ),
    needs: ["blockingCalls"],
    scenario: scenario({ permissions: { net: ["else.example"] } }),
    value: { value: ["PermissionDeniedError", "net", "other.example:80"], ...quiet },
  }),
  defineCase("a denial of run is one of further isolates for the UDF itself, too", {
    python: python("return fused.submit(square, [1], collect=False).results()"),
    needs: ["blockingCalls"],
    scenario: scenario({ permissions: { deny: { run: true } } }),
    value: {
      error: {
        exitCode: 3,
        grant: "",
        message: 'Requires run access to "case", which is denied: run again without --deny-run',
        name: "PermissionDeniedError",
        permission: "run",
        value: "case",
      },
      ...quiet,
    },
  }),
  defineCase("a UDF does not submit itself", {
    python: python(
      "try:\n    fused.submit(udf, [1])\nexcept Exception as error:\n    return type(error).__name__",
      "",
      "def udf(x: int = 1)",
    ),
    value: "UdfSelfRecursionError",
  }),
  defineCase("a pool can be awaited, and so can several", {
    python: python(
      `first = fused.submit(square, [1, 2], collect=False)
second = fused.submit(square, [3, 4], collect=False)
await asyncio.gather(first._wait_async(), second._wait_async())
return [first.results(), (await second).results()]`,
      "",
      "async def udf()",
    ),
    scenario: scenario(),
    value: {
      value: [
        [1, 4],
        [9, 16],
      ],
      ...quiet,
    },
  }),
  defineCase("a host submits values of the first parameter, or objects of parameters", {
    python: "@fused.udf\ndef udf(x: int, k: int = 1):\n    return x * k\n",
    typescript: "export default ({ x, k = 1 }: { x: number; k?: number }) => x * k;\n",
    scenario: async ({ createRuntime, source, fuselet }) => {
      const runtime = await createRuntime({ pool: { spares: 0, maxIsolates: 2 } });
      const valuesOf = async (list: unknown[]) => {
        const values: unknown[] = [];
        for await (const { value } of runtime.submit(source, list)) values.push(value);
        return values;
      };
      const mixed = await valuesOf([{ x: 1 }, 2]).catch((error) => error instanceof fuselet.UsageError);
      return [
        await valuesOf([1, 2, 3]),
        await valuesOf([{ x: 2, k: 5 }, { x: 1 }]),
        await valuesOf([]),
        mixed,
      ];
    },
    value: [[1, 2, 3], [10, 1], [], true],
  }),
] satisfies Case[];
