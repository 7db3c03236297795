/** What can go wrong with the cache of results. */
import { BindingError } from "../../runtime/errors.ts";

/**
 * - `timeout`: another run computes the same result, and has not ended in time
 * - `size`: the result is larger than the cache
 * - `storage`: the cache's storage cannot be used, or is not set up
 * - `request`: an argument is wrong
 */
export type CacheErrorCode = "timeout" | "size" | "storage" | "request";

/** A failure of the cache. A UDF may see its text. */
export class CacheError extends BindingError<CacheErrorCode> {
  override readonly name = "CacheError";
  constructor(message: string, { code, ...options }: { code: CacheErrorCode; cause?: unknown }) {
    super(code, message, options);
  }
}
