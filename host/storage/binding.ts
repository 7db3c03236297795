/** The binding `storage`: what UDFs call to list, read, write, delete and sign files. */

import { showReceived } from "../../runtime/show.ts";
import type { Binding } from "../host.ts";
import type { Range, WriteOptions } from "./driver.ts";
import { StorageError } from "./errors.ts";
import { MOST_PART_BYTES, MOST_RANGE_BYTES, Storage, type StorageOptions } from "./storage.ts";

const MOST_URL_CHARACTERS = 8192;
const MOST_AFTER_CHARACTERS = 8192;
const PAGE_ENTRIES = 1000;
const WEEK_SECONDS = 7 * 24 * 60 * 60;
const DEFAULT_SECONDS = 60 * 60;
/** As in the published client. */
const DEFAULT_DEPTH = 3;

/**
 * Makes the binding. A place is a URL (location.ts); options are an object or null, and each of them has a default.
 *
 *     list(url, { recursive: false, after: null, limit: 1000 })     -> { entries: [{ url, name, isDirectory, size, modifiedMs, etag }], next }
 *     details(url)                                                  -> { url, name, isDirectory, size, modifiedMs, etag }
 *     get(url, { offset, length } | null)                           -> bytes: a part of at most 4 MiB, or a file of at most 32 MiB
 *     open(url)                                                     -> { file, size }: a number for the binding `files`
 *     put(url, bytes, { contentType: null, ifNoneMatch: false })    -> null; at most 8 MiB
 *     openWrite(url, the same options)                              -> number
 *     writePart(number, bytes)                                      -> null; at most 8 MiB
 *     commitWrite(number), abortWrite(number)                       -> null
 *     delete(url, { maxDeletionDepth: 3 })                          -> whether there was anything; "unlimited" is any depth
 *     sign(url, { method: "GET", expiresSeconds: 3600 })            -> URL; at most 7 days
 *     signPrefix(url, { expiresSeconds: 3600 })                     -> { path: URL }
 *     mounts()                                                      -> the folders that the isolate has at the same path
 *
 * All but `mounts` ask for `read` or `write`, and fail with StorageError or PermissionDeniedError.
 * @throws UsageError for options that are wrong
 */
export function storageBinding(options: StorageOptions): Binding {
  const storage = new Storage(options);
  return {
    list(args, call) {
      const [url, given] = readArguments("list", args, 1, 2);
      const { recursive, after, limit } = readOptions("list", given, {
        recursive: false,
        after: null,
        limit: PAGE_ENTRIES,
      });
      if (typeof recursive !== "boolean") throw wrong("recursive", "true or false", recursive);
      if (after !== null && !(typeof after === "string" && after.length <= MOST_AFTER_CHARACTERS))
        throw wrong("after", "the `next` of the page before, or null", after);
      return storage.list(
        readUrl(url),
        { recursive, after, limit: readNumber("limit", limit, 1, PAGE_ENTRIES) },
        call,
      );
    },
    details(args, call) {
      const [url] = readArguments("details", args, 1, 1);
      return storage.details(readUrl(url), call);
    },
    get(args, call) {
      const [url, range] = readArguments("get", args, 1, 2);
      return storage.get(readUrl(url), readRange(range), call);
    },
    open(args, call) {
      const [url] = readArguments("open", args, 1, 1);
      return storage.open(readUrl(url), call);
    },
    put(args, call) {
      const [url, bytes, given] = readArguments("put", args, 2, 3);
      return storage.put(readUrl(url), readBytes(bytes), readWriteOptions("put", given), call);
    },
    openWrite(args, call) {
      const [url, given] = readArguments("openWrite", args, 1, 2);
      return storage.openWrite(readUrl(url), readWriteOptions("openWrite", given), call);
    },
    writePart(args, call) {
      const [upload, bytes] = readArguments("writePart", args, 2, 2);
      return storage.writePart(upload, readBytes(bytes), call);
    },
    commitWrite(args, call) {
      const [upload] = readArguments("commitWrite", args, 1, 1);
      return storage.commitWrite(upload, call);
    },
    abortWrite(args, call) {
      const [upload] = readArguments("abortWrite", args, 1, 1);
      return storage.abortWrite(upload, call);
    },
    delete(args, call) {
      const [url, given] = readArguments("delete", args, 1, 2);
      const { maxDeletionDepth } = readOptions("delete", given, { maxDeletionDepth: DEFAULT_DEPTH });
      const depth =
        maxDeletionDepth === "unlimited"
          ? Infinity
          : readNumber("maxDeletionDepth", maxDeletionDepth, 0, 1000, ' or "unlimited"');
      return storage.delete(readUrl(url), depth, call);
    },
    sign(args, call) {
      const [url, given] = readArguments("sign", args, 1, 2);
      const { method, expiresSeconds } = readOptions("sign", given, {
        method: "GET",
        expiresSeconds: DEFAULT_SECONDS,
      });
      if (method !== "GET" && method !== "PUT") throw wrong("method", "GET or PUT", method);
      return storage.sign(readUrl(url), { method, expiresSeconds: readSeconds(expiresSeconds) }, call);
    },
    signPrefix(args, call) {
      const [url, given] = readArguments("signPrefix", args, 1, 2);
      const { expiresSeconds } = readOptions("signPrefix", given, { expiresSeconds: DEFAULT_SECONDS });
      return storage.signPrefix(readUrl(url), readSeconds(expiresSeconds), call);
    },
    mounts(args, call) {
      readArguments("mounts", args, 0, 0);
      return storage.mounts(call);
    },
  };
}

