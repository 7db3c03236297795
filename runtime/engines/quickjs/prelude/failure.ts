/** What was thrown, as the data of a GuestFailure. Reads hostile objects with care and never throws. */
import type { GuestFailure } from "../../../udf.ts";
import { GUEST_MODULE, OP } from "../ops.ts";
import { apply, create, define, getPrototypeOf, hasOwn, host, toJson } from "./host.ts";
import { className, inspect } from "./inspect.ts";

const MAX_TEXT = 65536;
const MAX_CAUSES = 5;

const IntrinsicError = Error;
const IntrinsicSyntaxError = SyntaxError;

/** The type of a failure that is no Error. */
const UNCAUGHT = "Uncaught";

export type FailureKind = GuestFailure["kind"];

/** Errors of denied host calls, so that one that nobody catches ends the run as the denial that it is. */
const denials = new WeakMap<object, GuestFailure>();
const { get: getDenial, set: setDenial } = WeakMap.prototype;

function denialOf(error: unknown): GuestFailure | undefined {
  return error instanceof IntrinsicError
    ? (apply(getDenial, denials, [error]) as GuestFailure | undefined)
    : undefined;
}

/** The error that a UDF sees of a host call that failed. @param place an error made where the UDF called: it gets its stack */
export function hostError(failure: GuestFailure, place: Error | null): Error {
  const error = new IntrinsicError(failure.message);
  if (place) define(error, "stack", place.stack);
  define(error, "name", failure.type);
  if (failure.kind === "permission") apply(setDenial, denials, [error, failure]);
  else if (typeof failure.subject === "string") define(error, "code", failure.subject);
  return error;
}

function read(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function readText(object: object, name: string): string {
  const value = read(object, name);
  return typeof value === "string" ? value.slice(0, MAX_TEXT) : "";
}

/** How many classes an error's class may be derived from, at most, for their constructors to be left out of its stack. */
const MAX_CLASSES = 10;

/** Whether a line of a stack is the constructor of the error's class, or of one that it is derived from. */
function isConstructor(line: string, error: object): boolean {
  const name = line.trimStart().split(" ")[1];
  let prototype = getPrototypeOf(error);
  for (let i = 0; i < MAX_CLASSES && prototype !== null && prototype !== IntrinsicError.prototype; i++) {
    if (className(prototype) === name) return true;
    prototype = getPrototypeOf(prototype);
  }
  return false;
}

/** The frames of the user's own code, one a line. */
function frames(error: object): string {
  const lines = readText(error, "stack")
    .split("\n")
    .filter(
      (line) =>
        line.trim() !== "" && !line.includes(`(${GUEST_MODULE}`) && !line.includes(`at ${GUEST_MODULE}:`),
    );
  // What is left of our own call of the UDF.
  while (lines.length > 0 && lines[lines.length - 1]?.endsWith("(native)")) lines.pop();
  // An error was thrown where its class was called; QuickJS counts the constructors in, which other engines leave out.
  while (lines.length > 1 && isConstructor(lines[0] as string, error)) lines.shift();
  return lines.join("\n");
}

/** The class of an error: `name` where it was set, else its constructor's name. */
function typeOf(error: object): string {
  const name = readText(error, "name");
  return (name && name !== "Error" ? name : className(error)) ?? "Error";
}

function headline(error: unknown): string {
  if (!(error instanceof IntrinsicError)) return `${UNCAUGHT}: ${inspect(error)}`;
  const message = readText(error, "message");
  return message ? `${typeOf(error)}: ${message}` : typeOf(error);
}

function traceback(error: unknown, depth: number): string {
  const head = headline(error);
  if (!(error instanceof IntrinsicError)) return head;
  const parts = [head, frames(error)];
  if (depth < MAX_CAUSES) {
    const cause = hasOwn(error, "cause") ? read(error, "cause") : undefined;
    if (cause !== undefined) parts.push(`Caused by: ${traceback(cause, depth + 1)}`);
    const errors = read(error, "errors");
    if (Array.isArray(errors)) {
      for (let i = 0; i < errors.length && i < MAX_CAUSES; i++)
        parts.push(`[${i}] ${traceback(errors[i], depth + 1)}`);
      if (errors.length > MAX_CAUSES) parts.push(`… and ${errors.length - MAX_CAUSES} more`);
    }
  }
  return parts.filter((part) => part !== "").join("\n");
}

/** The position in the first frame of `file`. */
function position(text: string, file: string): number | null {
  for (const line of text.split("\n")) {
    const at = line.indexOf(`${file}:`);
    if (at < 0 || !line.startsWith("    at ")) continue;
    const number = Number.parseInt(line.slice(at + file.length + 1), 10);
    if (number > 0) return number;
  }
  return null;
}

/** QuickJS's own error for a heap at its limit. */
export function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof IntrinsicError &&
    typeOf(error) === "InternalError" &&
    readText(error, "message") === "out of memory"
  );
}

/** Whether the engine's parser or linker threw this, rather than code that ran: its stack is one place, in no function. */
export function isSyntaxFailure(error: unknown): boolean {
  return error instanceof IntrinsicSyntaxError && !frames(error).includes("(");
}

/** Reports a failure; only the first of a run counts. @param subject see GuestFailure */
export function fail(kind: FailureKind, error: unknown, file: string, subject: string | null = null): void {
  host(OP.relax);
  // Without a prototype: a UDF may have given `toJSON` to all objects.
  const failure = create(null) as GuestFailure;
  failure.kind = kind;
  failure.file = file;
  failure.line = null;
  failure.subject = subject;
  failure.value = null;
  try {
    const denial = denialOf(error);
    if (denial) {
      failure.kind = denial.kind;
      failure.subject = denial.subject;
      failure.value = denial.value;
    } else if (isOutOfMemory(error)) failure.kind = "memory";
    const isError = error instanceof IntrinsicError;
    failure.type = isError ? typeOf(error) : UNCAUGHT;
    failure.message = isError ? readText(error, "message") : inspect(error);
    const text = traceback(error, 0);
    failure.traceback = text.slice(0, MAX_TEXT);
    failure.line = position(text, file);
  } catch {
    failure.type ??= "Error";
    failure.message ??= "The error cannot be read";
    failure.traceback ??= `${failure.type}: ${failure.message}`;
  }
  host(OP.fail, toJson(failure));
}
