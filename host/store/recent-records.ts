/**
 * Records that were read of late, kept in memory while they are what the database has: whoever reads says which version of the whole
 * database is there, and whoever writes which records have changed.
 */
import { type RecordName, type Row, readRow, type StoreRecord } from "./store.ts";

const MOST = 10_000;
/** What is larger than this, as text and bytes, is not kept. */
const MOST_BYTES = 16 * 1024;

export class RecentRecords {
  /** The last used is last. Undefined: there is no such record. */
  readonly #records = new Map<string, StoreRecord | undefined>();
  #version: number | undefined;

  /** @param version another one once somebody else has written @param read reads it from the database */
  get(
    { collection, key }: RecordName,
    version: number,
    read: () => Row | undefined,
  ): StoreRecord | undefined {
    if (version !== this.#version) this.#records.clear();
    this.#version = version;
    const name = `${collection}\n${key}`;
    const isKnown = this.#records.has(name);
    const row = isKnown ? undefined : read();
    const record = isKnown ? this.#records.get(name) : row && freeze(readRow(row));
    this.#records.delete(name);
    if (row && row.text.length + (row.bytes?.length ?? 0) > MOST_BYTES) return record;
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
