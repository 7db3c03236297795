/**
 * A virtual environment with what the Python tests need, each at one version.
 *
 *     node test/setup/python.mjs        prints the path of its python
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, makeOnce } from "./folder.mjs";

/** Pinned, so that a test that fails today failed yesterday. */
const REQUIREMENTS = [
  "aiohttp==3.14.5",
  "arro3-core==0.9.1",
  "arro3-io==0.9.1",
  "fsspec==2026.9.0",
  "geopandas==1.2.0",
  "httpx==0.28.1",
  "hypothesis==6.170.17",
  "matplotlib==3.11.2",
  "mercantile==1.2.1",
  "nanoarrow==0.9.0",
  "numpy==2.4.6",
  "pandas==3.1.1",
  "pillow==13.0.0",
  "polars==2.1.0",
  "pyarrow==26.0.1",
  "pyproj==3.7.2",
  "pytest==9.2.0",
  "requests==2.34.2",
  "shapely==2.2.0",
  "xarray==2026.9.0",
];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) {
    throw new Error(
      `Cannot make the Python environment: ${command} ${args.join(" ")}: ${error?.message ?? `ended with ${status}`}`,
    );
  }
}

/** The path of the environment's python. Its folder's name has the hash of the requirements. */
export async function python() {
  const version = createHash("sha256").update(REQUIREMENTS.join("\n")).digest("hex").slice(0, 8);
  // Moving it breaks its scripts, which hold its path: its tools are run with `python -m`.
  const folder = await makeOnce(join(cacheFolder(), `python-${version}`), (part) => {
    run("python3", ["-m", "venv", part]);
    run(join(part, "bin", "python"), [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      ...REQUIREMENTS,
    ]);
  });
  return join(folder, "bin", "python");
}

if (import.meta.main) console.log(await python());
