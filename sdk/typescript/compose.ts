/** Composes a runtime with a host: the part of `createRuntime` that is the same on every platform. */

import type { OpenBindings } from "../../host/bindings.ts";
import { AGE_RULE, DEFAULT_RESULT_AGE, parseAge } from "../../host/cache/age.ts";
import { checkContext, contextBinding, type RunContext } from "../../host/context/context.ts";
import { type Binding, type Call, openHost } from "../../host/host.ts";
import { packagesBinding } from "../../host/packages/binding.ts";
import { openPackages, type PackageOptions } from "../../host/packages/packages.ts";
import { type BrokerOptions, createBroker } from "../../host/permissions/broker.ts";
import { checkPermissions, type Permissions } from "../../host/permissions/descriptor.ts";
import { narrow } from "../../host/permissions/narrow.ts";
import { redactionOf } from "../../host/secrets/runs.ts";
import { type Finder, type FindUdf, type RunRemote, udfBinding } from "../../host/udfs/binding.ts";
import type { GitHubHosts } from "../../host/udfs/github.ts";
import { sourceFromObject, sourceFromText } from "../../host/udfs/source.ts";
import type { FetchBytes } from "../../host/udfs/source-url.ts";
import type { Assets } from "../../runtime/assets.ts";
import { pythonEngine } from "../../runtime/engines/pyodide/engine.ts";
import type { ProgressEvent } from "../../runtime/engines/pyodide/recipe.ts";
import { quickjsEngine } from "../../runtime/engines/quickjs/engine.ts";
import type { LoadEsbuild } from "../../runtime/engines/quickjs/esbuild.ts";
import { type PermissionDeniedError, UdfLoadError, UsageError } from "../../runtime/errors.ts";
import type { IsolatePlatform } from "../../runtime/isolate/platform.ts";
import { type Limits, ownLimits } from "../../runtime/limits.ts";
import { once } from "../../runtime/once.ts";
import { NPM_FOLDER, type NpmFolder } from "../../runtime/packages.ts";
import type { PoolOptions } from "../../runtime/pool.ts";
import type { RunResult } from "../../runtime/result.ts";
import { DEFAULT_PRINCIPAL, type RunOptions as RuntimeRunOptions } from "../../runtime/run-options.ts";
import { Runtime } from "../../runtime/runtime.ts";
import type { Header, Udf, UdfSource } from "../../runtime/udf.ts";
import type { RuntimeServer } from "./remote.ts";
import type { ServerPlatform } from "./server/server.ts";
import { type SubmitOptions, submit } from "./submit.ts";

export type { Binding, Call, RuntimeServer, SubmitOptions };

/**
 * Functions that UDFs may call, by binding and method, beside those that the host has anyway; of two with one name, these count.
 * The result of a run that calls one is not kept for later runs.
 */
export type HostBindings = Readonly<Record<string, Binding>>;

/** The options of a run; all have defaults. */
export interface RunOptions extends Omit<RuntimeRunOptions, "permissions" | "context"> {
  /** Narrows what the runtime was made with. */
  permissions?: Permissions;
  /** What the run is told about itself: headers, the user, how it came about. */
  context?: Partial<RunContext>;
  /**
   * A result of an earlier run of the same counts up to this age: a whole number and s, m, h or d (`"12h"`), or seconds; 0 runs it.
   * Default: 0, or with `cache` what the UDF says.
   */
  cacheMaxAge?: number | string;
  /** True: results are kept, for as long as the UDF's own `cacheMaxAge` (`cache_max_age`) says, else 90 days. Default: `cacheMaxAge` decides. */
  cache?: boolean;
  /**
   * `remote` runs it on the runtime's `server`, which decides what it may do: of the options count `parameters`, `tile`, `cache`,
   * `cacheMaxAge`, `limits.timeMs`, `signal` and `onOutput`. A text is then also the name of a UDF that is saved there, or a shared token.
   * Default: local, or remote with an `instanceType`
   */
  engine?: "local" | "remote";
  /** Where on the server: `realtime` runs it at once, all others (`m5.large`, `small`, …) as a batch job. Default: realtime */
  instanceType?: string;
  /** The size of the disk of a batch instance. Default: the server's choice */
  diskSizeGb?: number;
}

