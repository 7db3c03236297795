/** What can go wrong with secrets. */
import { BindingError } from "../../runtime/errors.ts";

/**
 * - `missing`: there is no secret of that name
 * - `damaged`: its entry is damaged, or another key wrote it
 * - `key`: there is no key, or none that can be used
 * - `value`: a name or a value is wrong
 * - `send`: it cannot be sent that way
 * - `storage`: where secrets are kept cannot be read or written
 */
export type SecretErrorCode = "missing" | "damaged" | "key" | "value" | "send" | "storage";

/** A failure with a secret. Its text never has a value in it. */
export class SecretError extends BindingError<SecretErrorCode> {
  override readonly name = "SecretError";
  override readonly exitCode = 2;
}
