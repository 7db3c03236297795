import { expect, test } from "vitest";
import { readWkb, toWkt } from "./wkb.ts";

const hex = (text: string) =>
  Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const ONE = "000000000000f03f";
const TWO = "0000000000000040";
const THREE = "0000000000000840";

test("readWkb() reads ISO and EWKB dimensions in both byte orders", () => {
  expect(readWkb(hex(`01 01000000 ${ONE} ${TWO}`))).toEqual({ type: "Point", coordinates: [1, 2] });
  expect(readWkb(hex("00 00000001 3ff0000000000000 4000000000000000"))).toEqual({
    type: "Point",
    coordinates: [1, 2],
  });
  expect(readWkb(hex(`01 e9030000 ${ONE} ${TWO} ${THREE}`))).toEqual({
    type: "Point",
    coordinates: [1, 2, 3],
  });
  expect(readWkb(hex(`01 01000080 ${ONE} ${TWO} ${THREE}`))).toEqual({
    type: "Point",
    coordinates: [1, 2, 3],
  });
  // M is read and dropped: ISO 2001, EWKB flag 0x40000000.
  expect(readWkb(hex(`01 d1070000 ${ONE} ${TWO} ${THREE}`))).toEqual({ type: "Point", coordinates: [1, 2] });
  expect(readWkb(hex(`01 01000040 ${ONE} ${TWO} ${THREE}`))).toEqual({ type: "Point", coordinates: [1, 2] });
  // An SRID.
  expect(readWkb(hex(`01 01000020 e6100000 ${ONE} ${TWO}`))).toEqual({ type: "Point", coordinates: [1, 2] });
});

test("readWkb() lets the parts of a collection have their own byte order", () => {
  const mixed = hex(
    `01 04000000 02000000 00 00000001 3ff0000000000000 4000000000000000 01 01000000 ${TWO} ${ONE}`,
  );
  expect(toWkt(readWkb(mixed))).toBe("MULTIPOINT (1 2, 2 1)");
});

test.each([
  ["", "cut off"],
  ["01 01000000", "cut off"],
  [`01 01000000 ${ONE} ${TWO} 00`, "left over"],
  ["02 01000000", "byte order is 2"],
  ["01 08000000", "type is 8"],
  ["01 02000000 ffffffff", "cut off"],
  ["01 07000000 ffffff7f", "cut off"],
  [`01 04000000 01000000 01 02000000 00000000`, "a MultiPoint has a LineString in it"],
  [`${"01 07000000 01000000".repeat(40)}`, "nested more than 32"],
])("readWkb() refuses %s", (bytes, why) => {
  expect(() => readWkb(hex(bytes))).toThrow(why);
});

test("toWkt() writes empty geometries and Z", () => {
  expect(toWkt({ type: "Point", coordinates: [] })).toBe("POINT EMPTY");
  expect(toWkt({ type: "GeometryCollection", geometries: [] })).toBe("GEOMETRYCOLLECTION EMPTY");
  expect(
    toWkt({
      type: "LineString",
      coordinates: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    }),
  ).toBe("LINESTRING Z (1 2 3, 4 5 6)");
});
