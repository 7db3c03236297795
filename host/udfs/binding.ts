/** The binding `udfs`: a UDF runs others by their names, and parts of itself, one or many at once. */
import { PermissionDeniedError, UdfSelfRecursionError, UsageError } from "../../runtime/errors.ts";
import type { RunResult } from "../../runtime/result.ts";
import { identityOf, type Tile, type UdfSource } from "../../runtime/udf.ts";
import type { Binding, Call } from "../host.ts";
import { usedSecret } from "../secrets/runs.ts";
import type { ReadGitHub } from "./github-reader.ts";
import {
  failureFrom,
  NestedRuns,
  nestedContext,
  outputOf,
  type RunFailure,
  readParameters,
} from "./nested-runs.ts";
import { readPart, sizeOf } from "./part.ts";
import { SOURCE_LIMITS } from "./source.ts";
import { withoutCode } from "./without-code.ts";

/** How deep runs may be nested: `max_recursion_factor` of the reference. */
export const MOST_NESTED = 5;
/** Parts that one run may define. */
const MOST_PARTS = 100;

/** Who runs a UDF by its name. */
export interface Finder extends Pick<Call, "principal" | "owner"> {
  /** That of the UDF that runs it. */
  readonly collection?: string | undefined;
}

/** Finds what a name stands for. @returns null where there is no such UDF */
export type FindUdf = (name: string, by: Finder) => Promise<UdfSource | null>;

/** Runs a UDF on the server that the runtime was given. @throws as a run, and what the server refuses; UsageError without a server */
export type RunRemote = (
  source: UdfSource,
  options: {
    parameters: Readonly<Record<string, unknown>>;
    tile?: Tile;
    instanceType: string;
    /** How deep the run that asks is nested. */
    recursion: number;
    /** In seconds. */
    cacheMaxAge: number;
    signal: AbortSignal;
  },
) => Promise<RunResult>;

/** What a nested run gave: its value, or how it raised; and its output. */
export interface NestedRun {
  value: unknown;
  failure: RunFailure | null;
  stdout: string;
  stderr: string;
}

export interface UdfBindingOptions {
  find: FindUdf;
  readGitHub: ReadGitHub;
  /** How many runs that a run has started may be under way at once. */
  atOnce: number;
  /** Default: nothing runs anywhere else. */
  runRemote?: RunRemote;
}

/** What one run has defined and started. It goes with its calls. */
interface OfRun {
  started: NestedRuns;
  parts: UdfSource[];
  partBytes: number;
  named: Map<string, UdfSource>;
}

/**
 * Makes the binding.
 *
 *     run(name, parameters, tile, maxAgeMs, instanceType)   asks for `run` of that name, runs the UDF, and gives what came of it
 *                                       (`NestedRun`); a result that is not older counts as well, and is kept, where `cache` is granted. With
 *                                       an instance type it asks for `remote` of that too, and the runtime's server runs it, as it sees fit
 *     source(name)                      asks for `run` of that name, and gives its code, headers and entrypoint, for who uses its functions
 *     github(address)                   the same for an address on GitHub, whose hosts it asks for; with name, parameters and metadata. Null where
 *                                       there is nothing
 *     define(part)                      takes a part of the UDF itself (`readPart`) and gives a number for it. It needs no grant, as
 *                                       its runs can do nothing that the UDF cannot do itself; a rule that denies `run` forbids it
 *     start(target, list, tile)         starts a run of a name or of a defined part with each of these parameters, as far as there is
 *                                       room, and gives their numbers at once
 *     take(timeoutMs)                   waits for the end of some, and gives what came of them (`FinishedRun`) and has not been taken
 *     cancel(numbers)                   keeps those from running that have not begun, and gives their numbers
 *
 * @throws UsageError for an argument that is wrong, a name that no UDF has, or runs that are nested too deep; UdfSelfRecursionError where a
 *   UDF starts runs of itself
 */
