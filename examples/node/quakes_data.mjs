/**
 * Writes the data of the quakes examples: quakes_data.py and quakes_data.json, the same rows twice.
 *
 *     node examples/node/quakes_data.mjs [FOLDER]
 *
 * Source: earthquakes.json of the npm package vega-datasets, which is the feed "all earthquakes, past week" of the United
 * States Geological Survey as of 7 February 2018 (https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php). Works of
 * the USGS are in the public domain. Kept are the earthquakes of magnitude 2.5 and more.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SMALLEST = 2.5;
const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? here;

const feed = JSON.parse(
  readFileSync(join(here, "../../node_modules/vega-datasets/data/earthquakes.json"), "utf8"),
);
const round = (number, digits) => Number(number.toFixed(digits));
const lines = feed.features
  .filter(({ properties }) => properties.type === "earthquake" && properties.mag >= SMALLEST)
  .sort((a, b) => a.properties.time - b.properties.time)
  .map(({ properties: { time, mag, place }, geometry: { coordinates } }) => {
    const [lon, lat, depth] = coordinates;
    const second = new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
    return JSON.stringify([second, round(lat, 3), round(lon, 3), round(depth, 1), mag, place]);
  })
  // As formatters write it.
  .map((row) => row.slice(1, -1).replaceAll(/,(?=["\d-])/g, ", "));

writeFileSync(
  join(folder, "quakes_data.json"),
  `{
  "source": "USGS earthquake feed, all earthquakes of magnitude 2.5 and more, 2018-01-31 to 2018-02-07 (public domain), by way of vega-datasets",
  "columns": ["time", "latitude", "longitude", "depth_km", "magnitude", "place"],
  "rows": [
${lines.map((line) => `    [${line}]`).join(",\n")}
  ]
}
`,
);
writeFileSync(
  join(folder, "quakes_data.py"),
  `"""Earthquakes of magnitude 2.5 and more, 2018-01-31 to 2018-02-07. Source: USGS (public domain), by way of vega-datasets."""

# time, latitude, longitude, depth in km, magnitude, place
ROWS = [
${lines.map((line) => `    (${line}),`).join("\n")}
]
`,
);
