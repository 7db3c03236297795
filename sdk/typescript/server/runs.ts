/** Runs of UDFs on a server. */
import { CancelledError, UdfTimeoutError, UsageError } from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import { RunResult } from "../../../runtime/result.ts";
import type { Tile, UdfSource } from "../../../runtime/udf.ts";
import { inPath, type ServerAnswer } from "./answers.ts";
import { type Ask, type Connection, partsOf, wait } from "./connection.ts";
import type { DecodeMore } from "./decode.ts";
import { eventsOf } from "./events.ts";
import type { JobStatus, StartJobOptions } from "./jobs.ts";
import { outcomeOf, type RunOutcome } from "./outcome.ts";
import { type Parameters, queryParameters, wireParameters } from "./parameters.ts";
import { isSharedToken } from "./saved-udfs.ts";
import { stepOf } from "./wire-udf.ts";

/** The options of a run on a server; all have defaults. */
export interface ServerRunOptions {
  /** By name. */
  parameters?: Parameters;
  tile?: Tile;
  /** How old a kept result may be, in seconds; 0 runs it. Default: as the UDF says */
  cacheMaxAge?: number;
  /** The realtime client that runs it. Default: that of the settings, or the server's choice */
  clientId?: string;
  /** The formats that the result may come in, the best first: `parquet,json`. Default: those of the settings */
  formats?: string;
  /** An id for the run, which the server's logs show. */
  runId?: string;
  /** How deep runs are nested already. */
  recursion?: number;
  /** How long to wait, in milliseconds. Default: that of the settings */
  timeoutMs?: number;
  /** The UDF's output while it runs. */
  onOutput?: (stream: "stdout" | "stderr", text: string) => void;
  signal?: AbortSignal;
}

/** Between two looks: at first soon, as most runs are short; later no more often than needs be. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1000;
/** What a server has to end a run that nobody wants any more. */
const CANCEL_MS = 2000;
/** A stream of output says that it lives. */
const SILENCE_MS = 60_000;

/** The realtime client of servers of our own kind. */
const OURS = "fuselet";
const FORMATS = "npy,tiff,parquet,json";
/** Where nothing reads Parquet. */
const FORMATS_WITHOUT_PARQUET = "npy,tiff,arrow,json";
/** What our values are, so that nothing is read or written on the way; documents and bytes come as they are. */
const OUR_TYPES =
  "application/x-numpy-data, image/tiff, application/vnd.apache.arrow.stream, application/json";

/** What runs need of the other functions. */
export interface RunParts {
  more: DecodeMore;
  readsParquet: boolean;
  /** The UDF of a name on the server. */
  load(name: string): Promise<UdfSource>;
  startJob(config: { name: string; steps: object[] }, options: StartJobOptions): Promise<JobStatus>;
}

