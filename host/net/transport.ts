/** What carries one request to its server and back: in Node an HTTP client, in a page its fetch. */
import type { FuseletError } from "../../runtime/errors.ts";
import type { AddressPolicy } from "./address-policy.ts";
import type { Body } from "./body.ts";
import type { Header } from "./request.ts";

/** One request to one server: a redirect makes another one. */
export interface Hop {
  url: URL;
  method: string;
  headers: readonly Header[];
  body: Uint8Array | null;
}

export interface HopOptions {
  /** Who asks: connections are not shared between principals, because a server may know one by its connection. */
  principal: string;
  policy: AddressPolicy;
  /** For a connection to come about, names looked up included. */
  connectMs: number;
  /** What the body may have, decoded. */
  responseBytes: number;
  /** Whether a transport that cannot show redirects may follow them: nothing is out of bounds, and the guest wants it. */
  mayFollow: boolean;
}

/** The beginning of an answer. */
export interface Head {
  /** Where it came from, if the transport followed redirects itself. */
  url: string | undefined;
  status: number;
  statusText: string;
  /** Names in lower case, in order, repeated ones repeated; those of a coding that was undone are left out. */
  headers: Header[];
  body: Body;
}

export interface Sending {
  /** @throws NetError, PermissionDeniedError */
  readonly head: Promise<Head>;
  /** Ends it at once, in whatever state: the head or the body fails with this error, and its connection is closed. */
  cancel(error: FuseletError): void;
}

export interface Transport {
  /** Sends a request. Follows nothing, unless all is allowed and nothing else can be done. */
  send(hop: Hop, options: HopOptions): Sending;
  /** Closes all connections; what is under way fails. */
  close(): Promise<void>;
}
