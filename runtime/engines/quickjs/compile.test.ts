import { describe, expect, test } from "vitest";
import { AssetError, UdfLoadError } from "../../errors.ts";
import { loadEsbuild as loadInPage } from "./bundle.browser.ts";
import { loadEsbuild } from "./bundle.node.ts";
import { compileTypeScript } from "./compile.ts";
import type { LoadEsbuild } from "./esbuild.ts";
import { readTypeScript } from "./source.ts";
import { mapFailure } from "./stack.ts";

const never: LoadEsbuild = () => Promise.reject(new Error("esbuild was asked for"));
const compile = (code: string, { files = {}, load = loadEsbuild as LoadEsbuild, file = "udf.ts" } = {}) => {
  const headers = Object.entries(files as Record<string, string>).map(([path, text]) => ({
    moduleName: path,
    code: text,
    file: path,
  }));
  const source = { name: "udf", code, file, headers };
  return compileTypeScript(source, readTypeScript(source), load);
};

describe("compileTypeScript()", () => {
  test("takes the types out of a file on its own without esbuild", async () => {
    const code =
      'import { udf, type Tile } from "fuselet/udf";\nexport default udf({}, (tile: Tile): number => tile.x as number);\n';
    const compiled = await compile(code, { load: never, files: { "other.ts": "" } });
    expect(compiled.map).toBe(null);
    expect(compiled.code).toHaveLength(code.length);
    expect(compiled.code).not.toMatch(/Tile|number/);
  });

  test("leaves JavaScript as it is", async () => {
    const code = "export default (params) => params;\n";
    expect((await compile(code, { load: never, file: "udf.mjs" })).code).toBe(code);
  });

  test.each([
    ["enums", "enum E { A = 7 }\nexport default () => E.A", /7/],
    ["namespaces", "namespace N { export const a = 1 }\nexport default () => N.a", /N\.a/],
    [
      "parameter properties",
      "class A { constructor(readonly a: number) {} }\nexport default () => new A(1).a",
      /this\.a = a/,
    ],
    [
      "decorators",
      "const d = (v: unknown, c: unknown) => {};\n@d class A {}\nexport default () => new A()",
      /__decorate/,
    ],
    ["using", "export default () => { using a = { [Symbol.dispose]() {} }; return 1 }", /dispose/i],
  ])("rewrites %s with esbuild", async (_, code, expected) => {
    const compiled = await compile(code);
    expect(compiled.code).toMatch(expected);
    expect(JSON.parse(compiled.map as string).sources).toEqual(["udf:udf.ts"]);
  });

  test("bundles the UDF's own files, JSON among them", async () => {
    const files = {
      "lib/a.ts": 'import { b } from "./b.js"; import d from "../d.json"; export const a: number = b + d.n',
      "lib/b.ts": "export const b = 1 as number",
      "d.json": '{"n": 2}',
      "index.ts": "",
    };
    const { code } = await compile(
      'import { a } from "./lib/a";\nimport { html } from "fuselet/udf";\nexport default () => html(String(a));',
      { files },
    );
    expect(code).toMatch(/from "fuselet\/udf"/);
    expect(code.match(/from/g)).toHaveLength(1);
  });

  test.each([
    ["a pattern", `import(\`./usr/\${n}.json\`)`],
    ["a sum", 'import("../" + n + ".json")'],
    ["a choice", 'import(n ? "./a.ts" : "./etc/" + n)'],
    ["an import in an import", 'import("./" + import("./etc/" + n))'],
    ["require", 'require("./" + n)'],
    ["require with a type", `(require as any)(\`./etc/\${n}\`)`],
    ["require by an escape", 'requ\\u0069re("./etc/" + n)'],
  ])("never looks on the disk for %s", async (_, expression) => {
    const code = `import { a } from "./a";\nexport default (n: string) => [a, ${expression}]`;
    const asked: string[] = [];
    const compiled = await compile(code, {
      files: { "a.ts": "export const a = 1" },
      load: async () => {
        const esbuild = await loadEsbuild();
        return {
          build: async (options) => {
            const { metafile, ...built } = (await esbuild.build({ ...options, metafile: true })) as {
              metafile: { inputs: object };
            };
            asked.push(...Object.keys(metafile.inputs));
            return built;
          },
        };
      },
    });
    expect(asked.sort()).toEqual(["udf:a.ts", "udf:udf.ts"]);
    expect(compiled.code).not.toMatch(/glob/);
  });

  test.each([
    [
      "a package",
      'import x from "lodash";\nexport default () => x',
      {},
      'Cannot import "lodash"',
      "udf.ts",
      1,
      15,
    ],
    ["a Node module", '\nimport fs from "node:fs";\nexport default () => fs', {}, "node:fs", "udf.ts", 2, 16],
    ["a missing file", 'import x from "./x";\nexport default () => x', {}, "no such file", "udf.ts", 1, 15],
    [
      "a way out of the folder",
      'import { a } from "./a";\nexport default () => a',
      { "a.ts": '\nexport { a } from "../../../etc/passwd";' },
      "no such file",
      "a.ts",
      2,
      19,
    ],
    [
      "an absolute path",
      'import { a } from "./a";\nexport default () => a',
      { "a.ts": 'export { a } from "/etc/passwd";' },
      "/etc/passwd",
      "a.ts",
      1,
      19,
    ],
    [
      "a URL",
      'import { a } from "./a";\nexport default () => a',
      { "a.ts": 'import a from "https://a.com/x.js"; export { a }' },
      "a.com",
      "a.ts",
      1,
      15,
    ],
    [
      "a syntax error in another file",
      'import { a } from "./a";\nexport default () => a',
      { "a.ts": "\nexport const a: = 1" },
      "Unexpected",
      "a.ts",
      2,
      17,
    ],
  ])("refuses %s with file and line", async (_, code, files, message, file, line, column) => {
    const error = await compile(code, { files }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UdfLoadError);
    expect(error).toMatchObject({
      message: expect.stringContaining(message),
      location: { file, line, column },
    });
  });

  test("does not mind imports of types alone", async () => {
    const { code } = await compile(
      'import { T } from "./types-elsewhere";\nexport default (t: T, n: number) => n',
      { load: never },
    );
    expect(code).not.toMatch(/types-elsewhere/);
  });

  test("asks a page for esbuild-wasm", async () => {
    const files = { "a.ts": "export const a = 1" };
    await expect(
      compile('import { a } from "./a"; export default () => a', { files, load: loadInPage }),
    ).rejects.toThrow(AssetError);
    await expect(loadInPage({ esbuildUrl: "data:text/plain," })).rejects.toThrow(/Cannot load esbuild-wasm/);
  });
});

describe("mapFailure()", () => {
  const failure = (traceback: string) => ({
    kind: "udf" as const,
    type: "Error",
    message: "m",
    traceback,
    file: "udf.ts",
    line: 1,
    subject: null,
    value: null,
  });
  test("leaves places alone without a map", () => {
    const mapped = mapFailure(failure("Error: m\n    at f (udf.ts:3:5)\n    at map (native)"), null);
    expect(mapped).toMatchObject({
      file: "udf.ts",
      line: 3,
      traceback: "Error: m\n    at f (udf.ts:3:5)\n    at map (native)",
    });
  });
  test("does not touch lines that only look like frames of other files", () => {
    const text = "Error: m\n    at g (other.ts:1:1)\nnot at f (udf.ts:9:9)";
    expect(mapFailure(failure(text), null)).toMatchObject({ traceback: text, line: 1 });
  });
});
