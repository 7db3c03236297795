/**
 * The whole server on one folder:
 *
 *     server.db            users, tokens, UDFs, schedules, jobs, datasets (host/store)
 *     files/, secrets/     `fd://` and the secrets of users, which the runtime uses as well
 *     mount/               `file:///mount` of each team
 *     signing/             the key of URLs that open files
 *     cache/               kept results and downloads
 */
import { statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../runtime/errors.ts";
import { readKey } from "../../runtime/key.node.ts";
import { once } from "../../runtime/once.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import { RunFiles } from "../files/files.ts";
import type { Decision } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import { openVault } from "../secrets/vault.node.ts";
import { locationUrl } from "../storage/location.ts";
import { ownerFolder } from "../storage/places.node.ts";
import { type NodeStorageOptions, openStorage, type ServedFiles } from "../storage/storage.node.ts";
import { Storage } from "../storage/storage.ts";
import { openStore } from "../store/store.node.ts";
import type { Store } from "../store/store.ts";
import type { Finder } from "../udfs/binding.ts";
import type { GitHubHosts } from "../udfs/github.ts";
import { gitHubReader } from "../udfs/github-reader.ts";
import { openCodeProxy } from "./code-proxy.ts";
import { openCollections } from "./collections.ts";
import { openDatasets } from "./datasets.ts";
import { HttpError } from "./errors.ts";
import { EventStreams } from "./event-streams.ts";
import { createHandler } from "./handler.ts";
import { inOrder } from "./in-order.ts";
import { openTaskResults } from "./job-results.ts";
import { openJobs } from "./jobs.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { openOwnFiles } from "./own-files.ts";
import type { ServerParts, ServerSettings, UdfRunner } from "./parts.ts";
import { openRegistry } from "./registry.ts";
import { openResultThreads } from "./result-threads.node.ts";
import { RunLog } from "./run-log.ts";
import { openRuns } from "./runs.ts";
import { openSchedules } from "./schedules.ts";
import { type Listening, listen } from "./serve.node.ts";
import { openSharedTokens } from "./shared-tokens.ts";
import { openSignedUrls } from "./signed-urls.ts";
import { Standing } from "./standing.ts";
import { openSweep } from "./sweep.ts";
import { udfEpochs } from "./udf-epochs.ts";
import { udfFinder } from "./udf-finder.ts";
import { isActingAdmin, openUsers } from "./users.ts";

export interface ServerOptions {
  data: string;
  storage: Pick<NodeStorageOptions, "quota" | "s3" | "enableGcs" | "gcsKey">;
  runner: UdfRunner;
  permissions: Permissions;
  /** The most time of a run that somebody waits for, and of a task of a job. */
  runMs: number;
  taskMs: number;
  /** How long a job that has ended is kept, in milliseconds. Default: 30 days. */
  keepJobsMs?: number | undefined;
  /** Tasks of all jobs that run at once. */
  tasksAtOnce: number;
  /** Isolates that the runner has at most: one user's runs never keep all of them. */
  isolates: number;
  version: string;
  /** Default: the address that it listens on. */
  publicUrl: string | undefined;
  allowedHosts: readonly string[];
  corsOrigins: readonly string[];
  /** The SHA-256 of a token of the first user that is valid while this server runs. */
  tokenHash: string | undefined;
  /** The key of the secrets, as host/secrets/keys.node.ts takes it. */
  secretsKey: string | undefined;
  /** Where the code proxy finds GitHub. Default: where it is. */
  github?: GitHubHosts;
  /** Called with each decision about what users do by routes. */
  onDecision?: ((decision: Decision) => void) | undefined;
  /** Reads a file that pages load. */
  assets(path: string): Promise<Uint8Array | null>;
  log: Log;
}

export interface OpenServer {
  /** The handler alone. */
  handler: ReturnType<typeof createHandler>;
  /** @returns where it listens; the first user's token, where this start has made it */
  listen(address: { port: number; host: string }): Promise<{ url: string; firstToken: string | undefined }>;
  /** What a name means to whoever runs it. */
  findUdf(name: string, by: Finder): Promise<UdfSource | null>;
  /** What the storage of UDFs has here beside this machine's. */
  served: ServedFiles;
  /** Takes no more, lets what is under way end up to a time, and closes all. */
  close(graceMs: number): Promise<void>;
}

const MiB = 1024 * 1024;
/** That write large results. */
const RESULT_THREADS = 2;

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  wasm: "application/wasm",
  json: "application/json",
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/** @throws StoreError where the folder cannot be used */
export async function openServer(options: ServerOptions): Promise<OpenServer> {
  const { data, runner } = options;
  await mkdir(data, { recursive: true, mode: 0o700 }).catch((cause: Error) => {
    throw new UsageError(`Cannot serve from ${JSON.stringify(data)}: ${cause.message}`, { cause });
  });
  const store = openStore({ path: join(data, "server.db"), recent: true });
  const { firstUser, firstToken } = await firstUserOf(store);
  const users = openUsers(
    store,
    options.tokenHash === undefined ? undefined : { tokenHash: options.tokenHash, userId: firstUser },
  );
  const settings = settingsOf(options);
  const { vault, keys, close: closeVault } = openVault(join(data, "secrets"), options.secretsKey);
  // What is no key is said now, and not to the first who has a secret.
  if (options.secretsKey) await keys.open();
  const metrics = new Metrics();
  const epochs = udfEpochs(store);
  const runLog = new RunLog();
  const { log } = options;
  const standing = new Standing(log);
  const streams = new EventStreams(log);
  metrics.gauge("fuselet_streams", "Streams of events that are open.", () => streams.size);
  const resultThreads = openResultThreads(RESULT_THREADS);
  const runs = runLog.watch(openRuns({ settings, runner, metrics, epochs, users, standing }));
  const collections = openCollections(store);
  const registry = openRegistry(store, users, collections);
  const sharedTokens = openSharedTokens({ store, vault, users, registry, collections, log });
  const { guard, close: closeNetwork } = openNetwork();
  const signedUrls = openSignedUrls(await signingKey(join(data, "signing")));
  const served: ServedFiles = {
    sign: (location, { method, expiresSeconds }, owner) =>
      signedUrls.sign(
        { method, owner, url: locationUrl(location), mostBytes: null },
        expiresSeconds,
        settings.publicUrl,
      ),
    async mountOf(owner) {
      const user = await users.active(owner);
      if (!user) throw new UsageError("Cannot use /mount: its user is not here any more");
      return ownerFolder(join(data, "mount"), user.team);
    },
  };
  const { drivers, close: closeStorage } = openStorage({
    ...options.storage,
    dataFolder: data,
    closed: [join(data, "cache")],
    served,
    guard: { fetch: async (request, call) => (await guard()).fetch(request, call) },
  });
  const storage = new Storage({ drivers, files: new RunFiles(), uploadBytes: settings.uploadBytes });
  const codeProxy = openCodeProxy({
    settings,
    runner,
    read: gitHubReader(guard, options.github),
    onDecision: options.onDecision,
  });
  const common = {
    settings,
    store,
    storeState: store.state,
    runner,
    writeResult: resultThreads.write,
    users,
    standing,
    streams,
    registry,
    collections,
    sharedTokens,
    codeProxy,
    runs,
    runLog,
    epochs,
    vault,
    drivers,
    storage,
    signedUrls,
    datasets: openDatasets(store, storage),
    taskResults: openTaskResults(openOwnFiles(drivers), resultThreads.write),
    onDecision: options.onDecision,
    log,
    metrics,
    async asset(path: string) {
      const bytes = await options.assets(path);
      const extension = path.slice(path.lastIndexOf(".") + 1);
      return bytes && { bytes, type: MEDIA_TYPES[extension] ?? "application/octet-stream" };
    },
  };
  const jobs = openJobs({
    ...common,
    results: common.taskResults,
    tasksAtOnce: options.tasksAtOnce,
    taskMs: options.taskMs,
    keepMs: options.keepJobsMs,
  });
  const schedules = openSchedules({ ...common, jobs });
  const parts: ServerParts = { ...common, jobs, schedules };
  const sweep = openSweep(parts);
  metrics.gauge(
    "fuselet_database_bytes",
    "The size of the server's database.",
    () => statSync(join(data, "server.db"), { throwIfNoEntry: false })?.size ?? 0,
  );
  const handler = createHandler(parts);
  let listening: Listening | undefined;
  return {
    handler,
    async listen({ port, host }) {
      listening = await listen(handler, { port, host });
      const name = host.includes(":") ? `[${host}]` : host;
      const url = `http://${name === "0.0.0.0" || name === "[::]" ? "127.0.0.1" : name}:${listening.port}`;
      settings.publicUrl ||= url;
      await jobs.start();
      await schedules.start();
      await sweep.start();
      return { url, firstToken };
    },
    findUdf: udfFinder(parts),
    served,
    async close(graceMs) {
      let drained: Promise<void> | undefined;
      await inOrder(log, {
        sweep: () => sweep.stop(),
        schedules: () => schedules.stop(),
        jobs: () => jobs.stop(),
        streams: () => streams.close(),
        // While these end, so do the answers that wait for them.
        connections: () => {
          drained = runs.drain(graceMs);
          // Its failure is that of the next step.
          drained.catch(() => {});
          return listening?.close(graceMs);
        },
        runs: () => drained,
        threads: () => resultThreads.close(),
        standing: () => standing.close(),
        network: () => closeNetwork(),
        storage: () => closeStorage(),
        secrets: () => closeVault(),
        store: () => store.close(),
      });
    },
  };
}

function settingsOf(options: ServerOptions): ServerSettings {
  const { version, permissions, allowedHosts, corsOrigins, runMs, taskMs } = options;
  return {
    ...{ version, permissions, allowedHosts, corsOrigins, runMs, taskMs },
    publicUrl: options.publicUrl ?? "",
    bodyBytes: 64 * MiB,
    uploadBytes: 5 * 1024 * MiB,
    // With the isolate that one owner never gets (sdk/cli/serve.ts), one is left for the owner's runs beside those of links.
    runsPerUser: Math.max(1, Math.min(8, options.isolates - 2)),
    waitingPerUser: 200,
  };
}

/** The guarded network. It is read and opened when it is first wanted: most servers never ask for anything. */
function openNetwork() {
  let close = async () => {};
  const guard = once(async () => {
    const [{ openTransport }, { Guard }] = await Promise.all([
      import("../net/transport.node.ts"),
      import("../net/guard.ts"),
    ]);
    const transport = openTransport();
    close = () => transport.close();
    return new Guard(transport);
  });
  return { guard, close: () => close() };
}

/** @throws UsageError where there is none, and none can be made */
async function signingKey(folder: string): Promise<Uint8Array> {
  const key = await readKey(folder);
  if (key) return key;
  throw new UsageError("Cannot serve: the file signing/key in the data folder is no key; remove it");
}

const SETTINGS = "server.settings";
const FIRST_USER = "first-user";

/**
 * The admin that the first start makes; where that one is no admin any more, another one. Which one it is, is kept: `--token` must not be
 * another user's at the next start because there is another admin.
 */
async function firstUserOf(store: Store): Promise<{ firstUser: string; firstToken: string | undefined }> {
  const users = openUsers(store);
  const known = (await store.get(SETTINGS, FIRST_USER))?.value as string | undefined;
  const admins = (await users.list()).filter(isActingAdmin);
  const admin = admins.find(({ id }) => id === known) ?? admins[0];
  let first = admin;
  try {
    first ??= await users.add({ email: "owner@localhost", handle: "owner", team: "default", isAdmin: true });
  } catch (error) {
    // Another server on this folder, at the same moment: it shows the token.
    const owner = error instanceof HttpError ? await users.byHandle("owner") : null;
    if (!owner || !isActingAdmin(owner)) throw error;
    return firstUserOf(store);
  }
  if (first.id !== known) await store.put(SETTINGS, FIRST_USER, first.id);
  const firstToken = admin ? undefined : (await users.addToken(first.id, "first start", null)).token;
  return { firstUser: first.id, firstToken };
}
