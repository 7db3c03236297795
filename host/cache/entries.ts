/**
 * The cache's entries in a store: a record each, with the body in it or the name of the blob that has it; and one record with
 * the totals, which is written together with each change, so that the bounds hold whoever writes.
 */
import type { Change, Json, RecordName, Store, StoreRecord } from "../store/store.ts";
import { type Blobs, isBlobName } from "./blobs.ts";

const COLLECTION = "cache.entries";
const TOTALS: RecordName = { collection: "cache.meta", key: "totals" };
/** How many entries one transaction removes, and one page of a list has. */
const BATCH = 200;
/** Bodies up to this size are in the record: one read instead of two. */
const INLINE_BYTES = 16 * 1024;
/** How much of the bounds is used after old entries were removed: the next ones find room without looking. */
const KEEP = 0.9;

/** Whose result it is. For people and for `clear`: what keeps results apart is the key. */
export interface Labels {
  /** The function's name. */
  name: string;
  /** The UDF's name. */
  udf: string;
  principal: string;
  folder: string;
}

export interface Entry extends Labels {
  key: string;
  /** How the body is to be read: `json`, `arrow`, … */
  format: string;
  /** Bytes of the body. */
  size: number;
  createdAtMs: number;
  /** When it was last read, about. */
  usedAtMs: number;
  /** After this time it is of no use to who made it. */
  maxAgeMs: number;
}

interface Kept extends Entry {
  seal: string;
  /** Empty where the body is in the record. */
  blob: string;
}

export type Totals = { entries: number; bytes: number };

export interface Bounds {
  maxEntries: number;
  maxBytes: number;
}

export class Entries {
  readonly #store: Store;
  readonly #blobs: Blobs;
  readonly #bounds: Bounds;
  readonly #now: () => number;
  /** Removals of this process, one after the other. */
  #evicting: Promise<unknown> = Promise.resolve();
  /** How many were removed because there was no room. */
  evictions = 0;

  constructor(store: Store, blobs: Blobs, bounds: Bounds, now: () => number) {
    this.#store = store;
    this.#blobs = blobs;
    this.#bounds = bounds;
    this.#now = now;
  }

  /**
   * Reads an entry if `isWanted` says so.
   * @returns undefined where there is none; `damaged` where its body was not what was kept: then it is removed
   */
  async read(
    key: string,
    isWanted: (entry: Entry) => boolean,
    makeRoom: (bytes: number) => Promise<void>,
  ): Promise<{ entry: Entry; body: Uint8Array } | "damaged" | undefined> {
    for (let seen = 0; ; ) {
      const record = await this.#store.get(COLLECTION, key);
      if (!record) return undefined;
      const kept = readEntry(record);
      if (kept && !isWanted(kept)) return undefined;
      if (kept) await makeRoom(kept.size);
      const body = kept && (kept.blob === "" ? record.bytes : await this.#blobs.read(kept.blob, kept.size));
      if (body && (await this.#blobs.verify(identityOf(kept), body, kept.seal))) return { entry: kept, body };
      // Another process may have replaced it just now, and removed the blob.
      if (seen === record.version) {
        await this.#drop([key], (_entry, _totals, version) => version === seen);
        return "damaged";
      }
      seen = record.version;
    }
  }

  /**
   * Keeps a result in place of an older one.
   * @param lock its record is deleted in the same transaction; where `isHeld` says that it is another's, nothing is kept
   * @returns whether it was kept
   * @throws StoreError
   */
  async write(
    entry: Entry,
    body: Uint8Array,
    lock: { name: RecordName; isHeld: (record: StoreRecord | undefined) => boolean },
  ): Promise<boolean> {
    const seal = await this.#blobs.seal(identityOf(entry), body);
    const blob = body.length > INLINE_BYTES ? await this.#blobs.write(body) : "";
    const made = { value: { ...entry, seal, blob }, bytes: blob ? undefined : body };
    const names = [{ collection: COLLECTION, key: entry.key }, lock.name, TOTALS];
    let unused = blob;
    const attempt = async () => {
      let outcome: "kept" | "lost" | "no room" = "lost";
      await this.#store.transact(names, ([record, held, totals]): Change[] => {
        const old = record && readEntry(record);
        const next = readTotals(totals);
        next.entries += record ? 0 : 1;
        next.bytes += entry.size - (old?.size ?? 0);
        outcome = lock.isHeld(held) ? (this.#fits(next) ? "kept" : "no room") : "lost";
        unused = outcome === "kept" ? (old?.blob ?? "") : blob;
        return outcome === "kept" ? [made, null, { value: next }] : [];
      });
      return outcome as "kept" | "lost" | "no room";
    };
    try {
      for (;;) {
        const outcome = await attempt();
        if (outcome !== "no room") return outcome === "kept";
        await this.#makeRoom(entry.size);
      }
    } catch (error) {
      unused = blob;
      throw error;
    } finally {
      if (unused) await this.#blobs.remove(unused);
    }
  }

  /** Notes that an entry was read now. */
  async touch({ key, createdAtMs }: Entry, usedAtMs: number): Promise<void> {
    await this.#store.update(COLLECTION, key, (record) => {
      const kept = record && readEntry(record);
      return kept?.createdAtMs === createdAtMs
        ? { value: { ...kept, usedAtMs }, bytes: record?.bytes }
        : undefined;
    });
  }