/** The options of `createRuntime`; all have defaults. */
export interface RuntimeOptions {
  /** The most that any run may get. Default: nothing. */
  permissions?: Permissions;
  limits?: Partial<Limits>;
  host?: HostBindings;
  /**
   * The UDFs that UDFs may run by name, where the permission `run` says so: sources, paths, URLs or texts by name, or a function that finds
   * them for whoever runs one (null: there is none). Default: none.
   */
  udfs?:
    | Readonly<Record<string, string | UdfSource>>
    | ((name: string, by: Finder) => Promise<string | UdfSource | null>);
  /** Where `fused.load("https://github.com/…")` of a UDF finds GitHub: `{ api, raw }`. Default: where it is. */
  github?: GitHubHosts;
  /** Where packages are fetched from that are not on this machine, for runs that `import` is granted. */
  packages?: PackageOptions;
  /** `maxIsolates` (default 4), `memoryBytes` of all together (default 4 GiB), `spares` kept booted (default 1), the most that runs of one owner have (`mostPerOwner`, default all), `reusable` (default true: isolates serve many runs). */
  pool?: Partial<PoolOptions> & { reusable?: boolean };
  /** The server of runs with `engine: "remote"`: `{ url, token }`. Default: none */
  server?: RuntimeServer;
  /** Asked what becomes of a request that no permission covers, while the run's time stands still. Default: it is denied. */
  onUngranted?: BrokerOptions["onUngranted"];
  /** Called with each decision on a permission before it takes effect; if it throws, nothing is granted. */
  onDecision?: BrokerOptions["onDecision"];
  /** Puts a denial into other words for UDFs and for who runs them, where these cannot give more, as on a server. Default: the flag that would grant it */
  explainDenial?: (error: PermissionDeniedError) => PermissionDeniedError;
  /** Called while a first use takes long: packages are installed, a snapshot is built. */
  onProgress?: (event: ProgressEvent) => void;
}

/** What a platform's `createRuntime` brings. */
export interface RuntimePlatform {
  assets: Assets;
  platform: IsolatePlatform;
  /** Reads a UDF from a path or a URL. @param fetchBytes reaches what the runtime's permissions grant */
  readSource(pathOrUrl: string, fetchBytes: FetchBytes): Promise<UdfSource>;
  /** Reads modules beside a UDF's file, inside its folder. @throws UdfLoadError where one is missing */
  readHeaders(pathOrUrl: string, names: readonly string[], fetchBytes: FetchBytes): Promise<Header[]>;
  /** The text of the lock file beside a UDF, where the platform has files and there is one. @throws AssetError */
  readLock?(pathOrUrl: string): Promise<string | undefined>;
  /** The npm packages beside a UDF, where the platform has files. */
  openNpmFolder?(pathOrUrl: string): NpmFolder;
  loadEsbuild: LoadEsbuild;
  /** What a client of a server needs. */
  server: ServerPlatform;
  /** What the host can do on this platform for whom it is granted. */
  openBindings(): OpenBindings;
  /** Bundles in `assets.own` that run inside isolates. */
  realms: { python: string; typescript: string };
  hash(text: string): Promise<string>;
}

