/** `fused.load` inside an isolate: text, the UDF's own files, what it wrote itself, and names that the host knows. */
import { defineCase } from "../case.ts";

const OTHER = `import fused
FACTOR = 10
def helper(x):
    return x * FACTOR
@fused.udf(headers=["lib/geo.py"])
def other(x: int = 1):
    import geo
    return helper(x) + geo.two
`;

const python = (body: string, decorator = "@fused.udf") =>
  `import fused\n${decorator}\ndef udf():\n    ${body.replaceAll("\n", "\n    ")}\n`;

export default [
  defineCase("text is loaded and called, and its module's globals are read", {
    python: python(
      `loaded = fused.load("import fused\\nX = [1]\\n@fused.udf\\ndef main(a: int = 1):\\n    return [a, X]\\n")
return [loaded.name, loaded(a="4"), loaded.X, fused.run(loaded, a=2.0), loaded.set_parameters({"a": 9})()]`,
    ),
    value: ["main", [4, [1]], [1], [2, [1]], [9, [1]]],
  }),
  defineCase("a path is a file beside the UDF, with the headers that it names", {
    python: {
      "udf.py": python(
        `loaded = fused.load("other.py")
return [loaded.name, loaded(3), loaded.helper(2), [header.module_name for header in loaded.headers], fused.load("saved")()]`,
      ),
      "other.py": OTHER,
      "lib/geo.py": "two = 2\n",
      "saved/meta.json":
        '{"job_config": {"steps": [{"type": "udf", "udf": {"name": "s", "source": "s.py", "entrypoint": "udf", "parameters": {"a": 7}}}]}}',
      "saved/s.py": "import fused\n@fused.udf\ndef udf(a: int = 1):\n    return a\n",
    },
    value: ["other", 32, 20, ["geo"], 7],
  }),
  defineCase("what a UDF writes as a folder or a zip archive it can load again", {
    python: python(
      `import os, tempfile
folder = tempfile.mkdtemp()
loaded = fused.load("import fused\\n@fused.udf\\ndef main(a: int = 1):\\n    # kept\\n    return -a\\n").set_parameters({"a": 5})
loaded.to_directory(folder + "/f")
loaded.to_file(folder + "/f.zip")
again = [fused.load(folder + "/f"), fused.load(folder + "/f.zip")]
return [sorted(os.listdir(folder + "/f")), [udf() for udf in again], [udf.entrypoint for udf in again], "# kept" in again[0].code]`,
    ),
    value: [["README.md", "main.py", "meta.json"], [-5, -5], ["udf", "udf"], true],
  }),
  defineCase("what cannot be loaded is told by its kind", {
    python: python(
      `found = []
for what in ["x\\n", "import fused\\ndef f(:\\n", "missing.py", "missing.zip"]:
    try:
        fused.load(what)
    except Exception as error:
        found.append(type(error).__name__)
return found`,
    ),
    value: ["ValueError", "ValueError", "FileNotFoundError", "FileNotFoundError"],
  }),
  defineCase("a header in a folder is imported by the name of its file", {
    python: {
      "udf.py": `import fused\nimport geo\n@fused.udf(headers=["lib/geo.py"])\ndef udf():\n    import lib.geo\n    return [geo.two, lib.geo.two]\n`,
      "lib/geo.py": "two = 2\n",
    },
    value: [2, 2],
  }),
  defineCase("a name is a UDF that the host knows, and needs the permission to run it", {
    python: python(
      `child = fused.load("child")
try:
    fused.load("other_child")(x=1)
except fused.PermissionDeniedError as error:
    return [child(x=3), fused.run(child, x=4), error.permission, error.value]`,
    ),
    needs: ["blockingCalls"],
    scenario: async ({ createRuntime, outcome }) => {
      const child = "import fused\n@fused.udf\ndef udf(x: int):\n    return x + 1\n";
      const runtime = await createRuntime({
        udfs: { child, other_child: child },
        permissions: { run: ["child"] },
        pool: { spares: 0, maxIsolates: 1 },
      });
      return outcome({}, { runtime });
    },
    value: { value: [4, 5, "run", "other_child"], stdout: "", stderr: "" },
  }),
];
