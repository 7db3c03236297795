/**
 * The guarded fetch: each request is asked for before anything happens, redirects are asked for again, addresses are checked
 * by the transport that connects to them, and all of it is bounded in time, size and number.
 */
import { PermissionDeniedError } from "../../runtime/errors.ts";
import type { Call } from "../host.ts";
import { secretsOf } from "../secrets/runs.ts";
import { type AddressPolicy, addressPolicy } from "./address-policy.ts";
import type { Body } from "./body.ts";
import { NetError } from "./errors.ts";
import { Exchange, Run } from "./exchange.ts";
import { type NetLimits, netLimits } from "./limits.ts";
import { locationOf, redirectedHop } from "./redirect.ts";
import { authorityOf, type Header, type NetRequest } from "./request.ts";
import { Slots } from "./slots.ts";
import type { Head, Hop, Sending, Transport } from "./transport.ts";

/** An answer whose body may still be on its way: it is read to its end, or closed. */
export interface Answer {
  /** Where it came from in the end. */
  url: string;
  status: number;
  statusText: string;
  headers: Header[];
  redirected: boolean;
  body: Body;
}

/** On whose behalf something is requested. */
export type NetCall = Pick<Call, "principal" | "permissions" | "signal" | "require">;

/** As in the Fetch standard. */
const MOST_REDIRECTS = 20;

export class Guard {
  readonly #transport: Transport;
  readonly limits: NetLimits;
  readonly #slots: Slots;
  readonly #runs = new WeakMap<AbortSignal, Run>();

  /**
   * @param transport what carries requests; whoever opened it closes it
   * @param limits default: `DEFAULT_NET_LIMITS`
   * @throws UsageError for limits that are wrong
   */
  constructor(transport: Transport, limits: Partial<NetLimits> = {}) {
    this.#transport = transport;
    this.limits = netLimits(limits);
    this.#slots = new Slots(this.limits.openPerRuntime, Infinity);
  }

  /**
   * Requests a URL.
   * @throws PermissionDeniedError where its host, a redirect's or one of their addresses is not granted; NetError
   */
  async fetch(request: NetRequest, call: NetCall): Promise<Answer> {
    const asked = authorityOf(request.url);
    const { value } = await call.require("net", asked);
    setAuthority(request.url, asked, value);
    const run = this.#runOf(call);
    const exchange = new Exchange(run, request);
    try {
      // Most need not wait, and a turn less is worth a line.
      const waiting = exchange.enter(run.slots);
      if (waiting) await waiting;
      const waitingForAll = exchange.enter(this.#slots);
      if (waitingForAll) await waitingForAll;
      return await this.#follow(request, exchange, call);
    } catch (error) {
      exchange.close();
      throw error;
    }
  }

  async #follow(request: NetRequest, exchange: Exchange, call: NetCall): Promise<Answer> {
    let policy = addressPolicy(call.permissions);
    const mayFollow = request.redirect === "follow" && policy.isUnbounded;
    const secrets = secretsOf(call.signal);
    let isElsewhere = false;
    let hop: Hop = request;
    let redirects = 0;
    for (;;) {
      const filled = secrets && !isElsewhere ? await exchange.pause(secrets.fill(hop, call)) : hop;
      let head: Head;
      try {
        head = await exchange.head(hop.url.host, (leftMs) =>
          this.#send(filled, policy, mayFollow && filled === hop, leftMs, call),
        );
      } catch (error) {
        policy = await afterRefusal(error, policy, exchange, call);
        continue;
      }
      if (secrets) head = secrets.redact(head, hop, request.isFile === true);
      const location = locationOf(head);
      if (location === null || request.redirect === "manual") {
        exchange.keep(head);
        const { status, statusText, headers, body } = head;
        const redirected = redirects > 0 || head.url !== undefined;
        return { url: head.url ?? hop.url.href, status, statusText, headers, redirected, body };
      }
      head.body.close();
      if (request.redirect === "error")
        throw new NetError("redirect", `${hop.url.host} redirects, and the request asked for no redirects`);
      if (redirects++ === MOST_REDIRECTS)
        throw new NetError("redirect", `${request.url.host} redirects more than ${MOST_REDIRECTS} times`);
      const { origin } = hop.url;
      hop = redirectedHop(hop, head.status, location);
      if (secrets && hop.url.origin !== origin) {
        // Whoever redirects does not say where a secret goes.
        isElsewhere = true;
        hop.headers = secrets.without(hop.headers);
      }
      const asked = authorityOf(hop.url);
      const { value } = await exchange.pause(call.require("net", asked));
      setAuthority(hop.url, asked, value);
    }
  }

  #send(
    hop: Hop,
    policy: AddressPolicy,
    mayFollow: boolean,
    leftMs: number,
    { principal }: NetCall,
  ): Sending {
    const { connectMs, responseBytes } = this.limits;
    return this.#transport.send(hop, {
      principal,
      policy,
      connectMs: Math.min(connectMs, Math.ceil(leftMs)),
      responseBytes,
      mayFollow,
    });
  }

  #runOf({ signal }: NetCall): Run {
    if (signal.aborted) throw new NetError("closed", "The run has ended");
    let run = this.#runs.get(signal);
    if (!run) this.#runs.set(signal, (run = new Run(this.limits, signal)));
    return run;
  }
}

/**
 * Asks the broker for an address that no rule covers: it hears of the refusal, and somebody may still say yes.
 * @returns a policy with that address
 * @throws the error where it is another one, or where the answer is no
 */
async function afterRefusal(
  error: unknown,
  policy: AddressPolicy,
  exchange: Exchange,
  call: NetCall,
): Promise<AddressPolicy> {
  if (!(error instanceof PermissionDeniedError)) throw error;
  const isGranted = await exchange.pause(call.require("net", error.value)).then(
    // What a deny rule refuses has no grant; the broker may know the address by another form than the rule.
    () => error.grant !== "",
    () => false,
  );
  if (!isGranted) throw error;
  return policy.with(error.value);
}

/** Puts the host into a URL as it was granted, whatever way it was written: what is asked for is what is requested. */
function setAuthority(url: URL, asked: string, granted: string): void {
  if (asked === granted) return;
  url.host = granted;
  if (authorityOf(url) !== granted)
    throw new NetError("url", `Cannot request a URL of ${asked}: it means ${granted}`);
}
