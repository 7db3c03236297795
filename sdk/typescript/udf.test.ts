import { describe, expect, expectTypeOf, test } from "vitest";
import { type Bounds, html, MediaValue, ndarray, png, TableValue, type Tile, table, udf } from "./udf.ts";

describe("udf()", () => {
  test("is the function itself, with its type", async () => {
    const hello = udf(
      { name: "hello", permissions: { net: ["example.com"] } },
      async ({ n = 3, name }: { n?: number; name: string }) => name.repeat(n),
    );
    expect(await hello({ name: "ab" })).toBe("ababab");
    expectTypeOf(hello).parameters.toEqualTypeOf<[{ n?: number; name: string }]>();
    expectTypeOf(hello).returns.resolves.toBeString();
    const tiles = udf({}, (tile: Tile, bounds: Bounds, n = 1) => [tile.x, bounds[0], n]);
    expectTypeOf(tiles).parameter(2).toEqualTypeOf<number | undefined>();
    // @ts-expect-error an option that does not exist
    udf({ nmae: "x" }, () => 1);
  });
  test("refuses what is no function", () => {
    expect(() => udf({}, 1 as never)).toThrow(/must be a function: received number/);
  });
});

describe("results", () => {
  test("html, png and table hold what they are given", () => {
    expect(html("é")).toEqual(new MediaValue("text/html", new Uint8Array([0xc3, 0xa9])));
    expect(png(new Uint8Array([1]))).toEqual(new MediaValue("image/png", new Uint8Array([1])));
    expect(table(new Uint8Array([1]))).toEqual(new TableValue(new Uint8Array([1])));
  });
  test.each([[[6]], [[2, 3]], [[1, 2, 3]], [[]]])("ndarray has the shape %j", (shape) => {
    const data = new Int16Array(shape.length === 0 ? 1 : 6).fill(7);
    expect(ndarray(data, shape)).toMatchObject({ shape, dtype: "<i2", data });
  });
  test("ndarray refuses a shape of another size", () => {
    expect(() => ndarray(new Uint8Array(3), [2, 2])).toThrow(
      "Cannot make an array: shape [2, 2] has 4 elements: received 3",
    );
  });
});
