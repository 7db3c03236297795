/** The runtime: takes a UDF and parameters, finds an isolate, and gives back a result. Portable; knows engines, a pool and one host function. */

import { readKept, readReply, sizeOf, withOutput } from "./answer.ts";
import { tableBuilder } from "./columns.ts";
import type { Engine } from "./engines/engine.ts";
import {
  CancelledError,
  FuseletError,
  IsolateError,
  type PermissionDeniedError,
  UsageError,
} from "./errors.ts";
import { Denials, failureError, readFailure } from "./failure.ts";
import type { Isolate, IsolateRecipe } from "./isolate/isolate.ts";
import type { IsolatePlatform } from "./isolate/platform.ts";
import type { LeaseRequest, Place, Tree } from "./lease.ts";
import { type Limits, narrowLimits } from "./limits.ts";
import type { NpmLock, PythonLock } from "./lock-file.ts";
import { memoBySource } from "./memo.ts";
import { collectOutput } from "./output.ts";
import type { PackageCaller } from "./packages.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { type Redaction, redactAnswer, redactError } from "./redact.ts";
import { RunResult } from "./result.ts";
import type { KeptResults, ResultKey, RunLease, RunUses } from "./results.ts";
import { countCalls, countRuns } from "./run-counts.ts";
import {
  checkOptions,
  DEFAULT_PRINCIPAL,
  encodeParameters,
  inOrder,
  type RunOptions,
} from "./run-options.ts";
import { identityOf, type Udf, type UdfSource } from "./udf.ts";
import { decodeParsed, type Encoded, holdsTable } from "./value.ts";

/** On whose behalf something is asked of the host. Travels with the lease. */
export interface Caller {
  principal: string;
  /** Whose files and secrets the run uses: its principal, unless it was said otherwise. */
  owner: string;
  udf: { name: string; hash: string };
  /** What runs. */
  source: UdfSource;
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
  /** Where the result may be kept for other runs: what it depends on. */
  uses?: RunUses | undefined;
  /** Resolves when the isolate has taken most of what its run was answered: before, nothing large should be made for it. */
  taken(): Promise<void>;
  /** From here on other runs are under way for this one, again and again. @returns the function that ends it */
  hold(): () => void;
  /** Whether another UDF's run asked for this one. */
  isNested: boolean;
  /** The signal of that run. */
  parent?: AbortSignal | undefined;
  /**
   * Runs another UDF with what this run has: its principal, permissions and limits; it ends with this run.
   * @param options `cacheMaxAgeMs` as of `Runtime.run` @throws as that
   */
  run(
    source: UdfSource,
    options: Pick<RunOptions, "parameters" | "tile" | "context"> & { cacheMaxAgeMs?: number },
  ): Promise<RunResult>;
}

/** All that a UDF can reach outside. `name` is `binding.method`; throwing a FuseletError is an answer, too. */
export type Host = (name: string, argument: Encoded, caller: Caller) => Promise<Encoded>;

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
  /** What must not be shown of the run with this signal; undefined where there is nothing, as of most. */
  redactionOf(signal: AbortSignal): Redaction | undefined;
  /** SHA-256, hexadecimal. */
  hash(text: string): Promise<string>;
  /** Loaded when a run first wants its result from there. */
  keptResults(): Promise<KeptResults>;
}

/** A run whose options were checked. */
interface AskedRun {
  started: number;
  /** Kept results count up to this age; 0: it is run. */
  cacheMaxAgeMs: number;
  cacheMs: number;
  source: UdfSource;
  options: RunOptions;
  limits: Limits;
  permissions: unknown;
  context: unknown;
  parameters: Encoded;
  engine: Engine;
  hash: string;
  principal: string;
  owner: string;
  recipe: Promise<IsolateRecipe>;
  /** For packages. */
  asking: PackageCaller;
  /** How many runs wait for this one, each for the next. */
  depth: number;
  /** Counts the runs that this and all others below the same run have started. */
  tree: Tree & { runs: number };
  place: Place | undefined;
  uses: RunUses | undefined;
}

type Position = Pick<AskedRun, "depth" | "tree" | "place" | "cacheMaxAgeMs">;

