import { describe, expect, test } from "vitest";
import { UdfLoadError } from "../../errors.ts";
import { readTypeScript } from "./source.ts";

const read = (code: string, file = "t.ts") => readTypeScript({ name: "t", code, file, headers: [] });
const types = (annotation: string, declarations = "") =>
  read(`${declarations}\nexport default function f(a: ${annotation}, _: unknown) {}`).plan.parameters[0]
    ?.type;

describe("readTypeScript()", () => {
  test("reads named parameters", () => {
    const { entrypoint, parameters, plan } = read(
      'export default function hello(n: number, name = "world", more?: string[], ...rest: Date[]) {}',
    );
    expect(entrypoint).toBe("hello");
    expect(parameters).toEqual([
      { name: "n", annotation: "number", default: null, kind: "positional" },
      { name: "name", annotation: null, default: '"world"', kind: "positional" },
      { name: "more", annotation: "string[]", default: null, kind: "positional" },
      { name: "rest", annotation: "Date[]", default: null, kind: "rest" },
    ]);
    expect(plan).toMatchObject({ style: "positional", open: null });
    expect(plan.parameters.map(({ optional }) => optional)).toEqual([false, true, true, true]);
  });

  test("reads a destructured parameter with its type", () => {
    const { parameters, plan } = read(
      "export default async ({ n = 3, name: other }: { n?: number; name: string; more?: boolean }) => other",
    );
    expect(parameters).toEqual([
      { name: "n", annotation: "number", default: "3", kind: "keyword" },
      { name: "name", annotation: "string", default: null, kind: "keyword" },
      { name: "more", annotation: "boolean", default: null, kind: "keyword" },
    ]);
    expect(plan).toMatchObject({ style: "object", open: null });
    expect(plan.parameters.map(({ optional }) => optional)).toEqual([true, false, true]);
  });

  test.each([
    ["a type literal", "export default (p: { a: number }) => p", ["a"], null],
    [
      "an interface of the file",
      "interface P extends Q { a: number } interface Q { b?: string } export default (p: P) => p",
      ["b", "a"],
      null,
    ],
    [
      "a type alias of the file",
      "export type P = Q & { a: number }; type Q = Partial<{ b: string }>; export default (p: P) => p",
      ["b", "a"],
      null,
    ],
    ["Record", "export default (p: Record<string, number>) => p", [], "number"],
    ["an index signature", "export default (p: { a: 1; [key: string]: unknown }) => p", ["a"], "any"],
    ["the name params", "export default (params) => params", [], "any"],
    ["the name options in JavaScript", "export default function (options = {}) {}", [], "any"],
    ["a rest element", "export default ({ a, ...more }) => more", ["a"], "any"],
  ])("passes all as one object for %s", (_, code, names, open) => {
    const { plan } = read(code, code.includes(": ") ? "t.ts" : "t.js");
    expect(plan).toMatchObject({ style: "object", open });
    expect(plan.parameters.map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ["another name", "export default (thing) => thing"],
    ["a plain type", "export default (params: string) => params"],
    ["two parameters", "export default (params, more) => params"],
    ["an imported type", 'import type { P } from "./p"; export default (p: P) => p'],
  ])("passes by name for %s", (_, code) => {
    expect(read(code).plan.style).toBe("positional");
  });

  test.each([
    ["string", "string"],
    ["number | null", { union: ["number", "null"] }],
    ["'a' | -1 | true", { union: [{ literal: "a" }, { literal: -1 }, { literal: true }] }],
    ["readonly Date[]", { array: "date" }],
    ["Array<bigint>", { array: "bigint" }],
    ["[x: number, y: string]", { tuple: ["number", "string"] }],
    ["[number, string?]", { array: "any" }],
    ["{ a?: Uint8Array }", { object: { a: { type: "bytes", optional: true } }, rest: null }],
    ["Map<string, string>", "any"],
    ["Bounds", "bounds"],
    ["(string)", "string"],
  ])("reads the type %s", (annotation, expected) => {
    expect(types(annotation)).toEqual(expected);
  });

  test("reads types of the file, and stops at one that holds itself", () => {
    expect(types("Tree", "interface Tree { name: string; kids: Tree[] }")).toEqual({
      object: {
        name: { type: "string", optional: false },
        kids: { type: { array: "any" }, optional: false },
      },
      rest: null,
    });
    expect(types("A", "type A = A[]")).toEqual({ array: "any" });
    expect(types("Color", "type Color = 'red' | 'blue'")).toEqual({
      union: [{ literal: "red" }, { literal: "blue" }],
    });
  });

  test("reads the options of udf() without running anything", () => {
    const code = `import { udf as define } from "fuselet/udf";
      const options = { name: "quakes", description: "d", cacheMaxAge: "12h", packages: ["npm:d3@7"], permissions: { net: ["a.com", \`b.com\`], cache: true }, parameters: { n: 5 }, metadata: { icon: "x" } } as const;
      async function main(n: number) {}
      export default define(options, main);`;
    expect(read(code)).toMatchObject({
      name: "quakes",
      entrypoint: "main",
      permissions: { net: ["a.com", "b.com"], cache: true },
      packages: ["npm:d3@7"],
      metadata: { icon: "x", description: "d", cacheMaxAge: "12h" },
      plan: { defaults: { n: 5 }, parameters: [{ name: "n", optional: true }] },
    });
    expect(
      read('import * as fuselet from "fuselet/udf"; export default fuselet.udf({ name: "x" }, () => 1)').name,
    ).toBe("x");
  });

  test.each([
    ["an arrow in a const", "const main = async <T,>(a: T) => a; export default main", "main"],
    ["export { … as default }", "function main() {} export { main as default }", "main"],
    [
      "overloads",
      "export default function f(a: string): void;\nexport default function f(a: Date): void;\nexport default function f(a: any) {}",
      "f",
    ],
    ["satisfies", "const main = (() => 1) satisfies unknown; export default main as never", "main"],
    ["a function without a name", "export default function () {}", "default"],
  ])("finds %s", (_, code, entrypoint) => {
    expect(read(code).entrypoint).toBe(entrypoint);
  });

  test("lists imports with their places", () => {
    const code =
      'import { udf } from "fuselet/udf";\nimport type { T } from "./t";\nexport * from "./u";\nexport default async () => import("./v");';
    expect(read(code).imports).toEqual([
      { specifier: "fuselet/udf", line: 1, column: 21, typeOnly: false },
      { specifier: "./t", line: 2, column: 24, typeOnly: true },
      { specifier: "./u", line: 3, column: 15, typeOnly: false },
      { specifier: "./v", line: 4, column: 35, typeOnly: false },
    ]);
  });

  test.each([
    ["a syntax error", "const a = ;\nexport default 1", /SyntaxError/, 1, 11],
    ["JSX", "export default () => <div/>", /SyntaxError/, 1, 26],
    ["a class", "\nexport default class A {}", /it is a class/, 2, 16],
    ["a number", "const x = 1;\nexport default x", /it is no function/, 2, 16],
    [
      "two defaults",
      "export default function a() {}\nexport default function b() {}",
      /two default exports|Only one default/i,
      2,
      1,
    ],
    ["export =", "export = () => 1", /export =/, 1, 1],
    ["another file's default", 'export { default } from "./x"', /declared in this one/, 1, 10],
    ["an imported function", 'import f from "./x";\nexport default f', /declared in this file/, 2, 16],
    ["a generator", "export default function* f() {}", /generator/, 1, 16],
    [
      "a computed option",
      'import { udf } from "fuselet/udf";\nexport default udf({ name: "a" + 1 }, () => 1)',
      /must be a literal/,
      2,
      28,
    ],
    [
      "an unknown option",
      'import { udf } from "fuselet/udf";\nexport default udf({ nmae: "a" }, () => 1)',
      /unknown option "nmae"/,
      2,
      22,
    ],
    [
      "an option of another type",
      'import { udf } from "fuselet/udf";\nexport default udf({ packages: "a" }, () => 1)',
      /packages must be a list/,
      2,
      32,
    ],
    [
      "a default for nothing",
      'import { udf } from "fuselet/udf";\nexport default udf({ parameters: { m: 1 } }, (n: number) => 1)',
      /no such parameter/,
      2,
      46,
    ],
    ["two patterns", "export default ({ a }, [b]) => 1", /only a single parameter/, 1, 17],
    [
      "a foreign udf()",
      "const udf = (o, f) => f;\nexport default udf({}, () => 1)",
      /it is no function/,
      2,
      16,
    ],
  ])("refuses %s, with its place", (_, code, message, line, column) => {
    let error: unknown;
    try {
      read(code);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UdfLoadError);
    expect(error).toMatchObject({
      message: expect.stringMatching(message),
      location: { file: "t.ts", line, column },
    });
  });

  test("says what to write where there is no default export", () => {
    expect(() => read("export function f() {}")).toThrow(/no default export; write/);
  });
});