export function udfBinding({ find, readGitHub, atOnce, runRemote }: UdfBindingOptions): Binding {
  const runs = new WeakMap<Call, OfRun>();
  const ofRun = (call: Call): OfRun => {
    let of = runs.get(call);
    if (!of) {
      of = { started: new NestedRuns(call, atOnce), parts: [], partBytes: 0, named: new Map() };
      runs.set(call, of);
    }
    return of;
  };
  const reading = new WeakMap<Call, Promise<unknown>>();
  /** One after another in a run: what is being read is held whole. */
  const readInTurn = (address: string, call: Call) => {
    const read = (reading.get(call) ?? Promise.resolve()).then(() => readGitHub(address, call));
    reading.set(
      call,
      read.catch(() => {}),
    );
    return read;
  };
  const findNamed = async (name: string, call: Call): Promise<UdfSource> => {
    const { value: granted } = await call.require("run", name);
    checkDepth(granted, call);
    const source = await find(granted, {
      principal: call.principal,
      owner: call.owner,
      collection: call.source.collection,
    });
    if (!source) throw new UsageError(`Cannot run ${JSON.stringify(granted)}: there is no UDF of that name`);
    return source;
  };
  const findTarget = async (target: unknown, call: Call): Promise<UdfSource> => {
    const { parts, named } = ofRun(call);
    if (typeof target === "string") {
      const known = named.get(target);
      if (known) return known;
      const found = await findNamed(target, call);
      if (identityOf(found) === identityOf(call.source))
        throw new UdfSelfRecursionError(
          `Cannot start runs of ${JSON.stringify(target)}: it is the UDF that is running, which would submit itself again and again`,
        );
      named.set(target, found);
      return found;
    }
    const part = typeof target === "number" ? parts[target] : undefined;
    if (!part) throw new UsageError("Cannot start runs: a name or the number of a defined part is needed");
    return part;
  };
  /** @returns what runs a UDF on that type of instance; undefined where none is named */
  const readInstance = async (type: unknown, call: Call) => {
    if (type === undefined || type === null) return undefined;
    if (typeof type !== "string")
      throw new UsageError(`Cannot run a UDF: its instance type must be a text: received ${typeof type}`);
    if (!runRemote) throw new UsageError("Cannot run a UDF on a server: this runtime has none");
    const { value: instanceType } = await call.require("remote", type);
    // What a server says may be another thing by the next run.
    call.keepNothing();
    const { signal, context } = call;
    return (
      source: UdfSource,
      asked: Pick<Parameters<RunRemote>[1], "parameters" | "tile" | "cacheMaxAge">,
    ) => runRemote(source, { ...asked, instanceType, recursion: context.recursionFactor, signal });
  };
  return {
    async run([name, parameters, tile, maxAgeMs, instanceType], call): Promise<NestedRun> {
      if (typeof name !== "string")
        throw new UsageError(`Cannot run a UDF: its name must be a text: received ${typeof name}`);
      const checked = readParameters(parameters, JSON.stringify(name));
      const source = await findNamed(name, call);
      const forward = await readInstance(instanceType, call);
      const cacheMaxAgeMs = await readAge(maxAgeMs, call);
      try {
        const { raw, stdout, stderr } = await (forward
          ? forward(source, { parameters: checked, ...readTile(tile), cacheMaxAge: cacheMaxAgeMs / 1000 })
          : call.run(source, {
              cacheMaxAgeMs,
              parameters: checked,
              ...readTile(tile),
              context: nestedContext(call),
            }));
        return { value: raw, failure: null, stdout, stderr };
      } catch (cause) {
        const error = source.isHidden ? withoutCode(cause) : cause;
        const failure = failureFrom(error);
        if (!failure) throw error;
        return { value: null, failure, ...outputOf(error) };
      }
    },

    async source([name], call) {
      if (typeof name !== "string")
        throw new UsageError(`Cannot read a UDF: its name must be a text: received ${typeof name}`);
      const source = await findNamed(name, call);
      if (source.isHidden)
        throw new UsageError(`Cannot read ${JSON.stringify(name)}: whoever runs it may not read it`);
      // It may be another one by the next run.
      call.keepNothing();
      return codeOf(source, name);
    },

    async github([address], call) {
      if (typeof address !== "string")
        throw new UsageError(`Cannot read a UDF: its address must be a text: received ${typeof address}`);
      const source = await readInTurn(address, call);
      if (!source) return null;
      const { name, metadata, saved } = source;
      return { ...codeOf(source, address), name, metadata, parameters: saved?.parameters ?? {} };
    },

    define([value], call): number {
      call.requireUndenied("run", call.udf.name);
      const of = ofRun(call);
      const part = readPart(value, call.source, call.udf.hash);
      checkDepth(part.name, call);
      of.partBytes += sizeOf(part);
      if (of.parts.length >= MOST_PARTS || of.partBytes > SOURCE_LIMITS.totalBytes) {
        throw new UsageError(
          `Cannot run ${JSON.stringify(part.name)}: a run may define ${MOST_PARTS} parts of a UDF at most, of ${SOURCE_LIMITS.totalBytes / 2 ** 20} MB together`,
        );
      }
      return of.parts.push(part) - 1;
    },

    async start([target, list, tile], call): Promise<number[]> {
      if (!Array.isArray(list)) throw new UsageError("Cannot start runs: their parameters must be a list");
      const label = typeof target === "string" ? JSON.stringify(target) : "a part of a UDF";
      const sets = list.map((parameters) => readParameters(parameters, label));
      const source = await findTarget(target, call);
      return ofRun(call).started.start(source, sets, readTile(tile).tile);
    },

    take([timeoutMs], call) {
      if (typeof timeoutMs !== "number" || !(timeoutMs >= 0))
        throw new UsageError("Cannot take results: the time to wait must be a number of milliseconds");
      return ofRun(call).started.take(timeoutMs);
    },

    cancel([ids], call): number[] {
      if (!Array.isArray(ids)) throw new UsageError("Cannot cancel runs: their numbers must be a list");
      return ofRun(call).started.cancel(new Set(ids));
    },
  };
}

