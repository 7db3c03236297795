/** What goes wrong between us and a server. */
import { FuseletError } from "../../../runtime/errors.ts";

/** A server refused a request, gave an answer that makes no sense, or could not be reached. */
export class ServerError extends FuseletError {
  override readonly name = "ServerError";
  override readonly exitCode: number;
  /** The status of its answer; null where there is none. */
  readonly status: number | null;
  /** The address that was asked, without its query. */
  readonly url: string;
  /** What may help, where we know something. */
  readonly hint: string | undefined;
  constructor(
    message: string,
    options: { status: number | null; url: string; hint?: string | undefined; cause?: unknown },
  ) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.status = options.status;
    // Of what was asked for, there is nothing, or it is wrong.
    this.exitCode = options.status === 404 || options.status === 422 ? 2 : 1;
    this.url = options.url;
    this.hint = options.hint;
  }
}
