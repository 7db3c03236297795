import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { describe, expect, test } from "vitest";
import { parseSource } from "./ast.ts";
import { needsTransform } from "./source.ts";
import { stripTypes } from "./strip.ts";

const strip = (code: string) => stripTypes(code, parseSource({ file: "a.ts", code }));

/** The same program by another compiler, layout aside. */
async function print(code: string, loader: "ts" | "js"): Promise<string> {
  const tsconfigRaw = { compilerOptions: { target: "esnext", useDefineForClassFields: true } };
  return (
    await transform(code, {
      loader,
      tsconfigRaw,
      minifySyntax: true,
      minifyWhitespace: true,
      format: "esm",
      target: "esnext",
      logLevel: "silent",
    })
  ).code;
}

const CASES = [
  "let x = 1 as any\n(f)()",
  "const a = 1\ninterface X {}\n(f)()",
  'class A { a = 1\n private ["b"] = 2; declare q: number\n static readonly c?: number = 3; x!: number; public async *f?(): any }',
  "let v!: number, w = v!\n;[1].map(x => x!)",
  "function f(this: Window, a?: number, ...b: any[]): asserts a is number {}",
  "const g = async <T,>(a: T): Promise<T> => a",
  "f<number>(1); new Map<string, number>(); tag<string>`x`",
  "abstract class B<T> extends C<T> implements D, E<T> { abstract x: number; abstract y(): void; override z(): void {}; [k: string]: any; protected static override async r() {} }",
  'import A, { type B } from "./a"; export { A }; export type { B }',
  "type T = 1; const u = 2; export { T, u }",
  "declare const q: number; declare module 'x' {}; declare global { }",
  "const {a, b}: {a: 1, b: 2} = x satisfies Y as Z; for (const k of y as any) {}",
  "(x as any) = 1; (<any>x).y = 2; x! += 1; x!++",
  "function over(a: 1): 1\nfunction over(a: 2): 2\nfunction over(a: any) { return a }",
  "if (a) type = 1; var type, of, as, satisfies; as = type",
  "const t = <T,>(x: T) => x; const u = <const T extends {}>(x: T) => x",
  'class G { static { let x: number = 1 } #p?: string; "quoted"?: number; 1!: string; ["c" + 1]?: number }',
  "let k = a! as any\n/re/g.test(k)",
  "if (1) x as any\nelse y",
  "do x as any\nwhile (0)",
  "const a = b as any // c\n[1].x",
  "const q = <T>(x) => 1; type = 1\ntype Foo = 1\n[2]",
];

describe("stripTypes()", () => {
  test.each(CASES)("leaves the same program in the same places: %s", async (code) => {
    const stripped = strip(code) as string;
    expect(stripped).toHaveLength(code.length);
    expect(stripped.split("\n").map((line) => line.length)).toEqual(
      code.split("\n").map((line) => line.length),
    );
    expect(await print(stripped, "js")).toBe(await print(code, "ts"));
  });

  test("gives up where a line break would change the meaning", () => {
    expect(strip("const g = (a: number):\n number => a")).toBe(null);
    expect(strip('import X, { y } from "fs"; y')).toBe(null);
  });

  test("agrees with another compiler on this runtime's own files", async () => {
    const folders = ["./", "prelude/", "../"].map((path) => new URL(path, import.meta.url));
    const files = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /(?<!test)\.ts$/.test(name))
        .map((name) => fileURLToPath(new URL(name, folder))),
    );
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) {
      const code = readFileSync(file, "utf8");
      expect(needsTransform(parseSource({ file, code }))).toBe(false);
      expect(await print(strip(code) as string, "js"), file).toBe(await print(code, "ts"));
    }
  });
});
