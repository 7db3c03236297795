/**
 * Writes the data of the quakes examples: quakes_data.py and quakes_data.json, the same rows twice.
 *
 *     node examples/node/quakes_data.mjs
 *
 * Source: earthquakes.json of the npm package vega-datasets, which is the feed "all earthquakes, past week" of the United
 * States Geological Survey as of 7 February 2018 (https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php). Works of
 * the USGS are in the public domain. Kept are the 297 earthquakes of magnitude 2.5 and above.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SMALLEST = 2.5;

const feed = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../node_modules/vega-datasets/data/earthquakes.json"), "utf8"),
);

/** A row: time (UTC), latitude and longitude in degrees, depth in kilometres, magnitude, place. */
const rows = feed.features
  .filter(({ properties: { type, mag } }) => type === "earthquake" && mag >= SMALLEST)
  .map(({ properties: { time, mag, place }, geometry: { coordinates } }) => [
    new Date(time).toISOString().replace(/\.\d+Z$/, "Z"),
    coordinates[1],
    coordinates[0],
    coordinates[2],
    mag,
    place,
  ])
  .sort(([a], [b]) => (a < b ? -1 : 1));

const lines = rows.map((row) => row.map((value) => JSON.stringify(value)).join(", "));

writeFileSync(
  join(import.meta.dirname, "quakes_data.json"),
  `[\n${lines.map((line) => `  [${line}]`).join(",\n")}\n]\n`,
);
writeFileSync(
  join(import.meta.dirname, "quakes_data.py"),
  [
    '"""Earthquakes of magnitude 2.5 and above, 31 January to 7 February 2018.',
    "",
    "Source: United States Geological Survey, public domain. Written by quakes_data.mjs.",
    "A row: time (UTC), latitude and longitude in degrees, depth in kilometres, magnitude, place.",
    '"""',
    "",
    "QUAKES = [",
    ...lines.map((line) => `    (${line}),`),
    "]",
    "",
  ].join("\n"),
);
