/** How packages that are not on this machine are fetched: an interface, which the host implements under the permission `import`. */

/** On whose behalf. */
export interface PackageCaller {
  principal: string;
  udf: { name: string; hash: string };
  /** What the run may do at most; the host's own kind of value. */
  permissions: unknown;
  /** Whether another UDF's run asked for this one. */
  isNested: boolean;
  /** Asks for the permission, in a run that has its own way to ask. @param value as `import` names a package @throws PermissionDeniedError */
  ask?(value: string): Promise<unknown>;
  /** Aborts when nobody waits any longer. */
  signal?: AbortSignal | undefined;
}

/** A file of an index of Python packages. */
export interface IndexFile {
  file: string;
  url: string;
  /** Hexadecimal; empty where the index does not say. */
  sha256: string;
  /** Version specifiers; empty where any Python will do. */
  requiresPython: string;
  /** It was withdrawn. */
  yanked: boolean;
  /** Whether its METADATA can be had without it, and the hash of that (empty where the index does not say). */
  metadata: { sha256: string } | null;
}

/** An index of Python packages, and the place of what belongs to a Pyodide distribution. */
export interface PythonIndex {
  /** Its URL, as lock files name it. */
  readonly url: string;
  /** Asks for the permission. @throws PermissionDeniedError */
  require(name: string, caller: PackageCaller): Promise<void>;
  /** What a lock file names is fetched once and asked for once, and not used where a rule denies it. @throws PermissionDeniedError */
  refuse(name: string, caller: PackageCaller): void;
  /**
   * The files of a package, in no order.
   * @returns null where the index does not know the name
   * @throws PermissionDeniedError, AssetError
   */
  find(name: string, caller: PackageCaller): Promise<readonly IndexFile[] | null>;
  /** The text of a file's METADATA, for whoever has found the file. @throws AssetError */
  metadata(name: string, file: IndexFile, caller: PackageCaller): Promise<string>;
  /**
   * A file, from what is kept on this machine, for which nobody is asked, or else fetched.
   * @param wanted of the index, as a lock file has it
   * @throws PermissionDeniedError, AssetError where the index has no such file, or another one under its name
   */
  read(name: string, wanted: { file: string; sha256: string }, caller: PackageCaller): Promise<Uint8Array>;
  /**
   * A file that is kept on this machine, whichever index it was fetched from: its hash says that it is the one. Nobody is asked.
   * @param from the index, as a lock file names it
   * @returns undefined where it is not kept
   */
  kept(from: string, name: string, wanted: { file: string; sha256: string }): Promise<Uint8Array | undefined>;
  /** As `read`, for a file of a Pyodide distribution. @param version of Pyodide */
  readOfDistribution(
    name: string,
    wanted: { file: string; sha256: string; version: string },
    caller: PackageCaller,
  ): Promise<Uint8Array>;
}

/** What a registry of npm says of a version. */
export interface NpmVersion {
  version: string;
  /** URL of the archive. */
  tarball: string;
  /** Subresource integrity, `sha512-…`; empty where the registry does not say. */
  integrity: string;
  /** Ranges by name. */
  dependencies: Readonly<Record<string, string>>;
}

/** A registry of npm. */
export interface NpmRegistry {
  /** Its URL, as lock files name it. */
  readonly url: string;
  /** Asks for the permission. @throws PermissionDeniedError */
  require(name: string, caller: PackageCaller): Promise<void>;
  /** @returns versions and tags; null where the registry does not know the name @throws PermissionDeniedError, AssetError */
  find(
    name: string,
    caller: PackageCaller,
  ): Promise<{ versions: readonly NpmVersion[]; tags: Readonly<Record<string, string>> } | null>;
  /** An archive, from what is kept on this machine, for which nobody is asked, or else fetched. @throws PermissionDeniedError, AssetError */
  read(
    name: string,
    wanted: { version: string; integrity: string },
    caller: PackageCaller,
  ): Promise<Uint8Array>;
  /** An archive that is kept on this machine, whichever registry it was fetched from. @returns undefined where it is not kept */
  kept(
    from: string,
    name: string,
    wanted: { version: string; integrity: string },
  ): Promise<Uint8Array | undefined>;
}

/** A package of npm that lies on this machine. */
export interface LocalNpmPackage {
  /** Where it lies: equal for the same. */
  path: string;
  /** The text of its package.json. */
  manifest: string;
  /** Changes when a file does; null where there is none. */
  stampOf(file: string): Promise<string | null>;
  /** The text of a file in its folder; null where there is none. A link that leads out of the folder is none. */
  read(file: string): Promise<string | null>;
}

/** The packages beside a UDF, as its platform finds them. */
export interface NpmFolder {
  /**
   * Finds a package as Node does: in `node_modules` of the folder from which it is imported, and of those above, up to the project's.
   * @param from `path` of the package that imports it; null for the UDF
   */
  find(name: string, from: string | null): Promise<LocalNpmPackage | null>;
}

/** Under this name a source carries the packages beside it. No text can: whoever sends a source cannot say where files are read. */
export const NPM_FOLDER: unique symbol = Symbol("packages beside the UDF");
