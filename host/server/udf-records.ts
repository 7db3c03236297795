/** How saved UDFs are kept (registry.ts says where). */
import type { Change, Json, RecordName, Store, StoreRecord } from "../store/store.ts";
import type { SavedUdf } from "./parts.ts";

export const UDFS = "server.udfs";
export const VERSIONS = "server.udf-versions";
export const SLUGS = "server.udf-slugs";
export const PUBLIC = "server.udf-public";

/** The value of a record; its bytes are the body. */
export type Meta = Omit<SavedUdf, "id" | "body" | "collection">;

/** What an index knows of a UDF. */
export interface Listed {
  id: string;
  kind: SavedUdf["kind"];
  teamRead: boolean;
  publicList: boolean;
}

export function metaOf({ id: _id, body: _body, collection: _collection, ...meta }: SavedUdf): Meta {
  return meta;
}

export const listedOf = (id: string, { kind, teamRead, publicList }: Meta): Listed => ({
  id,
  kind,
  teamRead,
  publicList,
});

export const slugKey = (ownerId: string, collectionId: string, slug: string) =>
  `${ownerId}/${collectionId}/${slug}`;
export const publicKey = (slug: string, id: string) => `${slug}/${id}`;
export const versionKey = (id: string, version: number) => `${id}/${String(version).padStart(10, "0")}`;

/** The value of a record as what it is. */
export const readAs = <Value>(record: StoreRecord) => record.value as unknown as Value;

/** A record as it will be. */
export const recordOf = (value: object, bytes?: Uint8Array) => ({ value: value as unknown as Json, bytes });

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
