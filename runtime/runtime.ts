/** The runtime: takes a UDF and parameters, finds an isolate, and gives back a result. Portable; knows engines, a pool and one host function. */
import { tableBuilder } from "./columns.ts";
import type { Engine } from "./engines/engine.ts";
import {
  FuseletError,
  IsolateError,
  LimitExceededError,
  ParameterError,
  type PermissionDeniedError,
  ResultError,
  UsageError,
} from "./errors.ts";
import { Denials, failureError, readFailure } from "./failure.ts";
import type { Isolate } from "./isolate/isolate.ts";
import type { IsolatePlatform } from "./isolate/platform.ts";
import { type Limits, narrowLimits } from "./limits.ts";
import { memoBySource } from "./memo.ts";
import { type Lease, type LeaseRequest, Pool, type PoolOptions } from "./pool.ts";
import { RunResult, type RunTiming } from "./result.ts";
import { identityOf, type Tile, type Udf, type UdfSource } from "./udf.ts";
import { decodeParsed, type Encoded, encodeValue, fitsAsObjects, holdsTable } from "./value.ts";

/** On whose behalf something is asked of the host. Travels with the lease. */
export interface Caller {
  principal: string;
  udf: { name: string; hash: string };
  /** Identifies the engine that it runs in: its build and its packages. */
  engine: string;
  /** What the run may do at most; the host's own kind of value. */
  permissions: unknown;
  /** What the run is told about itself; the host's own kind of value. */
  context: unknown;
  /** Aborts when the run ends. */
  signal: AbortSignal;
  /** Takes note of a denial: where the run ends with it, this error is thrown. */
  noteDenial(error: PermissionDeniedError): void;
  /** Stops the run's time limit, while a person is asked. @returns the function that lets it go on */
  pauseTimeLimit(): () => void;
  /** Whether another UDF's run asked for this one. */
  isNested: boolean;
  /** Runs another UDF with what this run has: its principal, permissions and limits; it ends with this run. @throws as `Runtime.run` */
  run(source: UdfSource, options: Pick<RunOptions, "parameters" | "tile" | "context">): Promise<RunResult>;
}

/** All that a UDF can reach outside. `name` is `binding.method`; throwing a FuseletError is an answer, too. */
export type Host = (name: string, argument: Encoded, caller: Caller) => Promise<Encoded>;

export interface RunOptions {
  /** By name. What may cross: see runtime/value.ts. */
  parameters?: Readonly<Record<string, unknown>>;
  /** Makes it a tile run. */
  tile?: Tile;
  /** On whose behalf: runs of different principals never share a process. Default `"local"`. */
  principal?: string;
  /** Narrows what the runtime was made with. */
  permissions?: unknown;
  /** What the run is told about itself: who asked for it, and how. */
  context?: unknown;
  /** Narrows the runtime's limits. */
  limits?: Partial<Limits>;
  /** Ends the run at once, whatever it does. */
  signal?: AbortSignal;
  /** The UDF's output while it runs. */
  onOutput?: (stream: "stdout" | "stderr", text: string) => void;
}

export interface RuntimeParts {
  platform: IsolatePlatform;
  engines: readonly Engine[];
  host: Host;
  limits: Limits;
  pool: PoolOptions;
  /** False: each isolate serves one run (a command line needs no more). */
  reusable: boolean;
  /** Narrows permissions: (what the runtime has, what the run asks for) -> what the run gets. @throws UsageError */
  narrowPermissions(wanted: unknown): unknown;
  /** What a run asked for becomes what its host calls bring along. @throws UsageError */
  checkContext(given: unknown): unknown;
  /** SHA-256, hexadecimal. */
  hash(text: string): Promise<string>;
}

const RUN_OPTIONS = new Set([
  "parameters",
  "tile",
  "principal",
  "permissions",
  "context",
  "limits",
  "signal",
  "onOutput",
]);

