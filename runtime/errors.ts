/**
 * Every error that fuselet throws, as one tree:
 *
 *     FuseletError              code, exitCode, fields that name the value
 *     ├─ UsageError             an option, an argument or a combination is wrong            exit 2
 *     ├─ UdfLoadError           the source is no usable UDF (syntax, no function, two)      exit 2
 *     ├─ ParameterError         a parameter is unknown, missing or of the wrong type        exit 2
 *     ├─ UdfRuntimeError        the UDF raised                                              exit 1
 *     ├─ UdfExitError           the UDF called exit                                         exit 1
 *     ├─ UdfSelfRecursionError  the UDF submits itself                                      exit 1
 *     ├─ ResultError            the result cannot cross the wall                            exit 1
 *     │  └─ UdfSerializationError   a server could not write the result of a run            exit 1
 *     ├─ PermissionDeniedError  something was asked for that nobody granted                 exit 3
 *     ├─ LimitExceededError     a limit was reached: time is exit 124, all others           exit 125
 *     │  └─ UdfTimeoutError     a run or a job on a server took too long                    exit 124
 *     │     └─ JobPoolTailTimeoutError  a job's log was followed for as long as was allowed exit 124
 *     ├─ CancelledError         the caller's AbortSignal fired                              exit 130
 *     ├─ IsolateError           the isolate died or broke the protocol: not the UDF's fault exit 70
 *     ├─ AssetError             a file of ours, a wheel or a distribution is bad or missing exit 2
 *     └─ BindingError           a binding of the host failed                                exit 1
 *
 * Each binding has a class of its own below BindingError (host/NAME/errors.ts), with a `code` that says how it failed. StoreError is
 * beside them: it is about the host's database, and no UDF sees its text. ServerError is what a server refuses, or cannot be reached for
 * (sdk/typescript/server/server-error.ts).
 */
import type { LimitName } from "./limits.ts";

/** Where in the user's source an error happened. `line` counts from 1. */
export interface SourceLocation {
  file: string;
  line?: number;
  column?: number;
}

/** The root of the tree. `exitCode` is what the command line ends with; `toJSON` is what `--json-errors` prints. */
export class FuseletError extends Error {
  override readonly name: string = "FuseletError";
  readonly exitCode: number = 70;
  toJSON(): Record<string, unknown> {
    const { name, message, exitCode, ...fields } = this;
    return { name, message, exitCode, ...fields };
  }
}

/** A binding of the host failed, as its UDF may know: `code` is the kind of failure. Each binding has a class of its own. */
export class BindingError<Code extends string = string> extends FuseletError {
  override readonly exitCode: number = 1;
  readonly code: Code;
  constructor(code: Code, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

export class UsageError extends FuseletError {
  override readonly name = "UsageError";
  override readonly exitCode = 2;
}

export class UdfLoadError extends FuseletError {
  override readonly name = "UdfLoadError";
  override readonly exitCode = 2;
  readonly location: SourceLocation | undefined;
  /** What Python raises for it, where that is a SyntaxError: class and text. */
  readonly raised: string | undefined;
  constructor(
    message: string,
    options: { location?: SourceLocation | undefined; raised?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.location = options.location;
    this.raised = options.raised;
  }
}

export class ParameterError extends FuseletError {
  override readonly name = "ParameterError";
  override readonly exitCode = 2;
  readonly parameter: string;
  /** What Python raises for it, where the UDF is one of Python: class and text, `ValueError: invalid literal …`. */
  readonly raised: string | undefined;
  constructor(message: string, options: { parameter: string; raised?: string | undefined }) {
    super(message);
    this.parameter = options.parameter;
    this.raised = options.raised;
  }
}

export class UdfRuntimeError extends FuseletError {
  override readonly name = "UdfRuntimeError";
  override readonly exitCode = 1;
  /** The class of the exception inside the UDF: `ValueError`, `TypeError`, … */
  readonly type: string;
  /** The traceback, from the user's first frame on. */
  readonly traceback: string;
  readonly location: SourceLocation | undefined;
  /** What may help, where we know something. */
  readonly hint: string | undefined;
  constructor(
    message: string,
    options: { type: string; traceback: string; location?: SourceLocation | undefined; hint?: string },
  ) {
    super(message);
    this.type = options.type;
    this.traceback = options.traceback;
    this.location = options.location;
    this.hint = options.hint;
  }
}

export class UdfExitError extends FuseletError {
  override readonly name = "UdfExitError";
  override readonly exitCode = 1;
}

/** A UDF submits itself: it would do so again and again. */
export class UdfSelfRecursionError extends FuseletError {
  override readonly name = "UdfSelfRecursionError";
  override readonly exitCode = 1;
}

export class ResultError extends FuseletError {
  override readonly name: string = "ResultError";
  override readonly exitCode = 1;
  /** Where in the result the value lies: `result["a"][3]`. */
  readonly path: string;
  constructor(message: string, options: { path: string }) {
    super(message);
    this.path = options.path;
  }
}

/** A server ran the UDF, and could not write its result as it was asked for. */
export class UdfSerializationError extends ResultError {
  override readonly name = "UdfSerializationError";
}

export class PermissionDeniedError extends FuseletError {
  override readonly name = "PermissionDeniedError";
  override readonly exitCode = 3;
  /** The permission's name in the descriptor: `net`, `read`, `import`, … */
  readonly permission: string;
  /** What was asked for: a host, a path, a package. */
  readonly value: string;
  /** The flag that would grant it. */
  readonly grant: string;
  readonly #remedy: string;
  /** @param options `remedy`: the end of the message, if it says how to run it again with what was missing */
  constructor(
    message: string,
    options: { permission: string; value: string; grant: string; remedy?: string },
  ) {
    super(message);
    this.permission = options.permission;
    this.value = options.value;
    this.grant = options.grant;
    this.#remedy = options.remedy ?? "";
  }

  /** The message without its remedy, which is nothing for who cannot run it again with other flags; undefined where it has none. */
  get need(): string | undefined {
    const { message } = this;
    const remedy = this.#remedy;
    return remedy !== "" && message.endsWith(remedy) ? message.slice(0, -remedy.length) : undefined;
  }
}

export class LimitExceededError extends FuseletError {
  override readonly name: string = "LimitExceededError";
  override readonly exitCode: number;
  readonly limit: LimitName;
  /** The limit's value, in the unit of its name. */
  readonly allowed: number;
  constructor(message: string, options: { limit: LimitName; allowed: number }) {
    super(message);
    this.limit = options.limit;
    this.allowed = options.allowed;
    this.exitCode = options.limit === "timeMs" ? 124 : 125;
  }
}

/** A run or a job on a server took longer than it, or whoever waits for it, allows. `allowed` is NaN where the server does not say. */
export class UdfTimeoutError extends LimitExceededError {
  override readonly name: string = "UdfTimeoutError";
  constructor(message: string, options: { allowed: number }) {
    super(message, { limit: "timeMs", ...options });
  }
}

/** The log of a job was followed for as long as was allowed, and the job goes on. */
export class JobPoolTailTimeoutError extends UdfTimeoutError {
  override readonly name = "JobPoolTailTimeoutError";
}

export class CancelledError extends FuseletError {
  override readonly name = "CancelledError";
  override readonly exitCode = 130;
}

export class IsolateError extends FuseletError {
  override readonly name = "IsolateError";
}

export class AssetError extends FuseletError {
  override readonly name = "AssetError";
  override readonly exitCode = 2;
}
