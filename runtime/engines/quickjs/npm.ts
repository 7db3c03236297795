/**
 * The npm packages of a TypeScript UDF: from `node_modules` beside it, or from a registry, each only for whom `import` grants its name
 * (`npm:NAME`). What is fetched is pinned: by the lock file, or by the first choice, which is kept.
 */
import satisfies from "semver/functions/satisfies.js";
import maxSatisfying from "semver/ranges/max-satisfying.js";
import validRange from "semver/ranges/valid.js";
import type { Assets } from "../../assets.ts";
import { AssetError, PermissionDeniedError, UdfLoadError } from "../../errors.ts";
import { LOCK_FILE, type LockedNpmPackage, lockOf, type NpmLock } from "../../lock-file.ts";
import {
  type LocalNpmPackage,
  NPM_FOLDER,
  type NpmRegistry,
  type NpmVersion,
  type PackageCaller,
} from "../../packages.ts";
import type { UdfSource } from "../../udf.ts";
import { npmBudget, unpackNpm } from "./npm-archive.ts";
import type { Manifest } from "./npm-exports.ts";
import { keyOf, type PackageSpecifier, parseSpecifier } from "./npm-specifier.ts";

/** A package as the bundler reads it. */
export interface NpmPackage {
  /** `d3-array@3.2.4`, also in tracebacks. */
  id: string;
  name: string;
  manifest: Manifest;
  /** The package that a name means in its files; undefined where it names none. @throws PermissionDeniedError */
  dependency(name: string): Promise<NpmPackage | undefined>;
  /** The text of a file; null where there is none. */
  read(file: string): Promise<string | null>;
}

/** All packages of a UDF. */
export interface NpmTree {
  /** Specifier of the UDF, without its subpath -> package */
  roots: ReadonlyMap<string, NpmPackage>;
  /** Equal for trees that have the same files. */
  identity: string;
  /** Whether what is made of it may be kept for other processes: the files of a folder can change. */
  isPinned: boolean;
  /** Remembers which files of a folder were read: the next tree of the same UDF is another one when they have changed. */
  noteReads(): Promise<void>;
}

/** What was opened of folders. */
interface LocalFiles {
  /** By path. */
  packages: Map<string, LocalNpmPackage>;
  /** Path of a package and file, those that are not there too. */
  reads: Map<string, readonly [path: string, file: string]>;
}

/** So many are followed; nobody has more. */
const MOST_PACKAGES = 2000;

/** Longer texts are nobody's range; to read them would take long. */
const MOST_RANGE_CHARACTERS = 256;

const isRange = (text: string) => text.length <= MOST_RANGE_CHARACTERS && validRange(text) !== null;

export class NpmPackages {
  readonly #assets: Assets;
  readonly #registry: NpmRegistry | undefined;

  /** @param registry what fetches; without it nothing is fetched */
  constructor(assets: Assets, registry?: NpmRegistry) {
    this.#assets = assets;
    this.#registry = registry;
  }

