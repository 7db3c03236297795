/** Runs with `engine: "remote"`: on the server that the runtime was given. */
import { AGE_RULE, parseAge } from "../../host/cache/age.ts";
import { CancelledError, UdfTimeoutError, UsageError } from "../../runtime/errors.ts";
import { RunResult } from "../../runtime/result.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import type { RunOptions } from "./compose.ts";
import { isSharedToken } from "./server/saved-udfs.ts";
import { makeServer, type Server, type ServerPlatform } from "./server/server.ts";
import { ServerError } from "./server/server-error.ts";
import type { ServerSettings } from "./server/settings.ts";

/** The server of a runtime. */
export interface RuntimeServer extends Omit<ServerSettings, "baseUrl"> {
  /** Its address: `http://127.0.0.1:8000` */
  url: string;
}

/** What of a run is decided here; all else is decided by the server. */
const TAKEN = new Set(["parameters", "tile", "cache", "cacheMaxAge", "limits", "signal", "onOutput"]);

/** What is no batch job: the server runs it at once. */
const REALTIME = "realtime";
const LOG_SECONDS = 0.5;

/** A run on a server, as the runtime asks for it. */
export interface RemoteRun extends Omit<RunOptions, "engine" | "instanceType" | "diskSizeGb"> {
  instanceType?: string | undefined;
  diskSizeGb?: number | undefined;
  /** How deep the run that asks for it is nested. */
  recursion?: number;
}

/** @throws UsageError for options that are wrong */
export function openRemote({ url, ...settings }: RuntimeServer, platform: ServerPlatform) {
  const server = makeServer({ baseUrl: url, ...settings }, platform);

  /** @param resolve reads what is here @throws as `FuseletRuntime.run`, and ServerError */
  return async (
    given: string | UdfSource,
    resolve: (source: string | UdfSource) => Promise<UdfSource>,
    { instanceType = REALTIME, diskSizeGb, recursion = 0, ...options }: RemoteRun,
  ): Promise<RunResult> => {
    checkOptions(options);
    const { parameters = {}, tile, signal, onOutput, limits } = options;
    const age = ageOf(options);
    const found = await sourceOf(given, resolve, server);
    if (instanceType === REALTIME) {
      if (diskSizeGb !== undefined)
        throw new UsageError("Cannot run: diskSizeGb is for batch instance types only");
      return server.run(found, {
        parameters,
        recursion,
        ...(tile ? { tile } : {}),
        ...(age === undefined ? {} : { cacheMaxAge: age }),
        ...(limits?.timeMs === undefined ? {} : { timeoutMs: limits.timeMs }),
        ...(signal ? { signal } : {}),
        ...(onOutput ? { onOutput } : {}),
      });
    }
    if (tile) throw new UsageError(`Cannot run a tile on ${instanceType}: a batch job has no tile`);
    return runBatch(server, found, {
      ...{ parameters, instanceType, diskSizeGb, recursion, age, signal, onOutput, timeMs: limits?.timeMs },
    });
  };
}

/** A run as a job of one task: its log is its output. */
async function runBatch(
  server: Server,
  udf: string | UdfSource,
  {
    parameters,
    instanceType,
    diskSizeGb,
    recursion,
    age,
    signal,
    onOutput,
    timeMs,
  }: {
    timeMs: number | undefined;
    signal: AbortSignal | undefined;
    onOutput: RunOptions["onOutput"] | undefined;
    parameters: Readonly<Record<string, unknown>>;
    instanceType: string;
    diskSizeGb: number | undefined;
    recursion: number;
    age: number | undefined;
  },
): Promise<RunResult> {
  const started = performance.now();
  const job = await server.startUdfJob(udf, {
    parameters,
    instanceType,
    recursion,
    ...(diskSizeGb === undefined ? {} : { diskSizeGb }),
    ...(age === undefined ? {} : { cacheMaxAge: age }),
    ...(signal ? { signal } : {}),
  });
  try {
    await server.jobTailLogs(job, {
      refreshSeconds: LOG_SECONDS,
      sampleLogs: false,
      ...(timeMs === undefined ? {} : { timeoutSeconds: timeMs / 1000 }),
      print: (line) => onOutput?.("stderr", `${line}\n`),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof CancelledError || error instanceof UdfTimeoutError)
      await server.jobCancel(job).catch(() => {});
    throw error;
  }
  const ended = await server.jobGetStatus(job);
  const [outcome] = await server.jobGetResults(job);
  if (!outcome || ended.jobStatus !== "Done") {
    throw new ServerError(
      `The job ${job.jobId} has no result: its status is ${ended.jobStatus}${ended.error ? ` (${ended.error})` : ""}`,
      { status: null, url: "", hint: `fuselet job logs ${job.jobId} shows its log` },
    );
  }
  const totalMs = performance.now() - started;
  return RunResult.of(outcome.value, {
    stdout: outcome.stdout,
    stderr: outcome.stderr,
    cached: outcome.cached,
    kept: null,
    bytes: outcome.bytes,
    timing: { cacheMs: 0, startMs: 0, restoreMs: 0, runMs: totalMs, totalMs },
  });
}

/** @throws UsageError for what a server decides by itself: it would not hold there */
function checkOptions(options: RemoteRun): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || TAKEN.has(name)) continue;
    throw new UsageError(
      `Cannot run on a server with the option ${JSON.stringify(name)}: the server decides that; options are engine, instanceType, diskSizeGb, ${[...TAKEN].join(", ")}`,
    );
  }
  const other = Object.keys(options.limits ?? {}).find((name) => name !== "timeMs");
  if (other)
    throw new UsageError(
      `Cannot run on a server with limits.${other}: its own limits count, and limits.timeMs`,
    );
}

/** In seconds; undefined: as the UDF says. */
function ageOf({ cache, cacheMaxAge }: RemoteRun): number | undefined {
  if (cacheMaxAge === undefined) return cache === false ? 0 : undefined;
  const ms = parseAge(cacheMaxAge);
  if (ms !== undefined) return ms / 1000;
  throw new UsageError(
    `Cannot run: cacheMaxAge must be ${AGE_RULE}: received ${JSON.stringify(cacheMaxAge)}`,
  );
}

/** What could be the name of a saved UDF, and is no path of a source file. */
const NAME = /^[\p{L}\p{N}_@.+-]+(\/[\p{L}\p{N}_.-]+)?$/u;
const FILE = /(^[./~])|\.(py|ts|tsx|mts|js|mjs|zip)$/;

/**
 * A UDF that is here is sent along; else the text is the name of one that is saved there, or a shared token.
 * @param resolve reads what is here @throws UsageError, UdfLoadError, ServerError
 */
export async function sourceOf<Source extends UdfSource>(
  given: string | UdfSource,
  resolve: (source: string | UdfSource) => Promise<Source>,
  server: Server,
): Promise<string | UdfSource> {
  if (typeof given !== "string") return given;
  if (isSharedToken(given)) return given;
  try {
    return await resolve(given);
  } catch (error) {
    // It says that there is no such file.
    if (!(error instanceof UsageError) || !NAME.test(given) || FILE.test(given)) throw error;
    return server.loadUdf(given);
  }
}
