/** Why a request over the network failed. */
import { BindingError } from "../../runtime/errors.ts";

export type NetErrorCode =
  /** It is no URL, or none that can be requested. */
  | "url"
  /** The host's name has no address. */
  | "dns"
  /** No connection came about; in a page also: the server does not let this page read its answers (CORS). */
  | "connect"
  /** The server's certificate is not trusted, or the handshake failed. */
  | "tls"
  | "timeout"
  /** The request breaks the rules of HTTP, or the answer does. */
  | "protocol"
  /** There are too many redirects, one leads nowhere, or none was wanted. */
  | "redirect"
  /** The request or the answer is larger than the host allows. */
  | "size"
  /** The run has more requests open than the host allows. */
  | "busy"
  /** The answer, the run or the runtime is closed. */
  | "closed";

export class NetError extends BindingError<NetErrorCode> {
  override readonly name = "NetError";
}
