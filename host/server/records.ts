/** Reading and writing records of the store as what they are. */
import type { Change, Json, RecordName, Store, StoreRecord } from "../store/store.ts";

/** The value of a record as what it is. */
export const readAs = <Value>(record: StoreRecord) => record.value as unknown as Value;

/** A record as it will be. */
export const recordOf = (value: object, bytes?: Uint8Array) => ({ value: value as unknown as Json, bytes });

/** A record without its bytes, which lists leave out. */
export async function headOf(
  store: Store,
  collection: string,
  key: string,
): Promise<StoreRecord | undefined> {
  const [record] = await store.list(collection, { prefix: key, limit: 1 });
  return record?.key === key ? record : undefined;
}

/** Reads an index to its end. */
export async function* scan(store: Store, collection: string, prefix: string): AsyncGenerator<StoreRecord> {
  const limit = 1000;
  for (let after = ""; ; ) {
    const page = await store.list(collection, { prefix, after, limit });
    yield* page;
    if (page.length < limit) return;
    after = page.at(-1)!.key;
  }
}

/** Deletes records in one transaction; those that are not there are no error. */
export async function deleteAll(store: Store, names: readonly RecordName[]): Promise<void> {
  if (names.length > 0) await store.transact(names, () => names.map(() => null));
}

/** A transaction, record by record. */
export class Changes {
  readonly #names: RecordName[] = [];
  readonly #changes: ((found: StoreRecord | undefined) => Change)[] = [];

  add(collection: string, key: string, change: (found: StoreRecord | undefined) => Change): void {
    this.#names.push({ collection, key });
    this.#changes.push(change);
  }

  async make(store: Store): Promise<void> {
    await store.transact(this.#names, (found) => this.#changes.map((change, at) => change(found[at])));
  }
}
