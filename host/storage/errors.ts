/** What can go wrong with the storage. */
import { BindingError } from "../../runtime/errors.ts";

/**
 * - `not found`: there is nothing at the place
 * - `exists`: there is something already, and it was not to be replaced
 * - `access`: the machine or the service refuses it to the host, or it leads out of the storage
 * - `request`: an argument is wrong, or the place cannot do that
 * - `network`: the service cannot be reached, or did not answer as it should
 * - `full`: there is no room left, or it is larger than the host allows
 * - `config`: the host has no such storage set up
 */
export type StorageErrorCode = "not found" | "exists" | "access" | "request" | "network" | "full" | "config";

/** A failure of the storage. A UDF may see its text. */
export class StorageError extends BindingError<StorageErrorCode> {
  override readonly name = "StorageError";
}
