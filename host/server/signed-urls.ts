/**
 * URLs of this server that open one file to whoever has them, for a while:
 *
 *     {server}/server/v1/signed/OWNER/fd/reports/a.csv?method=GET&expires=1790000000&signature=…
 *
 * The signature (HMAC-SHA-256) is over all of it: whose file it is, its place, what may be done with it, for how long, and how large it
 * may become. What the owner may not do any more, the URL does not either: the owner is asked for when it is used.
 */
import { encodePath, encodeStrict, parseLocation } from "../storage/location.ts";
import { HttpError } from "./errors.ts";
import { isId } from "./names.ts";
import { BASE } from "./routes/base.ts";
import { openSigner } from "./signer.ts";

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
  const signer = openSigner(async () => key);
  const signed = ({ method, owner, url, mostBytes }: SignedAccess, expires: number) =>
    ["fuselet file", VERSION, method, owner, url, mostBytes, expires] as const;
  return {
    async sign(access, expiresSeconds, base) {
      const expires = Math.floor(Date.now() / 1000) + expiresSeconds;
      const { scheme, authority, path } = parseLocation(access.url);
      const place = [scheme, ...(authority === "" ? [] : [authority]), path];
      const query = [
        `method=${access.method}`,
        `expires=${expires}`,
        ...(access.mostBytes === null ? [] : [`most=${access.mostBytes}`]),
        `signature=${await signer.sign(signed(access, expires))}`,
      ];
      return `${base}${PREFIX}${encodeStrict(access.owner)}/${encodePath(place.join("/"))}?${query.join("&")}`;
    },

    async read(method, url) {
      const access = parse(url);
      const signature = url.searchParams.get("signature") ?? "";
      const expires = readNumber(url.searchParams.get("expires")) ?? 0;
      const isWanted = access?.method === (method === "HEAD" ? "GET" : method);
      const isOurs = access && isWanted && (await signer.verify(signed(access, expires), signature));
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
