/** How errors are shown: as people read them, or as one JSON line. */
import { FuseletError, PermissionDeniedError, UdfRuntimeError } from "../../runtime/errors.ts";
import { forTerminal, hasColor, type Terminal } from "./terminal.ts";

/** The exit status that an error stands for; 70 (EX_SOFTWARE) for one that is ours. */
export function exitCodeOf(error: unknown): number {
  return error instanceof FuseletError ? error.exitCode : 70;
}

/** The error as text for standard error. Ends with a line break. A UDF's failure is its traceback, and a hint where there is one. */
export function formatError(error: unknown, terminal: Terminal): string {
  const { stderr, env } = terminal;
  if (error instanceof UdfRuntimeError) {
    const hint = error.hint ? `hint: ${error.hint}\n` : "";
    return `${forTerminal((error.traceback || error.message).trimEnd(), stderr)}\n${hint}`;
  }
  const label = hasColor(stderr, env) ? "\u001b[31merror:\u001b[0m" : "error:";
  const text = error instanceof FuseletError ? error.message : internal(error);
  const hint = hintFor(error);
  return `${label} ${forTerminal(text, stderr)}\n${hint ? `hint: ${hint}\n` : ""}`;
}

/** The error as one JSON line. */
export function formatJsonError(error: unknown): string {
  const fields =
    error instanceof FuseletError
      ? error.toJSON()
      : { name: "InternalError", message: String(error), exitCode: 70 };
  return `${JSON.stringify(fields)}\n`;
}

function internal(error: unknown): string {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a fault of fuselet, not of the UDF. ${detail}`;
}

function hintFor(error: unknown): string | undefined {
  if (error instanceof PermissionDeniedError && error.grant && !error.message.includes(error.grant)) {
    return `to allow it, add ${error.grant}`;
  }
  return error instanceof FuseletError && "hint" in error && typeof error.hint === "string"
    ? error.hint
    : undefined;
}
