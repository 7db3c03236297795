/** A Pyodide distribution: what is in its lock file, which wheels are there, and the archive of the packages that a UDF imports. */
import type { Assets } from "../../assets.ts";
import { AssetError, PermissionDeniedError } from "../../errors.ts";
import { pyodideGlue } from "./glue.ts";
import { encodePack } from "./pack.ts";

/** An entry of `packages` in pyodide-lock.json. */
export interface LockPackage {
  name: string;
  version: string;
  file_name: string;
  install_dir: string;
  sha256: string;
  depends: string[];
  imports: string[];
}

interface LockFile {
  info: { python: string; platform: string; [key: string]: unknown };
  packages: Record<string, LockPackage>;
}

export interface Distribution {
  info: LockFile["info"];
  pythonVersion: [number, number];
  /** Identifies the build: hash of the glue and the lock's info. */
  id: string;
  glue: string;
  wasm: Uint8Array;
  stdlib: Uint8Array;
  packages: ReadonlyMap<string, LockPackage>;
  /** import name -> package name */
  providers: ReadonlyMap<string, string>;
}

/** A set of packages, closed under dependencies, that all are here. */
export interface PackageSet {
  /** Names of the lock, sorted. */
  names: string[];
  /** Import names that a snapshot holds imported. */
  imports: string[];
}

/** @throws AssetError when the folder holds no usable distribution. */
export async function openDistribution(assets: Assets): Promise<Distribution> {
  const { pyodide } = assets;
  const text = async (file: string) => new TextDecoder().decode(await pyodide.read(file));
  let lock: LockFile;
  try {
    lock = JSON.parse(await text("pyodide-lock.json"));
  } catch (cause) {
    if (cause instanceof AssetError) {
      throw new AssetError(`${pyodide.name} is no Pyodide distribution: ${cause.message}`, { cause });
    }
    throw new AssetError(`${pyodide.name}/pyodide-lock.json is damaged: ${(cause as Error).message}`, {
      cause,
    });
  }
  const asm = (await pyodide.has("pyodide.asm.mjs")) ? "pyodide.asm.mjs" : "pyodide.asm.js";
  const [asmText, loaderText, wasm, stdlib] = await Promise.all([
    text(asm),
    text("pyodide.mjs"),
    pyodide.read("pyodide.asm.wasm"),
    pyodide.read("python_stdlib.zip"),
  ]);
  const glue = pyodideGlue(asmText, loaderText);
  const version = /^(\d+)\.(\d+)/.exec(lock.info?.python ?? "");
  if (!version) throw new AssetError(`${pyodide.name}/pyodide-lock.json names no Python version`);
  const packages = new Map(Object.entries(lock.packages ?? {}));
  const providers = new Map<string, string>();
  for (const [name, entry] of packages)
    for (const module of entry.imports ?? []) if (!providers.has(module)) providers.set(module, name);
  return {
    info: lock.info,
    pythonVersion: [Number(version[1]), Number(version[2])],
    id: await assets.sha256(new TextEncoder().encode(glue + JSON.stringify(lock.info) + wasm.length)),
    glue,
    wasm,
    stdlib,
    packages,
    providers,
  };
}

/** Whether a package's wheel is here; those it depends on may be missing. */
export async function hasPackage(distribution: Distribution, assets: Assets, name: string): Promise<boolean> {
  const entry = distribution.packages.get(name);
  return entry !== undefined && (await assets.pyodide.has(entry.file_name));
}

/** What a package imports when it is first used, not when it is imported: a run would do it, and it would be lost with the run. */
const IMPORTED_LATE: Readonly<Record<string, readonly string[]>> = {
  fsspec: ["fsspec.implementations.http"],
  pyarrow: ["pandas"],
};

/**
 * The packages behind import names and requirements.
 * @param imports names as scanned from the source; those that no package provides are left to the interpreter
 * @throws PermissionDeniedError when a package is known but its wheel is not here: fetching needs `import`
 */
