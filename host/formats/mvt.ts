/** Vector tiles (github.com/mapbox/vector-tile-spec, version 2): one layer, `udf`, with what of a geographic value lies in a tile. */
import { geoJSONToTile } from "@maplibre/geojson-vt";
import { fromGeojsonVt } from "@maplibre/vt-pbf";
import type { Tile } from "../../runtime/udf.ts";
import { MediaValue } from "../../runtime/value.ts";
import { encodeGeoJson } from "./geojson.ts";
import { UnsuitableError } from "./values.ts";

const LAYER = "udf";
/** Units a side, and around it, so that lines and areas meet at the edges. */
const EXTENT = 4096;
const BUFFER = 64;

/** Encodes one tile. @throws UnsuitableError for values without geometry, and where there is no tile. */
export async function encodeMvt(value: unknown, tile: Tile | undefined): Promise<Uint8Array> {
  if (value instanceof MediaValue && value.type === "application/vnd.mapbox-vector-tile") return value.bytes;
  if (!tile) throw new UnsuitableError("a vector tile needs x, y and z");
  const collection = JSON.parse(new TextDecoder().decode(await encodeGeoJson(value)));
  if (collection.crs)
    throw new UnsuitableError("its coordinates are no longitudes and latitudes; use to_crs(4326) in the UDF");
  const options = { extent: EXTENT, buffer: BUFFER, clip: true, wrap: true, maxZoom: 24 };
  const made = geoJSONToTile(collection, tile.z, tile.x, tile.y, options);
  return fromGeojsonVt({ [LAYER]: made }, { version: 2, extent: EXTENT });
}
