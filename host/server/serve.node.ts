/** Node's edge of the server: sockets in, the handler's answers out. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { UsageError } from "../../runtime/errors.ts";
import type { Handler } from "./handler.ts";

/** Until the headers of a request must be there, and until all of it: a client that dawdles is let go. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 300_000;
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
    return handler(request, { address: incoming.socket.remoteAddress ?? "", gone: gone.signal });
  });
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      maxHeaderSize: 65_536,
      connectionsCheckingInterval: 5000,
    },
    (request, response) => void listener(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new UsageError(`Cannot listen on ${host}:${port}: ${(cause as Error).message}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: (graceMs) => closeServer(server, graceMs) };
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