  /** All entries, by key. Those that cannot be read are left out. */
  async *list(): AsyncGenerator<Entry> {
    for await (const { entry } of this.#all()) if (entry) yield entry;
  }

  async totals(): Promise<Totals> {
    return readTotals(await this.#store.get(TOTALS.collection, TOTALS.key));
  }

  /**
   * Removes the entries that `isWanted` names, and those that cannot be read.
   * @returns how many, and how large their bodies were
   */
  async remove(isWanted: (entry: Entry) => boolean): Promise<Totals> {
    const removed: Totals = { entries: 0, bytes: 0 };
    let keys: string[] = [];
    const flush = async () => {
      const dropped = await this.#drop(keys, (entry) => !entry || isWanted(entry));
      removed.entries += dropped.entries;
      removed.bytes += dropped.bytes;
      keys = [];
    };
    for await (const { key, entry } of this.#all()) {
      if (entry && !isWanted(entry)) continue;
      // First, because a full disk lets files be removed, but no record be written. An entry without its blob is none.
      if (entry?.blob) await this.#blobs.remove(entry.blob);
      if (keys.push(key) === BATCH) await flush();
    }
    if (keys.length > 0) await flush();
    return removed;
  }

  /** Removes blobs that no entry names and that were written so long ago: a process was killed before it made the entry. */
  async removeStrays(olderThanMs: number): Promise<void> {
    const named = new Set<string>();
    for await (const { entry } of this.#all()) if (entry?.blob) named.add(entry.blob);
    for (const name of await this.#blobs.list()) {
      if (named.has(name)) continue;
      if (((await this.#blobs.ageMs(name)) ?? 0) > olderThanMs) await this.#blobs.remove(name);
    }
  }

  async *#all(): AsyncGenerator<{ key: string; entry: Kept | undefined }> {
    for (let after = ""; ; ) {
      const records = await this.#store.list(COLLECTION, { after, limit: BATCH });
      for (const record of records) yield { key: record.key, entry: readEntry(record) };
      if (records.length < BATCH) return;
      after = records.at(-1)!.key;
      // SQLite answers at once: without a pause, nobody else's turn would come before the end.
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
  }

  #fits({ entries, bytes }: Totals): boolean {
    return entries <= this.#bounds.maxEntries && bytes <= this.#bounds.maxBytes;
  }

  /** Removes old entries until one of this size fits, and some more. Who has more than a share of their own loses the older of them first. */
  #makeRoom(size: number): Promise<void> {
    const { maxEntries, maxBytes } = this.#bounds;
    const entries = Math.min(maxEntries - 1, Math.floor(maxEntries * KEEP));
    const bytes = Math.min(maxBytes - size, Math.floor(maxBytes * KEEP));
    const evict = async () => {
      const record = await this.#store.get(TOTALS.collection, TOTALS.key);
      const before = readTotals(record);
      if (this.#fits({ entries: before.entries + 1, bytes: before.bytes + size })) return;
      const counted: Totals = { entries: 0, bytes: 0 };
      const found: Evictable[] = [];
      const now = this.#now();
      for await (const { key, entry } of this.#all()) {
        counted.entries++;
        counted.bytes += entry?.size ?? 0;
        const isUseless = !entry || entry.createdAtMs + entry.maxAgeMs < now;
        // A server's links have principals below their owner's.
        const [owner = ""] = entry?.principal.split("/", 1) ?? [];
        found.push({ key, owner, size: entry?.size ?? 0, usedAtMs: isUseless ? 0 : entry.usedAtMs });
      }
      const order = inOrderOfEviction(found, { entries, bytes });
      let removed = 0;
      for (let i = 0; i < order.length; i += BATCH) {
        const keys = order.slice(i, i + BATCH).map(({ key }) => key);
        const dropped = await this.#drop(
          keys,
          (_, totals) => totals.entries > entries || totals.bytes > bytes,
        );
        removed += dropped.entries;
        if (dropped.entries < keys.length) break;
      }
      this.evictions += removed;
      if (removed > 0) return;
      // Too much, and nothing to remove: the totals are wrong, unless another process has changed them since.
      await this.#store.update(TOTALS.collection, TOTALS.key, (now) =>
        now?.version === record?.version ? { value: counted } : undefined,
      );
    };
    const evicted = this.#evicting.then(evict);
    this.#evicting = evicted.catch(() => {});
    return evicted;
  }

  /** Removes those of the entries that `isWanted` names, given the totals by then. */
  async #drop(
    keys: readonly string[],
    isWanted: (entry: Entry | undefined, totals: Totals, version: number) => boolean,
  ): Promise<Totals> {
    let blobs: string[] = [];
    let dropped: Totals = { entries: 0, bytes: 0 };
    const names = [TOTALS, ...keys.map((key) => ({ collection: COLLECTION, key }))];
    await this.#store.transact(names, ([record, ...found]) => {
      blobs = [];
      dropped = { entries: 0, bytes: 0 };
      const totals = readTotals(record);
      const changes = found.map((record): Change => {
        const entry = record && readEntry(record);
        if (!record || !isWanted(entry, totals, record.version)) return undefined;
        const size = entry?.size ?? 0;
        totals.entries = Math.max(0, totals.entries - 1);
        totals.bytes = Math.max(0, totals.bytes - size);
        dropped.entries++;
        dropped.bytes += size;
        if (entry?.blob) blobs.push(entry.blob);
        return null;
      });
      return [{ value: { ...totals } }, ...changes];
    });
    for (const blob of blobs) await this.#blobs.remove(blob);
    return dropped;
  }
}