/** How often a run is given another isolate because that which it got had died before. */
const MOST_TRIES = 4;

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
   * @param cacheMaxAgeMs a result of an earlier run of the same counts up to this age, and of several runs at once one goes on; 0: it is run
   * @throws UdfRuntimeError when it raises, LimitExceededError, CancelledError, PermissionDeniedError, ParameterError, UdfLoadError,
   *   ResultError, UdfExitError, AssetError, UsageError for bad options. The runtime stays usable after each.
   */
  run(source: UdfSource, options: RunOptions = {}, cacheMaxAgeMs = 0): Promise<RunResult> {
    const { principal = DEFAULT_PRINCIPAL, owner = principal } = options;
    const tree = { owner, runs: 0 };
    return this.#run(source, options, { depth: 0, tree, place: undefined, cacheMaxAgeMs });
  }

  async #run(source: UdfSource, options: RunOptions, position: Position): Promise<RunResult> {
    this.#assertOpen();
    checkOptions(options);
    const started = performance.now();
    const limits = options.limits ? narrowLimits(this.#parts.limits, options.limits) : this.#parts.limits;
    const permissions = this.#parts.narrowPermissions(options.permissions);
    const context = this.#parts.checkContext(options.context);
    // In one order where others may get the result: a UDF can see it.
    const given = { ...source.saved?.parameters, ...options.parameters };
    const parameters = encodeParameters(position.cacheMaxAgeMs > 0 ? inOrder(given) : given);
    const engine = this.#engine(source);
    const hash = await this.#hash(source);
    const principal = options.principal ?? DEFAULT_PRINCIPAL;
    const owner = options.owner ?? principal;
    const { signal } = options;
    const asking = {
      principal,
      udf: { name: source.name, hash },
      permissions,
      isNested: position.depth > 0,
      signal,
    };
    const recipe = engine.recipe(source, { readsTables: holdsTable(parameters), caller: asking });
    // Whoever leases waits for it; a lease that is refused does not.
    recipe.catch(() => {});
    const run = {
      source,
      options,
      limits,
      permissions,
      context,
      parameters,
      engine,
      hash,
      principal,
      owner,
      recipe,
      asking,
    };
    const asked: AskedRun = { ...run, ...position, started, cacheMs: 0, uses: undefined };
    return asked.cacheMaxAgeMs > 0 ? this.#findOrRun(asked) : this.#runInIsolate(asked, undefined);
  }

  /** Gives the result that an earlier run has left, or runs it while others wait for its result. */
  async #findOrRun(asked: AskedRun): Promise<RunResult> {
    const { principal, owner, source, hash, permissions, context, limits, recipe, options, started } = asked;
    const results = await this.#parts.keptResults();
    // These decide whether there is an answer, and not which.
    const { timeMs, startMs, installMs, idleMs, ...others } = limits;
    const key: ResultKey = {
      principal,
      owner,
      udf: { name: source.name, hash },
      engine: (await recipe).key,
      permissions,
      limits: others,
      parameters: asked.parameters,
      tile: options.tile ?? null,
      ...(options.cacheEpoch === undefined ? {} : { epoch: options.cacheEpoch }),
    };
    const find = (reset: boolean) =>
      results.find(key, {
        context,
        maxAgeMs: asked.cacheMaxAgeMs,
        waitMs: startMs + timeMs,
        reset,
        signal: options.signal,
      });
    try {
      let found = await find(false);
      if (found && "reply" in found) {
        const cacheMs = performance.now() - started;
        const timing = { cacheMs, startMs: 0, restoreMs: 0, runMs: 0, totalMs: cacheMs };
        const { stdout, stderr, keptAtMs: atMs, fields } = found;
        const result = await readKept(found, limits, {
          stdout,
          stderr,
          cached: true,
          kept: { atMs, fields },
          timing,
          bytes: sizeOf(found.reply),
        });
        if (result) {
          if (stdout) options.onOutput?.("stdout", stdout);
          if (stderr) options.onOutput?.("stderr", stderr);
          return result;
        }
        found = await find(true);
      }
      const lease = found as RunLease | undefined;
      try {
        const uses = lease && { fields: new Set<string>(), isShareable: true };
        const cacheMs = performance.now() - started;
        return await this.#runInIsolate({ ...asked, cacheMs, uses }, lease);
      } finally {
        await lease?.abandon();
      }
    } catch (error) {
      if (options.signal?.aborted && !(error instanceof FuseletError))
        throw new CancelledError("The run was cancelled while it waited for another one's result");
      throw error;
    }
  }

  /** @param keeping gets the result, if there is one */
  async #runInIsolate(asked: AskedRun, keeping: RunLease | undefined): Promise<RunResult> {
    const { source, options, limits, permissions, context, parameters, engine, hash, principal, owner } =
      asked;
    const { recipe, started, cacheMs, depth, tree, uses, asking } = asked;
    const { isNested } = asking;
    // A first isolate gets what it boots from before anything is compiled: that goes on while it boots.
    const booting = this.#pool.size.isolates === 0;
    const sent = booting
      ? recipe.then(() => new Promise<void>((resolve) => setTimeout(resolve, 0)))
      : undefined;
    const preparing = sent ? sent.then(() => engine.prepare(source, asking)) : engine.prepare(source, asking);
    preparing.catch(() => {});
    const request: LeaseRequest = {
      recipe,
      identity: this.#identity([principal, owner], permissions, limits),
      hash,
      depth,
      tree,
      place: asked.place,
      signal: options.signal,
    };
    let lease = await this.#pool.lease(request);
    // Made when the host is first asked: most runs never do.
    let ending: AbortController | undefined;
    const parent = isNested ? options.signal : undefined;
    const redaction = () => {
      const signal = ending?.signal ?? parent;
      return signal && this.#parts.redactionOf(signal);
    };
    const collector = collectOutput(limits.logBytes, options.onOutput, redaction);
    try {
      const udf = await preparing;
      const leased = performance.now();
      const { restoreMs } = lease.isolate;
      const denials = new Denials();
      const nested = countRuns(limits, tree, () => lease);
      const caller: Caller = {
        principal,
        owner,
        udf: { name: source.name, hash },
        source,
        engine: lease.isolate.recipe.key,
        permissions,
        context,
        get signal() {
          ending ??= new AbortController();
          return ending.signal;
        },
        noteDenial: (error) => denials.add(error),
        pauseTimeLimit: () => lease.isolate.pauseTimeLimit(),
        taken: () => lease.isolate.taken(),
        hold: () => lease.hold(),
        uses,
        isNested,
        parent,
        run: (udf, { cacheMaxAgeMs = 0, ...its }) => {
          const own = { ...its, principal, owner, permissions, limits, signal: caller.signal };
          const position = { depth: depth + 1, tree, cacheMaxAgeMs };
          return nested((place) => this.#run(udf, own, { ...position, place }));
        },
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
      const [shown, encoded] = redactAnswer(answer, reply.buffers, redaction());
      const value = decodeParsed(shown, encoded.buffers, await tableBuilder(reply.text));
      const output = collector.finish();
      const result = await RunResult.of(value, {
        ...output,
        cached: false,
        kept: keeping && uses?.isShareable ? { atMs: Date.now(), fields: [...uses.fields] } : null,
        bytes: sizeOf(reply),
        encoded,
        timing: {
          cacheMs,
          startMs: leased - started - cacheMs,
          restoreMs,
          runMs: ran - leased,
          totalMs: performance.now() - started,
        },
      });
      if (keeping && uses) await keeping.keep({ reply, ...output }, uses);
      return result;
    } catch (error) {
      throw withOutput(redactError(error, redaction()), collector.finish());
    } finally {
      ending?.abort();
      lease.release();
    }
  }

  /**
   * Chooses anew which files a UDF's packages are, and fetches those that are not on this machine.
   * @throws PermissionDeniedError, AssetError, UdfLoadError
   */
  async lock(
    source: UdfSource,
    {
      principal = DEFAULT_PRINCIPAL,
      permissions,
      signal,
    }: Pick<RunOptions, "principal" | "permissions" | "signal"> = {},
  ): Promise<PythonLock | NpmLock> {
    this.#assertOpen();
    return this.#engine(source).lock(source, {
      principal,
      udf: { name: source.name, hash: await this.#hash(source) },
      permissions: this.#parts.narrowPermissions(permissions),
      isNested: false,
      signal,
    });
  }

  /** Reads a UDF without running it: its entrypoint, parameters, requested permissions and packages. @throws UdfLoadError */
  async inspect(source: UdfSource, principal = DEFAULT_PRINCIPAL): Promise<Udf> {
    this.#assertOpen();
    const engine = this.#engine(source);
    return engine.read(source, async (request) => {
      const bare = { ...source, code: "", headers: [] };
      const lease = await this.#pool.lease({
        recipe: engine.recipe(bare),
        identity: this.#identity(
          [principal, principal],
          this.#parts.narrowPermissions(undefined),
          this.#parts.limits,
        ),
        hash: null,
        depth: 0,
        tree: { owner: principal },
        place: undefined,
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
  #identity(whose: [principal: string, owner: string], permissions: unknown, limits: Limits): string {
    return JSON.stringify([...whose, permissions, limits]);
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
