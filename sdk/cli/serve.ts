/** `fuselet serve`: opens the folder, the runtime and the socket, says where it listens, and ends in good order. */
import { access, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseAge } from "../../host/cache/age.ts";
import { openAuditLog } from "../../host/permissions/audit-log.node.ts";
import type { Decision } from "../../host/permissions/broker.ts";
import { servedDenial } from "../../host/permissions/served.ts";
import { makeLog } from "../../host/server/log.ts";
import { openServer } from "../../host/server/server.node.ts";
import { tokenHash } from "../../host/server/token-hash.ts";
import type { ServedFiles } from "../../host/storage/storage.node.ts";
import { GITHUB } from "../../host/udfs/github.ts";
import { UsageError } from "../../runtime/errors.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { createRuntime } from "../typescript/index.node.ts";
import type { Options } from "./arguments.ts";
import { serverFolder } from "./backup.ts";
import { grantsFrom } from "./grants.ts";
import { limitsFrom, parseTime } from "./quantities.ts";
import { assetsFrom, packagesFrom } from "./runtime.ts";
import { storageFrom } from "./storage.ts";
import { type Terminal, write } from "./terminal.ts";
import { version } from "./version.ts";

/** How long runs and answers under way may take once the server was asked to end. */
const GRACE_MS = 10_000;
const FEWEST_TOKEN_CHARACTERS = 8;
/** The most time of a task of a job, where nothing else is said. */
const TASK_MS = 3_600_000;
/** Clients ask for the results of a job some time after its end. */
const LEAST_KEEP_MS = 3_600_000;

/** Serves until the signal fires. @throws FuseletError where it cannot begin */
export async function serve(options: Options, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { stdout, stderr, env } = terminal;
  const { port, host, token, limits, ...settings } = readSettings(options, env);
  const { data, storage, github, isolates, runMs, taskMs } = settings;
  const assets = assetsFrom(options, env);
  await checkAssets(assets);
  const { permissions, auditLog } = await grantsFrom(options);
  const audit = auditLog === undefined ? undefined : openAuditLog(auditLog);
  const log = (line: string) => void stderr.write(line);
  let server: Awaited<ReturnType<typeof openServer>> | undefined;
  // The server is opened with the runtime; until then nothing runs.
  const served: ServedFiles = {
    sign: (...file) => opened().served.sign(...file),
    mountOf: (owner) => opened().served.mountOf(owner),
  };
  const opened = () => {
    if (!server) throw new UsageError("Cannot use the server's files: it is not open");
    return server;
  };
  const onDecision = audit ? (decision: Decision) => audit.write(decision) : undefined;
  const runtime = await createRuntime({
    permissions,
    // The longest of all; each run has its own.
    limits: { ...limits, timeMs: Math.max(runMs, taskMs) },
    pool: { maxIsolates: isolates, mostPerOwner: Math.max(1, isolates - 1) },
    assets,
    packages: packagesFrom(options, env),
    storage: { ...storage, served },
    data,
    udfs: async (name, by) => (await server?.findUdf(name, by)) ?? null,
    github,
    ...(onDecision ? { onDecision } : {}),
    explainDenial: servedDenial,
  });
  try {
    server = await openServer({
      ...settings,
      runner: runtime,
      permissions,
      tasksAtOnce: Math.max(1, Math.min(availableParallelism(), Math.floor(isolates / 2))),
      version: version(),
      tokenHash: token === undefined ? undefined : tokenHash(token),
      onDecision,
      assets: embedFolder(),
      log: makeLog(log, options.has("verbose") ? "info" : "warn"),
    });
    const { url, firstToken } = await server.listen({ port, host });
    if (firstToken !== undefined && token === undefined) {
      await write(stderr, `The first user's token, which is shown this once: ${firstToken}\n`);
    }
    await write(stdout, `fuselet serves at ${url}\n`);
    await new Promise<void>((ended) => {
      if (signal.aborted) ended();
      signal.addEventListener("abort", () => ended(), { once: true });
    });
  } finally {
    // Each of them, whatever becomes of those before: no process outlives this one.
    try {
      await server?.close(GRACE_MS);
    } finally {
      await runtime.close().finally(() => audit?.close());
    }
  }
}

