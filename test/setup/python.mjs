/**
 * A virtual environment with what the Python tests need, each at one version.
 *
 *     node test/setup/python.mjs        prints the path of its python
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
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
  "mypy==2.4.1",
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

/**
 * The CPythons of this machine that the package supports: the one called `python3`, and one of each newer version that is found.
 * @returns {{ interpreter: string, version: string }[]} versions such as "3.11"
 */
export function pythons() {
  const pyenv = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const candidates = [
    "python3",
    ...["3.12", "3.13", "3.14", "3.15"].map((version) => `python${version}`),
    ...(existsSync(pyenv) ? readdirSync(pyenv).map((name) => join(pyenv, name, "bin", "python3")) : []),
  ];
  const found = new Map();
  for (const interpreter of candidates) {
    const { status, stdout } = spawnSync(interpreter, ["-c", "import sys; print(*sys.version_info[:2])"], {
      encoding: "utf8",
    });
    const [major, minor] = (stdout ?? "").split(" ").map(Number);
    if (status !== 0 || major !== 3 || minor < 11) continue;
    const version = `3.${minor}`;
    if (!found.has(version)) found.set(version, { interpreter, version });
  }
  return [...found.values()];
}

/** The path of the environment's python. Its folder's name has the hash of the requirements. @param interpreter what it is made with */
export async function python({ interpreter, version } = pythons()[0]) {
  const hash = createHash("sha256").update(REQUIREMENTS.join("\n")).digest("hex").slice(0, 8);
  // Moving it breaks its scripts, which hold its path: its tools are run with `python -m`.
  const folder = await makeOnce(join(cacheFolder(), `python-${version}-${hash}`), (part) => {
    run(interpreter, ["-m", "venv", part]);
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
