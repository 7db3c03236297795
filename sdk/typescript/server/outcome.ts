/** A server's answer to a run: the value and the output, or the error that a run of ours would throw. */
import {
  type FuseletError,
  LimitExceededError,
  ParameterError,
  PermissionDeniedError,
  ResultError,
  UdfExitError,
  UdfLoadError,
  UdfRuntimeError,
  UdfSelfRecursionError,
  UdfSerializationError,
  UdfTimeoutError,
} from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import { refusal, type ServerAnswer } from "./answers.ts";
import { type DecodeMore, decodeResult } from "./decode.ts";
import { ServerError } from "./server-error.ts";

/** What came of a run that ended well. */
export interface RunOutcome {
  /** With `NdArray`, `TableValue` and `MediaValue` kept. */
  value: unknown;
  stdout: string;
  stderr: string;
  /** Whether it is a kept result. */
  cached: boolean;
  /** Of the result. */
  bytes: number;
  /** Where the whole output can be asked for, where it was too long for the answer. */
  logDir: string | null;
}

type Metadata = Readonly<Record<string, unknown>>;

/**
 * Reads an answer.
 * @param options `content`: the answer that has the body, where the server said that it lies elsewhere; `file`: that of the UDF
 * @throws the error of a run that failed, with the fields `stdout` and `stderr`; ServerError where the server refused it
 */
export async function outcomeOf(
  answer: ServerAnswer,
  {
    content = answer,
    more,
    file,
  }: { content?: ServerAnswer; more?: DecodeMore | undefined; file?: string | undefined } = {},
): Promise<RunOutcome> {
  const { status, headers } = answer;
  const metadata = metadataOf(headers);
  if (status >= 400 && (metadata === null || headers.has("x-fused-error"))) throw refusal(answer);
  if (status >= 400) throw inputErrorOf(answer, metadata ?? {}) ?? errorOf(metadata ?? {}, file);
  if (metadata?.has_exception === true) throw errorOf(metadata, file);
  const isCached = headers.has("x-fused-cached") || headers.get("x-cache")?.toLowerCase() === "hit";
  return outcomeOfFile(content, metadata ?? {}, { isCached, more });
}

/** The same for a result of a job: a file, and what another file says of its run. @throws the error of a run that failed */
export async function outcomeOfFile(
  { body, headers, status, url }: ServerAnswer,
  metadata: Metadata,
  { isCached = false, more }: { isCached?: boolean; more?: DecodeMore | undefined } = {},
): Promise<RunOutcome> {
  if (metadata.has_exception === true) throw errorOf(metadata);
  let value: unknown;
  try {
    value = await decodeResult(body, headers.get("content-type") ?? "", more);
  } catch (cause) {
    throw new ServerError(`Cannot read the result: ${(cause as Error).message}`, { status, url, cause });
  }
  return {
    value,
    stdout: text(metadata.stdout),
    stderr: text(metadata.stderr),
    cached: isCached,
    bytes: body.length,
    logDir: text(metadata.log_dir) || null,
  };
}

function metadataOf(headers: Headers): Metadata | null {
  const given = headers.get("x-fused-metadata");
  if (given === null) return null;
  try {
    const value: unknown = JSON.parse(given);
    return isRecord(value) ? value : null;
  } catch (cause) {
    throw new ServerError("Cannot read the server's answer: its header x-fused-metadata is no JSON", {
      status: null,
      url: "",
      cause,
    });
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The error of a run that failed, with its output. */
export function errorOf(metadata: Metadata, file = "udf"): FuseletError {
  const [type, said, exception] = [metadata.exception_class, metadata.errormsg, metadata.exception].map(
    text,
  ) as [string, string, string];
  const message = said || exception || "The UDF failed, and the server does not say why";
  const stdout = text(metadata.stdout);
  const stderr = text(metadata.stderr);
  const kind = metadata.error_type;
  if (kind === "serialization_error")
    return Object.assign(new UdfSerializationError(message, { path: "result" }), { stdout, stderr });
  if (kind === "timeout_error")
    return Object.assign(new UdfTimeoutError(message, { allowed: Number.NaN }), { stdout, stderr });
  // What a UDF raises is told with its class; what we found ourselves is not.
  const own = exception === said && !said.startsWith(type) ? ownError(type, message) : undefined;
  if (own) return Object.assign(own, { stdout, stderr });
  const line = metadata.lineno;
  const [output, traceback] = splitTraceback(stderr, exception || message);
  return Object.assign(
    new UdfRuntimeError(type && !message.startsWith(type) ? `${type}: ${message}` : message, {
      type: type || "Error",
      traceback: traceback || (type ? `${type}: ${message}` : message),
      ...(typeof line === "number" ? { location: { file, line } } : {}),
    }),
    { stdout, stderr: output },
  );
}

/** What our own servers tell of a parameter, or of code that cannot be read, beside what Python raises for it, which is all that the metadata has. */
function inputErrorOf({ body }: ServerAnswer, metadata: Metadata): FuseletError | undefined {
  let told: unknown;
  try {
    told = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  if (!isRecord(told) || (told.name !== "ParameterError" && told.name !== "UdfLoadError")) return undefined;
  const message = text(told.message);
  const stderr = text(metadata.stderr).replace(`${message}\n`, "");
  return Object.assign(ownError(told.name, message)!, { stdout: text(metadata.stdout), stderr });
}

/** An error of our own tree that the server's run ended with; undefined for any other. */
function ownError(type: string, message: string): FuseletError | undefined {
  switch (type) {
    case "UdfLoadError":
      return new UdfLoadError(message);
    case "ParameterError":
      return new ParameterError(message, { parameter: /parameter "?([\w$]+)/i.exec(message)?.[1] ?? "" });
    case "PermissionDeniedError":
      // What would grant it is the server's business: no flag of ours does.
      return new PermissionDeniedError(`The server refused it: ${message}`, {
        permission: "",
        value: "",
        grant: "",
      });
    case "ResultError":
      return new ResultError(message, { path: "result" });
    case "UdfExitError":
      return new UdfExitError(message);
    case "UdfSelfRecursionError":
      return new UdfSelfRecursionError(message);
    case "LimitExceededError": {
      const name = /limits\.(\w+)/.exec(message)?.[1];
      const limit = name === "outputBytes" || name === "hostCalls" ? name : "memoryBytes";
      return new LimitExceededError(message, { limit, allowed: Number.NaN });
    }
  }
  return undefined;
}

/** What a UDF wrote, and the traceback that the server put behind it. */
function splitTraceback(stderr: string, exception: string): [output: string, traceback: string] {
  const starts = [stderr.lastIndexOf("Traceback (most recent call last)"), stderr.lastIndexOf(exception)];
  const at = starts.find((start) => start >= 0);
  return at === undefined ? [stderr, ""] : [stderr.slice(0, at), stderr.slice(at)];
}