/** Checks the options of a run once; after this they are trusted. */
function checkOptions(options: RunOptions): void {
  for (const name of Object.keys(options)) {
    if (!RUN_OPTIONS.has(name)) {
      throw new UsageError(
        `Cannot run: the option ${JSON.stringify(name)} is unknown; options are ${[...RUN_OPTIONS].join(", ")}`,
      );
    }
  }
  const { parameters, tile, principal } = options;
  if (
    parameters !== undefined &&
    (typeof parameters !== "object" || parameters === null || Array.isArray(parameters))
  ) {
    throw new UsageError(`Cannot run: parameters must be an object: received ${JSON.stringify(parameters)}`);
  }
  if (principal !== undefined && (typeof principal !== "string" || principal === "")) {
    throw new UsageError(
      `Cannot run: principal must be a text that is not empty: received ${JSON.stringify(principal)}`,
    );
  }
  if (tile !== undefined) {
    const { x, y, z } = tile;
    const side = 2 ** z;
    if (![x, y, z].every(Number.isInteger) || z < 0 || z > 30 || x < 0 || y < 0 || x >= side || y >= side) {
      throw new UsageError(
        `Cannot run: tile must have whole numbers z from 0 to 30, x and y from 0 to 2^z - 1: received ${JSON.stringify(tile)}`,
      );
    }
  }
}

