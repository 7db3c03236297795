/** UDFs that somebody may run and not read. */
import { type FuseletError, UdfLoadError, UdfRuntimeError } from "../../runtime/errors.ts";

/** A failure as it is told to who may run a UDF and not read it: without the lines of code that tracebacks quote. */
export function withoutCode(error: unknown): unknown {
  const told = (other: FuseletError) => {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return Object.assign(other, { stdout, stderr });
  };
  if (error instanceof UdfRuntimeError) {
    const { message, type, location, hint } = error;
    const traceback = `${message}\n`;
    return told(new UdfRuntimeError(message, { type, traceback, location, ...(hint ? { hint } : {}) }));
  }
  // Its first line says what is wrong, and the next ones show where.
  return error instanceof UdfLoadError ? told(new UdfLoadError(error.message.replace(/\n.*/s, ""))) : error;
}
