/** Collections of UDFs, which the published client calls canvases. Each user has their own, and one called `default`. */
import type { Json, Store, StoreRecord } from "../store/store.ts";
import { HttpError, notFound } from "./errors.ts";
import { checkName, isId, isName } from "./names.ts";
import type { User } from "./parts.ts";

/** Who may use what a collection's share token opens: whoever has the token, or the owner's team only. */
export type AccessScope = "public" | "team";

export interface Collection {
  readonly id: string;
  readonly ownerId: string;
  /** Whose team it was when it was changed last: where its owner has gone to another one, neither sees it. */
  readonly team: string;
  readonly name: string;
  readonly scope: AccessScope;
  /** Whether whoever has the share token may read code. */
  readonly publicRead: boolean;
  readonly previewUrl: string | null;
  /** ISO 8601. */
  readonly updated: string;
}

/** What can be said of a collection. Undefined: as it is. */
export interface CollectionChanges {
  name?: string | undefined;
  scope?: AccessScope | undefined;
  publicRead?: boolean | undefined;
  /** What the client keeps with it; the server does not read it. */
  dashboard?: string | undefined;
  previewUrl?: string | undefined;
  /** The owner's as it is now. */
  team?: string | undefined;
}

export interface Collections {
  byId(id: string): Promise<Collection | null>;
  byName(ownerId: string, name: string): Promise<Collection | null>;
  /** By itself: it may be large. */
  dashboardOf(id: string): Promise<string | null>;
  /** The user's `default`; it is made where it is not there. */
  defaultOf(user: User): Promise<Collection>;
  /** By name. */
  listOf(ownerId: string): Promise<Collection[]>;
  /** @throws HttpError 409 where the user has one of that name, 422 for a name that is none */
  add(user: User, wanted: CollectionChanges & { name: string }): Promise<Collection>;
  /** @throws HttpError 404 where it is gone, 409, 422 */
  update(id: string, changes: CollectionChanges): Promise<Collection>;
  /** What is in it is the registry's. */
  delete(collection: Collection): Promise<void>;
}

/** The registry's saves look here, in their transaction, whether the collection is still there. */
export const COLLECTIONS = "server.collections";
/** By the id; as bytes, JSON. */
const DASHBOARDS = "server.collection-dashboards";
/** `OWNER/NAME` to the id. */
const NAMES = "server.collection-names";
export const DEFAULT = "default";
/** Of one user. */
const MOST_COLLECTIONS = 1000;

export function openCollections(store: Store): Collections {
  const byId: Collections["byId"] = async (id) => {
    const record = isId(id) ? await store.get(COLLECTIONS, id) : undefined;
    return record ? read(record) : null;
  };
  const byName: Collections["byName"] = async (ownerId, name) => {
    const record = isName(name) ? await store.get(NAMES, nameKey(ownerId, name)) : undefined;
    return record ? byId(record.value as string) : null;
  };
  const namesOf = (ownerId: string) => store.list(NAMES, { prefix: `${ownerId}/`, limit: MOST_COLLECTIONS });
  const add: Collections["add"] = async (user, { name, scope, publicRead, dashboard, previewUrl }) => {
    checkName("a collection", name);
    if ((await namesOf(user.id)).length >= MOST_COLLECTIONS)
      throw new HttpError(409, `Cannot make a collection: a user has at most ${MOST_COLLECTIONS}`);
    const id = crypto.randomUUID();
    const value = {
      ownerId: user.id,
      team: user.team,
      name,
      scope: scope ?? "team",
      publicRead: publicRead ?? false,
      previewUrl: previewUrl ?? null,
      updated: new Date().toISOString(),
    };
    await store.transact(
      [
        { collection: COLLECTIONS, key: id },
        { collection: NAMES, key: nameKey(user.id, name) },
        { collection: DASHBOARDS, key: id },
      ],
      ([, taken]) => {
        if (taken) throw nameTaken(name);
        return [{ value }, { value: id }, dashboardRecord(dashboard)];
      },
    );
    return { id, ...value };
  };
  return {
    byId,
    byName,
    add,

    async dashboardOf(id) {
      const bytes = (await store.get(DASHBOARDS, id))?.bytes;
      if (bytes) return JSON.parse(new TextDecoder().decode(bytes)) as string;
      // Until version 0.1 it was a part of the collection.
      const kept = (await store.get(COLLECTIONS, id))?.value as { dashboard?: string | null } | undefined;
      return kept?.dashboard ?? null;
    },

    async defaultOf(user) {
      for (;;) {
        const found = await byName(user.id, DEFAULT);
        if (found) return found;
        try {
          return await add(user, { name: DEFAULT });
        } catch (error) {
          // Another request has just made it.
          if (!(error instanceof HttpError && error.status === 409 && (await byName(user.id, DEFAULT))))
            throw error;
        }
      }
    },

    async listOf(ownerId) {
      const found = await Promise.all((await namesOf(ownerId)).map(({ value }) => byId(value as string)));
      return found.filter((collection) => collection !== null);
    },

    async update(id, changes) {
      const old = await byId(id);
      if (!old) throw gone(id);
      const name = checkName("a collection", changes.name ?? old.name);
      if (name !== old.name && old.name === DEFAULT)
        throw new HttpError(409, `The collection ${DEFAULT} cannot have another name`);
      const names = [
        { collection: COLLECTIONS, key: id },
        { collection: DASHBOARDS, key: id },
      ];
      if (name !== old.name)
        names.push(
          { collection: NAMES, key: nameKey(old.ownerId, name) },
          { collection: NAMES, key: nameKey(old.ownerId, old.name) },
        );
      const [record] = await store.transact(names, ([now, , taken]) => {
        if (!now) throw gone(id);
        if ((now.value as { name: string }).name !== old.name)
          throw new HttpError(409, "The collection was changed meanwhile: load it again");
        if (taken) throw nameTaken(name);
        const value = {
          ...(now.value as { [field: string]: Json }),
          name,
          updated: new Date().toISOString(),
          ...(changes.team === undefined ? {} : { team: changes.team }),
          ...(changes.scope === undefined ? {} : { scope: changes.scope }),
          ...(changes.publicRead === undefined ? {} : { publicRead: changes.publicRead }),
          ...(changes.previewUrl === undefined ? {} : { previewUrl: changes.previewUrl }),
        };
        const changed = [{ value }, dashboardRecord(changes.dashboard), { value: id }, null];
        return changed.slice(0, names.length);
      });
      return read(record!);
    },

    async delete({ id, ownerId, name }) {
      await store.transact(
        [
          { collection: COLLECTIONS, key: id },
          { collection: NAMES, key: nameKey(ownerId, name) },
          { collection: DASHBOARDS, key: id },
        ],
        ([now, named]) => [now && null, named?.value === id ? null : undefined, null],
      );
    },
  };
}

const read = ({ key, value }: StoreRecord) => ({ ...(value as object), id: key }) as Collection;
/** Undefined: it stays as it is. */
const dashboardRecord = (text: string | undefined) =>
  text === undefined ? undefined : { value: null, bytes: new TextEncoder().encode(JSON.stringify(text)) };
const nameKey = (ownerId: string, name: string) => `${ownerId}/${name}`;
const gone = (id: string) => notFound(`The collection ${JSON.stringify(id)}`);
const nameTaken = (name: string) =>
  new HttpError(409, `There is a collection ${JSON.stringify(name)} already: choose another name`);