/** @throws ParameterError that names the parameter which cannot cross */
function encodeParameters(parameters: Readonly<Record<string, unknown>>): Encoded {
  try {
    return encodeValue(parameters, "parameters");
  } catch (error) {
    if (!(error instanceof ResultError)) throw error;
    const message = error.message.replace(/^Cannot return/, "Cannot pass");
    throw new ParameterError(message, { parameter: /^parameters\["([^"]*)"\]/.exec(error.path)?.[1] ?? "" });
  }
}

/** How often a run is given another isolate because that which it got had died before. */
const MOST_TRIES = 4;

/** On whose behalf something runs when nobody says so. */
export const DEFAULT_PRINCIPAL = "local";

export class Runtime {
  readonly #parts: RuntimeParts;
  readonly #pool: Pool;
  readonly #hash: (source: UdfSource) => Promise<string>;
  #closed = false;

  constructor(parts: RuntimeParts) {
    this.#parts = parts;
    this.#hash = memoBySource((source) => parts.hash(identityOf(source)));
    const { memoryBytes, startMs, outputBytes, messageBytes, idleMs } = parts.limits;
    this.#pool = new Pool(
      parts.platform,
      parts.pool,
      { memoryBytes, startMs, outputBytes, messageBytes, reusable: parts.reusable },
      idleMs,
    );
  }

  /** Isolates now: in all, and unused spares. */
  get isolates(): { isolates: number; spares: number } {
    return this.#pool.size;
  }

  /**
   * Runs a UDF in an isolate.
   * @throws UdfRuntimeError when it raises, LimitExceededError, CancelledError, PermissionDeniedError, ParameterError, UdfLoadError,
   *   ResultError, UdfExitError, AssetError, UsageError for bad options. The runtime stays usable after each.
   */
  run(source: UdfSource, options: RunOptions = {}): Promise<RunResult> {
    return this.#run(source, options, false);
  }

  async #run(source: UdfSource, options: RunOptions, isNested: boolean): Promise<RunResult> {
    this.#assertOpen();
    checkOptions(options);
    const started = performance.now();
    const limits = options.limits ? narrowLimits(this.#parts.limits, options.limits) : this.#parts.limits;
    const permissions = this.#parts.narrowPermissions(options.permissions);
    const context = this.#parts.checkContext(options.context);
    const parameters = encodeParameters(options.parameters ?? {});
    const engine = this.#engine(source);
    const hash = await this.#hash(source);
    const principal = options.principal ?? DEFAULT_PRINCIPAL;
    const recipe = engine.recipe(source, { readsTables: holdsTable(parameters) });
    // Whoever leases waits for it; a lease that is refused does not.
    recipe.catch(() => {});
    // A first isolate gets what it boots from before anything is compiled: that goes on while it boots.
    const booting = this.#pool.size.isolates === 0;
    const sent = booting
      ? recipe.then(() => new Promise<void>((resolve) => setTimeout(resolve, 0)))
      : undefined;
    const preparing = sent ? sent.then(() => engine.prepare(source)) : engine.prepare(source);
    preparing.catch(() => {});
    const request: LeaseRequest = {
      recipe,
      identity: this.#identity(principal, permissions, limits),
      hash,
      signal: options.signal,
    };
    let lease = await this.#pool.lease(request);
    const collector = collectOutput(limits.logBytes, options.onOutput);
    // Made when the host is first asked: most runs never do.
    let ending: AbortController | undefined;
    try {
      const udf = await preparing;
      const leased = performance.now();
      const { restoreMs } = lease.isolate;
      const denials = new Denials();
      const nested = countRuns(limits, () => lease);
      const caller: Caller = {
        principal,
        udf: { name: source.name, hash },
        engine: lease.isolate.recipe.key,
        permissions,
        context,
        get signal() {
          ending ??= new AbortController();
          return ending.signal;
        },
        noteDenial: (error) => denials.add(error),
        pauseTimeLimit: () => lease.isolate.pauseTimeLimit(),
        isNested,
        run: (udf, its) =>
          nested(() =>
            this.#run(udf, { ...its, principal, permissions, limits, signal: caller.signal }, true),
          ),
      };
      const calls = countCalls(
        limits,
        () => lease.isolate,
        (name, argument) => this.#parts.host(name, argument, caller),
      );
      const requestLimits = {
        timeMs: limits.timeMs,
        memoryBytes: limits.memoryBytes,
        logBytes: limits.logBytes,
        outputBytes: limits.outputBytes,
      };
      const runIn = (isolate: Isolate) =>
        isolate.run(
          { udf, parameters: parameters.text, tile: options.tile ?? null, limits: requestLimits },
          parameters.buffers,
          hash,
          { call: calls, output: collector.output },
          options.signal,
        );
      let reply: Encoded | undefined;
      for (let tries = 0; reply === undefined; tries++) {
        try {
          reply = await runIn(lease.isolate);
        } catch (error) {
          // Its process was killed while it was idle, and nobody had noticed: nothing has run yet. So may those of others.
          if (!lease.isolate.neverBegan || tries === MOST_TRIES) throw error;
          lease.release();
          lease = await this.#pool.lease(request);
        }
      }
      const ran = performance.now();
      const answer = readReply(reply, limits.outputBytes);
      if (!answer.ok) {
        throw failureError(await engine.locate(readFailure(answer.error), source), source, limits, denials);
      }
      const timing: RunTiming = {
        startMs: leased - started,
        restoreMs,
        runMs: ran - leased,
        totalMs: performance.now() - started,
      };
      const value = decodeParsed(answer.value, reply.buffers, await tableBuilder(reply.text));
      return await RunResult.of(value, { ...collector.finish(), timing });
    } catch (error) {
      throw withOutput(error, collector.finish());
    } finally {
      ending?.abort();
      lease.release();
    }
  }

  /** Reads a UDF without running it: its entrypoint, parameters, requested permissions and packages. @throws UdfLoadError */
  async inspect(source: UdfSource, principal = DEFAULT_PRINCIPAL): Promise<Udf> {
    this.#assertOpen();
    const engine = this.#engine(source);
    return engine.read(source, async (request) => {
      const bare = { ...source, code: "", headers: [] };
      const lease = await this.#pool.lease({
        recipe: engine.recipe(bare),
        identity: this.#identity(principal, this.#parts.narrowPermissions(undefined), this.#parts.limits),
        hash: null,
        signal: undefined,
      });
      try {
        const reply = await lease.isolate.inspect({ text: request, buffers: [] });
        const answer = readReply(reply, this.#parts.limits.outputBytes);
        if (answer.ok) return answer.value;
        throw failureError(readFailure(answer.error), source, this.#parts.limits, new Denials());
      } finally {
        lease.release();
      }
    });
  }

  /** Ends everything that runs. Resolves when no process, worker or timer is left. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** All that must be equal for two runs to share an isolate. */
  #identity(principal: string, permissions: unknown, limits: Limits): string {
    return JSON.stringify([principal, permissions, limits]);
  }

  #assertOpen(): void {
    if (this.#closed) throw new IsolateError("Cannot use this runtime: it was closed");
  }

  #engine(source: UdfSource): Engine {
    const engine = this.#parts.engines.find(({ languages }) => languages.includes(source.language));
    if (!engine)
      throw new UsageError(
        `Cannot run ${source.file}: no engine for the language ${JSON.stringify(source.language)}`,
      );
    return engine;
  }
}

