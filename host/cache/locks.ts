/**
 * One computes, others wait. A lock is a record that names its owner, and that the owner writes again every few seconds. It
 * is taken over when the owner has died, or when nothing was written for long. Who waits in the same process is woken at once;
 * others look again and again.
 */
import type { Json, RecordName, Store, StoreRecord } from "../store/store.ts";
import type { Owner } from "./owner.ts";

const COLLECTION = "cache.locks";

export interface Lock {
  readonly key: string;
  readonly token: string;
}

/** What one waiter has seen of a lock. Times are its own, so that clocks need not agree. */
export interface Seen {
  version: number;
  sinceMs: number;
}

export interface LocksOptions {
  store: Store;
  owner: Owner;
  /** How often a held lock is written again, in ms. Default 2000. */
  beatMs?: number;
  /** After how long without that it is taken over, in ms, if nobody knows whether its owner lives. Default 10,000. */
  staleMs?: number;
  /** The same for an owner that lives: it may be asleep. Default 60,000. */
  sleepMs?: number;
}

export class Locks {
  readonly #store: Store;
  readonly #owner: Owner;
  readonly #beatMs: number;
  readonly #staleMs: number;
  readonly #sleepMs: number;
  readonly #held = new Set<Lock>();
  readonly #waiting = new Map<string, Set<() => void>>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor({ store, owner, beatMs = 2000, staleMs = 10_000, sleepMs = 60_000 }: LocksOptions) {
    this.#store = store;
    this.#owner = owner;
    this.#beatMs = beatMs;
    this.#staleMs = staleMs;
    this.#sleepMs = sleepMs;
  }

  /** Where a lock's record is. */
  nameOf(key: string): RecordName {
    return { collection: COLLECTION, key };
  }

  /** Whether the record that is there is still this lock's. */
  isHeld(lock: Lock, record: StoreRecord | undefined): boolean {
    return record !== undefined && readLock(record.value).token === lock.token;
  }

  /**
   * Takes the lock if nobody has it.
   * @param seen the same object at each attempt of one waiter
   */
  async take(key: string, seen: Seen): Promise<Lock | undefined> {
    const found = await this.#store.get(COLLECTION, key);
    if (found && !(await this.#isDead(found, seen))) return undefined;
    const lock: Lock = { key, token: crypto.randomUUID() };
    const value = { token: lock.token, owner: await this.#owner.id() };
    const record = await this.#store.update(COLLECTION, key, (now) =>
      now?.version === found?.version ? { value } : undefined,
    );
    if (!this.isHeld(lock, record)) return undefined;
    this.#held.add(lock);
    this.#timer ??= setInterval(() => this.#beat(), this.#beatMs);
    return lock;
  }

  /** Gives a lock back. */
  async release(lock: Lock): Promise<void> {
    try {
      await this.#store.update(COLLECTION, lock.key, (now) => (this.isHeld(lock, now) ? null : undefined));
    } finally {
      this.released(lock);
    }
  }

  /** The record of a lock is gone, or another's: wakes who waits here. */
  released(lock: Lock): void {
    this.#held.delete(lock);
    if (this.#held.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#wake(lock.key);
  }

  /** Waits until the lock is given back in this process, the signal aborts, or so many ms have passed. */
  wait(key: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        waiting.delete(end);
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
      waiting.add(end);
    });
  }

  /** Removes locks whose owners have died. */
  async sweep(): Promise<void> {
    for (let after = ""; ; ) {
      const records = await this.#store.list(COLLECTION, { after, limit: 500 });
      for (const { key, value, version } of records) {
        if ((await this.#owner.isAlive(readLock(value).owner)) === false)
          await this.#store.update(COLLECTION, key, (now) => (now?.version === version ? null : undefined));
      }
      if (records.length < 500) return;
      after = records.at(-1)!.key;
    }
  }

  /** Ends all waiting. */
  wakeAll(): void {
    for (const key of [...this.#waiting.keys()]) this.#wake(key);
  }

  /** Gives back all locks. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#held].map((lock) => this.release(lock)));
    this.#owner.close();
  }

  #wake(key: string): void {
    for (const end of [...(this.#waiting.get(key) ?? [])]) end();
  }

  async #isDead({ version, value }: StoreRecord, seen: Seen): Promise<boolean> {
    if (seen.version !== version) Object.assign(seen, { version, sinceMs: performance.now() });
    const isAlive = await this.#owner.isAlive(readLock(value).owner);
    if (isAlive === false) return true;
    return performance.now() - seen.sinceMs > (isAlive ? this.#sleepMs : this.#staleMs);
  }

  /** Writes all held locks again. One that was taken over is forgotten: its owner finds out when it commits. */
  #beat(): void {
    for (const lock of this.#held) {
      this.#store
        .update(COLLECTION, lock.key, (now) =>
          now && this.isHeld(lock, now) ? { value: now.value } : undefined,
        )
        .then(
          (now) => {
            if (this.#held.has(lock) && !this.isHeld(lock, now)) this.released(lock);
          },
          // The disk may be full: then others take over when it is time.
          () => {},
        );
    }
  }
}

function readLock(value: Json): { token: string; owner: string } {
  const { token, owner } = (value ?? {}) as Record<string, Json>;
  return { token: typeof token === "string" ? token : "", owner: typeof owner === "string" ? owner : "" };
}
