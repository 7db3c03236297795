/** What `fuselet` exports on every platform. */

export type { RunContext } from "../../host/context/context.ts";
export type { Answer, Decision, Grant, Ungranted } from "../../host/permissions/broker.ts";
export type { Permissions } from "../../host/permissions/descriptor.ts";
export {
  AssetError,
  CancelledError,
  FuseletError,
  IsolateError,
  JobPoolTailTimeoutError,
  LimitExceededError,
  ParameterError,
  PermissionDeniedError,
  ResultError,
  type SourceLocation,
  UdfExitError,
  UdfLoadError,
  UdfRuntimeError,
  UdfSelfRecursionError,
  UdfSerializationError,
  UdfTimeoutError,
  UsageError,
} from "../../runtime/errors.ts";
export { DEFAULT_LIMITS, type LimitName, type Limits } from "../../runtime/limits.ts";
export type { RunResult, RunTiming } from "../../runtime/result.ts";
export type { Header, Language, Parameter, Tile, Udf, UdfSource } from "../../runtime/udf.ts";
export { MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
export type {
  Binding,
  Call,
  FuseletRuntime,
  HostBindings,
  RunOptions,
  RuntimeOptions,
  RuntimeServer,
  SubmitOptions,
} from "./compose.ts";
export type { Secrets } from "./manage-secrets.ts";
export type { LogQuery, ServerUser } from "./server/account.ts";
export type { Fetch } from "./server/connection.ts";
export type { ServerFile } from "./server/files.ts";
export type { JobEntry, JobLogEntry, JobOrId, JobStatus, JobWait, StartJobOptions } from "./server/jobs.ts";
export type { RunOutcome } from "./server/outcome.ts";
export type { ServerRunOptions } from "./server/runs.ts";
export type { ListUdfs, SavedUdf } from "./server/saved-udfs.ts";
export type { CronJob, ScheduleOptions } from "./server/schedules.ts";
export type { Server, ServerOptions } from "./server/server.ts";
export { ServerError } from "./server/server-error.ts";
export type { SessionToken, SharedUdfUrl } from "./server/sessions.ts";
export type { ServerSettings } from "./server/settings.ts";
export type { TokenOptions, UdfAccessToken } from "./server/tokens.ts";
export type { SaveUdfOptions } from "./server/wire-udf.ts";

declare const FUSELET_VERSION: string;
/** The version of this package. */
export const version: string = FUSELET_VERSION;
