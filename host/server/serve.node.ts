/** Node's edge of the server: sockets in, the handler's answers out. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { UsageError } from "../../runtime/errors.ts";
import type { Handler } from "./handler.ts";

/** Until the headers of a request must be there: a client that dawdles is let go. */
const HEADERS_MS = 15_000;
/** What a body that goes on has at least in each such time. As a whole it may take as long as it needs: uploads are large. */
const BODY_MS = 60_000;
const BODY_BYTES = 64 * 1024;
const IDLE_MS = 65_000;

export interface Listening {
  port: number;
  /** Takes no more connections, and waits for the answers under way up to a time; then their sockets are closed. */
  close(graceMs: number): Promise<void>;
}

/** @throws UsageError where the address cannot be had */
export async function listen(
  handler: Handler,
  { port, host }: { port: number; host: string },
): Promise<Listening> {
  const listener = getRequestListener((request, { incoming, outgoing }) => {
    const gone = new AbortController();
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) gone.abort();
    });
    // Before whoever reads the body hears of its end.
    incoming.once("close", () => {
      if (!incoming.complete) gone.abort();
    });
    return handler(request, { address: incoming.socket.remoteAddress ?? "", gone: gone.signal });
  });
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      maxHeaderSize: 65_536,
      connectionsCheckingInterval: 5000,
    },
    (request, response) => {
      if (!request.complete) endIfSlow(request);
      void listener(request, response);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new UsageError(`Cannot listen on ${host}:${port}: ${(cause as Error).message}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: (graceMs) => closeServer(server, graceMs) };
}

/** Closes the connection of a request whose body dawdles, unless it is we who let it wait. */
function endIfSlow(request: IncomingMessage): void {
  const { socket } = request;
  // What came with the headers counts for the first time.
  let before = Number.NEGATIVE_INFINITY;
  const timer = setInterval(() => {
    const isOurTurn = request.readableLength >= request.readableHighWaterMark;
    if (socket.bytesRead - before < BODY_BYTES && !isOurTurn && !request.complete) request.destroy();
    if (request.complete) clearInterval(timer);
    before = socket.bytesRead;
  }, BODY_MS);
  timer.unref();
  request.once("close", () => clearInterval(timer));
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
