/** Who asks: the token of a request, and how often a peer may be wrong about it. */
import type { Context, MiddlewareHandler } from "hono";
import { parseAddress } from "../permissions/address.ts";
import { HttpError } from "./errors.ts";
import type { Presented, ServerEnv, ServerParts, User } from "./parts.ts";
import { tokenHash } from "./token-hash.ts";
import type { Users } from "./users.ts";

/** What the published client sends, and what everybody else does. */
const SCHEMES = /^(bearer|fused-env-bearer|fused-rtenv-bearer|fused-service-token)[ ]+([\x21-\x7e]+)$/i;

/** What lets a visitor into a shared collection, in the same header. */
const PASSCODE = /^fused-canvas-passcode[ ]+([\x20-\x7e]{1,200})$/i;

/** Wrong tokens of one peer a minute, and the peers that are remembered. */
const MOST_FAILURES = 30;
const MOST_PEERS = 10_000;
const MINUTE = 60_000;

/** Counts wrong tokens by peer. */
export class Failures {
  readonly #peers = new Map<string, { since: number; count: number }>();
  readonly #what: string;

  /** @param what `passcodes for this collection from this address` */
  constructor(what = "tokens from this address") {
    this.#what = what;
  }

  /** @throws HttpError 429 */
  check(peer: string): void {
    const found = this.#peers.get(peer);
    if (!found || found.count < MOST_FAILURES) return;
    const leftMs = found.since + MINUTE - performance.now();
    if (leftMs <= 0) {
      this.#peers.delete(peer);
      return;
    }
    throw new HttpError(429, `Too many wrong ${this.#what}: try again later`, {
      headers: { "retry-after": String(Math.ceil(leftMs / 1000)) },
    });
  }

  note(peer: string): void {
    const found = this.#peers.get(peer);
    if (found && found.since + MINUTE > performance.now()) {
      found.count++;
      return;
    }
    // The oldest is first: a Map keeps its order.
    if (this.#peers.size >= MOST_PEERS) this.#peers.delete(this.#peers.keys().next().value as string);
    this.#peers.delete(peer);
    this.#peers.set(peer, { since: performance.now(), count: 1 });
  }
}

/** Tokens that are remembered as right. */
const MOST_RIGHT = 10_000;

/**
 * Says whose a token is; undefined is a wrong one.
 * @param peer where it comes from, by `peerOf`
 * @throws HttpError 429 after too many wrong ones from there
 */
export type SignIn = (peer: string, token: string | undefined) => Promise<User | null>;

/** Makes one that counts. A token that was right before is asked for always: who shares a proxy's address with others is not kept out by them. */
export function openSignIn(users: Pick<Users, "byToken">): SignIn {
  const failures = new Failures();
  // Their hashes. The last used is last.
  const right = new Set<string>();
  return async (peer, token) => {
    const hash = token === undefined ? "" : tokenHash(token);
    if (!right.delete(hash)) failures.check(peer);
    const user = token === undefined ? null : await users.byToken(token);
    if (!user) {
      failures.note(peer);
      return null;
    }
    right.add(hash);
    if (right.size > MOST_RIGHT) right.delete(right.keys().next().value as string);
    return user;
  };
}

/**
 * What counts as one peer: of IPv6 a network of 64 bits, which any customer has to choose addresses from.
 * @param isPage whether some page asks, in somebody's browser: it is not that somebody who guesses
 */
export function peerOf(address: string, isPage = false): string {
  const found = address.includes(":") ? parseAddress(address.replace(/%.*$/, "")) : null;
  const network = found?.bits === 128 ? `${(found.value >> 64n).toString(16)}::/64` : address;
  return isPage ? `a page at ${network}` : network;
}

/** The same where any page may ask. */
const visitorOf = (c: Context<ServerEnv>) => peerOf(c.env.address, c.req.header("origin") !== undefined);

/** The token in the header `Authorization`, where it has a scheme of users' tokens. */
export const tokenOf = (c: Context<ServerEnv>): string | undefined =>
  SCHEMES.exec(c.req.header("authorization") ?? "")?.[2];

/** Lets a request pass that has the token of a user, who is `c.get("user")` from there on. */
export function requireUser(
  signIn: SignIn,
  { users, standing }: Pick<ServerParts, "users" | "standing">,
): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    if (c.req.header("authorization") === undefined) {
      throw new HttpError(401, "Not signed in: send the header Authorization: Bearer TOKEN", {
        headers: { "www-authenticate": 'Bearer realm="fuselet"' },
      });
    }
    const token = tokenOf(c);
    const user = await signIn(peerOf(c.env.address), token);
    if (!user || token === undefined) {
      throw new HttpError(
        401,
        "Not signed in: the token is not known here, has expired, or its user is disabled",
        {
          headers: { "www-authenticate": 'Bearer realm="fuselet", error="invalid_token"' },
        },
      );
    }
    c.set("user", user);
    c.set("whileSignedIn", (end) =>
      standing.watch(`token/${tokenHash(token)}`, async () => (await users.byToken(token)) !== null, end),
    );
    await next();
  };
}

/** The same where a shared token in the path may be enough: nobody need be signed in, but a wrong token of a user is still one. */
export function allowUser(guarded: MiddlewareHandler<ServerEnv>): MiddlewareHandler<ServerEnv> {
  return (c, next) => {
    const header = c.req.header("authorization");
    return header === undefined || PASSCODE.test(header) ? next() : guarded(c, next);
  };
}

/** Who sends a token of a user where none is needed. @throws HttpError 429 */
export async function senderOf(c: Context<ServerEnv>, signIn: SignIn): Promise<User | undefined> {
  const token = tokenOf(c);
  return token === undefined ? undefined : ((await signIn(visitorOf(c), token)) ?? undefined);
}

/** What a request has beside a shared token. */
export function presentedBy(c: Context<ServerEnv>): Presented {
  return {
    // Not there behind `allowUser`.
    user: c.get("user") as User | undefined,
    session: c.req.query("fused_session_token"),
    passcode: PASSCODE.exec(c.req.header("authorization") ?? "")?.[1],
    peer: visitorOf(c),
  };
}