function readArguments(
  method: string,
  args: readonly unknown[],
  least: number,
  most: number,
): readonly unknown[] {
  if (args.length < least || args.length > most)
    throw wrong(
      method,
      `called with ${least === most ? most : `${least} or ${most}`} arguments`,
      args.length,
    );
  return args;
}

function readOptions<T extends Record<string, unknown>>(
  method: string,
  value: unknown,
  defaults: T,
): Record<keyof T, unknown> {
  if (value === undefined || value === null) return defaults;
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array)
    throw wrong(`the options of ${method}`, "an object or null", value);
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(defaults, name));
  if (unknown !== undefined)
    throw wrong(`the options of ${method}`, `of ${Object.keys(defaults).join(", ")}`, unknown);
  return { ...defaults, ...value };
}

function readUrl(url: unknown): string {
  if (typeof url === "string" && url.length <= MOST_URL_CHARACTERS) return url;
  throw wrong("the place", "a text like s3://bucket/key", url);
}

function readBytes(bytes: unknown): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw wrong("the content", "bytes", bytes);
  if (bytes.length > MOST_PART_BYTES)
    throw wrong("the content", `of at most ${MOST_PART_BYTES} bytes; write more in parts`, bytes.length);
  return bytes;
}

function readRange(value: unknown): Range | null {
  if (value === undefined || value === null) return null;
  const { offset, length } = readOptions("get", value, { offset: 0, length: MOST_RANGE_BYTES });
  return {
    offset: readNumber("offset", offset, 0, Number.MAX_SAFE_INTEGER - MOST_RANGE_BYTES),
    length: readNumber("length", length, 1, MOST_RANGE_BYTES),
  };
}

function readWriteOptions(method: string, value: unknown): WriteOptions {
  const { contentType, ifNoneMatch } = readOptions(method, value, { contentType: null, ifNoneMatch: false });
  // It becomes a header.
  if (contentType !== null && !(typeof contentType === "string" && /^[\x20-\x7e]{1,256}$/.test(contentType)))
    throw wrong("contentType", "a media type of ASCII characters, or null", contentType);
  if (typeof ifNoneMatch !== "boolean") throw wrong("ifNoneMatch", "true or false", ifNoneMatch);
  return { contentType, ifNoneMatch };
}

const readSeconds = (value: unknown) => readNumber("expiresSeconds", value, 1, WEEK_SECONDS);

function readNumber(name: string, value: unknown, least: number, most: number, or = ""): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  throw wrong(name, `a whole number from ${least} to ${most}${or}`, value);
}

/** The guest's own value is shown, cut off. */
function wrong(name: string, rule: string, received: unknown): StorageError {
  return new StorageError(
    "request",
    `Cannot use the storage: ${name} must be ${rule}: received ${showReceived(received)}`,
  );
}