/** @throws LimitExceededError for an answer that is small as text and fills memory as objects */
function readReply(
  { text }: Encoded,
  outputBytes: number,
): { ok: true; value: unknown } | { ok: false; error: unknown } {
  if (!fitsAsObjects(text, 2 * outputBytes)) {
    throw new LimitExceededError(
      `The result has too many lists and objects for limits.outputBytes (${outputBytes}): return a table or an array, or raise it`,
      { limit: "outputBytes", allowed: outputBytes },
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new IsolateError("The isolate's answer is no JSON", { cause });
  }
  const answer = (typeof parsed === "object" && parsed !== null ? parsed : {}) as {
    ok?: unknown;
    value?: unknown;
    error?: unknown;
  };
  return answer.ok === true ? { ok: true, value: answer.value } : { ok: false, error: answer.error };
}

/** Errors carry the output that came before them: it often says why. */
function withOutput(error: unknown, output: { stdout: string; stderr: string }): unknown {
  if (error instanceof FuseletError) Object.assign(error, output);
  return error;
}

/** Gives runs of other UDFs room while this one waits for them, and ends it when they are too many. */
function countRuns(limits: Limits, lease: () => Lease) {
  let count = 0;
  return async <T>(run: () => Promise<T>): Promise<T> => {
    if (++count > limits.nestedRuns) {
      const { nestedRuns: allowed } = limits;
      const error = new LimitExceededError(
        `The run started more than ${allowed} runs of other UDFs. Raise it with limits.nestedRuns`,
        { limit: "nestedRuns", allowed },
      );
      void lease().isolate.close(error);
      throw error;
    }
    const goOn = lease().wait();
    try {
      return await run();
    } finally {
      goOn();
    }
  };
}

function countCalls(
  limits: Limits,
  isolate: () => { close(reason: Error): Promise<void> },
  call: (name: string, argument: Encoded) => Promise<Encoded>,
): (name: string, argument: Encoded) => Promise<Encoded> {
  let count = 0;
  return (name, argument) => {
    if (++count <= limits.hostCalls) return call(name, argument);
    const error = new LimitExceededError(
      `The run made more than ${limits.hostCalls} host calls. Raise it with limits.hostCalls`,
      {
        limit: "hostCalls",
        allowed: limits.hostCalls,
      },
    );
    void isolate().close(error);
    throw error;
  };
}

/** Collects output as text, streaming it on, and stops at the limit even if the guest does not. */
function collectOutput(logBytes: number, onOutput: RunOptions["onOutput"]) {
  const streams: Record<"stdout" | "stderr", { decoder?: TextDecoder; text: string }> = {
    stdout: { text: "" },
    stderr: { text: "" },
  };
  // The guest marks where it cut off; the mark itself is beyond the limit.
  let left = logBytes + 256;
  const add = (stream: "stdout" | "stderr", text: string) => {
    streams[stream].text += text;
    if (text !== "") onOutput?.(stream, text);
  };
  return {
    output(stream: "stdout" | "stderr", bytes: Uint8Array): void {
      if (left <= 0) return;
      left -= bytes.length;
      streams[stream].decoder ??= new TextDecoder();
      add(stream, streams[stream].decoder.decode(bytes, { stream: true }));
    },
    finish() {
      // Half a character may have come last.
      for (const stream of ["stdout", "stderr"] as const)
        add(stream, streams[stream].decoder?.decode() ?? "");
      return { stdout: streams.stdout.text, stderr: streams.stderr.text };
    },
  };
}
