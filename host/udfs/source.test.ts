import { strToU8, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { UdfLoadError } from "../../runtime/errors.ts";
import { identityOf } from "../../runtime/udf.ts";
import {
  detectLanguage,
  sourceFromBytes,
  sourceFromFiles,
  sourceFromObject,
  sourceFromText,
} from "./source.ts";

const files = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, strToU8(text)]));

const PYTHON = "@fused.udf\ndef udf():\n    return 1\n";
const TYPESCRIPT = "export default udf(() => 1);\n";

/** What the published client's `to_directory` writes. */
const FUSED_FOLDER = {
  "README.md": "# demo",
  "demo.py":
    "import fused\n\n@fused.udf()\ndef udf(n: int=3):\n    import helpers\n    return helpers.twice(n)",
  "helpers.py": "def twice(v):\n    return 2 * v\n",
  "meta.json":
    '{"job_config":{"name":null,"steps":[{"type":"udf","name":"demo","udf":{"name":"Demo UDF","type":"geopandas_v2","headers":[{"module_name":"tools","source_file":"helpers.py"}],"metadata":{"a":1},"entrypoint":"udf","source":"demo.py"}}],"metadata":null}}',
};

describe("detectLanguage()", () => {
  test.each([
    ["# comment\nx", "python"],
    ["#!/usr/bin/env python3\nimport x", "python"],
    ["import fused\n", "python"],
    ["import a.b as c, d  # why\n", "python"],
    ["from a import b", "python"],
    ["x = 1\n\nasync def udf(a):\n  pass", "python"],
    ["class A:\n  pass", "python"],
    ['"""What it does."""\n', "python"],
    ["// comment", "typescript"],
    ["/* comment */", "typescript"],
    ['import { udf } from "fuselet/udf";', "typescript"],
    ["import type { A } from './a'", "typescript"],
    ["import {\n  a,\n} from 'x';", "typescript"],
    ["export default 1", "typescript"],
    ["const a = 1", "typescript"],
    ["class A extends B {", "typescript"],
    ["a + b", null],
  ])("of %j is %s", (code, language) => {
    expect(detectLanguage(code)).toBe(language);
  });
});

describe("sourceFromText()", () => {
  test("takes name and language from the file", () => {
    expect(sourceFromText("x", { file: "hello.py" })).toEqual({
      name: "hello",
      language: "python",
      code: "x",
      file: "hello.py",
      headers: [],
      metadata: {},
    });
  });
  test("drops a byte order mark and names the file by the language", () => {
    expect(sourceFromText(`\ufeff${TYPESCRIPT}`)).toMatchObject({
      name: "udf",
      file: "udf.ts",
      code: TYPESCRIPT,
    });
  });
  test("refuses empty text, unclear text and bad names", () => {
    expect(() => sourceFromText(" \n")).toThrow("it is empty");
    expect(() => sourceFromText("a + b")).toThrow('whether "udf" is Python or TypeScript');
    expect(() => sourceFromText(PYTHON, { name: "a/b" })).toThrow('Cannot name a UDF "a/b"');
  });
});

