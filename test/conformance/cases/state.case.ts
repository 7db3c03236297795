/** What a run leaves behind is gone in the next one. Each case dirties something and looks for it twice. */
import { type Case, defineCase, python } from "../case.ts";

/** A UDF that says what it finds and then leaves something; every run must find what the first one found. */
const leaves = (title: string, look: string, leave: string, clean: unknown, imports = ""): Case =>
  defineCase(title, {
    python: `${imports}\n@fused.udf\ndef udf():\n    found = ${look}\n    ${leave.replaceAll("\n", "\n    ")}\n    return found\n`,
    runs: [{ value: clean }, { value: clean }, { value: clean }],
  });

/** The same in TypeScript. */
const leavesInTypeScript = (title: string, look: string, leave: string, clean: unknown): Case =>
  defineCase(title, {
    typescript: `export default () => {\n  const found = ${look};\n  ${leave}\n  return found;\n};\n`,
    runs: [{ value: clean }, { value: clean }, { value: clean }],
  });

export default [
  leaves(
    "a changed builtin is whole again",
    "len([1, 2, 3])",
    "import builtins\nbuiltins.len = lambda x: 42\nbuiltins.left = 1",
    3,
  ),
  leaves(
    "a changed module is whole again",
    'json.dumps([1, {"a": 2}])',
    "json.dumps = None",
    '[1, {"a": 2}]',
    "import json",
  ),
  leaves(
    "a module that was put into sys.modules is gone",
    '"leftover" in sys.modules',
    'sys.modules["leftover"] = sys',
    false,
    "import sys",
  ),
  leaves(
    "files, folders and the working folder are as they were",
    "[sorted(os.listdir('/tmp')), os.getcwd()]",
    "os.makedirs('/tmp/a/b')\nopen('/tmp/a/b/c', 'w').write('x' * 5000)\nos.chdir('/tmp/a')",
    [[], "/home/pyodide"],
    "import os",
  ),
  leaves(
    "an open file does not stay open",
    "len(os.listdir('/tmp'))",
    "global kept\nkept = open('/tmp/open', 'w')\nkept.write('x')",
    0,
    "import os\nkept = None",
  ),
  leaves(
    "a file of the standard library that was written over is whole again",
    "open('/lib/python3.14/site-packages/fused/__init__.py').read()[:3]",
    "open('/lib/python3.14/site-packages/fused/__init__.py', 'w').write('broken')",
    '"""',
  ),
  defineCase("each way to change a file on its own is undone", {
    python: `
import os, pathlib, stat
import fused

HOME = pathlib.Path(fused.__file__).parent
FILE = HOME / "__init__.py"
CHANGES = {
    "mode": lambda: FILE.chmod(0o400),
    "length": lambda: os.truncate(FILE, 10),
    "emptied": lambda: open(FILE, "w").close(),
    "end": lambda: open(FILE, "a").write("left"),
    "place": lambda: os.pwrite(os.open(FILE, os.O_WRONLY), b"left", 0),
    "name": lambda: FILE.rename(HOME / "left.py"),
    "over another": lambda: FILE.rename(HOME / "_run.py"),
    "removed": lambda: FILE.unlink(),
    "new": lambda: os.close(os.open(HOME / "left.txt", os.O_CREAT)),
    "folder": lambda: (HOME / "left").mkdir(),
    "link": lambda: (HOME / "left").symlink_to(FILE),
    "folder at home": lambda: os.mkdir("/home/web_user/left"),
    "link at home": lambda: os.symlink(FILE, "/home/web_user/left"),
    "no home": lambda: os.rmdir("/home/web_user"),
    "mapped": lambda: map_left(),
    "none": lambda: None,
}


def map_left():
    import mmap
    with open(FILE, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:4] = b"left"
        mapped.flush()

@fused.udf
def udf(change: str):
    found = [oct(stat.S_IMODE(FILE.stat().st_mode)), "left" in FILE.read_text(), FILE.read_text()[:3], FILE.stat().st_size > 100,
             (HOME / "_run.py").stat().st_size != FILE.stat().st_size, [name for name in os.listdir(HOME) if "left" in name or "init" in name],
             os.listdir("/home")]
    try:
        CHANGES[change]()
    except OSError as error:
        found.append(f"{change}: {error}")
    return found
`,
    runs: [
      "mode",
      "length",
      "emptied",
      "end",
      "place",
      "name",
      "over another",
      "removed",
      "new",
      "folder",
      "link",
      "mapped",
      "folder at home",
      // Which fails where a folder is not empty.
      "no home",
      "link at home",
      "no home",
      "none",
    ].map((change) => ({
      parameters: { change },
      value: ["0o777", false, '"""', true, true, ["__init__.py"], ["web_user", "pyodide"]],
    })),
  }),
  leaves(
    "the environment is as it was",
    '"LEFT" in os.environ',
    'os.environ["LEFT"] = "1"',
    false,
    "import os",
  ),
  leaves(
    "a class that was changed is whole again",
    "collections.Counter('aab')['a']",
    "collections.Counter.__getitem__ = lambda self, key: 99",
    2,
    "import collections",
  ),
  leaves(
    "settings of the interpreter are as they were",
    "[sys.getrecursionlimit() > 500, sys.gettrace() is None, gc.isenabled()]",
    "sys.setrecursionlimit(200)\nsys.settrace(lambda *a: None)\ngc.disable()",
    [true, true, true],
    "import gc, sys",
  ),
  leaves(
    "a function for the end of the program does not run later",
    "os.path.exists('/tmp/atexit')",
    "atexit.register(lambda: open('/tmp/atexit', 'w').close())",
    false,
    "import atexit, os",
  ),
  leaves(
    "a generator, a cycle and a finalizer of the last run do nothing in this one",
    "sorted(os.listdir('/tmp'))",
    "class Late:\n    def __del__(self):\n        open('/tmp/late', 'w').close()\nlate = Late()\nlate.me = late",
    [],
    "import os",
  ),
  defineCase("a task that was left running never goes on", {
    python: `
import asyncio, os
@fused.udf
async def udf():
    found = os.path.exists("/tmp/late")
    async def late():
        await asyncio.sleep(0.01)
        open("/tmp/late", "w").close()
    asyncio.ensure_future(late())
    return found
`,
    scenario: async ({ outcome }) => {
      const seen = [];
      for (let i = 0; i < 3; i++) {
        seen.push((await outcome()).value);
        await outcome(
          {},
          {
            source: {
              "case.py": "import asyncio\n@fused.udf\nasync def udf():\n    await asyncio.sleep(0.03)\n",
            },
          },
        );
      }
      return seen;
    },
    value: [false, false, false],
  }),
  defineCase("a failed run leaves nothing, either", {
    python: `
import builtins
@fused.udf
def udf(fail: bool = False):
    found = len([1])
    builtins.len = lambda x: 42
    if fail:
        raise ValueError("left in the middle")
    return found
`,
    runs: [
      { parameters: { fail: true }, error: { name: "UdfRuntimeError", type: "ValueError" } },
      { value: 1 },
      { parameters: { fail: true }, error: { name: "UdfRuntimeError", type: "ValueError" } },
      { value: 1 },
    ],
  }),
  defineCase("a large allocation of the last run does not count in this one", {
    python: `
@fused.udf
def udf():
    data = bytearray(60_000_000)
    return len(data)
`,
    runs: [{ value: 60_000_000 }, { value: 60_000_000 }, { value: 60_000_000 }, { value: 60_000_000 }],
  }),
  defineCase("random numbers differ from run to run", {
    python:
      "import random, uuid\n@fused.udf\ndef udf():\n    return [random.random(), str(uuid.uuid4()), random.getrandbits(64)]\n",
    typescript:
      "export default () => [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(8)).join()];\n",
    scenario: async ({ runtime, source }) => {
      const drawn: unknown[] = [];
      for (let i = 0; i < 4; i++) drawn.push(...((await runtime.run(source)).value as unknown[]));
      return new Set(drawn).size;
    },
    value: 12,
  }),
  defineCase("module-level code runs anew in each run", {
    python: "counter = [0]\n@fused.udf\ndef udf():\n    counter[0] += 1\n    return counter[0]\n",
    typescript: "let counter = 0;\nexport default () => ++counter;\n",
    runs: [{ value: 1 }, { value: 1 }, { value: 1 }],
  }),
  leavesInTypeScript(
    "a changed prototype is whole again",
    "[3, 1, 2].sort().join()",
    "Array.prototype.sort = () => ['changed'];",
    "1,2,3",
  ),
  leavesInTypeScript(
    "a global that was left is gone",
    '"left" in globalThis',
    "(globalThis as any).left = 1;",
    false,
  ),
  leavesInTypeScript(
    "JSON and Math are whole again",
    "JSON.stringify([Math.max(1, 2)])",
    "JSON.stringify = () => 'changed'; Math.max = () => 99;",
    "[2]",
  ),
  leavesInTypeScript(
    "a timer of the last run never fires",
    "(globalThis as any).late ?? null",
    "setTimeout(() => { (globalThis as any).late = 1; }, 0);",
    null,
  ),
  defineCase("another UDF of the same principal sees nothing of the first", {
    python:
      "import builtins, os\n@fused.udf\ndef udf():\n    builtins.secret = 'first'\n    os.environ['SECRET'] = 'first'\n    open('/tmp/secret', 'w').write('first')\n    return 1\n",
    typescript: "export default () => { (globalThis as any).secret = 'first'; return 1; };\n",
    scenario: async ({ outcome, language }) => {
      const look =
        language === "python"
          ? "import builtins, os\n@fused.udf\ndef udf():\n    return [hasattr(builtins, 'secret'), 'SECRET' in os.environ, os.listdir('/tmp')]\n"
          : "export default () => [typeof (globalThis as any).secret];\n";
      await outcome();
      return (await outcome({}, { source: look })).value;
    },
    inPython: { value: [false, false, []] },
    inTypeScript: { value: ["undefined"] },
  }),
  defineCase("another principal sees nothing of the first, and the first nothing of itself", {
    python:
      "import builtins\n@fused.udf\ndef udf():\n    found = getattr(builtins, 'who', None)\n    builtins.who = 'somebody'\n    return found\n",
    typescript:
      "export default () => { const found = (globalThis as any).who ?? null; (globalThis as any).who = 1; return found; };\n",
    runs: [
      { principal: "a", value: null },
      { principal: "b", value: null },
      { principal: "a", value: null },
    ],
  }),
  defineCase("an isolate serves the same UDF again, its memory put back in place", {
    python: python("1"),
    scenario: async ({ createRuntime, source }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
      const restored: boolean[] = [];
      for (let i = 0; i < 4; i++) restored.push((await runtime.run(source)).timing.restoreMs > 0);
      return restored;
    },
    value: [false, true, true, true],
  }),
  defineCase("the memory that former UDFs left to be collected is not counted against the next", {
    // Long enough for the memory to be looked at.
    python:
      "import time\nimport pandas as pd\n@fused.udf\ndef udf():\n    time.sleep(0.12)\n    return int(pd.Series([NUMBER]).sum())\n",
    distribution: "pandas",
    scenario: async ({ createRuntime, outcome, source }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
      const limits = { memoryBytes: 512 * 1024 * 1024 };
      const answers: unknown[] = [];
      for (let number = 0; number < 10; number++) {
        const code = source.code.replace("NUMBER", String(number));
        const { value, error } = await outcome({ limits }, { runtime, source: code });
        answers.push(value ?? error);
      }
      return answers;
    },
    value: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  }),
];
