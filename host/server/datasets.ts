/**
 * Datasets: folders that a team has registered, so that any place in one leads to it.
 *
 *     server.datasets        TEAM/ID      the dataset
 *     server.dataset-items   TEAM/ID      the files that were found in it, as bytes: a relative path a line
 *
 * The id is a hash of the place: a folder is registered once. Of `fd://` it is the owner's place, and nobody else's.
 */
import { sha256 } from "../cache/blobs.ts";
import type { Listing, StorageCall } from "../storage/driver.ts";
import { StorageError } from "../storage/errors.ts";
import { type Location, locationUrl, parseLocation } from "../storage/location.ts";
import type { Storage } from "../storage/storage.ts";
import type { Json, Store, StoreRecord } from "../store/store.ts";
import { HttpError, notFound } from "./errors.ts";
import { isId } from "./names.ts";
import type { User } from "./parts.ts";
import { deleteAll } from "./records.ts";

export interface Dataset {
  readonly id: string;
  /** The folder, with a slash at its end. */
  readonly location: string;
  readonly storage: Location["scheme"];
  readonly ownerId: string;
  readonly ownerEmail: string;
  readonly team: string;
  /** How many files were found when it was last looked at. */
  readonly items: number;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
}

export interface Visit {
  /** `timeout`: there is more than was looked at; `error`: the storage could not be read to its end. */
  status: "success" | "timeout" | "error";
  items: number;
  /** Those that were not known before. */
  newItems: number;
}

export interface Datasets {
  /** Registers a folder, and looks what Parquet files are in it. @throws HttpError 409, StorageError, PermissionDeniedError */
  register(user: User, url: string, call: StorageCall): Promise<{ dataset: Dataset; visit: Visit }>;
  /** The dataset with the longest path that a place lies in. @throws HttpError 404, StorageError "request" */
  find(user: User, url: string): Promise<Dataset>;
  /** Those that a user sees, the latest change first. */
  list(user: User): Promise<Dataset[]>;
  /** @throws HttpError 404 */
  byId(user: User, id: string): Promise<Dataset>;
  /** Forgets a dataset; its files stay. @throws HttpError 404; 403 for a teammate's */
  delete(user: User, id: string): Promise<void>;
}

const DATASETS = "server.datasets";
const ITEMS = "server.dataset-items";
/** Of one team: what one page of the store has. */
const MOST_DATASETS = 1000;
const MOST_ITEMS = 100_000;
const MOST_ITEM_BYTES = 32 * 1024 * 1024;
const VISIT_MS = 20_000;

export function openDatasets(store: Store, storage: Storage): Datasets {
  const ofTeam = (team: string) => store.list(DATASETS, { prefix: `${team}/`, limit: MOST_DATASETS });
  const visible = async (user: User): Promise<Dataset[]> =>
    (await ofTeam(user.team)).map(read).filter((dataset) => isSeenBy(user, dataset));
  const byId = async (user: User, id: string): Promise<Dataset> => {
    const found = isId(id) ? await store.get(DATASETS, `${user.team}/${id}`) : undefined;
    const dataset = found && read(found);
    if (!dataset || !isSeenBy(user, dataset)) throw notFound(`The dataset ${JSON.stringify(id)}`);
    return dataset;
  };
  return {
    byId,

    async list(user) {
      return (await visible(user)).sort((a, b) => (a.updated < b.updated ? 1 : -1));
    },

    async find(user, url) {
      const place = folderOf(parseLocation(url));
      const found = (await visible(user))
        .filter(({ location }) => place.startsWith(location))
        .sort((a, b) => b.location.length - a.location.length);
      if (!found[0]) throw notFound(`A dataset at ${JSON.stringify(url)}`);
      return found[0];
    },

    async register(user, url, call) {
      const folder = parseLocation(url);
      const location = folderOf(folder);
      const { status, paths } = await visit(storage, location, call);
      const isOwn = folder.scheme === "fd";
      const id = (await sha256(JSON.stringify([isOwn ? user.id : user.team, location]))).slice(0, 32);
      const key = `${user.team}/${id}`;
      if (!(await store.get(DATASETS, key)) && (await ofTeam(user.team)).length >= MOST_DATASETS)
        throw new HttpError(
          409,
          `Cannot register a dataset: a team has at most ${MOST_DATASETS}; delete some`,
        );
      const now = new Date().toISOString();
      let newItems = 0;
      const [kept] = await store.transact(
        [
          { collection: DATASETS, key },
          { collection: ITEMS, key },
        ],
        ([before, items]) => {
          const known = new Set(new TextDecoder().decode(items?.bytes ?? new Uint8Array()).split("\n"));
          newItems = paths.filter((path) => !known.has(path)).length;
          const { ownerId, ownerEmail, created } = before
            ? read(before)
            : { ownerId: user.id, ownerEmail: user.email, created: now };
          const value = {
            location,
            storage: folder.scheme,
            ownerId,
            ownerEmail,
            items: paths.length,
            created,
            updated: now,
          };
          return [{ value }, { value: null, bytes: new TextEncoder().encode(paths.join("\n")) }];
        },
      );
      return { dataset: read(kept as StoreRecord), visit: { status, items: paths.length, newItems } };
    },

    async delete(user, id) {
      const { ownerId } = await byId(user, id);
      if (ownerId !== user.id && !user.isAdmin)
        throw new HttpError(403, "Only who registered a dataset, or an admin, may delete it");
      const key = `${user.team}/${id}`;
      await deleteAll(store, [
        { collection: DATASETS, key },
        { collection: ITEMS, key },
      ]);
    },
  };
}

function read({ key, value }: StoreRecord): Dataset {
  const slash = key.lastIndexOf("/");
  const record = value as { readonly [name: string]: Json };
  return { ...record, id: key.slice(slash + 1), team: key.slice(0, slash) } as unknown as Dataset;
}

/** `fd://` is another storage for each user. */
const isSeenBy = (user: User, { storage, ownerId }: Dataset) => storage !== "fd" || ownerId === user.id;

/** A place as a folder: what begins with it lies in it. */
const folderOf = (location: Location) => locationUrl({ ...location, isFolder: true });

/** Looks for Parquet files. @throws what the first look throws */
async function visit(
  storage: Storage,
  location: string,
  call: StorageCall,
): Promise<{ status: Visit["status"]; paths: string[] }> {
  const started = performance.now();
  const paths: string[] = [];
  let bytes = 0;
  let after: string | null = null;
  do {
    let page: Listing;
    try {
      page = await storage.list(location, { recursive: true, after, limit: 1000 }, call);
    } catch (error) {
      if (after === null || !(error instanceof StorageError)) throw error;
      return { status: "error", paths };
    }
    for (const { url } of page.entries) {
      if (!/\.(geo)?parquet$/i.test(url)) continue;
      const path = url.slice(location.length);
      bytes += path.length * 4;
      if (paths.length >= MOST_ITEMS || bytes > MOST_ITEM_BYTES) return { status: "timeout", paths };
      paths.push(path);
    }
    after = page.next;
    if (after !== null && performance.now() - started > VISIT_MS) return { status: "timeout", paths };
  } while (after !== null);
  return { status: "success", paths };
}