/** An entry that may go. What is of no use was used in 1970. */
interface Evictable {
  key: string;
  owner: string;
  size: number;
  usedAtMs: number;
}

/**
 * What is of no use goes first; then what was used longest ago of those who have more than an equal share of the bounds, so that nobody's
 * results go because another one keeps very many; then what was used longest ago.
 */
function inOrderOfEviction(found: readonly Evictable[], { entries, bytes }: Totals): Evictable[] {
  const owners = Map.groupBy(found, ({ owner }) => owner);
  const over = new Set<Evictable>();
  for (const own of owners.values()) {
    let [count, size] = [0, 0];
    for (const one of own.toSorted((a, b) => b.usedAtMs - a.usedAtMs)) {
      count++;
      size += one.size;
      if (count > entries / owners.size || size > bytes / owners.size) over.add(one);
    }
  }
  const rank = (one: Evictable) => (one.usedAtMs === 0 ? 0 : over.has(one) ? 1 : 2);
  return found.toSorted((a, b) => rank(a) - rank(b) || a.usedAtMs - b.usedAtMs);
}

/** What the seal covers beside the body. */
const identityOf = ({ key, format, size, createdAtMs }: Entry): string =>
  JSON.stringify(["fuselet result 1", key, format, size, createdAtMs]);

/** Undefined where the record is no entry. */
function readEntry({ key, value }: StoreRecord): Kept | undefined {
  const fields = (value ?? {}) as Record<string, Json>;
  const texts = ["key", "name", "udf", "principal", "folder", "format", "seal", "blob"];
  const numbers = ["size", "createdAtMs", "usedAtMs", "maxAgeMs"];
  if (texts.some((name) => typeof fields[name] !== "string")) return undefined;
  if (numbers.some((name) => typeof fields[name] !== "number" || (fields[name] as number) < 0))
    return undefined;
  const entry = fields as unknown as Kept;
  return entry.key === key && (entry.blob === "" || isBlobName(entry.blob)) ? entry : undefined;
}

function readTotals(record: StoreRecord | undefined): Totals {
  const { entries, bytes } = (record?.value ?? {}) as Record<string, Json>;
  return {
    entries: typeof entries === "number" ? entries : 0,
    bytes: typeof bytes === "number" ? bytes : 0,
  };
}
