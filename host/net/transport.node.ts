/** Requests from Node: HTTP/1.1 by undici, over sockets that are connected to checked addresses only. */
import { isIP } from "node:net";
import { createSecureContext, rootCertificates } from "node:tls";
import type { Dispatcher } from "undici";
import type { FuseletError } from "../../runtime/errors.ts";
import { isThisMachine } from "./address-policy.ts";
import { Body, type Sink } from "./body.ts";
import { type Connection, ConnectionPool, type ConnectionRequest } from "./connections.node.ts";
import { codingsOf, DecodingSink } from "./decode.node.ts";
import { type Resolve, resolveBySystem } from "./dial.node.ts";
import { netFailure } from "./failure.node.ts";
import type { Header } from "./request.ts";
import type { Head, Hop, HopOptions, Sending, Transport } from "./transport.ts";

export interface NodeTransportOptions {
  /** Gives the addresses of names. Default: the system's look-up. */
  resolve?: Resolve;
  /**
   * The URL of an HTTP proxy; user name and password may stand in it. It looks names up by itself, so it must keep private
   * networks out by itself; addresses and this machine's own names are still checked here, and the latter go without it.
   * Default: none, whatever the environment says.
   */
  proxy?: string;
  /** Certificates (PEM) to trust beside those that Node brings. */
  ca?: string | readonly string[];
}

/** Opens the network for a runtime. */
export function openTransport({
  resolve = resolveBySystem,
  proxy,
  ca,
}: NodeTransportOptions = {}): Transport {
  const secureContext =
    ca === undefined ? undefined : createSecureContext({ ca: [...rootCertificates, ...[ca].flat()] });
  const direct = new ConnectionPool({ resolve, secureContext, proxy: undefined });
  const proxied = proxy === undefined ? undefined : new ConnectionPool({ resolve, secureContext, proxy });
  return {
    send(hop, options) {
      const request = connectionRequest(hop.url, options);
      if (!proxied || isThisMachine(request.destination.host))
        return new HttpSending(direct, request, hop, options);
      const { host, port } = request.destination;
      const refusal = isIP(host) ? options.policy.refusal(host, host, port) : null;
      if (refusal) return { head: Promise.reject(refusal), cancel() {} };
      return new HttpSending(proxied, request, hop, options);
    },
    async close() {
      direct.close();
      proxied?.close();
    },
  };
}

function connectionRequest(url: URL, { principal, policy, connectMs }: HopOptions): ConnectionRequest {
  const isSecure = url.protocol === "https:";
  return {
    key: `${url.origin}\n${policy.key}\n${principal}`,
    origin: url.origin,
    destination: {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port) || (isSecure ? 443 : 80),
      isSecure,
    },
    policy,
    connectMs,
  };
}

/** Methods that may be sent again where the first connection was about to close. */
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
/** How a connection ends that the other side has closed while it was idle. */
const CLOSED_CODES = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** One request, and its answer as undici brings it. */
class HttpSending implements Sending, Dispatcher.DispatchHandler {
  readonly head: Promise<Head>;
  readonly #pool: ConnectionPool;
  readonly #request: ConnectionRequest;
  readonly #hop: Hop;
  readonly #responseBytes: number;
  /** While it is ours: not after its answer has come. */
  #connection: Connection | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #stages: DecodingSink[] = [];
  #body: Body | undefined;
  #sink: Sink | undefined;
  #begin!: (head: Head) => void;
  #reject!: (error: FuseletError) => void;

  constructor(pool: ConnectionPool, request: ConnectionRequest, hop: Hop, { responseBytes }: HopOptions) {
    this.#pool = pool;
    this.#request = request;
    this.#hop = hop;
    this.#responseBytes = responseBytes;
    this.head = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#reject = reject;
    });
    this.#dispatch(pool.take(request));
  }

  #dispatch(connection: Connection): void {
    const { url, method, headers, body } = this.#hop;
    this.#connection = connection;
    connection.dispatcher.dispatch(
      { origin: url.origin, path: url.pathname + url.search, method, headers: headerLines(headers), body },
      this,
    );
  }

  cancel(error: FuseletError): void {
    if (this.#body) this.#body.cancel(error);
    else this.#fail(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText = "",
  ): void {
    if (status < 200) return;
    const headers = readHeaderLines(controller.rawHeaders as Buffer[]);
    const hasBody = this.#hop.method !== "HEAD" && status !== 204 && status !== 304;
    const codings = hasBody ? codingsOf(headers) : [];
    const body = new Body(
      { resume: () => (this.#stages.at(-1) ?? controller).resume(), cancel: () => this.#letGo() },
      this.#responseBytes,
    );
    this.#body = body;
    this.#sink = this.#decoded(codings, body, controller);
    this.#begin({
      url: undefined,
      status,
      statusText,
      headers: codings.length > 0 ? headers.filter(([name]) => !OF_A_CODED_BODY.has(name)) : headers,
      body,
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    if (!this.#sink?.push(part)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#connection) this.#pool.release(this.#connection);
    this.#connection = undefined;
    this.#sink?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const connection = this.#connection;
    if (!connection) return;
    const isStale =
      connection.isUsed && !this.#body && CLOSED_CODES.has((error as NodeJS.ErrnoException).code ?? "");
    if (isStale && SAFE_METHODS.has(this.#hop.method)) this.#again();
    else this.#fail(netFailure(error, this.#controller ? "answer" : "connect", this.#hop.url.host));
  }

  #again(): void {
    this.#letGo();
    this.#controller = undefined;
    try {
      this.#dispatch(this.#pool.take(this.#request, true));
    } catch (error) {
      // An error here would end the program: it is thrown into undici's own handling of errors.
      this.#fail(netFailure(error, "connect", this.#hop.url.host));
    }
  }

  /** Puts a stage in front of the body for each coding that is to be undone; the last one applied comes off first. */
  #decoded(codings: readonly string[], body: Body, controller: Dispatcher.DispatchController): Sink {
    let sink: Sink = body;
    for (const coding of codings) {
      const stage = new DecodingSink(coding, sink, this.#responseBytes, (error) => this.#fail(error));
      const [behind] = this.#stages;
      if (behind) behind.onDrain = () => stage.resume();
      this.#stages.unshift(stage);
      sink = stage;
    }
    const [first] = this.#stages;
    if (first) first.onDrain = () => controller.resume();
    return sink;
  }

  #fail(error: FuseletError): void {
    this.#letGo();
    if (this.#body) this.#body.fail(error);
    else this.#reject(error);
  }

  #letGo(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection) this.#pool.drop(connection);
    for (const stage of this.#stages) stage.close();
  }
}

/** What is no longer true of a body whose coding was undone. */
const OF_A_CODED_BODY = new Set(["content-encoding", "content-length"]);

/** Name, value, name, value, …, with what a client says by itself. */
function headerLines(headers: readonly Header[]): string[] {
  const lines: string[] = [];
  const names = new Set<string>();
  for (const [name, value] of headers) {
    names.add(name);
    lines.push(name, value);
  }
  if (!names.has("accept")) lines.push("accept", "*/*");
  if (!names.has("user-agent")) lines.push("user-agent", "fuselet");
  // Ranges are counted in coded bytes.
  if (!names.has("accept-encoding"))
    lines.push("accept-encoding", names.has("range") ? "identity" : "gzip, deflate, br");
  return lines;
}

function readHeaderLines(raw: readonly Buffer[]): Header[] {
  const headers: Header[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    headers.push([
      (raw[i] as Buffer).toString("latin1").toLowerCase(),
      (raw[i + 1] as Buffer).toString("latin1"),
    ]);
  }
  return headers;
}
