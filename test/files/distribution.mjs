/** A Pyodide distribution with fsspec, which that of the other tests lacks. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, makeOnce } from "../setup/folder.mjs";
import { downloadWheels } from "../setup/pip.mjs";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";

const VERSION = "2026.9.0";
const LOCK = "pyodide-lock.json";

/**
 * Its folder: links to the files of the geospatial distribution, or of the plain one where that is not there, and fsspec beside them.
 * @returns {Promise<{ folder: string, hasGeo: boolean }>}
 */
export async function fsspecDistribution() {
  const geo = await geoDistribution();
  const base = geo ?? (await plainDistribution());
  const lock = JSON.parse(readFileSync(join(base, LOCK), "utf8"));
  const name = createHash("sha256")
    .update(`${base}\n${JSON.stringify(lock)}`)
    .digest("hex")
    .slice(0, 8);
  const folder = await makeOnce(join(cacheFolder(), `pyodide-fsspec-${VERSION}-${name}`), (part) => {
    downloadWheels([`fsspec==${VERSION}`], part);
    const [wheel] = readdirSync(part);
    for (const file of readdirSync(base)) symlinkSync(join(base, file), join(part, file));
    lock.packages.fsspec = {
      depends: [],
      file_name: wheel,
      imports: ["fsspec"],
      install_dir: "site",
      name: "fsspec",
      package_type: "package",
      sha256: createHash("sha256")
        .update(readFileSync(join(part, wheel)))
        .digest("hex"),
      unvendored_tests: false,
      version: VERSION,
    };
    rmSync(join(part, LOCK));
    writeFileSync(join(part, LOCK), JSON.stringify(lock));
  });
  return { folder, hasGeo: geo !== null };
}
