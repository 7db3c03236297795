/** What every kind of storage can do. A driver is opened for the calls of one run; it trusts that the broker was asked. */
import type { StoredFile } from "../files/files.ts";
import type { Call } from "../host.ts";
import type { Location } from "./location.ts";

/** A file or a folder. */
export interface Entry {
  /** Canonical; that of a folder ends with a slash. */
  url: string;
  /** The last part of its path. */
  name: string;
  isDirectory: boolean;
  /** In bytes; null for folders, and where the service does not say. */
  size: number | null;
  /** Milliseconds since 1970. */
  modifiedMs: number | null;
  /** Another one where the content is another; null where the service has none. */
  etag: string | null;
}

export interface ListOptions {
  /** Whether all files below are wanted, at any depth, and no folders; else what lies in the folder itself. */
  recursive: boolean;
  /** The `next` of the page before; null for the first one. */
  after: string | null;
  /** The most entries of a page, from 1 to 1000; it may have fewer. */
  limit: number;
}

export interface Listing {
  entries: Entry[];
  /** What the next page begins after; null at the end. */
  next: string | null;
}

export interface Range {
  /** In bytes from the start. */
  offset: number;
  /** In bytes, above 0. */
  length: number;
}

export interface GetOptions {
  /** Null is all of it. */
  range: Range | null;
  /** What the content must be: from its entry; null is any. */
  etag: string | null;
}

export interface WriteOptions {
  /** A media type; null is what the service makes of it. */
  contentType: string | null;
  /** Whether nothing may be there yet. */
  ifNoneMatch: boolean;
}

export interface SignOptions {
  method: "GET" | "PUT";
  /** From 1 second to 7 days. */
  expiresSeconds: number;
}

/** A file that is being written: nothing of it can be seen before its end. One call at a time. */
export interface Upload {
  write(bytes: Uint8Array): Promise<void>;
  /** Makes it visible as a whole, in place of what was there. @throws StorageError "exists" */
  commit(): Promise<void>;
  /** Throws it away. Never throws, and twice is no error. */
  abort(): Promise<void>;
}

/** All of them throw StorageError, and PermissionDeniedError where a place leads to another that is not granted. */
export interface Driver {
  /** What is not there is empty: object stores know no folders. What no location can name is left out. */
  list(folder: Location, options: ListOptions): Promise<Listing>;
  /** @returns null where there is no file, and no folder that exists without files in it */
  head(location: Location): Promise<Entry | null>;
  /** Ends early where the content does. @throws StorageError "not found" */
  get(location: Location, options: GetOptions): Promise<AsyncIterable<Uint8Array>>;
  /** Opens a file for reading here and there. Without it: `head` and `get`. */
  open?(location: Location): Promise<StoredFile>;
  write(location: Location, options: WriteOptions): Promise<Upload>;
  /** Deletes a file. @returns whether there was one */
  delete(location: Location): Promise<boolean>;
  /**
   * Deletes all that lies below a folder, what no location can name too.
   * @param maxDepth how many levels it may have: 1 is files in the folder itself. Deeper: nothing is deleted
   * @returns whether there was anything
   */
  deleteFolder(folder: Location, maxDepth: number): Promise<boolean>;
  /** @returns a URL that anybody can use until it expires */
  sign(location: Location, options: SignOptions): Promise<string>;
}

/** On whose behalf the storage is used: a run, or a request to a server. */
export type StorageCall = Pick<Call, "principal" | "owner" | "permissions" | "signal" | "taken" | "require">;

export type OpenDriver = (call: StorageCall) => Driver;