/** A runtime as users see it. */
export interface FuseletRuntime {
  /**
   * Reads a UDF: a path, a URL, or source text (which has a line break). Runs none of its code.
   * @throws UdfLoadError, UsageError
   */
  load(source: string | UdfSource): Promise<Udf>;
  /** Reads a UDF that is a source already. */
  inspect(source: string | UdfSource): Promise<Udf>;
  /**
   * Runs a UDF.
   * @throws UdfRuntimeError when it raises, LimitExceededError, CancelledError, PermissionDeniedError, ParameterError, UdfLoadError, ResultError
   */
  run(source: string | UdfSource, options?: RunOptions): Promise<RunResult>;
  /**
   * Chooses anew which files a UDF's packages are, and fetches those that are not on this machine, where that is granted.
   * @returns the text of `fuselet.lock` (which belongs beside the UDF), what it has for other UDFs included
   * @throws PermissionDeniedError with all packages that would have to be fetched, AssetError, UdfLoadError
   */
  lock(
    source: string | UdfSource,
    options?: Pick<RunOptions, "principal" | "permissions" | "signal">,
  ): Promise<string>;
  /**
   * Runs a UDF once for each entry of a list, several at a time; gives results in the order of the arguments as they come. An entry is
   * an object of parameters; or, where the first one is none, each is a value of the UDF's first parameter.
   */
  submit(
    source: string | UdfSource,
    argumentList: Iterable<unknown>,
    options?: SubmitOptions,
  ): AsyncIterable<RunResult>;
  /** What this platform can do. */
  readonly capabilities: IsolatePlatform["capabilities"];
  /** Isolates now: in all, and unused spares. */
  readonly isolates: { isolates: number; spares: number };
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Most UDFs are one file: no need to load a parser to see that. */
const MAY_IMPORT_FILES = /(?:from|import)\s*(?:\(\s*)?["']\.\.?\//;

const OPTIONS = new Set([
  "permissions",
  "limits",
  "host",
  "udfs",
  "github",
  "packages",
  "pool",
  "assets",
  "storage",
  "data",
  "server",
  "onUngranted",
  "onDecision",
  "explainDenial",
  "onProgress",
]);

const DEFAULT_POOL_BYTES = 4 * 1024 ** 3;

function checkPool({
  maxIsolates = 4,
  memoryBytes = DEFAULT_POOL_BYTES,
  spares = 1,
  mostPerOwner = maxIsolates,
  reusable = true,
  ...rest
}: NonNullable<RuntimeOptions["pool"]>) {
  const unknown = Object.keys(rest)[0];
  if (unknown)
    throw new UsageError(
      `Cannot create a runtime: pool.${unknown} is unknown; options are maxIsolates, memoryBytes, spares, mostPerOwner, reusable`,
    );
  if (!Number.isInteger(maxIsolates) || maxIsolates < 1) {
    throw new UsageError(
      `Cannot create a runtime: pool.maxIsolates must be a whole number above 0: received ${maxIsolates}`,
    );
  }
  if (!(typeof memoryBytes === "number" && memoryBytes > 0)) {
    throw new UsageError(
      `Cannot create a runtime: pool.memoryBytes must be a number above 0: received ${memoryBytes}`,
    );
  }
  if (!Number.isInteger(spares) || spares < 0) {
    throw new UsageError(
      `Cannot create a runtime: pool.spares must be a whole number from 0: received ${spares}`,
    );
  }
  if (!Number.isInteger(mostPerOwner) || mostPerOwner < 1) {
    throw new UsageError(
      `Cannot create a runtime: pool.mostPerOwner must be a whole number above 0: received ${mostPerOwner}`,
    );
  }
  return {
    maxIsolates,
    memoryBytes,
    spares: reusable ? Math.min(spares, maxIsolates - 1) : 0,
    mostPerOwner,
    reusable,
  };
}

declare const FUSELET_VERSION: string;

/** Most UDFs say no age: no need to read them to see that. */
const MAY_SAY_AGE = /cache_?max_?age/i;

/**
 * How old a kept result may be, in milliseconds; 0: none counts.
 * @param own what the UDF says
 * @throws UsageError for options that are wrong, UdfLoadError for an age of the UDF that is none
 */
async function cacheAge(
  { cache, cacheMaxAge }: { [Option in "cache" | "cacheMaxAge"]: RunOptions[Option] | undefined },
  own: () => Promise<unknown>,
): Promise<number> {
  if (cache !== undefined && typeof cache !== "boolean")
    throw new UsageError(`Cannot run: cache must be true or false: received ${JSON.stringify(cache)}`);
  if (cache === false && cacheMaxAge !== undefined)
    throw new UsageError("Cannot run: cacheMaxAge together with cache: false makes no sense");
  if (cache === false) return 0;
  const age = cacheMaxAge ?? (await own()) ?? DEFAULT_RESULT_AGE;
  const ms = parseAge(age);
  if (ms !== undefined) return ms;
  const message = `cacheMaxAge must be ${AGE_RULE}: received ${JSON.stringify(age)}`;
  throw cacheMaxAge === undefined
    ? new UdfLoadError(`Cannot run: its ${message}`)
    : new UsageError(`Cannot run: ${message}`);
}

/** @throws UsageError for options that are wrong */
export async function composeRuntime(
  options: RuntimeOptions,
  parts: RuntimePlatform,
): Promise<FuseletRuntime> {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.has(name)) {
      throw new UsageError(
        `Cannot create a runtime: the option ${JSON.stringify(name)} is unknown; options are ${[...OPTIONS].join(", ")}`,
      );
    }
  }
  const permissions = checkPermissions(options.permissions ?? {});
  const limits = ownLimits(options.limits);
  const { reusable, ...pool } = checkPool(options.pool ?? {});
  const { assets, platform } = parts;
  const memoryBytes = limits.memoryBytes;
  const onProgress = options.onProgress ?? (() => {});
  const host = parts.openBindings();
  const broker = createBroker({
    permissions,
    ...(options.onUngranted ? { onUngranted: options.onUngranted } : {}),
    ...(options.onDecision ? { onDecision: options.onDecision } : {}),
  });
  const { openGuard } = host;
  // Most UDFs are files: what fetches is loaded when one is not.
  const fetchUdf: FetchBytes = async (url) => {
    const [guard, { fetchSource }] = await Promise.all([openGuard(), import("../../host/udfs/fetch.ts")]);
    return fetchSource(guard, url, { principal: DEFAULT_PRINCIPAL, permissions, broker });
  };
  const gitHub = once(async () => {
    const { gitHubReader } = await import("../../host/udfs/github-reader.ts");
    return gitHubReader(openGuard, options.github);
  });
  const closing = new AbortController();
  const remote = await openPackages({
    options: options.packages,
    assets,
    broker,
    openGuard,
    limits: { closing: closing.signal, timeoutMs: limits.installMs },
  });
  const packages = once(async () => {
    const { PythonPackages } = await import("../../runtime/engines/pyodide/packages-choose.ts");
    return new PythonPackages(assets, remote.python);
  });
  const { udfs = {} } = options;
  const findUdf: FindUdf = async (name, by) => {
    const found =
      typeof udfs === "function"
        ? await udfs(name, by)
        : Object.hasOwn(udfs, name)
          ? (udfs[name] ?? null)
          : null;
    if (found === null) return null;
    const source = await resolve(found);
    // A text has no name of its own.
    return typeof found === "string" && found.includes("\n") ? { ...source, name } : source;
  };
  const { server } = options;
  const remoteRuns = once(async () => {
    if (!server)
      throw new UsageError(
        "Cannot run on a server: this runtime has none; give it one: createRuntime({ server: { url, token } })",
      );
    return (await import("./remote.ts")).openRemote(server, parts.server);
  });
  const runRemote: RunRemote = async (source, asked) =>
    (await remoteRuns())(source, async () => source, asked);
  const runtime = new Runtime({
    platform,
    engines: [
      pythonEngine({
        assets,
        packages,
        platform,
        realm: parts.realms.python,
        memoryBytes,
        installMs: limits.installMs,
        onProgress,
      }),
      quickjsEngine({
        assets,
        realm: parts.realms.typescript,
        memoryBytes,
        loadEsbuild: parts.loadEsbuild,
        registry: remote.npm,
      }),
    ],
    host: openHost({
      broker,
      bindings: {
        context: contextBinding,
        udfs: udfBinding({
          find: findUdf,
          readGitHub: async (...asked) => (await gitHub())(...asked),
          atOnce: pool.maxIsolates,
          runRemote,
        }),
        packages: packagesBinding(packages, assets.sha256),
        ...host.bindings,
      },
      own: options.host,
      explainDenial: options.explainDenial,
    }),
    limits,
    pool,
    reusable,
    narrowPermissions: (wanted) =>
      wanted === undefined ? permissions : narrow(permissions, checkPermissions(wanted)),
    checkContext,
    redactionOf,
    hash: parts.hash,
    keptResults: once(() =>
      host.keptResults({
        version: FUSELET_VERSION,
        onProblem: (message) => onProgress({ phase: "cache", message }),
      }),
    ),
  });
  const resolve = async (source: string | UdfSource): Promise<UdfSource> => {
    if (typeof source !== "string") return sourceFromObject(source);
    if (source.includes("\n")) return sourceFromText(source);
    const [read, lock] = await Promise.all([parts.readSource(source, fetchUdf), parts.readLock?.(source)]);
    const whole = await withHeaders(read, source);
    const folder = whole.language === "typescript" ? parts.openNpmFolder?.(source) : undefined;
    return {
      ...whole,
      ...(lock === undefined ? {} : { lock }),
      ...(folder ? { [NPM_FOLDER]: folder } : {}),
    };
  };
  /** A single file brings the modules along that it names; a folder has them already. */
  const withHeaders = async (source: UdfSource, path: string): Promise<UdfSource> => {
    if (source.headers.length > 0 || path === "-") return source;
    if (source.language === "python") {
      if (!/\bheaders\s*=/.test(source.code)) return source;
      const { metadata } = await runtime.inspect(source);
      return { ...source, headers: await parts.readHeaders(path, metadata.headers as string[], fetchUdf) };
    }
    if (!MAY_IMPORT_FILES.test(source.code)) return source;
    const { followImports } = await import("../../runtime/engines/quickjs/follow.ts");
    return followImports(source, async (file) => {
      const found = await parts.readHeaders(path, [file], fetchUdf).catch((error: unknown) => {
        if (error instanceof UdfLoadError) return [];
        throw error;
      });
      return found[0] ?? null;
    });
  };
  const run: FuseletRuntime["run"] = async (given, { engine, instanceType, diskSizeGb, ...asked } = {}) => {
    if (engine !== undefined && engine !== "local" && engine !== "remote")
      throw new UsageError(`Cannot run: engine must be local or remote: received ${JSON.stringify(engine)}`);
    if (engine === "remote" || (engine === undefined && instanceType !== undefined))
      return (await remoteRuns())(given, resolve, { ...asked, instanceType, diskSizeGb });
    if (instanceType !== undefined || diskSizeGb !== undefined)
      throw new UsageError("Cannot run: instanceType and diskSizeGb are for the engine remote");
    const { cache, cacheMaxAge, ...options } = asked;
    const source = await resolve(given);
    if (cache === undefined && cacheMaxAge === undefined) return runtime.run(source, options);
    const own = async () =>
      source.metadata.cacheMaxAge ??
      (MAY_SAY_AGE.test(source.code) ? (await runtime.inspect(source)).metadata.cacheMaxAge : undefined);
    return runtime.run(source, options, await cacheAge({ cache, cacheMaxAge }, own));
  };
  const self: FuseletRuntime = {
    load: async (source) => runtime.inspect(await resolve(source)),
    inspect: async (source) => runtime.inspect(await resolve(source)),
    run,
    lock: async (given, lockOptions) => {
      const source = await resolve(given);
      const { writeLock } = await import("../../runtime/lock-file.ts");
      return writeLock(source.lock, source.file, await runtime.lock(source, lockOptions));
    },
    submit: (source, argumentList, submitOptions) =>
      submit(
        (runOptions) => run(source, runOptions),
        argumentList,
        {
          maxIsolates: pool.maxIsolates,
          firstParameter: async () => (await self.inspect(source)).parameters[0]?.name,
        },
        submitOptions,
      ),
    capabilities: platform.capabilities,
    get isolates() {
      return runtime.isolates;
    },
    async close() {
      // What waits for packages would wait as long as their server is silent.
      closing.abort();
      await runtime.close();
      await host.close();
    },
    [Symbol.asyncDispose]: () => self.close(),
  };
  return self;
}
