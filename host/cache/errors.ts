/** What can go wrong with the cache of results. */
import { FuseletError } from "../../runtime/errors.ts";

/**
 * - `timeout`: another run computes the same result, and has not ended in time
 * - `size`: the result is larger than the cache
 * - `storage`: the cache's storage cannot be used, or is not set up
 * - `request`: an argument is wrong
 */
export type CacheErrorCode = "timeout" | "size" | "storage" | "request";

/** A failure of the cache. A UDF may see its text. */
export class CacheError extends FuseletError {
  override readonly name = "CacheError";
  override readonly exitCode = 1;
  readonly code: CacheErrorCode;
  constructor(message: string, options: { code: CacheErrorCode; cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.code = options.code;
  }
}