/** Makes the functions for runs. */
export function runFunctions(connection: Connection, { more, readsParquet, load, startJob }: RunParts) {
  /** Runs code that is sent along. */
  const realtime = async (source: UdfSource, options: ServerRunOptions): Promise<RunResult> => {
    const started = performance.now();
    const { settings } = connection;
    const timeoutMs = options.timeoutMs ?? settings.runTimeoutMs;
    const client = options.clientId ?? (await connection.client());
    const runId = options.runId ?? crypto.randomUUID();
    const { tile, signal } = options;
    const parameters = await wireParameters(options.parameters ?? {}, client === OURS);
    const formats = options.formats ?? settings.formats ?? (client === OURS ? null : FORMATS);
    const headers = {
      ...settings.runHeaders,
      "fused-recursion": String((options.recursion ?? 0) + 1),
      "fused-run-id": runId,
      ...(formats === null ? { accept: OUR_TYPES } : {}),
      ...(options.onOutput ? { prefer: "respond-async" } : {}),
    };
    const base = `${settings.baseUrl}/realtime/${inPath(client)}/api/v1/run/udf`;
    const ask = async (path: string, more: Ask): Promise<ServerAnswer> => {
      const leftMs = started + timeoutMs - performance.now();
      if (leftMs <= 0) throw late(runId, timeoutMs);
      try {
        return await connection.send(`${base}/${path}`, {
          // A timer may fire a millisecond early, and then it would not be late yet.
          timeoutMs: Math.ceil(leftMs) + 1,
          signal,
          ...more,
          headers: { ...connection.authorization(), ...headers },
        });
      } catch (error) {
        if (!signal?.aborted && performance.now() - started >= timeoutMs) throw late(runId, timeoutMs);
        throw error;
      }
    };
    let streamed: Shown | null = null;
    let answer: ServerAnswer;
    try {
      answer = await ask(`start${pathOf(tile)}`, {
        method: "POST",
        query: { cache_max_age: options.cacheMaxAge, fused_cache_disable_stream: true },
        json: {
          step_config: JSON.stringify(stepOf(source, parameters)),
          ...(formats === null ? {} : { format: formats }),
          profile: false,
        },
      });
      if (answer.status === 202 && options.onOutput)
        streamed = await stream(`${base}/get/${runId}/logs`, {
          ...options,
          timeoutMs: Math.max(1, started + timeoutMs - performance.now()),
        });
      for (let delay = FIRST_WAIT_MS; answer.status === 202; delay = Math.min(delay * 1.5, LONGEST_WAIT_MS)) {
        await wait(delay, signal);
        answer = await ask(`get/${runId}`, {});
      }
    } catch (error) {
      // Nobody waits for it any more, and the program may end with this. A server that cannot end runs lets it go on.
      if (error instanceof CancelledError || error instanceof UdfTimeoutError)
        await connection
          .send(`${base}/get/${runId}`, {
            method: "DELETE",
            headers: connection.authorization(),
            signal: AbortSignal.timeout(CANCEL_MS),
          })
          .catch(() => {});
      throw error;
    }
    return finish(answer, { started, streamed, runId, file: source.file }, options);
  };

  /** Runs what a shared token stands for. */
  const shared = async (token: string, options: ServerRunOptions): Promise<RunResult> => {
    const started = performance.now();
    const { settings } = connection;
    const path = options.tile ? pathOf(options.tile) : "/file";
    const answer = await connection.send(`${settings.sharedBaseUrl}/${inPath(token)}/run${path}`, {
      query: {
        ...(await queryParameters(options.parameters ?? {})),
        format: options.formats ?? settings.formats ?? (readsParquet ? FORMATS : FORMATS_WITHOUT_PARQUET),
        cache_max_age: options.cacheMaxAge,
        client_id: options.clientId,
      },
      headers: {
        ...(settings.token === null ? {} : { authorization: `Bearer ${settings.token}` }),
        ...settings.runHeaders,
        "fused-recursion": String((options.recursion ?? 0) + 1),
        ...(options.runId ? { "fused-run-id": options.runId } : {}),
      },
      timeoutMs: options.timeoutMs ?? settings.runTimeoutMs,
      signal: options.signal,
    });
    return finish(answer, { started, streamed: null, runId: null, file: undefined }, options);
  };

  /** Shows the run's output while it goes on. @returns what was shown; null where the server has no such thing */
  const stream = async (
    url: string,
    { onOutput, signal, timeoutMs }: ServerRunOptions & { timeoutMs: number },
  ): Promise<Shown | null> => {
    const output = { stdout: "", stderr: "", isWhole: false };
    const late = AbortSignal.timeout(Math.ceil(timeoutMs));
    let release = () => {};
    try {
      const opened = await connection.open(url, {
        headers: connection.authorization(),
        signal: signal ? AbortSignal.any([signal, late]) : late,
        timeoutMs,
      });
      release = opened.release;
      const { response } = opened;
      if (response.status !== 200 || !response.headers.get("content-type")?.startsWith("text/event-stream"))
        return null;
      for await (const { event, data } of eventsOf(partsOf(response, SILENCE_MS))) {
        if (event === "end") return { ...output, isWhole: true };
        if (event !== "stdout" && event !== "stderr") continue;
        const text: unknown = JSON.parse(data);
        if (typeof text !== "string") continue;
        output[event] += text;
        onOutput?.(event, text);
      }
    } catch {
      // What is missing comes with the answer.
      if (signal?.aborted) throw new CancelledError("Cancelled");
    } finally {
      release();
    }
    return output;
  };

  /** @throws the error of a run that failed */
  const finish = async (
    answer: ServerAnswer,
    { started, streamed, runId, file }: Followed,
    { onOutput, signal }: ServerRunOptions,
  ): Promise<RunResult> => {
    const place = answer.headers.get("x-fused-redirect");
    const content = place !== null && answer.status < 400 ? await connection.send(place, { signal }) : answer;
    /** All that was printed; what was not shown while it ran is shown now. */
    const complete = async (output: Streamed, logDir: string | null): Promise<Streamed> => {
      const isCut = output.stdout.includes(CUT) || output.stderr.includes(CUT);
      const asked = logDir ?? (isCut ? runId : null);
      const whole = streamed?.isWhole
        ? streamed
        : ((asked === null ? null : await wholeOutput(asked)) ?? output);
      for (const name of STREAMS) {
        const rest = whole[name].slice(streamed?.[name].length ?? 0);
        if (rest !== "") onOutput?.(name, rest);
      }
      return { stdout: whole.stdout, stderr: whole.stderr };
    };
    let outcome: RunOutcome;
    try {
      outcome = await outcomeOf(answer, { content, more, file });
    } catch (error) {
      const { stdout, stderr } = error as Partial<Streamed>;
      if (typeof stdout !== "string" || typeof stderr !== "string") throw error;
      throw Object.assign(error as Error, await complete({ stdout, stderr }, null));
    }
    const output = await complete({ stdout: outcome.stdout, stderr: outcome.stderr }, outcome.logDir);
    const totalMs = performance.now() - started;
    return RunResult.of(outcome.value, {
      ...output,
      cached: outcome.cached,
      kept: null,
      bytes: outcome.bytes,
      timing: { cacheMs: 0, startMs: 0, restoreMs: 0, runMs: totalMs, totalMs },
    });
  };

  /** The output of a run that was too long for its answer; null where the server has it no more. */
  const wholeOutput = async (logDir: string): Promise<Streamed | null> => {
    try {
      const path = `efs/${inPath(await connection.client())}/udf-logs`;
      const found = (await connection.json(path, { method: "POST", json: { log_dir: logDir } })) as Streamed;
      return typeof found?.stdout === "string" && typeof found.stderr === "string" ? found : null;
    } catch {
      return null;
    }
  };

  const sourceOf = async (udf: string | UdfSource): Promise<UdfSource> =>
    typeof udf === "string" ? load(udf) : udf;
  const run = async (udf: string | UdfSource, options: ServerRunOptions = {}): Promise<RunResult> =>
    typeof udf === "string" && isSharedToken(udf)
      ? shared(udf, options)
      : realtime(await sourceOf(udf), options);
  const inTile = (tile: Tile, options: ServerRunOptions) => ({ ...options, tile });

  return {
    /**
     * Runs a UDF: one that is sent along, or one that is saved there, by its name, its id or a shared token.
     * @throws what `FuseletRuntime.run` throws, by the server; UdfTimeoutError, UdfSerializationError; ServerError, UsageError without a server
     */
    run,

    /** Runs a saved UDF of somebody. @param id its name; left out: `email` is the name or the id of a UDF, as `findUdf` takes it */
    runFile: (email: string, id?: string | null, options: ServerRunOptions = {}): Promise<RunResult> =>
      run(nameOf(email, id), options),

    /** The same for a tile. */
    runTile: (
      email: string,
      id: string | null | undefined,
      tile: Tile,
      options: ServerRunOptions = {},
    ): Promise<RunResult> => run(nameOf(email, id), inTile(tile, options)),

    /** Runs the UDF of a shared token. */
    runSharedFile: (token: string, options: ServerRunOptions = {}): Promise<RunResult> =>
      shared(token, options),

    /** The same for a tile. */
    runSharedTile: (token: string, tile: Tile, options: ServerRunOptions = {}): Promise<RunResult> =>
      shared(token, inTile(tile, options)),

    /**
     * Starts a UDF as a batch job. @param options `argumentList`: a task for each, of parameters. Default: one task, with `parameters`
     * @throws ServerError
     */
    async startUdfJob(
      udf: string | UdfSource,
      {
        parameters = {},
        argumentList,
        ...options
      }: StartJobOptions & { parameters?: Parameters; argumentList?: readonly unknown[] } = {},
    ): Promise<JobStatus> {
      if (typeof udf === "string" && isSharedToken(udf))
        throw new UsageError("Cannot start a job by a shared token: name the UDF");
      const source = await sourceOf(udf);
      const step = stepOf(source, await wireParameters(parameters, true));
      const input = argumentList && (await Promise.all(argumentList.map(wireInput)));
      return startJob({ name: jobName(source.name), steps: [input ? { ...step, input } : step] }, options);
    },
  };
}

