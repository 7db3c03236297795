/** What is said of a run beside its result: the header `x-fused-metadata`, which is JSON in ASCII, and small enough for all clients. */
import {
  FuseletError,
  LimitExceededError,
  ParameterError,
  ResultError,
  UdfLoadError,
  UdfRuntimeError,
} from "../../runtime/errors.ts";

export interface RunMetadata {
  stdout: string;
  stderr: string;
  has_exception: boolean;
  exception?: string;
  exception_class?: string;
  errormsg?: string;
  lineno?: number;
  error_type?: "serialization_error" | "timeout_error";
  /** Where the whole output can be asked for. */
  log_dir?: string;
}

/** A hint names flags as whoever runs a UDF by the command line would give them. */
const OF_SERVER = "Flags are those of fuselet serve: whoever runs this server can give them";

/** A client of Python takes headers of at most 12,000 bytes each; one of Node takes 16,384 for all of them. */
const MOST_HEADER = 11_000;
/** The most of a message, in bytes of the header; what is left is for the output. */
const MOST_MESSAGE = 2000;

/** Of a run that ended well. */
export function metadataOfResult({ stdout, stderr }: { stdout: string; stderr: string }): RunMetadata {
  return { stdout, stderr, has_exception: false };
}

/**
 * Of a run that failed; its traceback is part of `stderr`.
 * @param writing whether the UDF ended well, and its result cannot be written as it was asked for
 */
export function metadataOfFailure(error: FuseletError, writing = false): RunMetadata {
  const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
  const about = { stdout, stderr, has_exception: true };
  if (error instanceof UdfRuntimeError) {
    const { message, type, traceback, hint } = error;
    const line = lineOf(error);
    return {
      ...about,
      stderr: stderr + (stderr === "" || stderr.endsWith("\n") ? "" : "\n") + traceback,
      exception: message,
      exception_class: type,
      errormsg: hint === undefined ? message : `${message}. ${hint}. ${OF_SERVER}`,
      ...(line === undefined ? {} : { lineno: line }),
    };
  }
  const line = error instanceof UdfLoadError ? error.location?.line : undefined;
  const where = line === undefined ? {} : { lineno: line };
  if ((error instanceof ParameterError || error instanceof UdfLoadError) && error.raised !== undefined) {
    // As Fused's own servers say it: to compile it and to convert is a part of the run there. What we have to say of it stands in the output.
    const { raised } = error;
    return {
      ...about,
      stderr: `${stderr}${error.message}\n`,
      exception: raised,
      exception_class: raised.split(": ", 1)[0] as string,
      errormsg: raised,
      ...where,
    };
  }
  const kind = writing || error instanceof ResultError ? "serialization_error" : kindOf(error);
  return {
    ...about,
    exception: error.message,
    exception_class: error.name,
    errormsg: error.message,
    ...where,
    ...(kind ? { error_type: kind } : {}),
  };
}

/** Where the published client says that it failed: the outermost line of the UDF's, which called the helper that raised. */
function lineOf({ traceback, location }: UdfRuntimeError): number | undefined {
  const line = /^ {2}File "<udf [^"\n]*", line (\d+)/m.exec(traceback)?.[1];
  return line === undefined ? location?.line : Number(line);
}

function kindOf(error: FuseletError): RunMetadata["error_type"] {
  if (!(error instanceof LimitExceededError)) return undefined;
  if (error.limit === "timeMs") return "timeout_error";
  return error.limit === "outputBytes" ? "serialization_error" : undefined;
}

/** The header's text. Long texts are cut in their middle, the message first, then the output. @returns whether any output was */
export function metadataHeader(metadata: RunMetadata): { text: string; isCut: boolean } {
  // Most runs say little.
  if (metadata.stdout.length + metadata.stderr.length + (metadata.exception?.length ?? 0) < MOST_HEADER) {
    const whole = ascii(metadata);
    if (whole.length <= MOST_HEADER) return { text: whole, isCut: false };
  }
  const short: RunMetadata = { ...metadata };
  for (const name of ["exception", "errormsg", "exception_class"] as const) {
    const text = short[name];
    if (text !== undefined) short[name] = cut(text, MOST_MESSAGE);
  }
  const left = MOST_HEADER - ascii({ ...short, stdout: "", stderr: "" }).length;
  // Whichever is small leaves its room to the other.
  const half = Math.floor(left / 2);
  short.stderr = cut(short.stderr, left - Math.min(sizeOf(short.stdout, half), half));
  short.stdout = cut(short.stdout, left - sizeOf(short.stderr, left));
  const isCut = short.stdout !== metadata.stdout || short.stderr !== metadata.stderr;
  return { text: ascii(short), isCut };
}

/** JSON whose characters beyond ASCII are escapes, as headers need it. */
const ascii = (value: unknown) =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** Bytes that a text takes in the header; those of large ones are not counted. */
const sizeOf = (text: string, most: number) =>
  text.length > most ? Number.POSITIVE_INFINITY : ascii(text).length - 2;

/** The beginning and the end of a text, so that it takes at most so many bytes in the header. */
function cut(text: string, bytes: number): string {
  if (sizeOf(text, bytes) <= bytes) return text;
  const mark = `\n… (cut: ${text.length} characters in all)\n`;
  const room = bytes - sizeOf(mark, bytes);
  if (room <= 0) return "";
  // The end says more: the last lines are nearest to what went wrong.
  const head = fitting(text, Math.floor(room / 4), false);
  return head + mark + fitting(text, room - sizeOf(head, bytes), true);
}

/** As much of a text's beginning, or of its end, as takes so many bytes. No half characters: clients cannot print them. */
function fitting(text: string, bytes: number, fromEnd: boolean): string {
  let low = 0;
  let high = Math.min(text.length, bytes);
  const part = (length: number) => (fromEnd ? text.slice(text.length - length) : text.slice(0, length));
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sizeOf(part(middle), bytes) <= bytes) low = middle;
    else high = middle - 1;
  }
  return part(low).toWellFormed();
}

/** Whether a run's error is told as one of the run; all others are of the request, or of the server. */
export function isRunError(error: unknown): error is FuseletError {
  return error instanceof FuseletError && !NOT_OF_RUNS.has(error.name);
}

/** A StoreError may name files of this machine. */
const NOT_OF_RUNS = new Set(["HttpError", "StoreError", "IsolateError"]);