  /**
   * The packages behind specifiers.
   * @throws PermissionDeniedError with all names that are not granted; AssetError, UdfLoadError
   */
  async open(
    source: UdfSource,
    specifiers: readonly string[],
    caller: PackageCaller | undefined,
  ): Promise<NpmTree> {
    const wanted = readSpecifiers(source, specifiers);
    const lock = lockOf(source.lock, source.file);
    if (lock && "python" in lock) throw stale(source, "it was made for a Python UDF");
    const isLocked = (specifier: PackageSpecifier) => lock?.requires.includes(keyOf(specifier)) === true;
    // Who wrote a lock file grants nothing by it.
    const names = [
      ...wanted.map(({ name }) => name),
      ...(wanted.some(isLocked) ? (lock?.packages ?? []).map(({ name }) => name) : []),
    ];
    const nowhere = wanted.find(({ isNpm }) => !isNpm && !source[NPM_FOLDER]);
    if (nowhere) throw notBeside(source, nowhere);
    if (!this.#registry || !caller) throw denied(wanted.map(({ name }) => name));
    await this.#requireAll(names, caller);
    const roots = new Map<string, NpmPackage>();
    const local: LocalFiles = { packages: new Map(), reads: new Map() };
    const remote: PackageSpecifier[] = wanted.filter(isLocked);
    for (const specifier of wanted) {
      if (isLocked(specifier)) continue;
      const key = keyOf(specifier);
      const found = await this.#openLocal(source, specifier, caller, local);
      if (found) roots.set(key, found);
      else if (!specifier.isNpm) throw notBeside(source, specifier);
      else if (lock) {
        throw stale(
          source,
          `it was made for ${lock.requires.join(", ") || "nothing"}, and the UDF imports ${key}`,
        );
      } else remote.push(specifier);
    }
    const locked = lock?.packages ?? (await this.#choose(remote, caller));
    const opened = await this.#openLocked(locked, remote, caller);
    for (const [key, each] of opened) roots.set(key, each);
    const pins =
      remote.length === 0
        ? []
        : locked.map(({ name, version, integrity }) => `${name}@${version} ${integrity}`);
    const isPinned = local.packages.size === 0;
    return { roots, isPinned, ...(isPinned ? pinned(pins) : await this.#watched(source, pins, local)) };
  }

  /** The identity of a tree with packages of folders: by those of their files that the last tree of the same UDF has read. */
  async #watched(
    { file, code, headers }: UdfSource,
    pins: readonly string[],
    { packages, reads }: LocalFiles,
  ): Promise<Pick<NpmTree, "identity" | "noteReads">> {
    const { cache, sha256 } = this.#assets;
    const stampOf = async (path: string, name: string) =>
      `${path} ${name} ${(await packages.get(path)?.stampOf(name)) ?? "none"}`;
    const manifests = await Promise.all([...packages.keys()].map((path) => stampOf(path, "package.json")));
    const tree = JSON.stringify([pins, manifests, file, code, headers]);
    const key = `npm-reads-${await sha256(new TextEncoder().encode(tree))}`;
    const kept = await cache.get(key, () => {});
    const before: [string, string][] | undefined = kept && JSON.parse(new TextDecoder().decode(kept));
    // Nobody knows yet on which files it depends: it is like no other.
    const files = before ? await Promise.all(before.map((each) => stampOf(...each))) : crypto.randomUUID();
    return {
      identity: JSON.stringify([pins, manifests, files]),
      noteReads: async () => {
        await cache.put(key, new TextEncoder().encode(JSON.stringify([...reads.values()])));
      },
    };
  }

  /** What is to be locked for a UDF, whatever is locked now. What lies beside it is not locked. @throws as `open` */
  async lock(source: UdfSource, specifiers: readonly string[], caller: PackageCaller): Promise<NpmLock> {
    const wanted = readSpecifiers(source, specifiers);
    if (!this.#registry) throw denied(wanted.map(({ name }) => name));
    await this.#requireAll(
      wanted.map(({ name }) => name),
      caller,
    );
    const remote: PackageSpecifier[] = [];
    for (const specifier of wanted) {
      if (await source[NPM_FOLDER]?.find(specifier.name, null)) continue;
      if (!specifier.isNpm) throw notBeside(source, specifier);
      remote.push(specifier);
    }
    const packages = await this.#resolve(remote, caller);
    // What a run will want is here then.
    await this.#openLocked(packages, remote, caller);
    return { requires: remote.map(keyOf).sort(), packages };
  }

  /** @throws PermissionDeniedError that names all that are not granted */
  async #requireAll(names: readonly string[], caller: PackageCaller): Promise<void> {
    const missing: string[] = [];
    for (const name of new Set(names)) {
      try {
        await this.#registry?.require(name, caller);
      } catch (error) {
        // What a rule denies is not granted by a flag.
        if (!(error instanceof PermissionDeniedError) || error.grant === "") throw error;
        missing.push(name);
      }
    }
    if (missing.length > 0) throw denied(missing);
  }

  /** A package of `node_modules` with all that it needs; null where there is none of that name. */
  async #openLocal(
    source: UdfSource,
    { name, range }: PackageSpecifier,
    caller: PackageCaller,
    { packages, reads }: LocalFiles,
  ): Promise<NpmPackage | null> {
    const folder = source[NPM_FOLDER];
    const first = await folder?.find(name, null);
    if (!folder || !first) return null;
    const opened = new Map<string, NpmPackage>();
    const open = async (found: LocalNpmPackage, called: string): Promise<NpmPackage> => {
      const known = opened.get(found.path);
      if (known) return known;
      if (opened.size >= MOST_PACKAGES)
        throw new AssetError(`${name} leads to more than ${MOST_PACKAGES} packages`);
      const manifest = readManifest(found.manifest, `${found.path}/package.json`);
      const depends = new Map<string, NpmPackage>();
      const made: NpmPackage = {
        id: `${called}@${String(manifest.version)}`,
        name: called,
        manifest,
        // Much of what a package names is never imported: what is, is asked for.
        dependency: async (other) => {
          const there = depends.get(other);
          if (there) await this.#requireAll([other], caller);
          return there;
        },
        read(file) {
          reads.set(`${found.path}\n${file}`, [found.path, file]);
          return found.read(file);
        },
      };
      opened.set(found.path, made);
      packages.set(found.path, found);
      for (const other of Object.keys(rangesOf(manifest.dependencies))) {
        const there = await folder.find(other, found.path);
        if (there) depends.set(other, await open(there, other));
      }
      return made;
    };
    const made = await open(first, name);
    if (range !== "" && !(isRange(range) && satisfies(String(made.manifest.version), range))) {
      throw new AssetError(
        `${source.file} imports npm:${name}@${range}, and node_modules beside it has ${made.id}`,
      );
    }
    return made;
  }

  /** As chosen before, or now. Whoever has not been granted one of them hears so in both cases. */
  async #choose(
    wanted: readonly PackageSpecifier[],
    caller: PackageCaller,
  ): Promise<readonly LockedNpmPackage[]> {
    if (wanted.length === 0) return [];
    const { cache, sha256 } = this.#assets;
    const registry = this.#registry as NpmRegistry;
    const identity = JSON.stringify(["npm", registry.url, wanted.map(keyOf).sort()]);
    const key = `resolution-${await sha256(new TextEncoder().encode(identity))}`;
    const kept = await cache.get(key, () => {});
    if (kept) {
      const packages = JSON.parse(new TextDecoder().decode(kept)) as LockedNpmPackage[];
      await this.#requireAll(
        packages.map(({ name }) => name),
        caller,
      );
      return packages;
    }
    const packages = await this.#resolve(wanted, caller);
    // What cannot be kept is resolved again.
    await cache.put(key, new TextEncoder().encode(JSON.stringify(packages)));
    return packages;
  }

  /** Chooses versions: one that is chosen already where it will do, else the newest that is in the range. */
  async #resolve(wanted: readonly PackageSpecifier[], caller: PackageCaller): Promise<LockedNpmPackage[]> {
    const registry = this.#registry as NpmRegistry;
    const chosen = new Map<string, NpmVersion & { name: string; depends: Record<string, string> }>();
    const select = async (name: string, range: string, by: string) => {
      const found = await registry.find(name, caller);
      const fail = (why: string) =>
        new AssetError(`${by} needs npm:${name}@${range || "latest"}, and ${registry.url} ${why}`);
      if (!found) throw fail("has no such package");
      const tag = range === "" ? "latest" : range;
      const exact = Object.hasOwn(found.tags, tag) ? found.tags[tag] : undefined;
      const wantedRange = exact ?? range;
      if (!isRange(wantedRange))
        throw fail("cannot tell what that is: only versions, ranges and tags are understood");
      const versions = found.versions.map(({ version }) => version);
      const version =
        maxSatisfying(
          versions.filter((each) => chosen.has(`${name}@${each}`)),
          wantedRange,
        ) ?? maxSatisfying(versions, wantedRange);
      const best = found.versions.find((each) => each.version === version);
      if (!best) throw fail(`has ${versions.slice(-8).join(", ") || "no versions"}`);
      const id = `${name}@${version}`;
      const known = chosen.get(id);
      if (known) return { entry: known, isNew: false };
      if (best.integrity === "") throw fail(`gives no SHA-512 for ${id}`);
      if (chosen.size >= MOST_PACKAGES)
        throw new AssetError(`${by} leads to more than ${MOST_PACKAGES} packages`);
      const entry = { name, ...best, depends: Object.create(null) as Record<string, string> };
      chosen.set(id, entry);
      return { entry, isNew: true };
    };
    let level: { name: string; range: string; by: string; note?: (version: string) => void }[] = wanted.map(
      ({ name, range }) => ({ name, range, by: "The UDF" }),
    );
    while (level.length > 0) {
      await this.#requireAll(
        level.map(({ name }) => name),
        caller,
      );
      const next: typeof level = [];
      for (const { name, range, by, note } of level) {
        const { entry, isNew } = await select(name, range, by);
        note?.(entry.version);
        if (!isNew) continue;
        for (const [other, otherRange] of Object.entries(entry.dependencies)) {
          next.push({
            name: other,
            range: otherRange,
            by: `${name}@${entry.version}`,
            note: (version) => void (entry.depends[other] = version),
          });
        }
      }
      level = next;
    }
    return [...chosen.values()]
      .map(
        ({ name, version, integrity, depends }): LockedNpmPackage => ({
          name,
          version,
          origin: registry.url,
          integrity,
          depends: Object.fromEntries(Object.entries(depends).sort(([a], [b]) => (a < b ? -1 : 1))),
        }),
      )
      .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
  }

  /** @returns by the specifier's key */
  async #openLocked(
    locked: readonly LockedNpmPackage[],
    wanted: readonly PackageSpecifier[],
    caller: PackageCaller,
  ): Promise<Map<string, NpmPackage>> {
    const roots = new Map<string, NpmPackage>();
    if (wanted.length === 0) return roots;
    const registry = this.#registry as NpmRegistry;
    const opened = new Map<string, NpmPackage>();
    const budget = npmBudget();
    // One after another, so that no more than one is in memory as an archive.
    for (const { name, version, origin, integrity, depends } of locked) {
      const wanted = { version, integrity };
      const isHere = origin === registry.url;
      const archive = isHere
        ? await registry.read(name, wanted, caller)
        : await registry.kept(origin, name, wanted);
      if (!archive) {
        throw new AssetError(
          `${LOCK_FILE} has npm:${name} from ${origin}, and the registry here is ${registry.url}: a package comes from one registry only. Name that one with --npm-registry, or lock again`,
        );
      }
      const id = `${name}@${version}`;
      const files = await unpackNpm(archive, id, budget);
      opened.set(id, {
        id,
        name,
        manifest: readManifest(files.get("package.json") as string, `package.json of ${id}`),
        dependency: async (other) =>
          Object.hasOwn(depends, other) ? opened.get(`${other}@${depends[other]}`) : undefined,
        read: async (file) => files.get(file) ?? null,
      });
    }
    for (const specifier of wanted) {
      const versions = locked.filter(({ name }) => name === specifier.name).map(({ version }) => version);
      // A tag may have meant any version, a pre-release too.
      const isTag = specifier.range === "" || !isRange(specifier.range);
      const version = maxSatisfying(versions, isTag ? "*" : specifier.range, { includePrerelease: isTag });
      const found = opened.get(`${specifier.name}@${version}`);
      if (!found)
        throw new AssetError(
          `${LOCK_FILE} has no version of npm:${specifier.name} that is ${specifier.range || "any"}: lock again`,
        );
      roots.set(keyOf(specifier), found);
    }
    return roots;
  }
}

