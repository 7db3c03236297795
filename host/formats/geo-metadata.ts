/** What says which columns of a table are geometries, and in which coordinate system: GeoParquet's key `geo`, in files and in Arrow schemas. */
import type { TableValue } from "../../runtime/value.ts";
import { geoParquetCrs } from "./crs.ts";
import { isObject } from "./values.ts";

/** The `geo` key; null for tables without geometry. */
export function geoMetadata({ kind, meta }: TableValue): string | null {
  if ((kind !== "geodataframe" && kind !== "geoseries") || !isObject(meta.columns)) return null;
  const names = Object.keys(meta.columns);
  if (names.length === 0) return null;
  const columns = Object.fromEntries(
    Object.entries(meta.columns).map(([name, crs]) => [
      name,
      { encoding: "WKB", geometry_types: [], ...geoParquetCrs(crs) },
    ]),
  );
  const primary =
    typeof meta.geometry === "string" && names.includes(meta.geometry) ? meta.geometry : names[0];
  return JSON.stringify({ version: "1.1.0", primary_column: primary, columns });
}
