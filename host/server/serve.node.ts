/** The edge of the server in Node and Deno: sockets in, the handler's answers out. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { UsageError } from "../../runtime/errors.ts";
import { IS_NODE } from "../../runtime/isolate/node-program.node.ts";
import type { Handler } from "./handler.ts";

/** Until the headers of a request must be there: a client that dawdles is let go. */
const HEADERS_MS = 15_000;
/** What a body that goes on has at least in each such time. As a whole it may take as long as it needs: uploads are large. */
const BODY_MS = 60_000;
const BODY_BYTES = 64 * 1024;
/** How long a client may take nothing of what waits for it. An answer that has nothing to say may stay open for as long as it likes. */
const READ_MS = 60_000;
const IDLE_MS = 65_000;
const PART_BYTES = 256 * 1024;

export interface Listening {
  port: number;
  /** Takes no more connections, and waits for the answers under way up to a time; then their sockets are closed. */
  close(graceMs: number): Promise<void>;
}

/** @throws UsageError where the address cannot be had */
export async function listen(
  handler: Handler,
  { port, host, readMs = READ_MS }: { port: number; host: string; readMs?: number },
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
    const answer = handler(request, { address: incoming.socket.remoteAddress ?? "", gone: gone.signal });
    return IS_NODE ? answer : answer.then(inParts);
  });
  /** Requests that are not answered to their end. */
  const answering = new WeakMap<Socket, number>();
  const count = (socket: Socket, more: number) => answering.set(socket, (answering.get(socket) ?? 0) + more);
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
      const { socket } = request;
      count(socket, 1);
      response.once("close", () => count(socket, -1));
      void listener(request, response);
    },
  );
  // Fires where a socket neither gave nor took a byte for so long.
  server.timeout = readMs;
  server.on("timeout", (socket) => {
    if (!answering.get(socket) || socket.writableLength > 0) socket.destroy();
  });
  const silent = new Set<Socket>();
  server.on("connection", (socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }) => silent.delete(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new UsageError(`Cannot listen on ${host}:${port}: ${(cause as Error).message}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) => closeServer(server, silent, graceMs),
  };
}

/** In Node a socket whose client takes its time with one large write is not idle. Deno sees only that it is written: parts show it. */
function inParts(answer: Response): Response {
  if (!answer.body || !(Number(answer.headers.get("content-length")) > PART_BYTES)) return answer;
  const parts = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      for (let at = 0; at < bytes.length; at += PART_BYTES)
        controller.enqueue(bytes.subarray(at, at + PART_BYTES));
    },
  });
  return new Response(answer.body.pipeThrough(parts), answer);
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

/** @param silent connections that have asked for nothing yet, which Deno does not count as idle */
async function closeServer(server: Server, silent: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closeIdle = () => {
    server.closeIdleConnections();
    for (const socket of silent) socket.destroy();
  };
  closeIdle();
  const idle = setInterval(closeIdle, 100);
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
