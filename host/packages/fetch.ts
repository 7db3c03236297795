/**
 * Fetches whole documents of an index or a registry, for whom `import` was granted. The host's owner has named the place: it may be
 * anywhere. What it links or redirects to is on the public internet, by name, or not at all.
 */
import { AssetError, CancelledError, IsolateError, PermissionDeniedError } from "../../runtime/errors.ts";
import type { PackageCaller } from "../../runtime/packages.ts";
import { isLocalhost } from "../net/address-policy.ts";
import { NetError } from "../net/errors.ts";
import type { Answer, Guard, NetCall } from "../net/guard.ts";
import { authorityOf, type Header, quote, readUrl } from "../net/request.ts";
import { wholeBody } from "../net/whole-body.ts";
import { checkPermissions } from "../permissions/descriptor.ts";

/** A place that the host's owner has named. */
export interface Home {
  /** Without a user name and a password: it is in messages, lock files and keys. */
  url: URL;
  /** For the header of that name, in requests to its origin and to no other. */
  authorization: string | null;
}

export interface DocumentRequest {
  url: URL;
  home: Home;
  /** Media types, for the header. */
  accept: string;
  mostBytes: number;
  /** What it is, for messages. */
  what: string;
}

/** A document; null where the server says that there is none. */
export type FetchDocument = (
  request: DocumentRequest,
  caller: PackageCaller,
) => Promise<{ bytes: Uint8Array; url: URL; mediaType: string } | null>;

/** The place, if the host's owner has named one. @param missing says what is not set up, and how to name one @throws AssetError */
export function placeFor(what: string, place: Home | null, missing: string): Home {
  if (place) return place;
  throw new AssetError(`Cannot fetch ${what}: ${missing}`);
}

const MOST_REDIRECTS = 5;

export interface FetchLimits {
  /** Aborts when the runtime is closed. */
  closing: AbortSignal;
  /** For one document, from the request to its last byte, in milliseconds. */
  timeoutMs: number;
}

/**
 * Makes what fetches.
 * @throws AssetError that names the document and why it cannot be had; CancelledError to whose signal aborts; IsolateError when the runtime
 *   is closed
 */
export function documentFetch(
  openGuard: () => Promise<Guard>,
  { closing, timeoutMs }: FetchLimits,
): FetchDocument {
  /** Of each caller's signal: the guard counts what is open by it. */
  const signals = new WeakMap<AbortSignal, AbortSignal>();
  const signalOf = ({ signal }: PackageCaller) => {
    if (!signal) return closing;
    const known = signals.get(signal) ?? AbortSignal.any([signal, closing]);
    signals.set(signal, known);
    return known;
  };
  return async ({ url, home, accept, mostBytes, what }, caller) => {
    const signal = signalOf(caller);
    const { principal } = caller;
    const fail = (why: string, cause?: unknown) =>
      new AssetError(`Cannot fetch ${what} from ${home.url.href}: ${why}`, { cause });
    try {
      let at = url;
      for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
        const why = refusal(at, home.url);
        if (why !== null) throw fail(why);
        const answer = await request(await openGuard(), {
          url: at,
          home,
          accept,
          principal,
          signal,
          timeoutMs,
        });
        const header = (name: string) => answer.headers.find(([each]) => each === name)?.[1] ?? "";
        const { status, body } = answer;
        if (status >= 300 && status < 400 && header("location") !== "") {
          body.close();
          at = readUrl(header("location"), at);
          continue;
        }
        if (status === 404 || status === 410) {
          body.close();
          return null;
        }
        if (status !== 200) {
          body.close();
          throw fail(
            `${at.host} answered with status ${status}${isAtHome(at, home) ? hintFor(status, home) : ""}`,
          );
        }
        const bytes = await wholeBody(body, mostBytes);
        if (bytes === null) throw fail(`it has more than ${mostBytes} bytes`);
        const mediaType = (header("content-type").split(";")[0] as string).trim().toLowerCase();
        return { bytes, url: at, mediaType };
      }
      throw fail(`it is redirected more than ${MOST_REDIRECTS} times`);
    } catch (error) {
      if (closing.aborted) throw new IsolateError("Cannot use this runtime: it was closed", { cause: error });
      if (signal.aborted)
        throw new CancelledError(`The run was cancelled while ${what} was fetched`, { cause: error });
      if (error instanceof PermissionDeniedError && error.permission === "net")
        throw fail(`it leads to an address that is not public (${error.value})`, error);
      if (error instanceof NetError) throw fail(error.message, error);
      throw error;
    }
  };
}

const isAtHome = (url: URL, home: Home) => url.origin === home.url.origin;

/** What may help where a place wants to know who asks. */
function hintFor(status: number, { authorization }: Home): string {
  if (status !== 401 && status !== 403) return "";
  return authorization === null
    ? ": it may want a user name and a password, as in https://USER:PASSWORD@HOST/"
    : ": it does not take the user name and the password that were given for it";
}

/** Why a place may not be asked; null where it may. */
function refusal(url: URL, home: URL): string | null {
  if (url.username !== "" || url.password !== "")
    return `it leads to a URL of ${quote(url.host)} with a user name or a password`;
  if (url.origin === home.origin) return null;
  const { hostname } = url;
  if (home.protocol === "https:" && url.protocol !== "https:")
    return `it leads to ${quote(url.href)}, which is not https`;
  // An address, in whatever way it is written, is a number or has brackets; a URL's host is in its plain form.
  if (/^\[|^[\d.]+$/.test(hostname) || isLocalhost(hostname))
    return `it leads to ${quote(url.host)}, which is no name on the public internet`;
  return null;
}

function request(
  guard: Guard,
  {
    url,
    home,
    accept,
    principal,
    signal,
    timeoutMs,
  }: Pick<DocumentRequest, "url" | "home" | "accept"> &
    Pick<NetCall, "principal" | "signal"> &
    Pick<FetchLimits, "timeoutMs">,
): Promise<Answer> {
  const authority = authorityOf(url);
  const isHome = isAtHome(url, home);
  const headers: Header[] = [["accept", accept]];
  if (isHome && home.authorization !== null) headers.push(["authorization", home.authorization]);
  const call: NetCall = {
    principal,
    // By a name, only public addresses are reached; the place itself may have another one.
    permissions: checkPermissions({ net: isHome ? true : [authority] }),
    signal,
    async require(permission, value) {
      if (permission === "net" && value === authority)
        return { permission, value, hosts: true, reveal: false };
      throw new PermissionDeniedError(`Requires ${permission} access to ${quote(value)}`, {
        permission,
        value,
        grant: "",
      });
    },
  };
  return guard.fetch(
    {
      url,
      method: "GET",
      headers,
      body: null,
      redirect: "manual",
      timeoutMs,
      timeoutFor: "answer",
    },
    call,
  );
}
