/** The archive of a UDF's packages, as an isolate mounts it. */
import type { Assets } from "../../assets.ts";
import { AssetError } from "../../errors.ts";
import type { LockedPackage } from "../../lock-file.ts";
import type { Distribution } from "./distribution.ts";
import { encodePack } from "./pack.ts";
import { placeOf, wheelBudget } from "./wheel.ts";

/** Sources for compilers are of no use here; test suites are large and nobody imports them (but numpy's own, which numpy.testing uses). */
function isNeeded(path: string): boolean {
  if (path.endsWith("/") || /\.(pyi|h|hpp|c|cc|cpp|pyx|pxd|pxi|a)$/.test(path)) return false;
  return path.startsWith("numpy/") || !/(^|\/)tests?\//.test(path);
}

/** A path that leads out of its folder is no file of a package. */
const isUnsafe = (path: string): boolean =>
  path.startsWith("/") || path.includes("\\") || path.split("/").some((part) => part === ".." || part === "");

/** Where a package's files go. Source: pyodide's package_loader, `install_dir` of the lock file. */
function installFolder(
  { packages, pythonVersion: [major, minor] }: Distribution,
  { name, origin }: LockedPackage,
): string {
  const lib = `/lib/python${major}.${minor}`;
  const kind = origin === "distribution" ? packages.get(name)?.install_dir : undefined;
  return { stdlib: lib, dynlib: "/usr/lib" }[kind ?? ""] ?? `${lib}/site-packages`;
}

/** The files of a package by their path. @throws AssetError naming the file that is damaged */
async function unpack(
  distribution: Distribution,
  entry: LockedPackage,
  bytes: Uint8Array,
): Promise<[string, Uint8Array][]> {
  // Packages are installed once: later starts do not need what unpacks them.
  const { unzipSync } = await import("fflate");
  let files: Record<string, Uint8Array>;
  const count = wheelBudget();
  try {
    files = unzipSync(bytes, {
      filter(entry) {
        count(entry);
        return isNeeded(entry.name);
      },
    });
  } catch (cause) {
    throw new AssetError(`The wheel ${entry.file} cannot be unpacked: ${(cause as Error).message}`, {
      cause,
    });
  }
  const folder = installFolder(distribution, entry);
  const placed: [string, Uint8Array][] = [];
  for (const [path, content] of Object.entries(files)) {
    const place = placeOf(path);
    if (place === null) continue;
    if (isUnsafe(place))
      throw new AssetError(
        `The wheel ${entry.file} cannot be installed: it has the path ${JSON.stringify(path)}`,
      );
    placed.push([`${folder}/${place}`, content]);
  }
  return placed;
}

/** Identifies the archive of these packages. */
export function packIdentity(
  distribution: Distribution,
  ownHash: string,
  packages: readonly LockedPackage[],
): string {
  return [distribution.id, ownHash, ...packages.map(({ file, sha256 }) => `${file}:${sha256}`)].join("\n");
}

/**
 * The archive of packages, from the build cache or made of their files, whose hashes are checked.
 * @param own files of the package `fused`, path below site-packages -> bytes
 * @param readFile gives a package's file, wherever that is
 * @throws AssetError naming the file that is damaged; what `readFile` throws
 */
export async function packPackages(
  distribution: Distribution,
  assets: Assets,
  packages: readonly LockedPackage[],
  own: { hash: string; files: ReadonlyMap<string, Uint8Array> },
  readFile: (entry: LockedPackage) => Promise<Uint8Array>,
  say: (phase: "packages" | "cache", message: string) => void,
): Promise<{ hash: string; pack: Uint8Array }> {
  const hash = await assets.sha256(new TextEncoder().encode(packIdentity(distribution, own.hash, packages)));
  const key = `packages-${hash}`;
  if (packages.length > 0) {
    const kept = await assets.cache.get(key, (reason) =>
      say("cache", `${reason}: installing packages again`),
    );
    if (kept) return { hash, pack: kept };
  }
  const files = new Map<string, Uint8Array>();
  for (const [i, entry] of packages.entries()) {
    say("packages", `installing ${entry.name} ${entry.version} (${i + 1} of ${packages.length})`);
    const bytes = await readFile(entry);
    const actual = await assets.sha256(bytes);
    // Some distributions give no hash for some files.
    if (entry.sha256 !== "" && actual !== entry.sha256) {
      throw new AssetError(
        `The wheel ${nameOf(entry, assets)} is damaged: its SHA-256 is ${actual}, and ${entry.sha256} was expected. Nothing was installed`,
      );
    }
    for (const [path, content] of await unpack(distribution, entry, bytes)) files.set(path, content);
  }
  // Ours come last: no package replaces them.
  const [major, minor] = distribution.pythonVersion;
  for (const [path, bytes] of own.files)
    files.set(`/lib/python${major}.${minor}/site-packages/${path}`, bytes);
  const pack = encodePack(files);
  if (packages.length > 0) {
    const problem = await assets.cache.put(key, pack);
    if (problem) say("cache", `installed packages are not kept: ${problem}`);
  }
  return { hash, pack };
}

function nameOf({ file, origin }: LockedPackage, { pyodide, wheels }: Assets): string {
  if (origin === "distribution") return `${pyodide.name}/${file}`;
  return origin === "wheels" ? `${wheels?.name}/${file}` : `${file} of ${origin}`;
}
