/**
 * What a case of the conformance suite is: a UDF in one or both languages, what it is run with, and what comes of it. Cases
 * are data, and functions that run in every platform's host: no Node, no DOM.
 *
 *     defineCase("an integer beyond 2^53 stays exact", {
 *       python: python("2 ** 53 + 1"),
 *       typescript: typescript("2n ** 53n + 1n"),
 *       value: 9007199254740993n,
 *     });
 */
import type { Permissions } from "../../host/permissions/descriptor.ts";
import { sourceFromFiles, sourceFromText } from "../../host/udfs/source.ts";
import type { PermissionDeniedError, UsageError } from "../../runtime/errors.ts";
import type { Capabilities } from "../../runtime/isolate/platform.ts";
import type { Limits } from "../../runtime/limits.ts";
import type { Language, Tile, UdfSource } from "../../runtime/udf.ts";
import type { MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
import type { FuseletRuntime, RunOptions, RuntimeOptions } from "../../sdk/typescript/compose.ts";
import type { Canonical } from "./canonical.ts";

export { checksum, media, ndarray, table } from "./canonical.ts";

/** The module `fuselet` as the platform's build exports it. */
export interface FuseletModule {
  NdArray: typeof NdArray;
  TableValue: typeof TableValue;
  MediaValue: typeof MediaValue;
  UsageError: typeof UsageError;
  PermissionDeniedError: typeof PermissionDeniedError;
}

/** What a UDF consists of: its text, or the files of its folder. */
export type Source = string | Readonly<Record<string, string>>;

/** The Pyodide distribution that a case needs: that of the package `pyodide`, or one with pandas, or with geopandas, too. */
export type DistributionName = "core" | "pandas" | "geo";

/** What is expected of one run. Output is expected to be empty unless it says something else. */
export interface Expectation {
  /** Values that JavaScript has as they are; others by `ndarray`, `table`, `media`. */
  value?: unknown;
  /** The error's `name` and the fields that matter; a pattern is searched for. */
  error?: { name: string | RegExp } & Readonly<Record<string, unknown>>;
  /** `null`: not compared with anything here, but between platforms. */
  stdout?: string | RegExp | null;
  stderr?: string | RegExp | null;
}

/** What a run is asked with. A function where values need the build's own classes. */
export interface Asking {
  parameters?:
    | Readonly<Record<string, unknown>>
    | ((fuselet: FuseletModule) => Readonly<Record<string, unknown>>);
  tile?: Tile;
  limits?: Partial<Limits>;
  principal?: string;
  owner?: string;
}

/** What came of a run, in canonical form. */
export type Outcome = { [key: string]: Canonical };

/** What a scenario works with. What it creates is closed after it. */
export interface Bench {
  language: Language;
  /** The case's UDF. */
  source: UdfSource;
  fuselet: FuseletModule;
  /** A runtime of its own, with the bindings of bindings.ts unless `host` is given. */
  createRuntime(options?: RuntimeOptions): Promise<FuseletRuntime>;
  /** Host and port of net-server.ts. Outcomes have `SERVER` for it: its port is another each time. */
  server: string;
  /** The runtime that all plain cases share. */
  runtime: FuseletRuntime;
  /** Runs the case's UDF, or another of the same language, and tells what came of it. Never throws. */
  outcome(options?: RunOptions, where?: { runtime?: FuseletRuntime; source?: Source }): Promise<Outcome>;
}

export interface CaseSpec extends Asking, Expectation {
  /** What all its runs are granted: then files and downloads are the host's own. Default: nothing. */
  permissions?: Permissions;
  python?: Source;
  typescript?: Source;
  /** Where the languages differ by intent. */
  inPython?: Expectation;
  inTypeScript?: Expectation;
  /** What a platform must be able to do. */
  needs?: readonly (keyof Capabilities)[];
  distribution?: Exclude<DistributionName, "core">;
  /** Several runs, one after the other. Each is as the case says, changed by what is said here. */
  runs?: readonly (Asking & Expectation)[];
  /** Instead of a plain run; gives the value that is compared. */
  scenario?: (bench: Bench) => Promise<unknown>;
  /** Fields of the error that differ from run to run, and are not compared between platforms: say why in a comment. */
  varying?: readonly string[];
}

export interface Case extends CaseSpec {
  title: string;
}

/** Defines a case. @throws Error where it has no source, or expects nothing */
export function defineCase(title: string, spec: CaseSpec): Case {
  if (spec.python === undefined && spec.typescript === undefined)
    throw new Error(`The case "${title}" has no source`);
  const expects = [spec, spec.inPython ?? {}, spec.inTypeScript ?? {}, ...(spec.runs ?? [])].some(
    (part) => "value" in part || "error" in part,
  );
  if (!expects) throw new Error(`The case "${title}" expects nothing`);
  return { title, ...spec };
}

/** A Python UDF that returns an expression. */
export const python = (expression: string, before = ""): string =>
  `${before}\n@fused.udf\ndef udf():\n    return ${expression}\n`;

/** A Python UDF with these parameters, whose body is one expression. */
export const pythonWith = (parameters: string, expression: string, before = ""): string =>
  `${before}\n@fused.udf\ndef udf(${parameters}):\n    return ${expression}\n`;

/** A TypeScript UDF that returns an expression. */
export const typescript = (expression: string, before = ""): string =>
  `${before}\nexport default () => (${expression});\n`;

/** A TypeScript UDF with one object of parameters of this type, whose body is one expression. */
export const typescriptWith = (type: string, expression: string, before = ""): string =>
  `${before}\nexport default (given: ${type}) => (${expression});\n`;

/** The source as a runtime takes it. */
export function sourceOf(language: Language, source: Source): UdfSource {
  if (typeof source === "string")
    return sourceFromText(source, { file: language === "python" ? "case.py" : "case.ts" });
  const encoder = new TextEncoder();
  const files = Object.entries(source).map(([path, text]) => [path, encoder.encode(text)]);
  return sourceFromFiles(Object.fromEntries(files), "case");
}
