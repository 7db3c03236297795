/**
 * URLs of this server that open one file to whoever has them, for a while:
 *
 *     {server}/server/v1/signed/OWNER/fd/reports/a.csv?method=GET&expires=1790000000&signature=…
 *
 * The signature (HMAC-SHA-256) is over all of it: whose file it is, its place, what may be done with it, for how long, and how large it
 * may become. What the owner may not do any more, the URL does not either: the owner is asked for when it is used.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { once } from "../../runtime/once.ts";
import { encodePath, encodeStrict, parseLocation } from "../storage/location.ts";
import { HttpError } from "./errors.ts";
import { isId } from "./names.ts";
import { BASE } from "./routes/base.ts";

export interface SignedAccess {
  /** GET is HEAD, too; POST takes a form with the file. */
  method: "GET" | "PUT" | "POST";
  /** The user whose file it is, by id. */
  owner: string;
  /** The place, as host/storage/location.ts writes it. */
  url: string;
  /** The most bytes of what is uploaded; null is what the server takes. */
  mostBytes: number | null;
}

export interface SignedUrls {
  /** @param base how the server is reached, without a slash at its end */
  sign(access: SignedAccess, expiresSeconds: number, base: string): Promise<string>;
  /** What a URL opens to a method. @throws HttpError 403, with one text for all that is wrong */
  read(method: string, url: URL): Promise<SignedAccess>;
}

const PREFIX = `${BASE}/signed/`;
const VERSION = 1;

/** @param key 32 bytes that nobody else has */
export function openSignedUrls(key: Uint8Array): SignedUrls {
  const how = { name: "HMAC", hash: "SHA-256" };
  const imported = once(() =>
    crypto.subtle.importKey("raw", new Uint8Array(key), how, false, ["sign", "verify"]),
  );
  const textOf = ({ method, owner, url, mostBytes }: SignedAccess, expires: number) =>
    new TextEncoder().encode(
      JSON.stringify(["fuselet file", VERSION, method, owner, url, mostBytes, expires]),
    );
  return {
    async sign(access, expiresSeconds, base) {
      const expires = Math.floor(Date.now() / 1000) + expiresSeconds;
      const signature = await crypto.subtle.sign("HMAC", await imported(), textOf(access, expires));
      const { scheme, authority, path } = parseLocation(access.url);
      const place = [scheme, ...(authority === "" ? [] : [authority]), path];
      const query = [
        `method=${access.method}`,
        `expires=${expires}`,
        ...(access.mostBytes === null ? [] : [`most=${access.mostBytes}`]),
        `signature=${bytesToHex(new Uint8Array(signature))}`,
      ];
      return `${base}${PREFIX}${encodeStrict(access.owner)}/${encodePath(place.join("/"))}?${query.join("&")}`;
    },

    async read(method, url) {
      const access = parse(url);
      const signature = url.searchParams.get("signature") ?? "";
      const expires = readNumber(url.searchParams.get("expires")) ?? 0;
      const isWanted = access?.method === (method === "HEAD" ? "GET" : method);
      if (!access || !isWanted || !/^[0-9a-f]{64}$/.test(signature)) throw refusal();
      const text = textOf(access, expires);
      const isOurs = await crypto.subtle.verify("HMAC", await imported(), hexToBytes(signature), text);
      if (!isOurs || expires * 1000 <= Date.now()) throw refusal();
      return access;
    },
  };
}

const refusal = () =>
  new HttpError(403, "This address opens nothing: it was changed, has expired, or is for another method");

function parse({ pathname, searchParams }: URL): SignedAccess | null {
  const method = searchParams.get("method");
  const most = searchParams.get("most");
  const mostBytes = most === null ? null : readNumber(most);
  if (method !== "GET" && method !== "PUT" && method !== "POST") return null;
  if (!pathname.startsWith(PREFIX) || mostBytes === undefined) return null;
  const names = pathname.slice(PREFIX.length).split("/").map(decode);
  const [owner, scheme, ...rest] = names;
  if (!owner || !isId(owner) || !scheme || names.some((name) => name === null || name.includes("/")))
    return null;
  return { method, owner, url: `${scheme}://${scheme === "file" ? "/" : ""}${rest.join("/")}`, mostBytes };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

const readNumber = (text: string | null): number | undefined =>
  text !== null && /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined;
