/**
 * Downloads: a file is fetched once for all runs and processes, taken up again where it broke off, and shows up whole or not at all.
 * Whoever asks for one that is there already is asked for `net` all the same.
 */

import type { StoredFile } from "../files/files.ts";
import type { Call } from "../host.ts";
import { authorityOf } from "../net/request.ts";
import { redactionOf, secretsOf } from "../secrets/runs.ts";
import { DownloadError } from "./errors.ts";

export interface DownloadRequest {
  /** http or https. */
  url: string;
  /** Where the UDF wants to see it: relative, with slashes. */
  path: string;
  /** What the file's bytes must hash to: 64 hexadecimal digits; null is anything. */
  sha256: string | null;
  /** The longest that connecting and each wait for bytes may take, in milliseconds; null is the host's default. */
  timeoutMs: number | null;
}

/** What an earlier try has left. */
export interface PartialDownload {
  /** Bytes that are there. */
  readonly size: number;
  /** What the server called the version that they are a part of. */
  readonly validator: string | null;
  /** Throws away what is there: what comes now is the beginning. */
  restart(validator: string | null): Promise<void>;
  append(bytes: Uint8Array): Promise<void>;
  /** SHA-256 of all bytes, hexadecimal. */
  sha256(): Promise<string>;
  /** Makes the file visible under its key, whole, in place of an older one. */
  finish(): Promise<void>;
  /** Lets go; what is there stays for the next try. */
  close(): Promise<void>;
}

/** What is told of a download. No URL: its query may hold what gives access. */
export interface DownloadAbout {
  principal: string;
  path: string;
  /** Where it came from, with the port. */
  host: string;
}

/** Where downloads lie. */
export interface DownloadPlace {
  /** @param sha256 null: whatever it hashes to @returns null where there is none */
  find(key: string, sha256: string | null): Promise<StoredFile | null>;
  /** @param about whose it is and what, for people who list downloads */
  resume(key: string, about: DownloadAbout): Promise<PartialDownload>;
  /** One at a time for a key, over all processes. @returns the function that ends it */
  lock(key: string, signal: AbortSignal): Promise<() => Promise<void>>;
}

/** The answer of a guarded fetch. */
export interface DownloadResponse {
  status: number;
  /** Names in lower case. */
  headers: readonly (readonly [name: string, value: string])[];
  body: { read(): Promise<Uint8Array | null>; cancel(): void };
}

