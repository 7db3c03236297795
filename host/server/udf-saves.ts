/** How UDFs are saved and deleted: each is one transaction over all that the registry keeps of them. */
import type { Store } from "../store/store.ts";
import { COLLECTIONS, type Collections } from "./collections.ts";
import { HttpError, notFound } from "./errors.ts";
import { checkName } from "./names.ts";
import type { SavedUdf, User } from "./parts.ts";
import { Changes, readAs, recordOf, scan } from "./records.ts";
import { readBody, sourceFromBody, UDF_ID, withoutId } from "./udf-body.ts";
import {
  type Listed,
  listedOf,
  type Meta,
  metaOf,
  PUBLIC,
  publicKey,
  SLUGS,
  slugKey,
  UDFS,
  VERSIONS,
  versionKey,
} from "./udf-records.ts";

/** What is saved. Undefined: as it is, or as it is by default. */
export interface UdfToSave {
  /** The UDF that gets another version. Default: a new one. */
  id?: string | undefined;
  /** Default: the body's name. */
  slug?: string | undefined;
  body: string;
  /** `app`, or any of the wire's other kinds. */
  type?: string | undefined;
  publicRead?: boolean | undefined;
  publicList?: boolean | undefined;
  /** Default: true. */
  teamRead?: boolean | undefined;
  collectionId?: string | undefined;
  /** The version that it is a change of: it is refused where that is not the last. */
  ifVersion?: number | undefined;
}

export interface SavesOptions {
  store: Store;
  collections: Collections;
  byId(id: string): Promise<SavedUdf | null>;
  /** @throws HttpError 404, 403 */
  toWrite(user: User, id: string): Promise<SavedUdf>;
}

/** Of one user. */
const MOST_UDFS = 10_000;
/** Of one UDF, beside the last; older ones are dropped. Of long ones fewer are kept. */
const MOST_VERSIONS = 100;
const MOST_VERSION_BYTES = 64 * 1024 * 1024;
const MOST_BODY_BYTES = 16 * 1024 * 1024;
const MOST_TRIES = 5;

/** Somebody else has written meanwhile. */
class Raced extends Error {}

export function makeSaves({ store, collections, byId, toWrite }: SavesOptions) {
  /** The keys of earlier versions of a UDF that go when one of so many bytes is added. */
  const tooOld = async (id: string, bytes: number): Promise<string[]> => {
    const keys: string[] = [];
    const kept = await store.list(VERSIONS, { prefix: `${id}/`, limit: 1000 });
    let [count, total] = [1, bytes];
    for (const record of kept.reverse()) {
      count++;
      total += readAs<{ bytes?: number }>(record).bytes ?? 0;
      if (count > MOST_VERSIONS || total > MOST_VERSION_BYTES) keys.push(record.key);
    }
    return keys;
  };
  const trySave = async (user: User, wanted: UdfToSave): Promise<SavedUdf> => {
    const old = wanted.id === undefined ? null : await toWrite(user, wanted.id);
    const collectionId = wanted.collectionId ?? old?.collectionId;
    const collection = await (collectionId === undefined
      ? collections.defaultOf(user)
      : collections.byId(collectionId));
    if (collection?.ownerId !== user.id) throw notFound(`The collection ${JSON.stringify(collectionId)}`);
    const slug = checkName("a UDF", wanted.slug ?? old?.slug ?? nameIn(wanted.body));
    const id = old?.id ?? crypto.randomUUID();
    const { body, bytes } = checkBody(wanted.body, slug, id);
    const meta = metaFor(user, wanted, old, slug, collection.id);
    const listed = recordOf(listedOf(id, meta));
    const changes = new Changes();
    changes.add(UDFS, id, (found) => {
      checkSame(found && readAs<Meta>(found), old);
      return recordOf(meta, bytes);
    });
    changes.add(SLUGS, slugKey(user.id, collection.id, slug), (found) => {
      if (found && readAs<Listed>(found).id !== id) throw taken(slug, collection.name);
      return listed;
    });
    changes.add(COLLECTIONS, collection.id, (found) => {
      if (!found) throw new Raced();
      return undefined;
    });
    changes.add(PUBLIC, publicKey(slug, id), () => (meta.publicRead ? listed : null));
    if (old) {
      const oldBytes = new TextEncoder().encode(old.body);
      for (const key of await tooOld(id, oldBytes.length)) changes.add(VERSIONS, key, () => null);
      changes.add(VERSIONS, versionKey(id, old.version), () =>
        recordOf({ ...metaOf(old), bytes: oldBytes.length }, oldBytes),
      );
      if (old.slug !== slug || old.collectionId !== collection.id)
        changes.add(SLUGS, slugKey(user.id, old.collectionId, old.slug), () => null);
      if (old.slug !== slug) changes.add(PUBLIC, publicKey(old.slug, id), () => null);
    }
    if (wanted.ifVersion !== undefined && wanted.ifVersion !== (old?.version ?? 0)) throw changed(old);
    await changes.make(store);
    return { ...meta, id, collection: collection.name, body };
  };

  /** @returns whether it was there, and an orphan if it had to be one */
  const tryDelete = async (id: string, isOrphan = false): Promise<boolean> => {
    const udf = await byId(id);
    if (!udf || (isOrphan && (await collections.byId(udf.collectionId)))) return false;
    const changes = new Changes();
    changes.add(UDFS, id, (found) => {
      checkSame(found && readAs<Meta>(found), udf);
      return null;
    });
    changes.add(SLUGS, slugKey(udf.ownerId, udf.collectionId, udf.slug), () => null);
    changes.add(PUBLIC, publicKey(udf.slug, id), () => null);
    for await (const { key } of scan(store, VERSIONS, `${id}/`)) changes.add(VERSIONS, key, () => null);
    await changes.make(store);
    return true;
  };

  return {
    /** @throws HttpError 404, 403, 409 for a name that is taken or a version that is not the last, 413, 422; UdfLoadError */
    async save(user: User, udf: UdfToSave): Promise<SavedUdf> {
      if (udf.id === undefined && (await countOf(store, user)) >= MOST_UDFS)
        throw new HttpError(409, `Cannot save the UDF: a user has at most ${MOST_UDFS}`);
      return again(() => trySave(user, udf));
    },
    /** With all its versions. */
    delete: async ({ id }: SavedUdf): Promise<void> => {
      await again(() => tryDelete(id));
    },
    /** The same for one whose collection is gone. @returns whether it was one */
    deleteOrphan: (id: string): Promise<boolean> => again(() => tryDelete(id, true)),
  };
}

