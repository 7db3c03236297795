import { describe, expect, test } from "vitest";
import { geoParquetCrs, tableCrs } from "./crs.ts";

describe("coordinate systems in GeoParquet", () => {
  test.for(["EPSG:4326", "EPSG:3857", { type: "ProjectedCRS", name: "my own" }])(
    "%j is read as it was written",
    (crs) => {
      expect(tableCrs(geoParquetCrs(crs))).toEqual(crs);
    },
  );
  test("what readers take where none is named is not written, and an unknown one is null", () => {
    expect(geoParquetCrs("OGC:CRS84")).toEqual({});
    expect(geoParquetCrs(null)).toEqual({ crs: null });
    expect(tableCrs({})).toBe("EPSG:4326");
  });
  test("PROJJSON with a code is named by it, and none of another shape is", () => {
    expect(tableCrs({ crs: { name: "WGS 84 (CRS84)", id: { authority: "OGC", code: "CRS84" } } })).toBe(
      "OGC:CRS84",
    );
    for (const id of [
      null,
      "EPSG:4326",
      { authority: "ESRI", code: 1 },
      { authority: "EPSG", code: { a: 1 } },
    ])
      expect(tableCrs({ crs: { id } })).toEqual({ id });
  });
});
