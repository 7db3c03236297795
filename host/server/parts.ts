/** What the server is made of: each part is one interface, made in one file, and the routes get them all. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Limits } from "../../runtime/limits.ts";
import type { RunResult } from "../../runtime/result.ts";
import type { Tile, Udf, UdfSource } from "../../runtime/udf.ts";
import type { RunContext } from "../context/context.ts";
import type { FormattedResult } from "../formats/formats.ts";
import type { Wish } from "../formats/negotiate.ts";
import type { Decision } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import type { Vault } from "../secrets/vault.ts";
import type { OpenDriver } from "../storage/driver.ts";
import type { Scheme } from "../storage/location.ts";
import type { Storage } from "../storage/storage.ts";
import type { Store } from "../store/store.ts";
import type { CodeProxy } from "./code-proxy.ts";
import type { AccessScope, Collections } from "./collections.ts";
import type { Datasets } from "./datasets.ts";
import type { EventStreams } from "./event-streams.ts";
import type { TaskResults } from "./job-results.ts";
import type { Jobs } from "./jobs.ts";
import type { Answered } from "./link-answers.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Registry } from "./registry.ts";
import type { RunLog } from "./run-log.ts";
import type { Schedules } from "./schedules.ts";
import type { SharedTokens } from "./shared-tokens.ts";
import type { SignedUrls } from "./signed-urls.ts";
import type { Standing } from "./standing.ts";
import type { UdfEpochs } from "./udf-epochs.ts";
import type { Users } from "./users.ts";

/** A person, or a program with a token of its own. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly handle: string;
  readonly name: string;
  /** The team, which the wire calls the execution environment. */
  readonly team: string;
  /** May make users, and see all. */
  readonly isAdmin: boolean;
  /** False: the user's tokens and links open nothing, and nothing runs in the user's name. */
  readonly isEnabled: boolean;
  /** The most that this user's UDFs may get. Default: what the server may give at all. */
  readonly permissions?: Permissions;
}

/** On whose behalf a UDF runs. */
export interface RunAs {
  /** Whose UDF it is, and whose files and secrets it uses. */
  readonly owner: User;
  /** The label of the shared token that it was asked for with; such runs never share memory or results with the owner's. */
  readonly shareToken?: string;
}

/** What runs UDFs; the runtime of `createRuntime` is one. All fail with the errors of runtime/errors.ts. */
export interface UdfRunner {
  run(
    source: UdfSource,
    options: {
      parameters?: Readonly<Record<string, unknown>>;
      tile?: Tile;
      principal?: string;
      owner?: string;
      permissions?: Permissions;
      limits?: Partial<Limits>;
      context?: Partial<RunContext>;
      cacheMaxAge?: number | string;
      cacheEpoch?: string;
      signal?: AbortSignal;
      onOutput?: (stream: "stdout" | "stderr", text: string) => void;
    },
  ): Promise<RunResult>;
  /** Reads a UDF and runs none of its code. @param source a path, a URL, or a source */
  inspect(source: string | UdfSource): Promise<Udf>;
  readonly isolates: { isolates: number; spares: number };
}

/** A run of the server, whoever asks for it: a route, a schedule, a job. */
export interface ServerRun {
  as: RunAs;
  source: UdfSource;
  parameters: Readonly<Record<string, unknown>>;
  tile?: Tile | undefined;
  context: Partial<RunContext>;
  /** Seconds, or a text like `12h`; undefined: as the UDF says it, else not at all; 0 runs it. */
  cacheMaxAge?: number | string | undefined;
  /** The id of the saved UDF that it is a run of: its kept results can be forgotten by it. */
  savedId?: string | null | undefined;
  /** How large its parameters are, as they came: while a run waits they are in memory. */
  bytes?: number;
  signal: AbortSignal;
  onOutput?: ((stream: "stdout" | "stderr", text: string) => void) | undefined;
  limits?: Partial<Limits> | undefined;
  /** What is done with the result while the run still counts as under way. What it throws is thrown. */
  finish?: ((result: RunResult) => Promise<void>) | undefined;
}

/** Writes the result of a run as it was wished for. @throws as `writeResult` (host/formats), and LimitExceededError */
export type ResultWriter = (
  result: Pick<RunResult, "raw" | "encoded" | "bytes" | "table">,
  wish: Wish,
  by: { owner: Pick<User, "id">; signal: AbortSignal },
) => Promise<FormattedResult>;

/** Runs UDFs for users: grants, queues, coalescing. */
export interface Runs {
  /**
   * @throws the errors of runtime/errors.ts; HttpError 429 where this user has too many runs waiting, 503 where the server ends or is full,
   *   both with `Retry-After` and before anything ran; 403 where the owner was disabled or deleted meanwhile
   */
  run(run: ServerRun): Promise<RunResult>;
  /** Begins no more runs, and waits for those under way up to a time; then they are cancelled. */
  drain(timeoutMs: number): Promise<void>;
}

