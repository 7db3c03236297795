/** The part of the runtime that the command line uses, and how it is opened for one command. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { BrokerOptions } from "../../host/permissions/broker.ts";
import type { Permissions } from "../../host/permissions/descriptor.ts";
import { isRemote, readSource, readStandardInput } from "../../host/udfs/source.node.ts";
import { CancelledError, UsageError } from "../../runtime/errors.ts";
import type { Limits } from "../../runtime/limits.ts";
import { identityOf, type Tile, type Udf, type UdfSource } from "../../runtime/udf.ts";
import { createRuntime, type NodeRuntimeOptions } from "../typescript/index.node.ts";
import type { Options } from "./arguments.ts";
import type { ProgressEvent, Terminal } from "./terminal.ts";

/** On whose behalf the command line runs UDFs and keeps secrets. */
export const PRINCIPAL = "local";

export interface RuntimeOptions {
  permissions: Permissions;
  limits: Partial<Limits>;
  pool: { spares: number; reusable: boolean };
  assets: { pyodide?: string; wheels?: string };
  packages: { index?: string; npmRegistry?: string };
  storage?: NonNullable<NodeRuntimeOptions["storage"]>;
  udfs?: (name: string) => Promise<string | null>;
  server?: NonNullable<NodeRuntimeOptions["server"]>;
  onUngranted?: NonNullable<BrokerOptions["onUngranted"]>;
  onDecision?: NonNullable<BrokerOptions["onDecision"]>;
  onProgress: (event: ProgressEvent) => void;
}

export interface RunOptions {
  parameters: Readonly<Record<string, string>>;
  tile?: Tile;
  principal: string;
  signal: AbortSignal;
  onOutput: (stream: "stdout" | "stderr", text: string) => void;
  cacheMaxAge: string;
}

export interface RunResult {
  /** The decoded value, with NdArray, TableValue and MediaValue kept. */
  raw: unknown;
  cached: boolean;
  /** Milliseconds a step. */
  timing: object;
}

export interface Runtime {
  run(source: string | UdfSource, options: RunOptions): Promise<RunResult>;
  inspect(source: string | UdfSource): Promise<Udf>;
  lock(source: string | UdfSource, options: Pick<RunOptions, "principal" | "signal">): Promise<string>;
  close(): Promise<void>;
}

/** Opens a runtime. Tests hand in one of their own. */
export type OpenRuntime = (options: RuntimeOptions) => Promise<Runtime>;

/** The runtime of this package. */
export const openRuntime: OpenRuntime = createRuntime;

/** The distribution and the wheels that `--pyodide` and `--wheels`, or FUSELET_PYODIDE and FUSELET_WHEELS name. */
export function assetsFrom(options: Options, env: Terminal["env"]): RuntimeOptions["assets"] {
  const pyodide = options.get("pyodide") ?? env.FUSELET_PYODIDE;
  const wheels = options.get("wheels") ?? env.FUSELET_WHEELS;
  return {
    ...(pyodide ? { pyodide: resolve(pyodide) } : {}),
    ...(wheels ? { wheels: resolve(wheels) } : {}),
  };
}

/** The index and the registry that `--index` and `--npm-registry`, or FUSELET_INDEX and FUSELET_NPM_REGISTRY name. */
export function packagesFrom(options: Options, env: Terminal["env"]): RuntimeOptions["packages"] {
  const index = options.get("index") ?? env.FUSELET_INDEX;
  const npmRegistry = options.get("npm-registry") ?? env.FUSELET_NPM_REGISTRY;
  return { ...(index ? { index } : {}), ...(npmRegistry ? { npmRegistry } : {}) };
}

/** The UDF as the runtime takes it: standard input is read here, all else by its name. */
export async function sourceOf(udf: string): Promise<string | UdfSource> {
  return udf === "-" ? readStandardInput() : udf;
}

/** A UDF that declares permissions says so in its text: only then is it worth reading before it runs. */
const MAY_DECLARE = { python: /^#.*fuselet/m, typescript: /permissions/ };

/** The name of a UDF whose text may declare permissions; null for any other, and for one that has to be fetched. */
export async function declaringName(udf: string): Promise<string | null> {
  if (isRemote(udf)) return null;
  const { language, code, name } = await readSource(udf, neverFetched);
  return MAY_DECLARE[language].test(code) ? name : null;
}

const neverFetched = () => Promise.reject(new UsageError("A path is not fetched"));

/** The hash by which the runtime calls a UDF's code and headers. */
export function hashOf(source: UdfSource): string {
  return createHash("sha256").update(identityOf(source)).digest("hex");
}

/**
 * Waits for work that takes no signal itself, such as reading standard input.
 * @throws CancelledError as soon as the signal fires.
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new CancelledError("Cancelled"));
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", cancel));
  });
}
