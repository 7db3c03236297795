/**
 * The saved UDFs.
 *
 *     server.udfs            ID                          how it is now; its bytes are the body
 *     server.udf-versions    ID/0000000007               how it was
 *     server.udf-slugs       OWNER/COLLECTION/SLUG       to the id: one of a name in each collection
 *     server.udf-public      SLUG/ID                     those that everybody may read
 *
 * Who may do what is decided here:
 *
 *                  its owner   the owner's team           everybody who is signed in       admins
 *     read         yes         where `teamRead` is set    where `publicRead` is set        yes
 *     be listed    yes         where `teamRead` is set    where `publicList` is set too    as everybody
 *     write        yes         no                         no                               no
 *
 * Who goes to another team takes nothing along: what was saved before is the owner's alone until it is saved again.
 * An earlier version is read by those who may read the UDF, and might when that version was saved.
 * A shared token opens what shared-tokens.ts says, and no more.
 */
import type { UdfSource } from "../../runtime/udf.ts";
import type { Store, StoreRecord } from "../store/store.ts";
import { type Collection, type Collections, DEFAULT } from "./collections.ts";
import { HttpError, notFound } from "./errors.ts";
import { isId, isName } from "./names.ts";
import type { SavedUdf, UdfDetails, User } from "./parts.ts";
import { headOf, readAs, scan } from "./records.ts";
import { sourceFromBody } from "./udf-body.ts";
import { type Listed, type Meta, PUBLIC, SLUGS, slugKey, UDFS, VERSIONS, versionKey } from "./udf-records.ts";
import { makeSaves, type UdfToSave } from "./udf-saves.ts";
import type { Users } from "./users.ts";

/** A part of a list. */
export interface Page {
  /** Default: all. */
  kind?: SavedUdf["kind"] | undefined;
  skip: number;
  limit: number;
}

/** What a version is known by. */
export interface VersionEntry {
  version: number;
  /** ISO 8601: when it was saved. */
  saved: string;
}

/** The saved UDFs. Who may not see one is told that there is none. */
export interface Registry {
  byId(id: string): Promise<SavedUdf | null>;
  /** For lists of what names UDFs: their bodies together may fill memory. */
  details(id: string): Promise<UdfDetails | null>;
  /** Of one owner. */
  bySlug(ownerId: string, slug: string, collection?: string): Promise<SavedUdf | null>;
  /**
   * What a slug, an id, `team/slug`, `handle/slug` or `email/slug` means to a user. A slug alone is the user's own, else the team's: one
   * that anybody may have published needs its owner or its id, or publishing a name would run code as those who use it.
   * @param collection default: `default`, as it always is for `team/slug`
   */
  find(user: User, name: string, collection?: string): Promise<SavedUdf | null>;
  canRead(user: User, saved: UdfDetails): boolean;
  /** The source that runs. @throws UdfLoadError where the body is no UDF */
  sourceOf(saved: Pick<SavedUdf, "body" | "slug"> & Partial<Pick<SavedUdf, "collection">>): UdfSource;
  /** @throws HttpError 404 */
  toRead(user: User, id: string): Promise<SavedUdf>;
  /** @throws HttpError 404; 403 where the user may only read it */
  toWrite(user: User, id: string): Promise<SavedUdf>;
  /** @throws HttpError 404, 403, 409 for a name that is taken or a version that is not the last, 413, 422; UdfLoadError */
  save(user: User, udf: UdfToSave): Promise<SavedUdf>;
  /** With all its versions. */
  delete(udf: SavedUdf): Promise<void>;
  /** Deletes a UDF whose collection is gone: whoever deleted that was ended too early. @returns whether it was one */
  deleteOrphan(id: string): Promise<boolean>;
  /** One's own, by collection and name. */
  listOf(user: User, page: Page): Promise<SavedUdf[]>;
  /** Those of the whole team. */
  listOfTeam(user: User, page: Page): Promise<SavedUdf[]>;
  listPublic(page: Page): Promise<SavedUdf[]>;
  /** All that are in a collection. */
  idsIn(collection: Collection): Promise<string[]>;
  inCollection(collection: Collection, slug: string): Promise<SavedUdf | null>;
  /** The team's of that name: one's own, else the oldest that one may read. */
  ofTeam(user: User, slug: string, collection?: string): Promise<SavedUdf | null>;
  /** The oldest public one of that name: nobody takes the place of one by a later one. */
  publicBySlug(slug: string, collection?: string): Promise<SavedUdf | null>;
  /** Those that a user may read, the last first: what was kept from others when it was saved is kept from them for good. */
  versions(user: User, udf: SavedUdf): Promise<VersionEntry[]>;
  /** Null for one that this user may not read, too. */
  version(user: User, udf: SavedUdf, version: number): Promise<SavedUdf | null>;
}

/** Of the bodies of a page of a list: whoever wants all asks again. */
const MOST_PAGE_BYTES = 32 * 1024 * 1024;

