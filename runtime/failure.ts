/** A guest's report of a failure, checked on arrival and turned into the error of its kind. */
import {
  type FuseletError,
  IsolateError,
  LimitExceededError,
  ParameterError,
  PermissionDeniedError,
  ResultError,
  UdfExitError,
  UdfLoadError,
  UdfRuntimeError,
} from "./errors.ts";
import { showText } from "./show.ts";
import type { GuestFailure, RunRequest, UdfSource } from "./udf.ts";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Reads a report; whatever is not as it should be becomes empty. */
export function readFailure(report: unknown): GuestFailure {
  const fields = (report !== null && typeof report === "object" ? report : {}) as Partial<
    Record<keyof GuestFailure, unknown>
  >;
  return {
    kind: text(fields.kind) as GuestFailure["kind"],
    type: text(fields.type) || "Error",
    message: text(fields.message),
    traceback: text(fields.traceback),
    file: text(fields.file) || null,
    line: typeof fields.line === "number" ? fields.line : null,
    subject: text(fields.subject) || null,
    value: text(fields.value) || null,
  };
}

function moduleHint(module: string): string {
  return (
    `${module} is not in this Python distribution. For a package, list it in the script block (# /// script, dependencies) and name a ` +
    `distribution (--pyodide DIR) or a folder of wheels (--wheels DIR) that has it, or allow fetching it (--allow-import=NAME); ` +
    `for a module of yours, name its file in @fused.udf(headers=[…]) or make the UDF a folder`
  );
}

/** What the host denied to one run. A UDF can raise an error that says so, too, and would choose the flag that somebody then gives. */
export class Denials {
  readonly #errors = new Map<string, PermissionDeniedError>();

  add(error: PermissionDeniedError): void {
    if (error.value.length > MOST_CHARACTERS) return;
    const key = keyOf(error);
    this.#errors.delete(key);
    this.#errors.set(key, error);
    if (this.#errors.size > MOST_DENIALS) this.#errors.delete(this.#errors.keys().next().value as string);
  }

  find(permission: string, value: string): PermissionDeniedError | undefined {
    return this.#errors.get(keyOf({ permission, value }));
  }
}

/** What a run is denied in vain is kept up to here: the newest. */
const MOST_DENIALS = 1000;
const MOST_CHARACTERS = 10_000;
const keyOf = ({ permission, value }: { permission: string; value: string }) =>
  JSON.stringify([permission, value]);

/** The error of a failure's kind. */
export function failureError(
  failure: GuestFailure,
  source: UdfSource,
  limits: RunRequest["limits"],
  denials: Denials,
): FuseletError {
  const { kind, type, message, traceback, file, line, subject, value } = failure;
  const location = file === null ? undefined : { file, ...(line === null ? {} : { line }) };
  switch (kind) {
    case "load":
      return new UdfLoadError(message, { location, raised: value ?? undefined });
    case "input":
      return new ParameterError(message, { parameter: subject ?? "", raised: value ?? undefined });
    case "exit":
      return new UdfExitError(message || `${source.file} ended itself`);
    case "result":
      return new ResultError(message, { path: subject ?? "result" });
    case "permission":
      return (
        denials.find(subject ?? "", value ?? "") ??
        new PermissionDeniedError(
          `The UDF reports a denial that is none of fuselet's rules, so no flag is named here. It says: ${showText(message, 500)}`,
          { permission: subject ?? "", value: value ?? "", grant: "" },
        )
      );
    case "output":
      return new LimitExceededError(`${message}. Raise it with limits.outputBytes`, {
        limit: "outputBytes",
        allowed: limits.outputBytes,
      });
    case "memory":
      return new LimitExceededError(
        `The run reached its memory limit of ${limits.memoryBytes} bytes${message ? ` (${message})` : ""}. Raise it with --memory-limit or limits.memoryBytes`,
        { limit: "memoryBytes", allowed: limits.memoryBytes },
      );
    case "udf":
      return new UdfRuntimeError(message ? `${type}: ${message}` : type, {
        type,
        traceback,
        location,
        ...(type === "ModuleNotFoundError" && value ? { hint: moduleHint(value) } : {}),
      });
    default:
      return new IsolateError(`The isolate failed: ${message}`, { cause: traceback });
  }
}
