/**
 * Where something lies in the storage:
 *
 *     fd://reports/a.csv             the principal's own folder
 *     s3://bucket/reports/a.csv      gs://bucket/reports/a.csv
 *     file:///data/a.csv             this machine's file system; /data/a.csv is the same
 *     https://example.org/a.csv      read only
 *
 * A place has one spelling, the one in which the broker is asked for it (permissions/storage.ts): what another reader could
 * take for a different place is refused, not repaired.
 */

import { showText } from "../../runtime/show.ts";
import { RuleError } from "../permissions/rules.ts";
import { storage } from "../permissions/storage.ts";
import { StorageError } from "./errors.ts";

export type Scheme = "fd" | "file" | "s3" | "gs" | "http" | "https";

export interface Location {
  readonly scheme: Scheme;
  /** The bucket, or the host with its port; empty for `fd` and `file`. */
  readonly authority: string;
  /** Below that, without a slash at either end; empty is all of it. Of http it is decoded. */
  readonly path: string;
  /** Whether it was written with a slash at its end, or is all of a storage: a folder, and no file. */
  readonly isFolder: boolean;
  /** What the broker is asked for. */
  readonly value: string;
}

/** The most that S3 and GCS take. */
const MOST_KEY_BYTES = 1024;

/**
 * Reads a place.
 * @throws StorageError of code "request" that says what is wrong with it
 */
export function parseLocation(text: string): Location {
  const refuse = (why: string): never => {
    throw new StorageError("request", `Cannot use ${showText(text, 500)} as a place in the storage: ${why}`);
  };
  const canonical = storage.canonical(text);
  if (canonical === null) return refuse(problemOf(text));
  if (!text.isWellFormed()) return refuse("it has half a character");
  const isFolder = text.endsWith("/");
  if (canonical.startsWith("/"))
    return { scheme: "file", authority: "", path: canonical.slice(1), isFolder, value: canonical };
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s.exec(canonical) ?? [];
  if (scheme === undefined || rest === undefined) return refuse(`it has no scheme; schemes are ${SCHEMES}`);
  if (scheme === "fd") return { scheme, authority: "", path: rest, isFolder, value: canonical };
  const slash = `${rest}/`.indexOf("/");
  const authority = rest.slice(0, slash);
  const path = rest.slice(slash + 1);
  switch (scheme) {
    case "s3":
    case "gs":
      if (!BUCKETS[scheme].test(authority) || authority.includes(".."))
        return refuse(`${showText(authority)} is not the name of a bucket`);
      if (new TextEncoder().encode(path).length > MOST_KEY_BYTES)
        return refuse(`its key has more than ${MOST_KEY_BYTES} bytes`);
      return { scheme, authority, path, isFolder: isFolder || path === "", value: canonical };
    case "http":
    case "https": {
      const host = hostOf(scheme, authority);
      const decoded = decodePath(path);
      if (host === null) return refuse("it names no host, or has a user name or a password");
      if (decoded === null)
        return refuse("it has a % without two hexadecimal digits, or bytes that are no text");
      const value = path === "" ? `${scheme}://${host}` : `${scheme}://${host}/${decoded}`;
      if (storage.canonical(value) !== value) return refuse(problemOf(value));
      return { scheme, authority: host, path: decoded, isFolder, value };
    }
    default:
      return refuse(`the scheme ${scheme} is none of ${SCHEMES}`);
  }
}

const SCHEMES = "fd://, s3://, gs://, file://, https://, http://";

/** Names of buckets: S3's rules, and GCS's, which allow _ and domain names. */
const BUCKETS = {
  s3: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  gs: /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/,
};

/** The URL of a place, that of a folder with a slash at its end. */
export function locationUrl({ scheme, value, isFolder }: Location): string {
  const url = scheme === "file" ? `file://${value}` : value;
  return isFolder && !url.endsWith("/") ? `${url}/` : url;
}

/**
 * What lies below a folder.
 * @param name a relative path; with a slash at its end a folder
 * @returns null where no place has such a name: it could not be asked for
 */
export function below(folder: Location, name: string): Location | null {
  const base = folder.value.endsWith("/") ? folder.value : `${folder.value}/`;
  const isFolder = name.endsWith("/");
  const value = `${base}${isFolder ? name.slice(0, -1) : name}`;
  if (storage.canonical(value) !== value || !value.isWellFormed()) return null;
  const path = folder.path === "" ? name : `${folder.path}/${name}`;
  return { ...folder, path: isFolder ? path.slice(0, -1) : path, isFolder, value };
}

/** The last part of its path. */
export const nameOf = ({ path }: Location): string => path.slice(path.lastIndexOf("/") + 1);

/** All but the unreserved characters of RFC 3986 as %XX: what signatures are made over. Slashes stay. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeStrict).join("/");
}

/** The same for one name or value. */
export function encodeStrict(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Why the rules for paths refuse a text that they do refuse. */
function problemOf(text: string): string {
  if (text === "") return "it is empty";
  try {
    // A rule is refused for the same reasons, and for a star, which a place may have.
    storage.parse(text.replaceAll("*", "-"));
  } catch (error) {
    if (error instanceof RuleError) return error.message;
  }
  return "it is not a path";
}

/** As every reader of URLs understands it: lower case, without the scheme's own port, numbers as addresses. */
function hostOf(scheme: string, authority: string): string | null {
  try {
    const url = new URL(`${scheme}://${authority}/`);
    return url.username === "" && url.password === "" && url.pathname === "/" ? url.host : null;
  } catch {
    return null;
  }
}

/** `%73ecret` is `secret`: a path is compared in the form that servers look up. */
function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