export function openRegistry(store: Store, users: Users, collections: Collections): Registry {
  const describe = async (record: StoreRecord, id: string): Promise<UdfDetails> => {
    const meta = readAs<Meta>(record);
    const [collection, owner] = await Promise.all([
      collections.byId(meta.collectionId),
      users.byId(meta.ownerId),
    ]);
    const team = owner?.team === meta.team ? meta.team : null;
    return { ...meta, id, team, collection: collection?.name ?? DEFAULT };
  };
  const read = async (record: StoreRecord, id: string): Promise<SavedUdf> => ({
    ...(await describe(record, id)),
    body: new TextDecoder().decode(record.bytes),
  });
  const byId = async (id: string) => {
    const record = isId(id) ? await store.get(UDFS, id) : undefined;
    return record ? read(record, id) : null;
  };
  const inCollection: Registry["inCollection"] = async ({ ownerId, id }, slug) => {
    const record = isName(slug) ? await store.get(SLUGS, slugKey(ownerId, id, slug)) : undefined;
    return record ? byId(readAs<Listed>(record).id) : null;
  };
  const bySlug = async (ownerId: string, slug: string, name = DEFAULT) => {
    const collection = await collections.byName(ownerId, name);
    return collection && inCollection(collection, slug);
  };
  const canRead = (user: User, udf: Pick<SavedUdf, "ownerId" | "team" | "publicRead" | "teamRead">) =>
    udf.ownerId === user.id || user.isAdmin || udf.publicRead || isOfTeam(user)(udf);
  const toRead: Registry["toRead"] = async (user, id) => {
    const udf = await byId(id);
    if (udf && canRead(user, udf)) return udf;
    throw notFound(`The UDF ${JSON.stringify(id)}`);
  };
  const toWrite: Registry["toWrite"] = async (user, id) => {
    const udf = await toRead(user, id);
    if (udf.ownerId === user.id) return udf;
    throw new HttpError(403, `The UDF ${JSON.stringify(udf.slug)} is somebody else's: save a copy of it`);
  };
  const teammates = async (user: User) => (await users.ofTeam(user.team)).filter(({ id }) => id !== user.id);
  const ofTeam: Registry["ofTeam"] = async (user, slug, collection) => {
    const own = await bySlug(user.id, slug, collection);
    if (own) return own;
    const found = await Promise.all((await teammates(user)).map(({ id }) => bySlug(id, slug, collection)));
    return oldest(found.filter((udf) => udf !== null).filter(isOfTeam(user)));
  };
  /** Reads those of some indexes that count, as far as a page goes. */
  const page = async (
    indexes: readonly [collection: string, prefix: string][],
    { kind, skip, limit }: Page,
    counts: (listed: Listed) => boolean,
  ): Promise<SavedUdf[]> => {
    const found: SavedUdf[] = [];
    let left = skip;
    let bytes = 0;
    for (const index of indexes) {
      for await (const record of scan(store, ...index)) {
        const listed = readAs<Listed>(record);
        if ((kind && listed.kind !== kind) || !counts(listed) || left-- > 0) continue;
        const udf = await byId(listed.id);
        if (!udf) continue;
        bytes += udf.body.length;
        if (found.length > 0 && bytes > MOST_PAGE_BYTES) return found;
        found.push(udf);
        if (found.length === limit) return found;
      }
    }
    return found;
  };
  const ownIndex = ({ id }: User): [string, string] => [SLUGS, `${id}/`];
  return {
    byId,
    async details(id) {
      const record = isId(id) ? await headOf(store, UDFS, id) : undefined;
      return record ? describe(record, id) : null;
    },
    bySlug,
    inCollection,
    canRead,
    toRead,
    toWrite,
    ofTeam,
    ...makeSaves({ store, collections, byId, toWrite }),
    sourceOf: ({ body, slug, collection }) => sourceFromBody(body, slug, collection),

    async find(user, name, collection) {
      const slash = name.indexOf("/");
      if (slash < 0) {
        const known = await byId(name);
        return known && canRead(user, known) ? known : ofTeam(user, name, collection);
      }
      const [owner, slug] = [name.slice(0, slash), name.slice(slash + 1)];
      if (owner === "team") return ofTeam(user, slug);
      const found = owner.includes("@") ? await users.byEmail(owner) : await users.byHandle(owner);
      const udf = found && (await bySlug(found.id, slug, collection));
      return udf && canRead(user, udf) ? udf : null;
    },

    listOf: (user, wanted) => page([ownIndex(user)], wanted, () => true),
    listOfTeam: async (user, wanted) =>
      page([user, ...(await teammates(user))].map(ownIndex), wanted, isOfTeam(user)),
    listPublic: (wanted) => page([[PUBLIC, ""]], wanted, ({ publicList }) => publicList),

    async idsIn({ ownerId, id }) {
      const ids: string[] = [];
      for await (const record of scan(store, SLUGS, `${ownerId}/${id}/`)) ids.push(readAs<Listed>(record).id);
      return ids;
    },

    async publicBySlug(slug, collection = DEFAULT) {
      const found: SavedUdf[] = [];
      if (!isName(slug)) return null;
      for await (const record of scan(store, PUBLIC, `${slug}/`)) {
        const udf = await byId(readAs<Listed>(record).id);
        if (udf?.publicRead && udf.collection === collection) found.push(udf);
      }
      return oldest(found);
    },

    async versions(user, { id, version, updated }) {
      const entries: VersionEntry[] = [];
      for await (const record of scan(store, VERSIONS, `${id}/`)) {
        const old = readAs<Meta>(record);
        if (canRead(user, old)) entries.push({ version: old.version, saved: old.updated });
      }
      return [...entries, { version, saved: updated }].reverse();
    },

    async version(user, udf, version) {
      if (version === udf.version) return udf;
      const record = await store.get(VERSIONS, versionKey(udf.id, version));
      return record && canRead(user, readAs<Meta>(record)) ? read(record, udf.id) : null;
    },
  };
}

const oldest = (udfs: readonly SavedUdf[]): SavedUdf | null =>
  udfs.reduce<SavedUdf | null>((first, udf) => (first && first.created <= udf.created ? first : udf), null);

/** Whether the team of a user may read a UDF. */
const isOfTeam =
  (user: User) =>
  ({ team, teamRead }: Pick<SavedUdf, "team" | "teamRead">) =>
    teamRead && team === user.team;
