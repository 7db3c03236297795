/** What the server refuses, as the wire says it: a status, and JSON with `message` and `detail`. */
import { FuseletError } from "../../runtime/errors.ts";

/** The statuses that the server gives by itself. 502 and 503 are sent again by clients: 503 only where nothing was done. */
export type ErrorStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 409
  | 413
  | 415
  | 416
  | 422
  | 429
  | 500
  | 501
  | 503
  | 504
  | 507;

/** A request that is answered with an error. Its text goes to whoever asked. */
export class HttpError extends FuseletError {
  override readonly name = "HttpError";
  readonly status: ErrorStatus;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: ErrorStatus,
    message: string,
    options: { headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

/** 404 for what is not there, and for what this user must not know of. @param what `The UDF "x"` */
export function notFound(what: string): HttpError {
  return new HttpError(404, `${what} was not found`);
}

/** The body of every error. `detail` is where older clients look. */
export function errorBody(
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return { message, detail: message, ...more };
}

/** Clients read a message only where the type is exactly this. */
export function errorResponse(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}