/** A run whose answer is there: since when it was waited for, and what of its output was shown. */
interface Followed {
  started: number;
  streamed: Shown | null;
  runId: string | null;
  file: string | undefined;
}

const STREAMS = ["stdout", "stderr"] as const;

const late = (runId: string, timeoutMs: number) =>
  new UdfTimeoutError(`The run ${runId} on the server has not ended after ${timeoutMs} ms`, {
    allowed: timeoutMs,
  });

interface Streamed {
  stdout: string;
  stderr: string;
}

/** Output that was shown while the run went on. */
interface Shown extends Streamed {
  isWhole: boolean;
}

/** What a server puts where it has cut output. */
const CUT = "… (cut: ";

const pathOf = (tile: Tile | undefined) => (tile ? `/tiles/${tile.z}/${tile.x}/${tile.y}` : "");
const nameOf = (email: string, id: string | null | undefined) => (id ? `${email}/${id}` : email);

/** What a task of a job gets: parameters by their names, or the first one. */
const wireInput = async (input: unknown): Promise<unknown> =>
  isRecord(input) && Object.getPrototypeOf(input) === Object.prototype
    ? wireParameters(input, true)
    : (await wireParameters({ input }, true)).input;

/** Names of jobs begin with a letter, and have only some characters. */
function jobName(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_.:-]/g, "_");
  return /^[a-zA-Z]/.test(plain) ? plain : `udf_${plain}`;
}