const pinned = (pins: readonly string[]): Pick<NpmTree, "identity" | "noteReads"> => ({
  identity: JSON.stringify(pins),
  noteReads: async () => {},
});

/** Each of them once. @throws UdfLoadError for one that names no package */
function readSpecifiers({ file }: UdfSource, specifiers: readonly string[]): PackageSpecifier[] {
  const read = new Map<string, PackageSpecifier>();
  for (const text of specifiers) {
    const specifier = parseSpecifier(text);
    if (!specifier) {
      throw new UdfLoadError(
        `${file} imports ${JSON.stringify(text.slice(0, 200))}, which names no package: write npm:NAME@VERSION`,
        {
          location: { file },
        },
      );
    }
    read.set(keyOf(specifier), specifier);
  }
  return [...read.values()];
}

function readManifest(text: string, where: string): Manifest {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new AssetError(`${where} is no JSON`, { cause });
  }
  if (typeof manifest !== "object" || manifest === null) throw new AssetError(`${where} is no object`);
  return manifest as Manifest;
}

/** Ranges by name. What is no text, and no name of a package, is left out. */
export function rangesOf(dependencies: unknown): Record<string, string> {
  const ranges: Record<string, string> = Object.create(null);
  if (typeof dependencies !== "object" || dependencies === null) return ranges;
  for (const [name, range] of Object.entries(dependencies))
    if (typeof range === "string" && parseSpecifier(name)?.subpath === "") ranges[name] = range;
  return ranges;
}

const stale = ({ file }: UdfSource, why: string) =>
  new AssetError(`${LOCK_FILE} no longer matches ${file}: ${why}. Lock it again: fuselet lock ${file}`);

const notBeside = ({ file }: UdfSource, { name, subpath }: PackageSpecifier) =>
  new UdfLoadError(
    `${file} imports "${name}${subpath && `/${subpath}`}", and no node_modules beside it has that package: install it there, or write "npm:${name}@VERSION" to take it from the registry`,
    { location: { file } },
  );

/** One error for all packages that may not be used. */
function denied(names: readonly string[]): PermissionDeniedError {
  const sorted = [...new Set(names)].map((name) => `npm:${name}`).sort();
  const grant = `--allow-import=${sorted.join(",")}`;
  const remedy = `: run again with ${grant}`;
  return new PermissionDeniedError(
    `Requires import access to ${sorted.map((name) => JSON.stringify(name)).join(", ")}${remedy}`,
    { permission: "import", value: sorted[0] as string, grant, remedy },
  );
}