/** What the options and the environment say. @throws UsageError */
function readSettings(options: Options, env: Terminal["env"]) {
  const token = options.get("token") ?? env.FUSELET_TOKEN;
  if (token !== undefined && (token.length < FEWEST_TOKEN_CHARACTERS || !/^[\x21-\x7e]+$/.test(token))) {
    throw new UsageError(
      `Cannot serve: a token must have at least ${FEWEST_TOKEN_CHARACTERS} characters, of ASCII and without spaces; leave --token out, and one is made`,
    );
  }
  const limits = limitsFrom(options);
  const jobTime = options.get("job-time-limit");
  const keepJobs = options.get("keep-jobs");
  return {
    port: readNumber(options, "port", 8000, 0, 65_535),
    host: options.get("host") ?? "127.0.0.1",
    token,
    limits,
    data: serverFolder(options, env),
    isolates: readNumber(options, "isolates", 8, 1, 256),
    publicUrl: readUrl("--public-url", options.get("public-url")),
    allowedHosts: options.all("allow-host").map(readHost),
    corsOrigins: options.all("cors-origin").map(readOrigin),
    runMs: limits.timeMs ?? DEFAULT_LIMITS.timeMs,
    taskMs: jobTime === undefined ? TASK_MS : parseTime(jobTime, "job-time-limit"),
    keepJobsMs: keepJobs === undefined ? undefined : parseKeep(keepJobs),
    storage: storageFrom(env),
    secretsKey: env.FUSELET_SECRETS_KEY,
    github: {
      api: readUrl("FUSELET_GITHUB_API", env.FUSELET_GITHUB_API) ?? GITHUB.api,
      raw: readUrl("FUSELET_GITHUB_RAW", env.FUSELET_GITHUB_RAW) ?? GITHUB.raw,
    },
  };
}

/** Files that pages load: `dist/embed`, beside this program. */
function embedFolder(): (path: string) => Promise<Uint8Array | null> {
  const folder = new URL("./embed/", import.meta.url);
  // Each once, for all that load it at the same time: some are large.
  const known = new Map<string, Uint8Array>();
  return async (path) => {
    if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(path)) return null;
    const found = known.get(path) ?? (await readFile(new URL(path, folder)).catch(() => null));
    if (found) known.set(path, found);
    return found;
  };
}

function readNumber(options: Options, name: string, otherwise: number, least: number, most: number): number {
  const text = options.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(
    `Cannot use --${name} ${JSON.stringify(text)}: it is a whole number from ${least} to ${most}`,
  );
}

/** What each run of Python would say is said at the start. @throws UsageError */
async function checkAssets({ pyodide, wheels }: ReturnType<typeof assetsFrom>): Promise<void> {
  const check = (option: string, path: string) =>
    access(path).catch((cause: Error) => {
      throw new UsageError(`Cannot use --${option}: ${cause.message}`, { cause });
    });
  if (pyodide !== undefined) await check("pyodide", join(pyodide, "pyodide-lock.json"));
  if (wheels !== undefined) await check("wheels", wheels);
}

/** @throws UsageError */
function readHost(text: string): string {
  if (/^([^\s/:?#@]+|\[[\da-f:]+\])$/i.test(text)) return text;
  throw new UsageError(
    `Cannot use --allow-host ${JSON.stringify(text)}: it is *, or a name such as udfs.example.org, without a port`,
  );
}

/** As browsers say it. @throws UsageError */
function readOrigin(text: string): string {
  const [, origin] = /^(\*|null|[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+)\/?$/i.exec(text) ?? [];
  if (origin !== undefined) return origin.toLowerCase();
  throw new UsageError(
    `Cannot use --cors-origin ${JSON.stringify(text)}: it is *, or an origin such as https://page.example.org`,
  );
}

/** @throws UsageError */
function parseKeep(text: string): number {
  const age = parseAge(text);
  if (age !== undefined && age >= LEAST_KEEP_MS) return age;
  throw new UsageError(
    `Cannot use --keep-jobs ${JSON.stringify(text)}: write a time of at least an hour, such as 12h or 90d`,
  );
}

function readUrl(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username)
    return url.href.replace(/\/+$/, "");
  throw new UsageError(
    `Cannot use ${name} ${JSON.stringify(text)}: it is an address such as https://udfs.example.org`,
  );
}
