/** UDFs of several files: what they import of one another, and how errors name the files. */
import { type Case, defineCase } from "../case.ts";

export default [
  defineCase("a module beside the UDF is imported by its name", {
    python: {
      "udf.py":
        "import helper\nfrom helper import double as twice\n@fused.udf\ndef udf(n: int = 4):\n    return [helper.double(n), twice(1), helper.__name__]\n",
      "helper.py": "def double(n):\n    return n * 2\n",
    },
    typescript: {
      "udf.ts":
        'import { double } from "./helper.ts";\nimport * as helper from "./helper";\nexport default ({ n = 4 }: { n?: number }) => [helper.double(n), double(1), "helper"];\n',
      "helper.ts": "export const double = (n: number): number => n * 2;\n",
    },
    value: [8, 2, "helper"],
  }),
  defineCase("a saved folder says which function runs, and with which values", {
    python: {
      "main.py":
        "import fused\n@fused.udf\ndef first(n: int = 1):\n    return ['first', n]\n@fused.udf\ndef second(n: int = 1, m: int = 2):\n    return ['second', n, m]\n",
      "meta.json": JSON.stringify({
        job_config: {
          steps: [
            { type: "udf", udf: { source: "main.py", entrypoint: "second", parameters: { n: 5, m: 6 } } },
          ],
        },
      }),
    },
    runs: [{ value: ["second", 5, 6] }, { parameters: { m: 7 }, value: ["second", 5, 7] }],
  }),
  defineCase("packages, modules of packages and relative imports", {
    python: {
      "udf.py":
        "import geo.tiles\nfrom geo import scale\n@fused.udf\ndef udf():\n    return [geo.tiles.side(3), scale.FACTOR, geo.NAME, __name__ != 'geo']\n",
      "geo/__init__.py": 'NAME = "geo"\n',
      "geo/tiles.py":
        "from . import scale\nfrom .scale import FACTOR\ndef side(z):\n    return 2**z * scale.FACTOR * FACTOR\n",
      "geo/scale.py": "FACTOR = 10\n",
    },
    typescript: {
      "udf.ts":
        'import { side } from "./geo/tiles.ts";\nimport { FACTOR } from "./geo/scale.ts";\nimport { NAME } from "./geo/index.ts";\nexport default () => [side(3), FACTOR, NAME, true];\n',
      "geo/index.ts": 'export const NAME = "geo";\n',
      "geo/tiles.ts":
        'import { FACTOR } from "./scale.ts";\nimport * as scale from "../geo/scale.ts";\nexport const side = (z: number) => 2 ** z * scale.FACTOR * FACTOR;\n',
      "geo/scale.ts": "export const FACTOR = 10;\n",
    },
    value: [800, 10, "geo", true],
  }),
  defineCase("modules that import each other", {
    python: {
      "udf.py": "import a\n@fused.udf\ndef udf():\n    return a.value()\n",
      "a.py": "import b\ndef value():\n    return b.value() + 1\ndef base():\n    return 10\n",
      "b.py": "import a\ndef value():\n    return a.base() + 1\n",
    },
    typescript: {
      "udf.ts": 'import { value } from "./a.ts";\nexport default () => value();\n',
      "a.ts":
        'import * as b from "./b.ts";\nexport const value = () => b.value() + 1;\nexport const base = () => 10;\n',
      "b.ts": 'import * as a from "./a.ts";\nexport const value = () => a.base() + 1;\n',
    },
    value: 12,
  }),
  defineCase("a JSON file is imported as its value", {
    typescript: {
      "udf.ts": 'import data from "./data.json" with { type: "json" };\nexport default () => data;\n',
      "data.json": '{"places": ["Ålesund", "🌍"], "n": 1.5}',
    },
    value: { places: ["Ålesund", "🌍"], n: 1.5 },
  }),
  defineCase("an error in a module names the module's file and line", {
    python: {
      "udf.py": "import helper\n@fused.udf\ndef udf():\n    return helper.fail()\n",
      "helper.py": "\n\ndef fail():\n    raise ValueError('in the helper')\n",
    },
    typescript: {
      "udf.ts": 'import { fail } from "./helper.ts";\nexport default () => fail();\n',
      "helper.ts": "\n\nexport function fail(): never {\n  throw new Error('in the helper');\n}\n",
    },
    inPython: {
      error: {
        name: "UdfRuntimeError",
        message: "ValueError: in the helper",
        traceback: /File "<case\/helper\.py>", line 4, in fail\n {4}raise ValueError/,
      },
    },
    inTypeScript: {
      error: {
        name: "UdfRuntimeError",
        message: "Error: in the helper",
        traceback: /at fail \(helper\.ts:4:\d+\)/,
      },
    },
  }),
  defineCase("a syntax error in a module names the module's file and line", {
    python: {
      "udf.py": "import helper\n@fused.udf\ndef udf():\n    return 1\n",
      "helper.py": "a = 1\nb = (\n",
    },
    typescript: {
      "udf.ts": 'import "./helper.ts";\nexport default () => 1;\n',
      "helper.ts": "const a = 1;\nconst b = (;\n",
    },
    inPython: { error: { name: /^Udf(Load|Runtime)Error$/, message: /helper\.py/ } },
    inTypeScript: { error: { name: "UdfLoadError", location: { file: "helper.ts", line: 2, column: 12 } } },
  }),
  defineCase("a module that shadows the standard library's is the folder's own", {
    python: {
      "udf.py": "import colorsys\n@fused.udf\ndef udf():\n    return colorsys.NAME\n",
      "colorsys.py": "NAME = 'mine'\n",
    },
    value: "mine",
  }),
  defineCase("a module's state does not outlive the run", {
    python: {
      "udf.py":
        "import store\n@fused.udf\ndef udf():\n    store.seen.append(1)\n    return len(store.seen)\n",
      "store.py": "seen = []\n",
    },
    typescript: {
      "udf.ts": 'import { seen } from "./store.ts";\nexport default () => seen.push(1);\n',
      "store.ts": "export const seen: number[] = [];\n",
    },
    runs: [{ value: 1 }, { value: 1 }, { value: 1 }],
  }),
  defineCase("the modules of one UDF are not there for another", {
    python: {
      "udf.py": "import only_here\n@fused.udf\ndef udf():\n    return only_here.NAME\n",
      "only_here.py": "NAME = 'here'\n",
    },
    scenario: async ({ outcome }) => {
      const other = await outcome(
        {},
        { source: "import only_here\n@fused.udf\ndef udf():\n    return only_here.NAME\n" },
      );
      const own = await outcome();
      const again = await outcome(
        {},
        { source: "import only_here\n@fused.udf\ndef udf():\n    return only_here.NAME\n" },
      );
      return [own.value, ...[other, again].map(({ error }) => (error as { type: string }).type)];
    },
    value: ["here", "ModuleNotFoundError", "ModuleNotFoundError"],
  }),
  defineCase("two UDFs with a module of the same name each get their own", {
    python: {
      "udf.py": "import helper\n@fused.udf\ndef udf():\n    return helper.NAME\n",
      "helper.py": "NAME = 'first'\n",
    },
    scenario: async ({ outcome, source }) => {
      const second = {
        "udf.py": source.code,
        "helper.py": "NAME = 'second'\n",
      };
      const values: unknown[] = [];
      for (const files of [undefined, second, undefined]) {
        values.push((await outcome({}, files ? { source: files } : {})).value);
      }
      return values;
    },
    value: ["first", "second", "first"],
  }),
] satisfies Case[];
