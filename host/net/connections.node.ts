/** HTTP/1.1 connections: each is one undici client with one socket, and idle ones are kept for who may use them. */
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { Client, type Dispatcher, ProxyAgent } from "undici";
import { type Destination, type DialOptions, dial, type Resolve } from "./dial.node.ts";
import { NetError } from "./errors.ts";

export interface ConnectionOptions {
  resolve: Resolve;
  secureContext: SecureContext | undefined;
  /** The URL of an HTTP proxy that all connections but those to this machine take. */
  proxy: string | undefined;
}

export interface ConnectionRequest {
  /** Who may use it again: equal keys share idle connections. */
  key: string;
  origin: string;
  destination: Destination;
  policy: DialOptions["policy"];
  connectMs: number;
}

/** Idle sockets in all; of more, the one that was made first is closed. */
const MOST_IDLE = 64;
/** Of an answer's headers together; as Node's server and undici, but room for large cookies. */
const MOST_HEADER_BYTES = 64 * 1024;

export class Connection {
  readonly key: string;
  readonly dispatcher: Dispatcher;
  /** Whether it has carried an answer before. */
  isUsed = false;
  /** Whether it waits in the pool. */
  isIdle = false;
  #isClosed = false;
  readonly #end = new AbortController();

  constructor(
    request: ConnectionRequest,
    options: ConnectionOptions,
    onDisconnect: (connection: Connection) => void,
  ) {
    this.key = request.key;
    this.dispatcher = openDispatcher(request, options, this.#end.signal);
    this.dispatcher.on("disconnect", () => onDisconnect(this));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Closes its socket, also one that is not connected yet. Whatever it carries fails. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const closed = new NetError("closed", "The connection is closed");
    this.#end.abort(closed);
    void this.dispatcher.destroy(closed);
  }
}

function openDispatcher(
  request: ConnectionRequest,
  options: ConnectionOptions,
  signal: AbortSignal,
): Dispatcher {
  const { origin, destination, policy, connectMs } = request;
  // Time is the guard's affair, which knows what the guest asked for.
  const common = { pipelining: 1, maxHeaderSize: MOST_HEADER_BYTES, headersTimeout: 0, bodyTimeout: 0 };
  const { proxy, secureContext, resolve } = options;
  if (proxy !== undefined) {
    const tls = { timeout: connectMs, rejectUnauthorized: true, ...(secureContext ? { secureContext } : {}) };
    return new ProxyAgent({ ...common, uri: proxy, connections: 1, proxyTls: tls, requestTls: tls });
  }
  return new Client(origin, {
    ...common,
    connect: (_, callback) => {
      dial(destination, { policy, connectMs, resolve, secureContext, signal }).then(
        (socket: Socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    },
  });
}

export class ConnectionPool {
  readonly #options: ConnectionOptions;
  readonly #all = new Set<Connection>();
  /** Those that are used last stand last. */
  readonly #idle = new Map<string, Connection[]>();
  #idleCount = 0;
  #isClosed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** An idle connection, or a new one. */
  take(request: ConnectionRequest, isNew = false): Connection {
    const idle = isNew ? undefined : this.#idle.get(request.key)?.pop();
    if (idle) {
      idle.isIdle = false;
      this.#idleCount--;
      return idle;
    }
    if (this.#isClosed) throw new NetError("closed", "The runtime is closed");
    const connection = new Connection(request, this.#options, (closed) => {
      if (closed.isIdle) this.drop(closed);
    });
    this.#all.add(connection);
    return connection;
  }

  /** Keeps a connection whose answer has come to its end. */
  release(connection: Connection): void {
    if (connection.isClosed) return;
    connection.isUsed = true;
    connection.isIdle = true;
    const sameKey = this.#idle.get(connection.key);
    if (sameKey) sameKey.push(connection);
    else this.#idle.set(connection.key, [connection]);
    if (++this.#idleCount > MOST_IDLE) this.#dropOldest();
  }

  /** Closes a connection. */
  drop(connection: Connection): void {
    this.#all.delete(connection);
    if (connection.isIdle) {
      connection.isIdle = false;
      this.#idleCount--;
      const sameKey = this.#idle.get(connection.key) as Connection[];
      sameKey.splice(sameKey.indexOf(connection), 1);
    }
    connection.close();
    // Lists outlive their connections' use, not the last of them.
    if (this.#idle.get(connection.key)?.length === 0) this.#idle.delete(connection.key);
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#all) this.drop(connection);
  }

  #dropOldest(): void {
    const oldest = [...this.#all].find(({ isIdle }) => isIdle);
    if (oldest) this.drop(oldest);
  }
}
