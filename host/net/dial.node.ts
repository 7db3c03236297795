/** Connects a socket to an address that the policy allows, and to no other: what was checked is what is connected to. */
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import {
  connect as connectTcp,
  isIP,
  type LookupFunction,
  type Socket,
  type TcpNetConnectOpts,
} from "node:net";
import { type ConnectionOptions, connect as connectTls, type SecureContext } from "node:tls";
import { type AddressPolicy, isLocalhost, LOOPBACK } from "./address-policy.ts";
import { NetError } from "./errors.ts";
import { netFailure, type Step } from "./failure.node.ts";

/** Gives all addresses of a name, IPv4 and IPv6. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Asks the system, as programs on this machine do. */
export const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

export interface Destination {
  /** As in a URL, but IPv6 without brackets. */
  host: string;
  port: number;
  isSecure: boolean;
}

export interface DialOptions {
  policy: AddressPolicy;
  connectMs: number;
  resolve: Resolve;
  /** Which certificates are trusted; undefined is Node's own choice. */
  secureContext: SecureContext | undefined;
  /** Ends the attempt. */
  signal: AbortSignal;
}

/**
 * Connects.
 * @throws PermissionDeniedError where no address of the host is allowed; NetError
 */
export async function dial(destination: Destination, options: DialOptions): Promise<Socket> {
  const { host, port, isSecure } = destination;
  const attempt = new AbortController();
  const timer = setTimeout(
    () =>
      attempt.abort(
        new NetError("timeout", `Cannot connect to ${host}:${port} within ${options.connectMs} ms`),
      ),
    options.connectMs,
  );
  const signal = AbortSignal.any([attempt.signal, options.signal]);
  let step: Step = "dns";
  let socket: Socket | undefined;
  try {
    const addresses = await allowedAddresses(destination, options, signal);
    step = "connect";
    socket = open(destination, addresses, options.secureContext);
    socket.on("error", () => {});
    await once(socket, "connect", { signal });
    // A platform that looks names up by itself after all is found out here, before a request is sent.
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) throw new Error("It is closed already");
    const refusal = options.policy.refusal(host, remoteAddress, port);
    if (refusal) throw refusal;
    step = "tls";
    if (isSecure) await once(socket, "secureConnect", { signal });
    return socket;
  } catch (error) {
    socket?.destroy();
    throw netFailure(signal.aborted ? signal.reason : error, step, `${host}:${port}`);
  } finally {
    clearTimeout(timer);
  }
}

function open(
  { host, port, isSecure }: Destination,
  addresses: LookupAddress[],
  secureContext: SecureContext | undefined,
): Socket {
  const lookup: LookupFunction = (_host, { all }, callback) => {
    const { address, family } = addresses[0] as LookupAddress;
    if (all) callback(null, addresses);
    else callback(null, address, family);
  };
  const common = {
    host,
    port,
    // Tries one address after the other, both families in turn (RFC 8305), and only these.
    autoSelectFamily: true,
    lookup,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  if (!isSecure) return connectTcp({ ...common, highWaterMark: 64 * 1024 } as TcpNetConnectOpts);
  return connectTls({
    ...common,
    servername: isIP(host) ? "" : host,
    ALPNProtocols: ["http/1.1"],
    // Said aloud: an environment variable of Node's can change the default.
    rejectUnauthorized: true,
    ...(secureContext ? { secureContext } : {}),
  } as ConnectionOptions);
}

/** Looks a name up, and leaves out what is not allowed. @throws the first refusal where nothing is left */
async function allowedAddresses(
  { host, port }: Destination,
  { policy, resolve }: DialOptions,
  signal: AbortSignal,
): Promise<LookupAddress[]> {
  const all = isIP(host) ? [host] : isLocalhost(host) ? LOOPBACK : await beforeAbort(resolve(host), signal);
  let refused: Error | null = null;
  const allowed: LookupAddress[] = [];
  for (const address of all) {
    const refusal = policy.refusal(host, address, port);
    if (refusal) refused ??= refusal;
    else allowed.push({ address, family: isIP(address) });
  }
  if (allowed.length === 0) throw refused ?? new NetError("dns", `Cannot find an address of ${host}`);
  return allowed;
}

/** A look-up cannot be stopped, but nobody needs to wait for it. */
function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
    work.then(resolve, reject);
  });
}
