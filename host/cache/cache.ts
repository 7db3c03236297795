/**
 * The cache of results: looks one up, or lets one caller compute it while others wait, in all processes and tabs that share
 * the store. A result is there as a whole or not at all: its body is written first, its record second.
 */
import { StoreError } from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import type { Blobs } from "./blobs.ts";
import { Entries, type Entry, type Labels, type Totals } from "./entries.ts";
import { CacheError } from "./errors.ts";
import { type Lock, Locks, type LocksOptions, type Seen } from "./locks.ts";
import type { Owner } from "./owner.ts";

export type { Entry, Labels, Totals } from "./entries.ts";

export interface CacheOptions {
  /** It may hold other collections, too. */
  store: Store;
  blobs: Blobs;
  owner: Owner;
  /** The most that all bodies may take. What was read longest ago goes first. Default 4 GiB. */
  maxBytes?: number;
  /** The most entries. Default 100,000. */
  maxEntries?: number;
  /** Told of damage, for logs: the text may name files of this machine. */
  onProblem?: (problem: string) => void;
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** Default: see `LocksOptions`. */
  locks?: Pick<LocksOptions, "beatMs" | "staleMs" | "sleepMs">;
}

export interface CacheRequest {
  /** Names the result: all that it depends on must be in it. */
  key: string;
  /** An older result is computed again; it is kept until the new one is there. */
  maxAgeMs: number;
  /** Computes it again, whatever is there. Default false. */
  reset?: boolean;
  /** How long to wait for another caller that computes it. */
  lockTimeoutMs: number;
  labels: Labels;
  /** Called before a body is read, maybe more than once; what was asked for before does not count any more. Default: nobody bounds them. */
  makeRoom?: (bytes: number) => Promise<void>;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

/** The right to compute a result. Ends with one of its functions; a second call does nothing. */
export interface Lease {
  /**
   * Keeps the result.
   * @returns false where the lease was lost, because this process did not stir for long: nothing was kept
   * @throws CacheError `size`; StoreError where it cannot be written. The lease has ended then, too.
   */
  commit(result: { format: string; body: Uint8Array }): Promise<boolean>;
  /** There is no result: another caller may compute. */
  abandon(): Promise<void>;
}

export type Found = { state: "hit"; entry: Entry; body: Uint8Array } | { state: "compute"; lease: Lease };

/** What this process has seen, and what is there. */
export interface CacheStatistics extends Totals {
  hits: number;
  /** Leases that were given. */
  misses: number;
  /** Calls that waited for another. */
  waits: number;
  commits: number;
  evictions: number;
  damaged: number;
  maxEntries: number;
  maxBytes: number;
}

const MAX_BYTES = 4 * 1024 ** 3;
const MAX_ENTRIES = 100_000;
/** The time of last use is written this often at most: a hit costs no write. */
const TOUCH_MS = 60_000;
const HOUR_MS = 60 * 60 * 1000;
/** A clock that was put back makes entries of the future; so much of it is forgiven. */
const SKEW_MS = 60_000;
const FIRST_POLL_MS = 5;
const LAST_POLL_MS = 200;
const SWEPT = { collection: "cache.meta", key: "swept" };

export class Cache {
  readonly #store: Store;
  readonly #entries: Entries;
  readonly #locks: Locks;
  readonly #bounds: { maxEntries: number; maxBytes: number };
  readonly #now: () => number;
  readonly #onProblem: (problem: string) => void;
  readonly #counts = { hits: 0, misses: 0, waits: 0, commits: 0, damaged: 0 };
  /** What `close` waits for. */
  readonly #running = new Set<Promise<unknown>>();
  #swept = false;
  #closed = false;

  constructor({
    store,
    blobs,
    owner,
    maxBytes = MAX_BYTES,
    maxEntries = MAX_ENTRIES,
    onProblem = () => {},
    now = Date.now,
    locks,
  }: CacheOptions) {
    this.#store = store;
    this.#bounds = { maxBytes, maxEntries };
    this.#entries = new Entries(store, blobs, this.#bounds, now);
    this.#locks = new Locks({ ...locks, store, owner });
    this.#onProblem = onProblem;
    this.#now = now;
  }

  /**
   * Finds a result, or gives the right to compute it to this caller alone. A caller that asks again for what it computes itself
   * waits for itself, until the time is over.
   * @throws CacheError `timeout`; StoreError; what the signal was aborted with
   */
  begin(request: CacheRequest): Promise<Found> {
    if (!this.#swept) {
      this.#swept = true;
      this.#later(this.#sweep());
    }
    return this.#follow(this.#begin(request));
  }