export interface DownloadOptions {
  place: DownloadPlace;
  /** Fetches under the run's `net` permission, following redirects. @throws PermissionDeniedError, NetError */
  fetch(
    url: string,
    headers: [string, string][],
    timeoutMs: number | null,
    call: Call,
  ): Promise<DownloadResponse>;
  /**
   * Whether a request may have the header If-Range. A page's may not: each server would have to allow it. Then the version of what
   * comes is compared. Default: true.
   */
  sendsIfRange?: boolean;
  /** SHA-256 of what comes in parts, hexadecimal. */
  sha256(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string>;
}

/** How often a download that makes headway is taken up again. */
const MOST_TRIES = 5;

/**
 * @returns the file, opened
 * @throws PermissionDeniedError, NetError, DownloadError
 */
export async function download(
  request: DownloadRequest,
  call: Call,
  options: DownloadOptions,
): Promise<StoredFile> {
  const { url, path, sha256 } = request;
  await call.require("net", authorityOf(new URL(url)));
  // What came by a redirect, or from an address that was granted, is there for who may follow: whoever may reach the same.
  const { net, secrets, deny } = call.permissions;
  // What came for a secret is there for the UDF that holds it; for others the same URL is another.
  const held = secretsOf(call.signal)?.heldIn(new URL(url)) ?? [];
  // A value that the run has seen is not in the key, as that of a placeholder is not: a name that depends on it could be guessed.
  const seen = redactionOf(call.signal);
  const template = seen ? [seen.template(url), seen.template(path)] : [url, path];
  const isSeen = template[0] !== url || template[1] !== path;
  const holder =
    held.length > 0 || isSeen
      ? [call.udf.hash, secrets ?? false, deny?.secrets ?? false, held, isSeen]
      : null;
  const asked = [call.principal, template, net ?? false, deny?.net ?? false];
  const identity = JSON.stringify(["download", ...asked, holder]);
  const key = await options.sha256([new TextEncoder().encode(identity)]);
  const there = await options.place.find(key, sha256);
  if (there) return there;
  const unlock = await options.place.lock(key, call.signal);
  try {
    const byAnother = await options.place.find(key, sha256);
    if (byAnother) return byAnother;
    const show = (text: string) => seen?.text(text) ?? text;
    const about = { principal: call.principal, path: show(path), host: show(new URL(url).host) };
    const partial = await options.place.resume(key, about);
    try {
      await fill(partial, request, call, options);
      const actual = sha256 === null ? null : await partial.sha256();
      if (actual !== sha256) {
        await partial.restart(null);
        throw wrongChecksum(url, actual, sha256);
      }
      await partial.finish();
    } finally {
      await partial.close();
    }
    const file = await options.place.find(key, null);
    if (!file) throw new DownloadError(`Cannot keep ${url}: it is gone again`, { code: "storage" });
    return file;
  } finally {
    await unlock();
  }
}

export function wrongChecksum(url: string, actual: string | null, expected: string | null): DownloadError {
  return new DownloadError(
    `Cannot download ${url}: its SHA-256 is ${actual}, expected ${expected}. Nothing of it was kept`,
    { code: "checksum" },
  );
}

/** Fetches until all is there. Each try that brings bytes is followed by another. */
async function fill(
  partial: PartialDownload,
  { url, timeoutMs }: DownloadRequest,
  call: Call,
  { fetch, sendsIfRange = true }: DownloadOptions,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const resumable = partial.size > 0 && partial.validator !== null;
    if (partial.size > 0 && !resumable) await partial.restart(null);
    const headers: [string, string][] = [["accept-encoding", "identity"]];
    if (resumable) {
      headers.push(["range", `bytes=${partial.size}-`]);
      if (sendsIfRange) headers.push(["if-range", partial.validator as string]);
    }
    const response = await fetch(url, headers, timeoutMs, call);
    const header = (name: string) => response.headers.find(([each]) => each === name)?.[1];
    const isSame = sendsIfRange || validatorOf(header) === partial.validator;
    const continues =
      response.status === 206 && isSame && rangeStart(header("content-range")) === partial.size;
    if (!continues && response.status !== 200) {
      response.body.cancel();
      // The rest that was asked for is not to be had: all of it, then.
      if (resumable && (response.status === 206 || response.status === 416)) {
        await partial.restart(null);
        continue;
      }
      throw new DownloadError(`Cannot download ${url}: the server answered with status ${response.status}`, {
        code: "status",
      });
    }
    if (!continues) await partial.restart(validatorOf(header));
    const before = partial.size;
    const length = header("content-length");
    const total = length === undefined ? null : before + Number(length);
    let failure: unknown;
    try {
      for (let bytes = await response.body.read(); bytes !== null; bytes = await response.body.read())
        await partial.append(bytes);
    } catch (error) {
      response.body.cancel();
      if (call.signal.aborted || error instanceof DownloadError) throw error;
      failure = error;
    }
    if (failure === undefined && (total === null || partial.size === total)) return;
    if (tries >= MOST_TRIES || partial.size === before) {
      throw (
        failure ??
        new DownloadError(
          `Cannot download ${url}: the server ended it after ${partial.size} of ${total} bytes, ${tries} times`,
          { code: "incomplete" },
        )
      );
    }
  }
}

/** A version's strong name (RFC 9110, section 13.1.5): weak ones do not say that bytes are equal. */
function validatorOf(header: (name: string) => string | undefined): string | null {
  if (header("accept-ranges") === "none") return null;
  const tag = header("etag");
  if (tag) return tag.startsWith("W/") ? null : tag;
  return header("last-modified") ?? null;
}

function rangeStart(range: string | undefined): number | null {
  const found = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(range ?? "");
  return found ? Number(found[1]) : null;
}