function metaFor(
  user: User,
  wanted: UdfToSave,
  old: SavedUdf | null,
  slug: string,
  collectionId: string,
): Meta {
  const now = new Date().toISOString();
  const publicRead = wanted.publicRead ?? old?.publicRead ?? false;
  const type = wanted.type ?? old?.type ?? "auto";
  return {
    slug,
    collectionId,
    ownerId: user.id,
    team: user.team,
    kind: type === "app" ? "app" : "udf",
    type,
    publicRead,
    publicList: publicRead && (wanted.publicList ?? old?.publicList ?? false),
    teamRead: wanted.teamRead ?? old?.teamRead ?? true,
    version: (old?.version ?? 0) + 1,
    created: old?.created ?? now,
    updated: now,
  };
}

async function again<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Raced)) throw error;
    }
  }
  throw changed(null);
}

function checkSame(found: Meta | undefined, wanted: SavedUdf | null): void {
  if (found?.version !== wanted?.version) throw new Raced();
}

async function countOf(store: Store, { id }: User): Promise<number> {
  let count = 0;
  for await (const _ of scan(store, SLUGS, `${id}/`)) count++;
  return count;
}

/**
 * @param id under which it is saved @returns what is kept of it
 * @throws HttpError 413, 422; UdfLoadError where it is no UDF
 */
function checkBody(text: string, slug: string, id: string): { body: string; bytes: Uint8Array } {
  if (!text.isWellFormed()) throw new HttpError(422, "Cannot save the UDF: its body is no well-formed text");
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MOST_BODY_BYTES)
    throw new HttpError(413, `Cannot save the UDF: its body is larger than ${MOST_BODY_BYTES / 2 ** 20} MB`);
  const said = sourceFromBody(text, slug).metadata[UDF_ID];
  if (said === undefined || said === id) return { body: text, bytes };
  const body = withoutId(text);
  return { body, bytes: new TextEncoder().encode(body) };
}

function nameIn(body: string): string {
  const { name } = readBody(body);
  if (typeof name === "string") return name;
  throw new HttpError(422, "Cannot save the UDF: it has neither a slug nor a name");
}

const taken = (slug: string, collection: string) =>
  new HttpError(
    409,
    `There is a UDF ${JSON.stringify(slug)} already in the collection ${JSON.stringify(collection)}`,
  );

const changed = (last: SavedUdf | null) =>
  new HttpError(
    409,
    `The UDF was changed meanwhile${last ? `: its version is ${last.version}` : ""}. Load it again, and save then`,
  );
