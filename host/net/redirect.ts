/** Redirects, by the rules of the Fetch standard (HTTP-redirect fetch). */
import { NetError } from "./errors.ts";
import { type Header, readUrl } from "./request.ts";
import type { Head, Hop } from "./transport.ts";

const STATUSES = new Set([301, 302, 303, 307, 308]);
const ABOUT_THE_BODY = new Set(["content-encoding", "content-language", "content-location", "content-type"]);
const CREDENTIALS = new Set(["authorization", "cookie", "cookie2", "proxy-authorization"]);

/** Where an answer redirects to; null where it does not. */
export function locationOf({ status, headers }: Head): string | null {
  if (!STATUSES.has(status)) return null;
  const location = headers.find(([name]) => name === "location")?.[1];
  if (location === undefined) return null;
  // Headers are read as Latin-1; servers that send other characters mean UTF-8.
  return /[^\x00-\x7f]/.test(location)
    ? new TextDecoder().decode(Uint8Array.from(location, (character) => character.charCodeAt(0)))
    : location;
}

/**
 * The request that follows a redirect: credentials are not sent on to another origin, so neither from https to http, and the
 * body only where the status says so.
 * @throws NetError of code "redirect" where it leads to nothing that can be requested
 */
export function redirectedHop(hop: Hop, status: number, location: string): Hop {
  let url: URL;
  try {
    url = readUrl(location, hop.url);
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    throw new NetError("redirect", `Cannot follow a redirect of ${hop.url.host}: ${error.message}`);
  }
  const isOther = url.origin !== hop.url.origin;
  const becomesGet =
    status === 303 ? hop.method !== "GET" && hop.method !== "HEAD" : status < 303 && hop.method === "POST";
  const isKept = ([name]: Header) =>
    !(isOther && CREDENTIALS.has(name)) && !(becomesGet && ABOUT_THE_BODY.has(name));
  return {
    url,
    method: becomesGet ? "GET" : hop.method,
    headers: hop.headers.filter(isKept),
    body: becomesGet ? null : hop.body,
  };
}