export async function resolvePackages(
  distribution: Distribution,
  assets: Assets,
  imports: readonly string[],
  requirements: readonly string[] = [],
): Promise<PackageSet> {
  const wanted: string[] = [];
  const preloaded: string[] = [];
  for (const module of imports) {
    const name = distribution.providers.get(module);
    if (name === undefined) continue;
    wanted.push(name);
    preloaded.push(module);
  }
  for (const requirement of requirements) {
    const name = (/^[A-Za-z0-9._-]+/.exec(requirement.trim())?.[0] ?? requirement)
      .toLowerCase()
      .replaceAll(/[._]/g, "-");
    if (!distribution.packages.has(name)) {
      throw new AssetError(
        `The package ${JSON.stringify(requirement)} is not in the distribution ${assets.pyodide.name}: add its wheel there and to pyodide-lock.json`,
      );
    }
    wanted.push(name);
  }
  const names = new Set<string>();
  const visit = async (name: string, why: string): Promise<void> => {
    const entry = distribution.packages.get(name.toLowerCase());
    if (!entry)
      throw new AssetError(
        `The package ${name}, which ${why} needs, is not in ${assets.pyodide.name}/pyodide-lock.json`,
      );
    if (names.has(entry.name.toLowerCase())) return;
    if (!(await assets.pyodide.has(entry.file_name))) {
      throw new PermissionDeniedError(
        `The package ${entry.name} ${entry.version} is not on this machine: its wheel ${entry.file_name} is missing in ${assets.pyodide.name}. ` +
          `Fetching it needs --allow-import=${entry.name}; or name a distribution that has it with --pyodide DIR`,
        { permission: "import", value: entry.name, grant: `--allow-import=${entry.name}` },
      );
    }
    names.add(entry.name.toLowerCase());
    for (const dependency of entry.depends) await visit(dependency, entry.name);
  };
  for (const name of wanted) await visit(name, "the UDF");
  for (const name of names) preloaded.push(...(IMPORTED_LATE[name] ?? []));
  return { names: [...names].sort(), imports: [...new Set(preloaded)].sort() };
}

/** Sources for compilers are of no use here; test suites are large and nobody imports them (but numpy's own, which numpy.testing uses). */
function isNeeded(path: string): boolean {
  if (path.endsWith("/") || /\.(pyi|h|hpp|c|cc|cpp|pyx|pxd|pxi|a)$/.test(path)) return false;
  return path.startsWith("numpy/") || !/(^|\/)tests?\//.test(path);
}

/** Where a package's files go. Source: pyodide's package_loader, `install_dir` of the lock file. */
function installFolder(entry: LockPackage, [major, minor]: [number, number]): string {
  const lib = `/lib/python${major}.${minor}`;
  return (
    { stdlib: lib, dynlib: "/usr/lib", site: `${lib}/site-packages` }[entry.install_dir] ??
    `${lib}/site-packages`
  );
}

/**
 * The archive of a package set, from the build cache or made of its wheels, whose hashes are checked against the lock.
 * @param own files of the package `fused`, path below site-packages -> bytes
 * @throws AssetError naming the wheel that is damaged
 */
export async function packPackages(
  distribution: Distribution,
  assets: Assets,
  set: PackageSet,
  own: { hash: string; files: ReadonlyMap<string, Uint8Array> },
  say: (phase: "packages" | "cache", message: string) => void,
): Promise<{ hash: string; pack: Uint8Array }> {
  const entries = set.names.map((name) => distribution.packages.get(name) as LockPackage);
  const identity = [
    distribution.id,
    own.hash,
    ...entries.map((entry) => `${entry.file_name}:${entry.sha256}`),
  ].join("\n");
  const hash = await assets.sha256(new TextEncoder().encode(identity));
  const key = `packages-${hash}`;
  if (entries.length > 0) {
    const kept = await assets.cache.get(key, (reason) =>
      say("cache", `${reason}: installing packages again`),
    );
    if (kept) return { hash, pack: kept };
  }
  const files = new Map<string, Uint8Array>();
  const [major, minor] = distribution.pythonVersion;
  for (const [path, bytes] of own.files)
    files.set(`/lib/python${major}.${minor}/site-packages/${path}`, bytes);
  for (const [i, entry] of entries.entries()) {
    say("packages", `installing ${entry.name} ${entry.version} (${i + 1} of ${entries.length})`);
    const wheel = await assets.pyodide.read(entry.file_name);
    const actual = await assets.sha256(wheel);
    if (entry.sha256 && actual !== entry.sha256) {
      throw new AssetError(
        `The wheel ${assets.pyodide.name}/${entry.file_name} is damaged: its SHA-256 is ${actual}, the lock file says ${entry.sha256}. Put the right file there`,
      );
    }
    // Packages are installed once: later starts do not need what unpacks them.
    const { unzipSync } = await import("fflate");
    let unpacked: Record<string, Uint8Array>;
    try {
      unpacked = unzipSync(wheel, { filter: ({ name }) => isNeeded(name) });
    } catch (cause) {
      throw new AssetError(
        `The wheel ${assets.pyodide.name}/${entry.file_name} cannot be unpacked: ${(cause as Error).message}`,
        { cause },
      );
    }
    const folder = installFolder(entry, distribution.pythonVersion);
    for (const [path, bytes] of Object.entries(unpacked)) files.set(`${folder}/${path}`, bytes);
  }
  const pack = encodePack(files);
  if (entries.length > 0) {
    const problem = await assets.cache.put(key, pack);
    if (problem) say("cache", `installed packages are not kept: ${problem}`);
  }
  return { hash, pack };
}