describe("sourceFromFiles()", () => {
  test("reads what Fused writes", () => {
    expect(sourceFromFiles(files(FUSED_FOLDER), "folder")).toEqual({
      name: "Demo UDF",
      language: "python",
      code: FUSED_FOLDER["demo.py"],
      file: "demo.py",
      headers: [{ moduleName: "tools", code: FUSED_FOLDER["helpers.py"], file: "helpers.py" }],
      metadata: { a: 1 },
      saved: { entrypoint: "udf" },
    });
  });
  test.each(["udf.py", "main.py", "folder.py", "udf.ts", "main.ts", "index.ts", "folder.ts", "other.ts"])(
    "finds the entry %s",
    (entry) => {
      const source = sourceFromFiles(
        files({ [entry]: PYTHON, "data.json": "{}", "README.md": "" }),
        "folder",
      );
      expect(source.file).toBe(entry);
      expect(source.name).toBe("folder");
      expect(source.headers).toEqual([{ moduleName: "data.json", code: "{}", file: "data.json" }]);
    },
  );
  test("names modules by their paths and leaves out what is no source", () => {
    const source = sourceFromFiles(
      files({
        "udf.py": PYTHON,
        "pkg/__init__.py": "",
        "pkg/a.py": "",
        "lib/geo.ts": "",
        "x.d.ts": "",
        ".hidden.py": "",
        ".git/a.py": "",
        "node_modules/a/index.js": "",
        "image.png": "",
      }),
      "folder",
    );
    expect(source.headers.map((header) => header.moduleName)).toEqual(["lib/geo", "pkg", "pkg.a"]);
  });
  test("lists the candidates where the entry is unclear", () => {
    expect(() => sourceFromFiles(files({ "a.py": "", "b.py": "" }), "f")).toThrow(
      "candidates are a.py, b.py;",
    );
    expect(() => sourceFromFiles(files({ "udf.py": "", "main.ts": "" }), "f")).toThrow(
      "candidates are main.ts, udf.py;",
    );
    expect(() => sourceFromFiles(files({ "a.json": "" }), "f")).toThrow("no .py, .ts or .js file");
  });
  test.each([
    ["../a.py", "leaves the folder"],
    ["a/../../b.py", "leaves the folder"],
    ["/etc/a.py", "absolute"],
    ["C:/a.py", "absolute"],
    ["a\\..\\b.py", "backslash"],
    ["a//b.py", "empty part"],
    ["./a.py", "empty part"],
    ["a\u0000.py", "control character"],
    ["", "empty"],
  ])("refuses the path %j", (path, why) => {
    expect(() => sourceFromFiles(files({ "udf.py": PYTHON, [path]: "" }), "f")).toThrow(why);
  });
  test("keeps a file called __proto__ a plain file", () => {
    const source = sourceFromFiles(files({ "udf.py": PYTHON, "__proto__.py": "x" }), "f");
    expect(source.headers[0]).toEqual({ moduleName: "__proto__", code: "x", file: "__proto__.py" });
  });
  test("refuses two files for one module, binary files, and a meta.json that points outside", () => {
    expect(() => sourceFromFiles(files({ "udf.py": PYTHON, "a.py": "", "a/__init__.py": "" }), "f")).toThrow(
      "both the module a",
    );
    expect(() => sourceFromFiles({ "udf.py": Uint8Array.of(0xff, 0xfe) }, "f")).toThrow("no UTF-8 text");
    const meta = (udf: object) =>
      files({ "a.py": PYTHON, "meta.json": JSON.stringify({ job_config: { steps: [{ udf }] } }) });
    expect(() => sourceFromFiles(meta({ source: "../a.py" }), "f")).toThrow("leaves the folder");
    expect(() => sourceFromFiles(meta({ source: "b.py" }), "f")).toThrow('"b.py", which is not there');
    expect(() => sourceFromFiles(meta({ source: "a.py", headers: [{ module_name: "../x" }] }), "f")).toThrow(
      "no module name",
    );
    expect(() => sourceFromFiles(meta({ source: "a.py", entrypoint: "a b" }), "f")).toThrow(
      '"a b" is no name of a function',
    );
  });
  test("takes the function and the values for parameters that meta.json says", () => {
    const udf = { source: "a.py", entrypoint: "main", parameters: { n: 3 } };
    const source = sourceFromFiles(files({ "a.py": PYTHON, "meta.json": JSON.stringify({ udf }) }), "f");
    expect(source.saved).toEqual({ entrypoint: "main", parameters: { n: 3 } });
    expect(identityOf(source)).not.toBe(identityOf({ ...source, saved: {} }));
  });
  test("bounds the number and the size of files", () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`m${i}.py`, new Uint8Array(0)]));
    expect(() => sourceFromFiles(many, "f")).toThrow("at most 1000");
    expect(() => sourceFromFiles({ "udf.py": new Uint8Array(9 * 2 ** 20) }, "f")).toThrow("larger than 8 MB");
  });
});

describe("sourceFromBytes()", () => {
  test("reads a zip, with and without its top folder", async () => {
    for (const prefix of ["", "demo/"]) {
      const entries = Object.entries(files(FUSED_FOLDER)).map(([path, bytes]) => [prefix + path, bytes]);
      const source = await sourceFromBytes(zipSync(Object.fromEntries(entries)), "demo.zip");
      expect(source).toMatchObject({ name: "Demo UDF", file: "demo.py" });
      expect(source.headers).toHaveLength(1);
    }
  });
  test("reads text", async () => {
    expect(await sourceFromBytes(strToU8(PYTHON), "a.py")).toMatchObject({ name: "a", language: "python" });
    await expect(sourceFromBytes(Uint8Array.of(0x80), "a.py")).rejects.toThrow(UdfLoadError);
  });
});

describe("sourceFromObject()", () => {
  test("gives a complete one back, and fills in what is left out", () => {
    const whole = sourceFromText(PYTHON);
    expect(sourceFromObject(whole)).toBe(whole);
    expect(sourceFromObject({ code: TYPESCRIPT, name: "mine", lock: "x" })).toEqual({
      ...{ name: "mine", file: "mine.ts", language: "typescript", code: TYPESCRIPT },
      ...{ headers: [], metadata: {}, lock: "x" },
    });
  });

  test.each([
    [null, "is a path, a URL, code with a line break, or { code, language, … }: received null"],
    [7n, "received 7"],
    [[], "received a list"],
    [{}, "code must be text: received undefined"],
    [{ code: PYTHON, name: 5 }, "name must be text: received 5"],
    [{ code: PYTHON, language: "cobol" }, 'language must be "python" or "typescript": received "cobol"'],
    [
      { code: PYTHON, headers: [null] },
      "headers must be a list of { moduleName, code, file }: received a list",
    ],
    [{ code: PYTHON, metadata: null }, "metadata must be an object: received null"],
  ])("says what is wrong with %o", (given, message) => {
    expect(() => sourceFromObject(given)).toThrow(message);
  });
});
