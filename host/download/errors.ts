/** Why a download failed. */
import { FuseletError } from "../../runtime/errors.ts";

/**
 * `request`: what was asked for is wrong; `status`: the server answered with an error; `checksum`: the file is not the one that was
 * expected; `incomplete`: the server ended it too early, and again; `storage`: it cannot be kept.
 */
export type DownloadCode = "request" | "status" | "checksum" | "incomplete" | "storage";

export class DownloadError extends FuseletError {
  override readonly name = "DownloadError";
  override readonly exitCode = 1;
  readonly code: DownloadCode;
  constructor(message: string, options: { code: DownloadCode; cause?: unknown }) {
    super(message, options);
    this.code = options.code;
  }
}
