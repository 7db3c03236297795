/**
 * `fuselet.lock`: which files the packages of the UDFs in its folder are. JSON, deterministic: the same choice gives the same bytes.
 *
 *     { "version": 1,
 *       "udfs": {
 *         "report.py": { "python": "3.12.7", "abi": "2024_0", "requires": ["requests>=2.31"], "imports": ["pandas"], "packages": [
 *           { "name": "requests", "version": "2.32.5", "file": "requests-2.32.5-py3-none-any.whl", "origin": "https://…/simple",
 *             "sha256": "…", "depends": ["certifi", …], "imports": ["requests"] } ] },
 *         "report.ts": { "requires": ["npm:d3-array@3"], "packages": [
 *           { "name": "d3-array", "version": "3.2.4", "origin": "https://…", "integrity": "sha512-…", "depends": { "internmap": "2.0.3" } } ] } } }
 */
import { AssetError } from "./errors.ts";

/** Where a file of a Python package is from: the Pyodide distribution, the folder of wheels, or an index by its URL. */
export type Origin = "distribution" | "wheels" | (string & {});

export interface LockedPackage {
  /** As PEP 503 writes it. */
  name: string;
  version: string;
  file: string;
  origin: Origin;
  /** Hexadecimal. */
  sha256: string;
  /** Names of packages. */
  depends: readonly string[];
  /** Names that can be imported once it is installed. */
  imports: readonly string[];
}

/** What a Python UDF was locked for, and with what. */
export interface PythonLock {
  python: string;
  abi: string;
  /** Its requirements, sorted. */
  requires: readonly string[];
  /** Those of its imports that a package provides which its requirements do not name, sorted. */
  imports: readonly string[];
  packages: readonly LockedPackage[];
}

export interface LockedNpmPackage {
  name: string;
  version: string;
  /** URL of the registry. */
  origin: string;
  /** `sha512-…` */
  integrity: string;
  /** Name in its own imports -> version that is meant. */
  depends: Readonly<Record<string, string>>;
}

/** What a TypeScript UDF was locked for, and with what. */
export interface NpmLock {
  /** Its specifiers, sorted: `npm:d3-array@3`. */
  requires: readonly string[];
  /** What each of them means: specifier -> version. */
  packages: readonly LockedNpmPackage[];
}

export interface LockFile {
  version: 1;
  udfs: Readonly<Record<string, PythonLock | NpmLock>>;
}

export const LOCK_FILE = "fuselet.lock";
/** Larger ones are nobody's lock. */
export const MOST_LOCK_CHARACTERS = 8 * 1024 * 1024;

type Fields = Record<string, unknown>;

class Damage extends Error {}

const isText = (value: unknown): value is string => typeof value === "string";

function object(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Damage(`${where} must be an object`);
  return value as Fields;
}

function text(value: unknown, where: string, pattern = /^[^\u0000-\u001f\u007f]{0,2048}$/): string {
  if (!isText(value) || !pattern.test(value)) throw new Damage(`${where} is wrong: received ${shown(value)}`);
  return value;
}

function texts(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) throw new Damage(`${where} must be a list`);
  return value.map((item, i) => text(item, `${where}[${i}]`));
}

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 100) ?? typeof value;

const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const FILE = /^(?!\.)[\w.+!-]{1,255}$/;
const NPM_NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const SHA256 = /^[0-9a-f]{64}$/;

function pythonPackage(value: unknown, where: string): LockedPackage {
  const fields = object(value, where);
  return {
    name: text(fields.name, `${where}.name`, NAME),
    version: text(fields.version, `${where}.version`),
    file: text(fields.file, `${where}.file`, FILE),
    origin: text(fields.origin, `${where}.origin`),
    sha256: text(fields.sha256, `${where}.sha256`, SHA256),
    depends: texts(fields.depends, `${where}.depends`),
    imports: texts(fields.imports, `${where}.imports`),
  };
}

function npmPackage(value: unknown, where: string): LockedNpmPackage {
  const fields = object(value, where);
  const depends: Record<string, string> = Object.create(null);
  for (const [name, version] of Object.entries(object(fields.depends, `${where}.depends`)))
    depends[text(name, `${where}.depends`, NPM_NAME)] = text(version, `${where}.depends.${name}`);
  return {
    name: text(fields.name, `${where}.name`, NPM_NAME),
    version: text(fields.version, `${where}.version`, /^[0-9A-Za-z.+-]{1,256}$/),
    origin: text(fields.origin, `${where}.origin`),
    integrity: text(fields.integrity, `${where}.integrity`, /^sha512-[A-Za-z0-9+/]{86}==$/),
    depends,
  };
}

function section(value: unknown, where: string): PythonLock | NpmLock {
  const fields = object(value, where);
  const { packages } = fields;
  if (!Array.isArray(packages)) throw new Damage(`${where}.packages must be a list`);
  const requires = texts(fields.requires, `${where}.requires`);
  if (fields.python === undefined)
    return { requires, packages: packages.map((item, i) => npmPackage(item, `${where}.packages[${i}]`)) };
  return {
    python: text(fields.python, `${where}.python`, /^[0-9.a-z+]{1,32}$/),
    abi: text(fields.abi, `${where}.abi`),
    requires,
    imports: texts(fields.imports, `${where}.imports`),
    packages: packages.map((item, i) => pythonPackage(item, `${where}.packages[${i}]`)),
  };
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    // Its own words would show some of the text, which may be another file than ours.
    throw new Damage("it is no JSON");
  }
}

/** Reads a lock file. @throws AssetError that says what is wrong with it */
export function parseLock(content: string): LockFile {
  try {
    if (content.length > MOST_LOCK_CHARACTERS)
      throw new Damage(`it has more than ${MOST_LOCK_CHARACTERS} characters`);
    const { version, udfs } = object(parseJson(content), "it");
    if (version !== 1) throw new Damage(`its version is ${shown(version)}, and this fuselet reads version 1`);
    const read: Record<string, PythonLock | NpmLock> = Object.create(null);
    for (const [name, value] of Object.entries(object(udfs, "udfs")))
      read[name] = section(value, `udfs[${JSON.stringify(name)}]`);
    return { version, udfs: read };
  } catch (cause) {
    if (!(cause instanceof Damage)) throw cause;
    throw new AssetError(`${LOCK_FILE} is damaged: ${cause.message}. Make it again with fuselet lock`, {
      cause,
    });
  }
}

/** What a lock file says of a UDF's file; null where it says nothing. @throws AssetError for a damaged one */
export function lockOf(content: string | undefined, file: string): PythonLock | NpmLock | null {
  if (content === undefined) return null;
  const { udfs } = parseLock(content);
  return udfs[file] ?? null;
}

/**
 * The text of a lock file with a UDF's part replaced.
 * @param before the text that is there, if any; of a damaged one nothing stays
 */
export function writeLock(before: string | undefined, file: string, lock: PythonLock | NpmLock): string {
  let there: LockFile["udfs"] = {};
  try {
    if (before !== undefined) there = parseLock(before).udfs;
  } catch (error) {
    if (!(error instanceof AssetError)) throw error;
  }
  const udfs = { ...there, [file]: lock };
  const sorted = Object.fromEntries(Object.entries(udfs).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ version: 1, udfs: sorted }, null, 2)}\n`;
}
