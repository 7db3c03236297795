/**
 * Records that were read of late, kept in memory while they are what the database has: whoever reads says which version of the whole
 * database is there, and whoever writes which records have changed.
 */
import type { RecordName, StoreRecord } from "./store.ts";

const MOST = 10_000;
/** Of records with more bytes than this, none is kept. */
const MOST_BYTES = 16 * 1024;

export class RecentRecords {
  /** The last used is last. Undefined: there is no such record. */
  readonly #records = new Map<string, StoreRecord | undefined>();
  #version: number | undefined;

  /** @param version another one once somebody else has written @param read reads it from the database */
  get(
    { collection, key }: RecordName,
    version: number,
    read: () => StoreRecord | undefined,
  ): StoreRecord | undefined {
    if (version !== this.#version) this.#records.clear();
    this.#version = version;
    const name = `${collection}\n${key}`;
    const isKnown = this.#records.has(name);
    const record = isKnown ? this.#records.get(name) : freeze(read());
    this.#records.delete(name);
    if ((record?.bytes?.length ?? 0) > MOST_BYTES) return record;
    this.#records.set(name, record);
    if (this.#records.size > MOST) this.#records.delete(this.#records.keys().next().value as string);
    return record;
  }

  /** These were written here. */
  forget(names: readonly RecordName[]): void {
    for (const { collection, key } of names) this.#records.delete(`${collection}\n${key}`);
  }
}

/** Others get the same record: nobody changes it. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