/** What another UDF's isolate has of it. @throws UsageError for what is no Python */
function codeOf({ code, headers, language, saved }: UdfSource, label: string) {
  if (language !== "python") throw new UsageError(`Cannot read ${JSON.stringify(label)}: it is ${language}`);
  return {
    code,
    entrypoint: saved?.entrypoint ?? null,
    headers: headers.map(({ moduleName, code, file }) => ({
      module_name: moduleName,
      source_code: code,
      source_file: file,
    })),
  };
}

function checkDepth(name: string, { context }: Call): void {
  if (context.recursionFactor < MOST_NESTED) return;
  throw new UsageError(
    `Cannot run ${JSON.stringify(name)}: runs are nested ${context.recursionFactor} deep, and at most ${MOST_NESTED} are allowed`,
  );
}

/** The runtime checks it. */
function readTile(value: unknown): { tile?: Tile } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { tile: value as Tile } : {};
}

/** In milliseconds; 0 where nothing may be kept: the UDF is run then. @throws UsageError for what is no age */
async function readAge(age: unknown, call: Call): Promise<number> {
  if (age === undefined || age === null || age === 0) return 0;
  if (!Number.isSafeInteger(age) || (age as number) < 0)
    throw new UsageError(
      "Cannot run a UDF: the age of results must be a whole number of milliseconds from 0",
    );
  // The cache is not encrypted.
  if (usedSecret(call.signal)) return 0;
  try {
    await call.require("cache", "");
    return age as number;
  } catch (error) {
    if (error instanceof PermissionDeniedError) return 0;
    throw error;
  }
}
