/** UDFs of the suite that cases of several files run. */

/** A table of `n` rows. */
export const ROWS = `import fused


@fused.udf
def udf(n: int = 2, name: str = "a"):
    return [{"n": i, "name": name} for i in range(n)]
`;
/** A point in the middle of its bounds. */
export const PLACES = `import fused


@fused.udf
def udf(bounds: fused.types.Bounds = None):
    west, south, east, north = bounds or (0, 0, 20, 10)
    point = {"type": "Point", "coordinates": [(west + east) / 2, (south + north) / 2]}
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"kind": "middle"}, "geometry": point}]}
`;
/** Prints, works for some time, and prints again. */
export const PRINTS = `export default ({ ms = 900 }: { ms?: number }) => {
  console.log("begun");
  for (const until = Date.now() + ms; Date.now() < until; );
  console.log("done");
  return "the end";
};
`;
/** Never ends by itself. */
export const LOOP = "export default () => { for (;;); };";
