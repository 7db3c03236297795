/**
 * The embedded database: named collections of records, each a key, a JSON value and perhaps some bytes. One interface
 * for all platforms; an implementation is a driver (store.node.ts, store.browser.ts), and test/host/store-cases.ts runs on
 * each of them.
 *
 * What a call has answered for stays, whatever then happens to the process, the page or the browser (`kill -9`, a crash):
 * the operating system has it. A power failure may take the last seconds, but a change is there as a whole or not at all.
 */
import { StoreError } from "./errors.ts";

/** A value as JSON has it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface StoreRecord {
  readonly key: string;
  /** Another one after each write; never used again in this store, not even for a record that was deleted and came back. */
  readonly version: number;
  readonly value: Json;
  /** Undefined where the record has none, and in lists. */
  readonly bytes: Uint8Array | undefined;
}

export interface NewRecord {
  value: Json;
  bytes?: Uint8Array | undefined;
}

/** What a change makes of a record: a new one, null to delete it, undefined to leave it. */
export type Change = NewRecord | null | undefined;

export interface RecordName {
  readonly collection: string;
  readonly key: string;
}

export interface ListOptions {
  /** Only keys that begin so. Default: all. */
  prefix?: string;
  /** Only keys behind this one: the last of the page before. */
  after?: string;
  /** From 1 to 1000. Default 100. */
  limit?: number;
}

/**
 * All names, keys and values are checked: a collection is named like `cache.entries`, a key is well-formed text without
 * control characters of at most 1024 bytes, a value is plain JSON of at most 16 MiB, bytes are at most 64 MiB.
 * Every call throws a StoreError: `value` for bad arguments, `closed`, and what else the platform does.
 */
export interface Store {
  get(collection: string, key: string): Promise<StoreRecord | undefined>;
  /**
   * Writes a record, whatever was there.
   * @param options.ifVersion only if the record has this version; 0: only if there is none
   * @returns the new version
   * @throws StoreError `conflict` where it has another version
   */
  put(
    collection: string,
    key: string,
    value: Json,
    options?: { bytes?: Uint8Array | undefined; ifVersion?: number | undefined },
  ): Promise<number>;
  /**
   * @returns whether there was one
   * @throws StoreError `conflict` where it has another version than `options.ifVersion`
   */
  delete(collection: string, key: string, options?: { ifVersion?: number | undefined }): Promise<boolean>;
  /** Records without their bytes, by key in the order of code points. */
  list(collection: string, options?: ListOptions): Promise<StoreRecord[]>;
  /**
   * Changes a record: nobody writes to it between the look and the change.
   * @param change must only compute: it may be called more than once. What it throws is thrown, and nothing is written.
   * @returns the record as it is then
   */
  update(
    collection: string,
    key: string,
    change: (old: StoreRecord | undefined) => Change,
  ): Promise<StoreRecord | undefined>;
  /**
   * Changes up to 1000 records, all or none.
   * @param change gets the records in the order of the names, and answers in that order
   */
  transact(
    names: readonly RecordName[],
    change: (found: readonly (StoreRecord | undefined)[]) => readonly Change[],
  ): Promise<(StoreRecord | undefined)[]>;
  /** Later calls fail. Closing twice is no error. */
  close(): Promise<void>;
}

/** A record as a driver keeps it: the value is text. `readRow` turns it back. */
export interface Row {
  key: string;
  version: number;
  text: string;
  bytes?: Uint8Array | null;
}

export type RowChange = { text: string; bytes: Uint8Array | undefined } | null | undefined;

/** What differs between platforms. Arguments are checked. Errors are StoreErrors. */
export interface StoreDriver {
  get(name: RecordName): Promise<StoreRecord | undefined>;
  /** Without bytes. Keys in the order of their UTF-8. */
  list(collection: string, range: { prefix: string; after: string; limit: number }): Promise<StoreRecord[]>;
  /** As `Store.transact`. @returns versions of the records that were written; of others, anything */
  transact(
    names: readonly RecordName[],
    change: (found: readonly (StoreRecord | undefined)[]) => readonly RowChange[],
  ): Promise<number[]>;
  close(): Promise<void>;
}

const MAX_KEY_BYTES = 1024;
const MAX_VALUE_CHARACTERS = 16 * 1024 ** 2;
const MAX_BYTES = 64 * 1024 ** 2;
const MAX_DEPTH = 200;
const MAX_RECORDS = 1000;

/** Greater than every character of a key: `[prefix, prefix + LAST]` are the keys that begin with the prefix. */
export const LAST = "\u{10ffff}";

