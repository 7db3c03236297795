/** Coordinate systems in GeoParquet: PROJJSON (https://proj.org/specifications/projjson.html); tables here have `EPSG:4326` and the like. */
import { isObject } from "./values.ts";

/** EPSG:4326 as PROJJSON: a reader that finds no system takes OGC:CRS84, which pandas does not put beside EPSG:4326. */
const WGS84 = {
  $schema: "https://proj.org/schemas/v0.7/projjson.schema.json",
  type: "GeographicCRS",
  name: "WGS 84",
  datum: {
    type: "GeodeticReferenceFrame",
    name: "World Geodetic System 1984",
    ellipsoid: { name: "WGS 84", semi_major_axis: 6_378_137, inverse_flattening: 298.257_223_563 },
  },
  coordinate_system: {
    subtype: "ellipsoidal",
    axis: [
      { name: "Geodetic latitude", abbreviation: "Lat", direction: "north", unit: "degree" },
      { name: "Geodetic longitude", abbreviation: "Lon", direction: "east", unit: "degree" },
    ],
  },
  id: { authority: "EPSG", code: 4326 },
};

/**
 * What a table says of a column's system, as the `crs` of a GeoParquet file: absent is OGC:CRS84, null is unknown. Where only a code
 * is known, the code is written, which pyproj (geopandas) reads.
 */
export function geoParquetCrs(crs: unknown): { crs?: unknown } {
  if (crs === "OGC:CRS84") return {};
  return { crs: crs === "EPSG:4326" ? WGS84 : (crs ?? null) };
}

/**
 * What a table says of a column whose entry in a GeoParquet file is this. Systems that have a code are named by it; a file that names
 * none is taken to be in EPSG:4326.
 */
export function tableCrs({ crs }: Readonly<Record<string, unknown>>): unknown {
  const { authority, code } = isObject(crs) && isObject(crs.id) ? crs.id : {};
  const isKnown = authority === "EPSG" || authority === "OGC";
  if (isKnown && (typeof code === "number" || typeof code === "string")) return `${authority}:${code}`;
  return crs ?? "EPSG:4326";
}
