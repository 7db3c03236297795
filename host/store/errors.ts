/** What can go wrong with a store. */
import { FuseletError } from "../../runtime/errors.ts";

/**
 * - `value`: an argument is wrong: a name, a key, a value that is no JSON
 * - `conflict`: the record has another version than was asked for
 * - `busy`: others have written for too long
 * - `full`: there is no room
 * - `io`: the database cannot be opened, read or written
 * - `damaged`: what is there is no database of ours, or a broken one
 * - `version`: a newer fuselet has written it
 * - `closed`: it was closed before
 */
export type StoreErrorCode = "value" | "conflict" | "busy" | "full" | "io" | "damaged" | "version" | "closed";

/** A failure of a store. Its text may name files of the machine: it is for the host's own people, not for a UDF. */
export class StoreError extends FuseletError {
  override readonly name = "StoreError";
  override readonly exitCode = 1;
  readonly code: StoreErrorCode;
  constructor(message: string, options: { code: StoreErrorCode; cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.code = options.code;
  }
}
