/**
 * How much each owner may hold in `fd://`. What is going to be written is noted first, in a database that all processes (or
 * pages) share, so that writers at the same time never have more than the limit together. Nothing is given back: what was
 * replaced, deleted or thrown away shows when all is counted anew, which happens once a note would pass the limit. A count knows
 * what this process is writing meanwhile; of other processes it may miss that: at most a part of each file that they write.
 */
import { UsageError } from "../../runtime/errors.ts";
import { StoreError } from "../store/errors.ts";
import type { Json, Store } from "../store/store.ts";
import { StorageError } from "./errors.ts";
import { type Location, locationUrl } from "./location.ts";

/** What somebody holds, or may hold. */
export interface Amount {
  bytes: number;
  /** Files and folders. */
  objects: number;
}

/** The most that one principal may hold in `fd://`. Default: 10 GiB and 100,000 files and folders. */
export type StorageQuota = Partial<Amount>;

const DEFAULTS: Amount = { bytes: 10 * 1024 ** 3, objects: 100_000 };

const COLLECTION = "storage.usage";

export interface QuotaOptions {
  quota: StorageQuota | undefined;
  store: Store;
}

export class Quota {
  readonly #most: Amount;
  readonly #store: Store;
  readonly #counting = new Map<string, Promise<void>>();
  /** What was noted by this process, and may not be there yet. */
  readonly #pending = new Map<string, Set<Amount>>();

  /** @throws UsageError for limits that are none */
  constructor({ quota = {}, store }: QuotaOptions) {
    for (const [name, value] of Object.entries(quota)) {
      if (!Object.hasOwn(DEFAULTS, name))
        throw new UsageError(
          `Cannot open the storage: quota.${name} is unknown; options are ${Object.keys(DEFAULTS).join(", ")}`,
        );
      if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
        throw new UsageError(
          `Cannot open the storage: quota.${name} must be a whole number from 0: received ${value}`,
        );
    }
    this.#most = { bytes: quota.bytes ?? DEFAULTS.bytes, objects: quota.objects ?? DEFAULTS.objects };
    this.#store = store;
  }

  /**
   * Notes what is going to be written.
   * @param owner whose it is, in at most 1000 bytes
   * @param count looks at all that the owner holds
   * @returns to be called when it is written, or failed
   * @throws StorageError "full" where that would be too much; then nothing is noted
   */
  async take(
    owner: string,
    { bytes, objects }: Amount,
    location: Location,
    count: () => Promise<Amount>,
  ): Promise<() => void> {
    const wanted = { bytes, objects };
    const landed = () => this.#forget(owner, wanted);
    if (await this.#note(owner, wanted)) return landed;
    const running = this.#counting.get(owner);
    if (running) {
      // It began before this call: what was deleted since may be in it.
      await running;
      if (await this.#note(owner, wanted)) return landed;
    }
    await this.#count(owner, count);
    if (await this.#note(owner, wanted)) return landed;
    const most = this.#most;
    throw new StorageError(
      "full",
      `Cannot write ${locationUrl(location)}: one principal may hold ${most.bytes} bytes in ${most.objects} files and folders here; delete some, or let the host allow more (storage.quota; of the command line FUSELET_STORAGE_BYTES and FUSELET_STORAGE_OBJECTS)`,
    );
  }

  /** @returns false where it is too much, or nobody has counted yet */
  async #note(owner: string, wanted: Amount): Promise<boolean> {
    let fits = false;
    let isNoted = false;
    const change: Parameters<Store["update"]>[2] = (found) => {
      const { noted, before } = readNote(found?.value);
      const next = { bytes: noted.bytes + wanted.bytes, objects: noted.objects + wanted.objects };
      fits =
        before !== null &&
        before.bytes + next.bytes <= this.#most.bytes &&
        before.objects + next.objects <= this.#most.objects;
      if (!fits) return undefined;
      // Before anybody can read the note.
      this.#pending.set(owner, (this.#pending.get(owner) ?? new Set()).add(wanted));
      return { value: { noted: next, before } as unknown as Json };
    };
    try {
      await this.#update(owner, change);
      isNoted = fits;
    } finally {
      if (!isNoted) this.#forget(owner, wanted);
    }
    return isNoted;
  }

  #forget(owner: string, wanted: Amount): void {
    const pending = this.#pending.get(owner);
    if (pending?.delete(wanted) && pending.size === 0) this.#pending.delete(owner);
  }

  /** Counts; whoever wants it at the same time waits for the same count. */
  #count(owner: string, count: () => Promise<Amount>): Promise<void> {
    const begun = this.#counting.get(owner);
    if (begun) return begun;
    const counting = (async () => {
      const { noted } = readNote((await this.#store.get(COLLECTION, owner))?.value);
      // What is noted from here on comes on top of the count, and what may not be there yet, too.
      const before = { bytes: -noted.bytes, objects: -noted.objects };
      for (const amount of this.#pending.get(owner) ?? []) add(before, amount);
      add(before, await count());
      await this.#update(owner, (found) => ({
        value: { noted: readNote(found?.value).noted, before } as unknown as Json,
      }));
    })().finally(() => this.#counting.delete(owner));
    this.#counting.set(owner, counting);
    return counting;
  }

  /** What cannot be noted is not written. */
  async #update(owner: string, change: Parameters<Store["update"]>[2]): Promise<void> {
    try {
      await this.#store.update(COLLECTION, owner, change);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      const isFull = cause.code === "full";
      const why = isFull ? "the disk is full" : "the host cannot note how much there is";
      throw new StorageError(isFull ? "full" : "access", `Cannot write to fd://: ${why}`, { cause });
    }
  }
}

function add(to: Amount, { bytes, objects }: Amount): void {
  to.bytes += bytes;
  to.objects += objects;
}

/** All that was ever noted, and what must be added to it to say what is held now: null before the first count. */
interface Note {
  noted: Amount;
  before: Amount | null;
}

function readNote(value: Json | undefined): Note {
  const { noted, before } = (value ?? {}) as Record<string, Json>;
  const amount = readAmount(noted);
  return amount
    ? { noted: amount, before: readAmount(before) }
    : { noted: { bytes: 0, objects: 0 }, before: null };
}

function readAmount(value: Json | undefined): Amount | null {
  const { bytes, objects } = (value ?? {}) as Record<string, Json>;
  return Number.isSafeInteger(bytes) && Number.isSafeInteger(objects)
    ? { bytes: bytes as number, objects: objects as number }
    : null;
}
