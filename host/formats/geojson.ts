/**
 * GeoJSON (RFC 7946) from tables with a geometry column and from values that are GeoJSON already. Coordinates are written as
 * they are; a coordinate system other than WGS 84 is named in the `crs` member of GeoJSON 2008, which most readers know.
 */
import { MediaValue, TableValue } from "../../runtime/value.ts";
import { encodeJson, JsonWriter } from "./json.ts";
import { TextSink } from "./sink.ts";
import { type Columns, columnsOf } from "./table.ts";
import { describeValue, isObject, UnsuitableError } from "./values.ts";
import { readWkb } from "./wkb.ts";

const GEOMETRY_TYPES = new Set<unknown>([
  "Point",
  "LineString",
  "Polygon",
  "MultiPoint",
  "MultiLineString",
  "MultiPolygon",
  "GeometryCollection",
]);

/** Encodes a FeatureCollection. @throws UnsuitableError for values without geometry. */
export async function encodeGeoJson(value: unknown, options: { pretty?: boolean } = {}): Promise<Uint8Array> {
  if (value instanceof MediaValue && /^application\/geo\+json\b/.test(value.type)) return value.bytes;
  if (value instanceof TableValue) return encodeTable(value, (await columnsOf(value)) as Columns);
  return encodeJson(toCollection(value), options);
}

/** A value that is GeoJSON: a collection or a geometry as it is, a feature or a list of features as a collection. */
function toCollection(value: unknown): unknown {
  const isFeature = (item: unknown) => isObject(item) && item.type === "Feature" && "geometry" in item;
  if (isObject(value)) {
    if (value.type === "FeatureCollection" && Array.isArray(value.features)) return value;
    if (
      GEOMETRY_TYPES.has(value.type) &&
      (Array.isArray(value.coordinates) || Array.isArray(value.geometries))
    )
      return value;
    if (isFeature(value)) return { type: "FeatureCollection", features: [value] };
  }
  if (Array.isArray(value) && value.length > 0 && value.every(isFeature)) {
    return { type: "FeatureCollection", features: value };
  }
  throw new UnsuitableError(`it is ${describeValue(value)} without geometries`);
}

function encodeTable(value: TableValue, { columns, rows }: Columns): Uint8Array {
  const active = typeof value.meta.geometry === "string" ? value.meta.geometry : null;
  const geometries = columns.filter((column) => column.isGeometry);
  const geometry = geometries.find((column) => column.name === active) ?? geometries[0];
  if (!geometry) throw new UnsuitableError(`it is ${describeValue(value)} without a geometry column`);
  const properties = columns.filter((column) => column !== geometry);
  const sink = new TextSink();
  const writer = new JsonWriter(sink);
  sink.write(`{"type":"FeatureCollection",${crsMember(value, geometry.name)}"features":[`);
  for (let row = 0; row < rows; row++) {
    const wkb = geometry.get(row);
    const feature = {
      type: "Feature",
      properties: new Map(
        properties.map((column) => {
          const cell = column.get(row);
          return [
            column.name,
            column.isGeometry && cell instanceof Uint8Array ? readWkb(cell) : cell,
          ] as const;
        }),
      ),
      geometry: wkb instanceof Uint8Array ? readWkb(wkb) : null,
    };
    sink.write(row === 0 ? "\n" : ",\n");
    writer.value(feature);
  }
  sink.write("\n]}\n");
  return sink.bytes();
}

function crsMember({ meta }: TableValue, column: string): string {
  const all = meta.columns;
  const crs: unknown = isObject(all) && Object.hasOwn(all, column) ? all[column] : null;
  if (crs === null || crs === undefined || crs === "EPSG:4326" || crs === "OGC:CRS84") return "";
  const [, authority, code] = typeof crs === "string" ? (/^(\w+):([\w.-]+)$/.exec(crs) ?? []) : [];
  if (authority === undefined) {
    throw new UnsuitableError(
      "its coordinate system has no code that GeoJSON could name; use to_crs(4326) in the UDF",
    );
  }
  return `"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:${authority}::${code}"}},`;
}
