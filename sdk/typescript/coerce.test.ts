import { describe, expect, test } from "vitest";
import { readTypeScript } from "../../runtime/engines/quickjs/source.ts";
import { ParameterError } from "../../runtime/errors.ts";
import { coerceParameters, tileBounds } from "./coerce.ts";

const plan = (code: string) => readTypeScript({ name: "t", code, file: "t.ts", headers: [] }).plan;
const one = (annotation: string, value: unknown) =>
  coerceParameters(
    plan(`interface P { x: number; y?: Date }\nexport default function f(a: ${annotation}, _?: 1) {}`),
    { a: value },
    null,
  )[0];
const call = (
  parameters: string,
  given: Record<string, unknown>,
  tile: { x: number; y: number; z: number } | null = null,
) => coerceParameters(plan(`export default function f(${parameters}) {}`), given, tile);

describe("coerceParameters()", () => {
  test.each([
    ["number", "5", 5],
    ["number", " -1.5e3 ", -1500],
    ["number", "nan", NaN],
    ["number", 7n, 7],
    ["number", true, 1],
    ["number", null, null],
    ["bigint", "90071992547409930", 90071992547409930n],
    ["bigint", 3, 3n],
    ["string", 5, "5"],
    ["string", true, "true"],
    ["string", { a: 1 }, '{"a":1}'],
    ["string", "", ""],
    ["boolean", "false", false],
    ["boolean", "False", false],
    ["boolean", "", false],
    ["boolean", "0", true],
    ["boolean", "no", true],
    ["boolean", 0, false],
    ["Date", "2026-01-02", new Date("2026-01-02T00:00:00Z")],
    ["Date", "2026-01-02T03:04:05.000006+01:00", new Date("2026-01-02T02:04:05Z")],
    ["Date", "2026-01-02 03:04", new Date("2026-01-02T03:04:00Z")],
    ["Date", 86400, new Date(86400000)],
    ["Date", "0", new Date(0)],
    ["Uint8Array", "é", new Uint8Array([0xc3, 0xa9])],
    ["Uint8Array", new Uint8Array([1]), new Uint8Array([1])],
    ["number[]", '["3", 4]', [3, 4]],
    ["number[]", ["1"], [1]],
    ["Date[]", "[0]", [new Date(0)]],
    ["unknown[]", "[1, null]", [1, null]],
    ["[number, string]", '["1", 2]', [1, "2"]],
    ["P", '{"x": "1", "y": 0}', { x: 1, y: new Date(0) }],
    ["Record<string, number>", { a: "1" }, { a: 1 }],
    ["number | null", "5", 5],
    ["number | null", null, null],
    ["number | null", "null", null],
    ["string | number", "5", "5"],
    ["number | string", 5, 5],
    ["'a' | 'b'", "b", "b"],
    ["1 | 2", "2", 2],
    ["true | 5", "true", true],
    ["number | boolean", "true", true],
    ["boolean | number", "5", 5],
    ["number | number[]", "[1]", [1]],
    ["Date | number", 5, 5],
    ["unknown", "5", "5"],
    ["any", 5, 5],
    ["Elsewhere", "5", "5"],
    ["Bounds", "[1, 2, 3, 4]", [1, 2, 3, 4]],
    ["Tile", '{"x": "1", "y": 2, "z": 3}', { x: 1, y: 2, z: 3 }],
  ])("%s of %o", (annotation, value, expected) => {
    expect(one(annotation, value)).toStrictEqual(expected);
  });

  test.each([
    ["number", "0x10", 'Cannot convert parameter "a" to number: it is no number: received "0x10"'],
    ["number", "", 'it is no number: received ""'],
    ["number", [1], "it is no number"],
    ["bigint", "1.5", "it is no integer"],
    ["Date", "yesterday", "it is no ISO 8601 date"],
    ["Date", "2026-13-45", "it is no ISO 8601 date"],
    ["number[]", "1,2", "it is no JSON list"],
    ["number[]", '[1, "x"]', '[1]: it is no number: received "[1, \\"x\\"]"'],
    ["number[]", "{}", "it is no list"],
    ["[number, number]", "[1]", "it has 1 items instead of 2"],
    ["P", "{}", ".x is missing"],
    ["P", '{"x": "y"}', ".x: it is no number"],
    ["P", "[]", "it is no object"],
    ["'a' | 'b'", "c", `Cannot convert parameter "a" to 'a' | 'b': it is none of these: received "c"`],
    ["Uint8Array", 5, "it is no bytes"],
    ["Bounds", [1, 2, 3], "it has 3 items instead of 4"],
    ["undefined", "x", "it is not undefined"],
    ["number", "x".repeat(1000), "x…"],
  ])("refuses for %s: %o", (annotation, value, message) => {
    let error: unknown;
    try {
      one(annotation, value);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ParameterError);
    expect(error).toMatchObject({ parameter: "a", message: expect.stringContaining(message) });
    expect((error as Error).message.length).toBeLessThan(300);
  });

  test("puts parameters in order, leaves out what has a default, spreads the rest", () => {
    expect(call("a: number, b = 2, ...c: number[]", { a: "1", c: ["3", 4] })).toEqual([1, undefined, 3, 4]);
    expect(call("a, b", { b: 1, a: "x" })).toEqual(["x", 1]);
    expect(call("", {})).toEqual([]);
  });

  test("gives one object to a UDF that takes one", () => {
    expect(call("{ n = 3, name }: { n?: number; name: string }", { name: "x" })).toEqual([{ name: "x" }]);
    expect(call("params", { anything: "1" })).toEqual([{ anything: "1" }]);
    expect(Object.hasOwn(call("params", JSON.parse('{"__proto__": 1}'))[0] as object, "__proto__")).toBe(
      true,
    );
  });

  test("takes defaults of udf(), converted", () => {
    const withDefaults = plan(
      'import { udf } from "fuselet/udf"; export default udf({ parameters: { day: "2026-01-02", n: 1 } }, (day: Date, n: number) => n)',
    );
    expect(coerceParameters(withDefaults, { n: "2" }, null)).toEqual([new Date("2026-01-02T00:00:00Z"), 2]);
  });

  test("names unknown and missing parameters", () => {
    expect(() => call("place: string, count?: number", { plaec: 1 })).toThrow(
      'Unknown parameter "plaec": the UDF has place, count; did you mean "place"?',
    );
    expect(() => call("place: string", { zzz: 1 })).toThrow(/the UDF has place$/);
    expect(() => call("", { a: 1 })).toThrow(/the UDF has no parameters/);
    expect(() => call("place: string", { toString: 1 })).toThrow(/Unknown parameter "toString"/);
    expect(() => call("place: string, n: number", { place: 1 })).toThrow(
      expect.objectContaining({ message: 'Missing parameter "n"', parameter: "n" }),
    );
  });

  test("fills in tile and bounds, which a caller may still give", () => {
    const tile = { x: 1, y: 0, z: 1 };
    expect(call("tile, bounds, a: Bounds, b: Tile, n = 1", {}, tile)).toEqual([
      tile,
      tileBounds(tile),
      tileBounds(tile),
      tile,
      undefined,
    ]);
    expect(call("bounds: Bounds", { bounds: "[1,2,3,4]" }, tile)).toEqual([[1, 2, 3, 4]]);
    expect(call("{ bounds }: { bounds: Bounds }", {}, tile)).toEqual([{ bounds: tileBounds(tile) }]);
    expect(() => call("x: number", {}, tile)).toThrow(/Missing parameter "x"/);
  });
});

describe("tileBounds()", () => {
  test("is the world for 0/0/0 and matches mercantile's figures", () => {
    const [west, south, east, north] = tileBounds({ x: 0, y: 0, z: 0 });
    expect([west, east]).toEqual([-180, 180]);
    expect(north).toBeCloseTo(85.0511287798066, 10);
    expect(south).toBeCloseTo(-85.0511287798066, 10);
    // mercantile.bounds(655, 1583, 12)
    const sanFrancisco = tileBounds({ x: 655, y: 1583, z: 12 });
    for (const [i, value] of [-122.431640625, 37.71859032558814, -122.34375, 37.78808138412046].entries())
      expect(sanFrancisco[i]).toBeCloseTo(value, 10);
  });
});
