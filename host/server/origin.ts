/** Which hosts and pages a request may come for: against DNS rebinding, and against pages that use a visitor's browser. */
import type { MiddlewareHandler } from "hono";
import { showText } from "../../runtime/show.ts";
import { HttpError } from "./errors.ts";
import type { ServerEnv, ServerSettings } from "./parts.ts";

const TARGET = /^https?:\/\/([^/?#]*)/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

/** Paths that any page may use: what is public code, and runs and files whose path says all that they need. */
const OPEN = /^\/embed\/|^\/([\w-]+|fc_[\w-]+\/[^/]+)\/run(\/|$)|^\/server\/v1\/(realtime-shared|signed)\//;

/** @throws HttpError 403 */
export function checkHost(settings: ServerSettings): MiddlewareHandler<ServerEnv> {
  const isKnown = (authority: string) => {
    const host = authority.replace(/:\d{1,5}$/, "");
    const { allowedHosts, publicUrl } = settings;
    return (
      LOOPBACK.test(host) ||
      allowedHosts.includes("*") ||
      allowedHosts.some((name) => name.toLowerCase() === host.toLowerCase()) ||
      (publicUrl !== "" && new URL(publicUrl).hostname === host.toLowerCase())
    );
  };
  return async (c, next) => {
    const host = c.req.header("host") ?? "";
    // A target may be a whole URL, whose host counts then (RFC 9112, 3.2.2).
    const target = TARGET.exec(c.req.url)?.[1] ?? "";
    const stranger = [host, target].find((authority) => !isKnown(authority));
    if (stranger !== undefined)
      throw new HttpError(
        403,
        `This server is not meant to be reached as ${showText(stranger, 255)}: start it with --allow-host NAME`,
      );
    await next();
  };
}

/** Cross-origin resource sharing (fetch.spec.whatwg.org, "CORS protocol"). No cookies are used, so none are allowed. */
export function cors(settings: ServerSettings): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin === undefined) return next();
    const isOpen = OPEN.test(c.req.path);
    const { corsOrigins, publicUrl } = settings;
    const isAllowed =
      isOpen ||
      origin === publicUrl ||
      isOwn(origin, c.req.header("host")) ||
      corsOrigins.includes("*") ||
      corsOrigins.includes(origin);
    const headers: Record<string, string> = {
      "access-control-allow-origin": isOpen ? "*" : origin,
      vary: "Origin",
      "access-control-expose-headers": "*",
    };
    if (c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined) {
      if (!isAllowed) return c.body(null, 403);
      return c.body(null, 204, {
        ...headers,
        "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
        "access-control-allow-headers": c.req.header("access-control-request-headers") ?? "*",
        "access-control-max-age": "600",
        // Chromium asks before a page of the web reaches into a private network (wicg.github.io/private-network-access).
        ...(c.req.header("access-control-request-private-network") === "true"
          ? { "access-control-allow-private-network": "true" }
          : {}),
      });
    }
    if (!isAllowed)
      throw new HttpError(
        403,
        `Pages of ${showText(origin, 255)} may not use this server: start it with --cors-origin ORIGIN`,
      );
    await next();
    // What else an answer depends on says its route.
    const { vary: _, ...others } = headers;
    for (const [name, value] of Object.entries(others)) c.res.headers.set(name, value);
    if (!/\borigin\b/i.test(c.res.headers.get("vary") ?? "")) c.res.headers.append("vary", "Origin");
  };
}

const isOwn = (origin: string, host: string | undefined) =>
  host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