/** A UDF (or app) that somebody saved. */
export interface SavedUdf {
  readonly id: string;
  readonly slug: string;
  /** The name of its collection. */
  readonly collection: string;
  readonly collectionId: string;
  readonly ownerId: string;
  /** Whose team it was when it was saved; null since its owner has gone to another one: neither sees it until it is saved again. */
  readonly team: string | null;
  readonly kind: "udf" | "app";
  /** The wire's kind, as the client sent it: `auto`, `app`, … */
  readonly type: string;
  /** The JSON text as the client sent it. */
  readonly body: string;
  readonly publicRead: boolean;
  readonly publicList: boolean;
  readonly teamRead: boolean;
  /** Counts from 1, one more with each save. */
  readonly version: number;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
}

/** What is known of a saved UDF beside its body. */
export type UdfDetails = Omit<SavedUdf, "body">;

/** A shared token as routes and runs use it. */
export interface SharedToken {
  readonly token: string;
  readonly ownerId: string;
  readonly udfId: string | null;
  /** The id of the collection whose UDFs it opens. */
  readonly collection: string | null;
  readonly cache: boolean;
  readonly enabled: boolean;
  /** ISO 8601, or null. */
  readonly expires: string | null;
  /** Whether whoever has it may read the code too. */
  readonly publicRead: boolean;
  /** `team`: only with what shows that one belongs to the team, or was let in by it (`Presented`). */
  readonly scope: AccessScope;
  /** What the owner keeps with it. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly clientId: string | null;
  /** ISO 8601. */
  readonly updated: string;
}

/** What a request has beside the token. */
export interface Presented {
  /** Who is signed in. */
  user?: User | undefined;
  /** The query's `fused_session_token`. */
  session?: string | undefined;
  /** Of `Authorization: Fused-Canvas-Passcode PASSCODE`. */
  passcode?: string | undefined;
  /** From where: wrong passcodes are counted by it. */
  peer?: string;
}

/** Work that runs later or for long. */
export interface Background {
  /** Goes on with what was left when the server ended. */
  start(): Promise<void>;
  /** Begins nothing more; what is under way is cancelled and is taken up at the next start. */
  stop(): Promise<void>;
}

export interface ServerSettings {
  version: string;
  /** How this server is reached: `http://127.0.0.1:8000`, without a slash at its end. Set once it listens. */
  publicUrl: string;
  /** The most that a UDF may get. */
  permissions: Permissions;
  /** Host names beside loopback's and publicUrl's that requests may be for; `*` is any. */
  allowedHosts: readonly string[];
  /** Origins whose pages may use all routes; `*` is any. */
  corsOrigins: readonly string[];
  /** The most bytes of a body that is no upload. */
  bodyBytes: number;
  /** The most bytes of a file that is uploaded. */
  uploadBytes: number;
  /** Runs of one user under way at once, and waiting for that. */
  runsPerUser: number;
  waitingPerUser: number;
  /** The most time of a run that somebody waits for, and of a task of a job. */
  runMs: number;
  taskMs: number;
}

/** What routes get. */
export interface ServerParts {
  settings: ServerSettings;
  store: Store;
  /** A text that is another one once anything was written to the store. */
  storeState(): Promise<string>;
  runner: UdfRunner;
  writeResult: ResultWriter;
  users: Users;
  standing: Standing;
  streams: EventStreams;
  runs: Runs;
  epochs: UdfEpochs;
  registry: Registry;
  collections: Collections;
  sharedTokens: SharedTokens;
  codeProxy: CodeProxy;
  runLog: RunLog;
  jobs: Jobs;
  taskResults: TaskResults;
  schedules: Schedules;
  vault: Vault;
  /** The storage by scheme. A driver trusts that the broker was asked. */
  drivers: Readonly<Partial<Record<Scheme, OpenDriver>>>;
  /** The same behind the broker: what routes do for users. */
  storage: Storage;
  signedUrls: SignedUrls;
  datasets: Datasets;
  /** Called with each decision about what users do by routes, as the runtime does for UDFs. */
  onDecision: ((decision: Decision) => void) | undefined;
  log: Log;
  metrics: Metrics;
  /** A file of the package that pages load, by its path below `/embed/`; null: there is none. */
  asset(path: string): Promise<{ bytes: Uint8Array; type: string } | null>;
}

/** What an edge knows of a request beside the request. */
export interface Peer {
  /** The address of the other end, without its port. */
  address: string;
  /** Aborts when the client is gone. */
  gone: AbortSignal;
}

/** What a request carries through the routes: `c.env` from the edge, `c.get(…)` from us. */
export interface ServerEnv {
  Bindings: Peer;
  Variables: {
    /** Who asks; not on the paths of `isOpenPath`. */
    user: User;
    requestId: string;
    /** Where `user` is: watches whether the token that was sent may still be used. @returns the function that ends the watch */
    whileSignedIn(end: () => void): () => void;
    /** Of a request by a link. */
    remember?: (answered: Answered) => void;
  };
}

export type App = OpenAPIHono<ServerEnv>;
