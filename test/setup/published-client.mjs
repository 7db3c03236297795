/**
 * A virtual environment with the published client of Fused, and the libraries of Pyodide 0.27.7 at that distribution's versions.
 *
 *     node test/setup/published-client.mjs        prints the path of its python
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, makeOnce } from "./folder.mjs";
import { pythons } from "./python.mjs";

const REQUIREMENTS = [
  "fused==2.9.5",
  "geopandas==1.0.1",
  "mercantile==1.2.1",
  "nest-asyncio==1.6.0",
  "numpy==2.0.2",
  "pandas==2.2.3",
  "pyarrow==18.1.0",
  "pyproj==3.6.1",
  "shapely==2.0.6",
  "tqdm==4.67.1",
];

/** The path of the environment's python. It is of 3.12, as the distribution's, where there is one. */
export async function publishedClient() {
  const found = pythons();
  const { interpreter, version } = found.find((one) => one.version === "3.12") ?? found[0];
  const hash = createHash("sha256").update(REQUIREMENTS.join("\n")).digest("hex").slice(0, 8);
  const folder = await makeOnce(join(cacheFolder(), `published-client-${version}-${hash}`), (part) => {
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...REQUIREMENTS];
    for (const [command, args] of [
      [interpreter, ["-m", "venv", part]],
      [join(part, "bin", "python"), pip],
    ]) {
      const { status } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
      if (status !== 0)
        throw new Error(`Cannot install the published client: ${command} ended with ${status}`);
    }
  });
  return join(folder, "bin", "python");
}

if (import.meta.main) console.log(await publishedClient());