/** The interface on top of a driver: checks what goes in, and turns values into text and back. */
export function makeStore(driver: StoreDriver): Store {
  const transact: Store["transact"] = async (names, change) => {
    if (names.length > MAX_RECORDS)
      throw bad("change records", "names", `at most ${MAX_RECORDS}`, names.length);
    for (const { collection, key } of names) checkName(collection, key);
    if (new Set(names.map(({ collection, key }) => `${collection}\n${key}`)).size < names.length)
      throw bad("change records", "names", "different from each other", names.length);
    let kept: (StoreRecord | undefined)[] = [];
    let changes: readonly Change[] = [];
    const versions = await driver.transact(names, (found) => {
      kept = [...found];
      changes = change(found);
      return names.map((_, i) => writeChange(changes[i]));
    });
    return names.map(({ key }, i) => {
      const made = changes[i];
      if (made === undefined) return kept[i];
      return made ? { key, version: versions[i] as number, value: made.value, bytes: made.bytes } : undefined;
    });
  };
  const update: Store["update"] = async (collection, key, change) =>
    (await transact([{ collection, key }], ([old]) => [change(old)]))[0];
  return {
    transact,
    update,
    async get(collection, key) {
      checkName(collection, key);
      return driver.get({ collection, key });
    },
    async put(collection, key, value, { bytes, ifVersion } = {}) {
      const made = await update(collection, key, (old) => {
        checkVersion(key, old, ifVersion);
        return { value, bytes };
      });
      return made!.version;
    },
    async delete(collection, key, { ifVersion } = {}) {
      let found = false;
      await update(collection, key, (old) => {
        checkVersion(key, old, ifVersion);
        found = old !== undefined;
        return found ? null : undefined;
      });
      return found;
    },
    async list(collection, { prefix = "", after = "", limit = 100 } = {}) {
      checkCollection(collection);
      if (prefix !== "") checkKey(prefix, "prefix");
      if (after !== "") checkKey(after, "after");
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RECORDS)
        throw bad("list records", "limit", `a whole number from 1 to ${MAX_RECORDS}`, limit);
      return driver.list(collection, { prefix, after, limit });
    },
    close: () => driver.close(),
  };
}

/** The text of something wrong. Only `received` may be a stranger's, and it is cut off. */
function bad(what: string, name: string, rule: string, received: unknown): StoreError {
  const shown = typeof received === "string" ? JSON.stringify(received.slice(0, 200)) : String(received);
  return new StoreError(`Cannot ${what}: ${name} must be ${rule}: received ${shown}`, { code: "value" });
}

function checkCollection(collection: unknown): void {
  if (typeof collection !== "string" || !/^[a-z][a-z0-9.-]{0,63}$/.test(collection))
    throw bad("use a collection", "its name", "lower case letters, digits, dots and hyphens", collection);
}

function checkKey(key: unknown, name = "key"): void {
  const rule = `well-formed text without control characters, of 1 to ${MAX_KEY_BYTES} bytes`;
  if (typeof key !== "string" || key === "" || key.length > MAX_KEY_BYTES || !key.isWellFormed())
    throw bad("use a record", name, rule, key);
  if (/[\u0000-\u001f\u007f]|\u{10ffff}/u.test(key) || new TextEncoder().encode(key).length > MAX_KEY_BYTES)
    throw bad("use a record", name, rule, key);
}

function checkName(collection: unknown, key: unknown): void {
  checkCollection(collection);
  checkKey(key);
}

function checkVersion(key: string, old: StoreRecord | undefined, wanted: number | undefined): void {
  const version = old?.version ?? 0;
  if (wanted !== undefined && wanted !== version) {
    const now = version === 0 ? "is not there" : `has version ${version}`;
    throw new StoreError(`Cannot write ${JSON.stringify(key)} as of version ${wanted}: it ${now}`, {
      code: "conflict",
    });
  }
}

/** @throws StoreError `damaged` where the text is no JSON */
export function readRow({ key, version, text, bytes }: Row): StoreRecord {
  try {
    return { key, version, value: JSON.parse(text) as Json, bytes: bytes ?? undefined };
  } catch (cause) {
    throw new StoreError(`Cannot read ${JSON.stringify(key)}: its value is no JSON`, {
      code: "damaged",
      cause,
    });
  }
}

function writeChange(change: Change): RowChange {
  if (!change) return change;
  const { value, bytes } = change;
  if (bytes !== undefined && (!(bytes instanceof Uint8Array) || bytes.length > MAX_BYTES))
    throw bad("write a record", "bytes", `a Uint8Array of at most ${MAX_BYTES} bytes`, bytes?.length);
  checkJson(value, "value", 0);
  const text = JSON.stringify(value);
  if (text.length > MAX_VALUE_CHARACTERS)
    throw bad("write a record", "value", `at most ${MAX_VALUE_CHARACTERS} characters as JSON`, text.length);
  return { text, bytes };
}

/** What `JSON.stringify` would drop or change without a word is refused. */
function checkJson(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === "boolean" || typeof value === "string") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (depth > MAX_DEPTH)
    throw bad("write a record", "value", `nested at most ${MAX_DEPTH} levels deep`, path);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkJson(value[i], `${path}[${i}]`, depth + 1);
    return;
  }
  const prototype = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null)
    throw bad("write a record", path, "JSON", typeof value === "object" ? "an object of a class" : value);
  for (const [name, item] of Object.entries(value as object)) checkJson(item, `${path}.${name}`, depth + 1);
}
