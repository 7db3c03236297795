/** The UDF as a plain value, and what a run of it is asked with. */
import type { Limits } from "./limits.ts";
import type { NPM_FOLDER, NpmFolder } from "./packages.ts";
import type { Encoded } from "./value.ts";

export type Language = "python" | "typescript";

/** A module beside the UDF that it imports by name (`headers=` in the reference). */
export interface Header {
  moduleName: string;
  code: string;
  /** Path relative to the UDF's folder, for tracebacks. */
  file: string;
}

/** One declared parameter. `annotation` and `default` are source text. */
export interface Parameter {
  name: string;
  annotation: string | null;
  default: string | null;
  kind: "positional" | "keyword" | "rest";
}

/** What a UDF asks for; only the host grants. Names are those of the permission descriptor. */
export type RequestedPermissions = Readonly<Record<string, unknown>>;

/**
 * A UDF: plain data, safe to store and to send.
 * `entrypoint`, `parameters`, `permissions` and `packages` come from reading the source (never from running it).
 */
export interface Udf {
  name: string;
  language: Language;
  /** The UDF's file as the user wrote it. */
  code: string;
  /** The file's name, for tracebacks and messages: `hello.py`. */
  file: string;
  entrypoint: string;
  headers: readonly Header[];
  parameters: readonly Parameter[];
  permissions: RequestedPermissions;
  /** Requirements in PEP 508 form, from the PEP 723 block; for TypeScript, package specifiers. */
  packages: readonly string[];
  metadata: Readonly<Record<string, unknown>>;
}

/** A map tile in XYZ scheme. */
export interface Tile {
  x: number;
  y: number;
  z: number;
}

/** How a source is part of a UDF. */
export interface UdfPart {
  /** The UDF that somebody asked to be run: its packages are those of the part. */
  whole: UdfSource;
  /** The hash of that: what is kept for the part is for no part of another UDF, even if it has the same text. */
  of: string;
  /** The function to run. */
  entrypoint: string;
}

/** What a source consists of before anybody has read it: enough to run it. */
export interface UdfSource {
  name: string;
  language: Language;
  code: string;
  file: string;
  /** All other source files of the UDF's folder or zip. */
  headers: readonly Header[];
  metadata: Readonly<Record<string, unknown>>;
  /** What was saved with it, where its folder or zip says so: the function to run, and values for parameters that a caller leaves out. */
  saved?: { entrypoint?: string; parameters?: Readonly<Record<string, unknown>> };
  /** The collection that it is saved in: where names of others are looked for first. Default: the one that each user has. */
  collection?: string;
  /** Whoever runs it may not read it: how it fails is told without its lines. */
  isHidden?: boolean;
  /** Where it is part of another one, whose run made it. */
  part?: UdfPart;
  /** The text of `fuselet.lock` beside it (runtime/lock-file.ts): which files its packages are. */
  lock?: string;
  /** Packages of npm beside it, where it was read from a folder. */
  readonly [NPM_FOLDER]?: NpmFolder;
}

/** What crosses the wall to start a run (JSON, with the parameters' buffers beside it). */
export interface RunRequest {
  limits: Pick<Limits, "timeMs" | "memoryBytes" | "logBytes" | "outputBytes">;
  /** Null where the isolate has this UDF prepared already. */
  udf:
    | (Pick<UdfSource, "name" | "code" | "file" | "headers"> & { entrypoint: string | null; plan?: unknown })
    | null;
  parameters: Encoded["text"];
  tile: Tile | null;
}

/** How an engine's guest reports that a run failed: data, checked on arrival (errors.ts has the class of each kind). */
export interface GuestFailure {
  kind: "load" | "input" | "udf" | "exit" | "result" | "memory" | "output" | "permission" | "internal";
  type: string;
  message: string;
  traceback: string;
  file: string | null;
  line: number | null;
  /** For `input` the parameter's name, for `result` the path, for `permission` the permission. */
  subject: string | null;
  /** For `permission`: what was asked for. */
  value: string | null;
}

/** All that makes a UDF's code what it is, as one text: its hash is the UDF's. */
export function identityOf(source: UdfSource): string {
  const { language, name, file, code, headers, saved, collection, part } = source;
  const rest = part ? [part.of, part.entrypoint] : saved?.entrypoint ? [saved.entrypoint] : [];
  // The names that it runs are other ones there.
  const place = collection === undefined ? [] : [{ collection }];
  return JSON.stringify([language, name, file, code, headers, ...rest, ...place]);
}