  async statistics(): Promise<CacheStatistics> {
    const totals = await this.#entries.totals();
    return { ...this.#counts, evictions: this.#entries.evictions, ...totals, ...this.#bounds };
  }

  /** All entries, by key. */
  list(): AsyncGenerator<Entry> {
    return this.#entries.list();
  }

  /**
   * Removes entries, by default all.
   * @returns how many, and how large they were
   */
  clear(isWanted: (entry: Entry) => boolean = () => true): Promise<Totals> {
    return this.#entries.remove(isWanted);
  }

  /** Ends the waiting, and gives up what is being computed. The store stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#locks.wakeAll();
    // What ends may begin something: a hit notes the time of its use.
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    await this.#locks.close();
  }

  async #begin(request: CacheRequest): Promise<Found> {
    const { key, reset = false, lockTimeoutMs, signal } = request;
    const started = performance.now();
    const seen: Seen = { version: 0, sinceMs: 0 };
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, LAST_POLL_MS)) {
      signal?.throwIfAborted();
      if (this.#closed) throw new StoreError("The cache is closed", { code: "closed" });
      const hit = reset ? undefined : await this.#find(request);
      if (hit) return hit;
      const lock = await this.#locks.take(key, seen);
      if (lock) return this.#give(lock, request);
      if (pollMs === FIRST_POLL_MS) this.#counts.waits++;
      const leftMs = lockTimeoutMs - (performance.now() - started);
      if (leftMs <= 0) throw timeout(request);
      await this.#locks.wait(key, Math.min(pollMs, leftMs), signal);
    }
  }

  /** The lock is taken: the result may have come in between. */
  async #give(lock: Lock, request: CacheRequest): Promise<Found> {
    try {
      const hit = request.reset ? undefined : await this.#find(request);
      request.signal?.throwIfAborted();
      if (!hit) {
        this.#counts.misses++;
        return { state: "compute", lease: this.#lease(lock, request) };
      }
      await this.#locks.release(lock);
      return hit;
    } catch (error) {
      await this.#locks.release(lock).catch(() => {});
      throw error;
    }
  }

  #lease(lock: Lock, { key, maxAgeMs, labels }: CacheRequest): Lease {
    let ended = false;
    const abandon = async () => {
      if (ended) return;
      ended = true;
      await this.#locks.release(lock);
    };
    const commit = async ({ format, body }: { format: string; body: Uint8Array }) => {
      if (ended) return false;
      try {
        const { maxBytes } = this.#bounds;
        if (body.length > maxBytes) throw tooLarge(labels.name, body.length, maxBytes);
        const now = this.#now();
        const times = { createdAtMs: now, usedAtMs: now, maxAgeMs };
        const kept = await this.#entries.write(
          { key, ...labels, format, size: body.length, ...times },
          body,
          {
            name: this.#locks.nameOf(key),
            isHeld: (record) => this.#locks.isHeld(lock, record),
          },
        );
        ended = true;
        this.#locks.released(lock);
        if (kept) this.#counts.commits++;
        return kept;
      } catch (error) {
        await abandon().catch(() => {});
        throw error;
      }
    };
    return { abandon, commit: (result) => this.#follow(commit(result)) };
  }

  async #find({ key, maxAgeMs, makeRoom = async () => {} }: CacheRequest): Promise<Found | undefined> {
    const now = this.#now();
    const isWanted = ({ createdAtMs }: Entry) => {
      const ageMs = now - createdAtMs;
      return ageMs <= maxAgeMs && ageMs >= -SKEW_MS;
    };
    const found = await this.#entries.read(key, isWanted, makeRoom);
    if (found === "damaged") {
      this.#counts.damaged++;
      this.#onProblem(`The cached result ${key} is damaged, or was not written here: it is computed again`);
      return undefined;
    }
    if (!found) return undefined;
    this.#counts.hits++;
    if (now - found.entry.usedAtMs > TOUCH_MS) this.#later(this.#entries.touch(found.entry, now));
    return { state: "hit", ...found };
  }

  /** Removes what nothing will use any more, once an hour for all processes. */
  async #sweep(): Promise<void> {
    const now = this.#now();
    let isDue = false;
    await this.#store.update(SWEPT.collection, SWEPT.key, (record) => {
      const last = typeof record?.value === "number" ? record.value : 0;
      isDue = Math.abs(now - last) > HOUR_MS;
      return isDue ? { value: now } : undefined;
    });
    if (!isDue) return;
    await this.#locks.sweep();
    await this.#entries.remove(({ createdAtMs, maxAgeMs }) => createdAtMs + maxAgeMs < now);
    await this.#entries.removeStrays(HOUR_MS);
  }

  /** Lets something go on that nobody waits for. */
  #later(work: Promise<void>): void {
    this.#follow(work).catch((error) => {
      this.#onProblem(`Looking after the cache failed: ${(error as Error).message}`);
    });
  }

  async #follow<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}

function timeout({ labels, lockTimeoutMs }: CacheRequest): CacheError {
  return new CacheError(
    `Waited ${lockTimeoutMs / 1000} s for another run that computes ${JSON.stringify(labels.name)} with the same arguments: wait longer, or see why that takes so long`,
    { code: "timeout" },
  );
}

function tooLarge(name: string, size: number, maxBytes: number): CacheError {
  return new CacheError(
    `Cannot keep the result of ${JSON.stringify(name)}: it has ${size} bytes, and the cache holds ${maxBytes}`,
    { code: "size" },
  );
}
