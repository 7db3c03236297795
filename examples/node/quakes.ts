/**
 * Where the earth shook: the regions with the strongest earthquakes of a week, and how far they were from a place.
 *
 *     npm run -s fuselet -- run examples/node/quakes.ts minMagnitude=4 limit=5
 */
import { udf } from "fuselet/udf";
import data from "./quakes_data.json";

type Row = [
  time: string,
  latitude: number,
  longitude: number,
  depthKm: number,
  magnitude: number,
  place: string,
];

interface Parameters {
  minMagnitude?: number;
  limit?: number;
  /** Distances are from here; the default is Tokyo. */
  latitude?: number;
  longitude?: number;
}

export default udf(
  { name: "quakes" },
  ({ minMagnitude = 3, limit = 8, latitude = 35.68, longitude = 139.69 }: Parameters) => {
    const strong = (data.rows as Row[]).filter((row) => row[4] >= minMagnitude);
    const regions = Map.groupBy(strong, (row) => row[5].split(", ").at(-1) ?? "");
    return [...regions]
      .map(([region, rows]) => {
        const strongest = rows.reduce((a, b) => (b[4] > a[4] ? b : a));
        const [time, lat, lon, depthKm, magnitude] = strongest;
        return {
          region,
          quakes: rows.length,
          strongest: magnitude,
          mean: Number((rows.reduce((sum, row) => sum + row[4], 0) / rows.length).toFixed(2)),
          depth_km: depthKm,
          distance_km: Math.round(distanceKm(latitude, longitude, lat, lon)),
          time,
        };
      })
      .sort((a, b) => b.strongest - a.strongest || (a.region < b.region ? -1 : 1))
      .slice(0, limit);
  },
);

/** Great-circle distance by the haversine formula; the earth's mean radius is 6371 km. */
function distanceKm(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const a =
    Math.sin(radians(lat2 - lat1) / 2) ** 2 +
    Math.cos(radians(lat1)) * Math.cos(radians(lat2)) * Math.sin(radians(lon2 - lon1) / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.sqrt(a));
}
