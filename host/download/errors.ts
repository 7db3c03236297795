/** Why a download failed. */
import { BindingError } from "../../runtime/errors.ts";

/**
 * `request`: what was asked for is wrong; `status`: the server answered with an error; `checksum`: the file is not the one that was
 * expected; `incomplete`: the server ended it too early, and again; `storage`: it cannot be kept.
 */
export type DownloadCode = "request" | "status" | "checksum" | "incomplete" | "storage";

export class DownloadError extends BindingError<DownloadCode> {
  override readonly name = "DownloadError";
  constructor(message: string, { code, ...options }: { code: DownloadCode; cause?: unknown }) {
    super(code, message, options);
  }
}
