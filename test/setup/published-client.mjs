/**
 * A virtual environment with the published client of Fused, and the libraries of Pyodide 0.27.7 at that distribution's versions.
 *
 *     node test/setup/published-client.mjs        prints the path of its python
 */
import { pythons } from "./python.mjs";
import { venv } from "./venv.mjs";

const REQUIREMENTS = [
  "fused==2.9.5",
  "geopandas==1.0.1",
  "mercantile==1.2.1",
  "nest-asyncio==1.6.0",
  "numpy==2.0.2",
  "pandas==2.2.3",
  "pillow==11.3.0",
  "pyarrow==18.1.0",
  "pyproj==3.6.1",
  "rasterio==1.4.3",
  "rioxarray==0.19.0",
  "shapely==2.0.6",
  "tqdm==4.67.1",
  "xarray==2025.1.2",
];

/** The path of the environment's python. It is of 3.12, as the distribution's, where there is one. */
export async function publishedClient() {
  const found = pythons();
  const { interpreter, version } = found.find((one) => one.version === "3.12") ?? found[0];
  return venv(`published-client-${version}`, REQUIREMENTS, interpreter);
}

if (import.meta.main) console.log(await publishedClient());
