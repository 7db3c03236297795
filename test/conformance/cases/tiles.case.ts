/** Runs for a map tile, and bounds. The numbers are those of mercantile. */
import { type Case, defineCase, pythonWith, typescriptWith } from "../case.ts";

const berlin = { x: 550, y: 335, z: 10 };
const berlinBounds = [13.359375, 52.48278022207821, 13.7109375, 52.69636107827448];

export default [
  defineCase("a tile fills in bounds", {
    python: pythonWith("bounds: fused.types.Bounds", "bounds"),
    typescript: typescriptWith(
      "{ bounds: Bounds }",
      "given.bounds",
      'import type { Bounds } from "fuselet/udf";',
    ),
    runs: [
      { tile: berlin, value: berlinBounds },
      { tile: { x: 0, y: 0, z: 0 }, value: [-180, -85.0511287798066, 180, 85.0511287798066] },
    ],
  }),
  defineCase("a tile is a tile where the UDF wants one", {
    python: pythonWith("tile: fused.types.TileXYZ", "[tile.x, tile.y, tile.z]"),
    typescript: typescriptWith(
      "{ tile: Tile }",
      "[given.tile.x, given.tile.y, given.tile.z]",
      'import type { Tile } from "fuselet/udf";',
    ),
    tile: berlin,
    value: [550, 335, 10],
  }),
  defineCase("other parameters stay beside a tile", {
    python: pythonWith("bounds: fused.types.Bounds, n: int = 1", "[bounds[0], n]"),
    typescript: typescriptWith(
      "{ bounds: Bounds; n?: number }",
      "[given.bounds[0], given.n]",
      'import type { Bounds } from "fuselet/udf";',
    ),
    tile: { x: 0, y: 0, z: 0 },
    parameters: { n: "5" },
    value: [-180, 5],
  }),
  defineCase("a UDF without parameters runs for a tile, too", {
    python: "@fused.udf\ndef udf():\n    return 'ran'\n",
    typescript: "export default () => 'ran';\n",
    tile: berlin,
    value: "ran",
  }),
  defineCase("a tile in a UDF with x, y, z as numbers goes wrong as in the reference", {
    python: pythonWith("x: int, y: int, z: int", "[x, y, z]"),
    tile: berlin,
    error: { name: "ParameterError", parameter: "x" },
  }),
  defineCase("x, y and z are ordinary parameters otherwise", {
    python: pythonWith("x: int, y: int, z: int", "[x, y, z]"),
    typescript: typescriptWith("{ x: number; y: number; z: number }", "[given.x, given.y, given.z]"),
    parameters: { x: "1", y: "2", z: "3" },
    value: [1, 2, 3],
  }),
  defineCase("the smallest tile that holds bounds", {
    python: pythonWith("tile: fused.types.TileXYZ", "[tile.x, tile.y, tile.z]"),
    runs: [
      {
        parameters: { tile: berlinBounds.map((edge, i) => edge + (i < 2 ? 1e-6 : -1e-6)) },
        value: [550, 335, 10],
      },
      { parameters: { tile: [1, 2, 3] }, value: [1, 2, 3] },
    ],
  }),
] satisfies Case[];
