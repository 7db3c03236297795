/** Places: frames of geopandas, geometries of shapely, coordinate systems and cells. All import the same, so that one isolate can serve them. */
import { type Case, defineCase, table } from "../case.ts";
import { type Group, roundTrip, valuesOf } from "../groups.ts";

const GEO =
  "import geopandas as gpd, h3, pyproj, shapely\nfrom shapely.geometry import *\nfrom shapely import from_wkt\n";
const PYARROW = `${GEO}import pyarrow\n`;

/** A point as ISO WKB: byte order, type (1, and 1001 with a height), coordinates. */
function point(...coordinates: number[]): Uint8Array {
  const bytes = new Uint8Array(5 + 8 * coordinates.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 1;
  view.setUint32(1, coordinates.length === 3 ? 1001 : 1, true);
  for (const [i, value] of coordinates.entries()) view.setFloat64(5 + 8 * i, value, true);
  return bytes;
}

const index = (stop: number) => [{ kind: "range", name: null, start: 0, stop, step: 1 }];
const frame = (
  rows: number,
  columns: Parameters<typeof table>[1],
  crs: Readonly<Record<string, string | null>>,
  geometry: string | null = "geometry",
) => table("geodataframe", columns, { rows, meta: { geometry, columns: crs, index: index(rows) } });

const FRAMES: Group = {
  points: [
    "gpd.GeoDataFrame({'n': ['a', 'b']}, geometry=[Point(1, 2), None], crs='EPSG:4326')",
    frame(
      2,
      { n: ["Utf8", ["a", "b"]], geometry: ["Binary", [point(1, 2), null]] },
      { geometry: "EPSG:4326" },
    ),
  ],
  heights: [
    "gpd.GeoDataFrame(geometry=[Point(1, 2, 3)], crs=3857)",
    frame(1, { geometry: ["Binary", [point(1, 2, 3)]] }, { geometry: "EPSG:3857" }),
  ],
  "no coordinate system": [
    "gpd.GeoDataFrame(geometry=[Point(1, 2)])",
    frame(1, { geometry: ["Binary", [point(1, 2)]] }, { geometry: null }),
  ],
  "longitude first": [
    "gpd.GeoDataFrame(geometry=[Point(1, 2)], crs='OGC:CRS84')",
    frame(1, { geometry: ["Binary", [point(1, 2)]] }, { geometry: "OGC:CRS84" }),
  ],
  "two columns of geometries": [
    "gpd.GeoDataFrame({'at': gpd.GeoSeries([Point(1, 2)], crs=4326), 'to': gpd.GeoSeries([Point(3, 4)], crs=3857)}, geometry='to')",
    frame(
      1,
      { at: ["Binary", [point(1, 2)]], to: ["Binary", [point(3, 4)]] },
      { at: "EPSG:4326", to: "EPSG:3857" },
      "to",
    ),
  ],
  "no rows": [
    "gpd.GeoDataFrame(geometry=[], crs=4326)",
    frame(0, { geometry: ["Binary", []] }, { geometry: "EPSG:4326" }),
  ],
  "nothing but missing": [
    "gpd.GeoDataFrame(geometry=[None, None], crs=4326)",
    frame(2, { geometry: ["Binary", [null, null]] }, { geometry: "EPSG:4326" }),
  ],
  series: [
    "gpd.GeoSeries([Point(1, 2), None], crs=4326)",
    table(
      "geoseries",
      { geometry: ["Binary", [point(1, 2), null]] },
      { meta: { name: null, columns: { geometry: "EPSG:4326" }, index: index(2) } },
    ),
  ],
  "series with a name": [
    "gpd.GeoSeries([Point(1, 2)], name='at')",
    table(
      "geoseries",
      { at: ["Binary", [point(1, 2)]] },
      { meta: { name: "at", columns: { at: null }, index: index(1) } },
    ),
  ],
};

const square = [
  [0, 0],
  [0, 4],
  [4, 4],
  [4, 0],
  [0, 0],
];
const hole = [
  [1, 1],
  [2, 1],
  [2, 2],
  [1, 1],
];

const GEOMETRIES: Group = {
  point: ["Point(1, 2)", { type: "Point", coordinates: [1, 2] }],
  height: ["Point(1, 2, 3.5)", { type: "Point", coordinates: [1, 2, 3.5] }],
  "no point": ["Point()", { type: "Point", coordinates: [] }],
  line: [
    "LineString([(0, 1), (2, 3)])",
    {
      type: "LineString",
      coordinates: [
        [0, 1],
        [2, 3],
      ],
    },
  ],
  polygon: [
    `Polygon(${JSON.stringify(square)}, [${JSON.stringify(hole)}])`,
    { type: "Polygon", coordinates: [square, hole] },
  ],
  points: [
    "MultiPoint([(0, 1), (2, 3)])",
    {
      type: "MultiPoint",
      coordinates: [
        [0, 1],
        [2, 3],
      ],
    },
  ],
  polygons: [
    `MultiPolygon([Polygon(${JSON.stringify(square)})])`,
    { type: "MultiPolygon", coordinates: [[square]] },
  ],
  collection: [
    "[GeometryCollection([Point(1, 2)])]",
    [{ type: "GeometryCollection", geometries: [{ type: "Point", coordinates: [1, 2] }] }],
  ],
};

/** What geopandas must give back as it was. */
const ROUND = `${GEO}import pandas as pd
from geopandas.testing import assert_geodataframe_equal, assert_geoseries_equal
FRAMES = {
    "points": lambda: gpd.GeoDataFrame({"n": [1, 2]}, geometry=[Point(1, 2), None], crs=4326),
    "kinds": lambda: gpd.GeoDataFrame(geometry=[Point(1, 2, 3), LineString([(0, 1), (2, 3)]), box(0, 0, 1, 1), MultiPoint([(0, 1)])], crs=3857),
    "no coordinate system": lambda: gpd.GeoDataFrame(geometry=[Point(1, 2)]),
    "a coordinate system of its own": lambda: gpd.GeoDataFrame(geometry=[Point(1, 2)], crs="+proj=laea +lat_0=52 +lon_0=10 +ellps=GRS80 +units=m"),
    "two columns": lambda: gpd.GeoDataFrame({"at": gpd.GeoSeries([Point(1, 2)], crs=4326), "to": gpd.GeoSeries([Point(3, 4)], crs=3857)}, geometry="to"),
    "named index": lambda: gpd.GeoDataFrame({"n": ["x"]}, geometry=[Point(1, 2)], crs=4326, index=pd.Index(["p"], name="id")),
    "no rows": lambda: gpd.GeoDataFrame(geometry=[], crs=4326),
    "series": lambda: gpd.GeoSeries([Point(1, 2), None], crs=4326, name="at"),
}

@fused.udf
def udf(again=None):
    made = {name: make() for name, make in FRAMES.items()}
    if again is None:
        return made
    for name, value in made.items():
        (assert_geoseries_equal if name == "series" else assert_geodataframe_equal)(again[name], value)
    return {name: type(again[name]) is type(value) and again[name].crs == value.crs for name, value in made.items()}
`;

export default [
  defineCase("frames of geometries", valuesOf(FRAMES, GEO, "geo")),
  defineCase("frames of geometries, written by pyarrow", valuesOf(FRAMES, PYARROW, "geo")),
  defineCase("geometries come as GeoJSON", valuesOf(GEOMETRIES, GEO, "geo")),
  defineCase("what geopandas gave comes back as it was", roundTrip(ROUND, "geo")),
  defineCase("a tile goes in as a frame", {
    python: `${GEO}
@fused.udf
def udf(bounds):
    return [type(bounds).__name__, list(bounds.columns), str(bounds.crs), [round(v, 6) for v in bounds.total_bounds], bounds.geometry[0].geom_type]
`,
    distribution: "geo",
    tile: { x: 1, y: 1, z: 1 },
    // The quarter of the world east of Greenwich and south of the equator; the map ends where it is a square.
    value: ["GeoDataFrame", ["x", "y", "z", "geometry"], "EPSG:4326", [0, -85.051129, 180, 0], "Polygon"],
  }),
  defineCase("GeoJSON, bounds and WKT go in as what their parameters are annotated with", {
    python: `${GEO}
@fused.udf
def udf(places: gpd.GeoDataFrame, box: gpd.GeoDataFrame, at: shapely.Point):
    return [places["n"].tolist(), places.geometry[0].x, str(places.crs), list(box.total_bounds), at.y]
`,
    distribution: "geo",
    parameters: {
      places: {
        type: "FeatureCollection",
        features: [
          { type: "Feature", properties: { n: "a" }, geometry: { type: "Point", coordinates: [1, 2] } },
        ],
      },
      box: [1, 2, 3, 4],
      at: "POINT (5 6)",
    },
    value: [["a"], 1, "EPSG:4326", [1, 2, 3, 4], 6],
  }),
  defineCase("coordinates are transformed", {
    python: `${GEO}
@fused.udf
def udf():
    frame = gpd.GeoDataFrame(geometry=[Point(180, 0), Point(0, 0)], crs=4326).to_crs(3857)
    x, y = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(-90, 0)
    return [[round(v, 3) for v in frame.total_bounds], round(x, 3), round(y, 3), pyproj.CRS.from_epsg(25832).name]
`,
    distribution: "geo",
    // Half of the equator of a sphere with the radius 6378137 m.
    value: [[0, 0, 20037508.343, 0], -10018754.171, 0, "ETRS89 / UTM zone 32N"],
  }),
  defineCase("cells have seven children and neighbours, and know their parent", {
    python: `${GEO}
@fused.udf
def udf():
    cell = h3.latlng_to_cell(52.5, 13.4, 7)
    lat, lng = h3.cell_to_latlng(cell)
    return [
        h3.get_num_cells(0), h3.get_resolution(cell), len(h3.cell_to_children(cell)), len(h3.grid_disk(cell, 1)),
        h3.latlng_to_cell(lat, lng, 7) == cell, abs(lat - 52.5) < 0.02, abs(lng - 13.4) < 0.03, len(h3.cell_to_boundary(cell)),
        h3.str_to_int(cell) == int(cell, 16), cell in h3.cell_to_children(h3.cell_to_parent(cell, 6), 7),
    ]
`,
    distribution: "geo",
    value: [122, 7, 7, 7, true, true, true, 6, true, true],
  }),
  defineCase("frames are joined and measured", {
    python: `${GEO}
@fused.udf
def udf():
    areas = gpd.GeoDataFrame({"name": ["west", "east"]}, geometry=[box(0, 0, 1, 1), box(1, 0, 3, 1)], crs=3857)
    places = gpd.GeoDataFrame({"n": [1, 2, 3]}, geometry=[Point(0.5, 0.5), Point(2, 0.5), Point(9, 9)], crs=3857)
    joined = places.sjoin(areas)
    return [joined[["n", "name"]].values.tolist(), areas.area.tolist(), areas.union_all().bounds, areas.dissolve().geometry[0].area]
`,
    distribution: "geo",
    value: [
      [
        [1, "west"],
        [2, "east"],
      ],
      [1, 2],
      [0, 0, 3, 1],
      3,
    ],
  }),
] satisfies Case[];
