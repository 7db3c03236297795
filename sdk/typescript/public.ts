/** What `fuselet` exports on every platform. */

export type { RunContext } from "../../host/context/context.ts";
export type { Answer, Decision, Grant, Ungranted } from "../../host/permissions/broker.ts";
export type { Permissions } from "../../host/permissions/descriptor.ts";
export {
  AssetError,
  CancelledError,
  FuseletError,
  IsolateError,
  LimitExceededError,
  ParameterError,
  PermissionDeniedError,
  ResultError,
  type SourceLocation,
  UdfExitError,
  UdfLoadError,
  UdfRuntimeError,
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
  SubmitOptions,
} from "./compose.ts";
export type { Secrets } from "./manage-secrets.ts";

declare const FUSELET_VERSION: string;
/** The version of this package. */
export const version: string = FUSELET_VERSION;
