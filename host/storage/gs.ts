/** `gs://`: Google Cloud Storage, by its JSON API. */
import type {
  Driver,
  Entry,
  GetOptions,
  Listing,
  ListOptions,
  OpenDriver,
  SignOptions,
  Upload,
  WriteOptions,
} from "./driver.ts";
import { failure, GsService, objectPath, objectsPath } from "./gs-service.ts";
import { GsUpload } from "./gs-upload.ts";
import { below, type Location, locationUrl, nameOf } from "./location.ts";
import { deleteKeys, keyPrefix, rangeHeader } from "./objects.ts";
import { changed } from "./refusals.ts";
import { giveUp, readText, received, type Send } from "./send.ts";
import { readServiceAccount } from "./service-account.ts";

export interface GsOptions {
  send: Send;
  /** The text of a service account's key file (JSON). A UDF never sees it. */
  key: string;
  /** Default: https://storage.googleapis.com. */
  endpoint?: string;
}

const FIELDS = "name,size,updated,generation";

/**
 * Opens Google Cloud Storage.
 * @throws UsageError where the key is none
 */
export function gsDriver({ send, key, endpoint = "https://storage.googleapis.com" }: GsOptions): OpenDriver {
  const service = new GsService(send, readServiceAccount(key, send), new URL(endpoint).origin);
  return ({ signal }) => new GsDriver(service, signal);
}

class GsDriver implements Driver {
  readonly #service: GsService;
  readonly #signal: AbortSignal;

  constructor(service: GsService, signal: AbortSignal) {
    this.#service = service;
    this.#signal = signal;
  }

  async list(folder: Location, { recursive, after, limit }: ListOptions): Promise<Listing> {
    const prefix = keyPrefix(folder);
    const page = await this.#page(folder, after, limit, recursive ? [] : [["delimiter", "/"]]);
    const entries: Entry[] = [];
    for (const item of page.items ?? []) {
      const name = item.name.slice(prefix.length);
      const location = name.endsWith("/") ? null : below(folder, name);
      if (location) entries.push(entryOf(location, item));
    }
    for (const folderPrefix of page.prefixes ?? []) {
      const location = below(folder, folderPrefix.slice(prefix.length));
      if (location) entries.push(entryOf(location, null));
    }
    entries.sort((a, b) => (a.url < b.url ? -1 : 1));
    return { entries, next: page.nextPageToken ?? null };
  }

  async head(location: Location): Promise<Entry | null> {
    if (location.isFolder) return null;
    const answer = await this.#service.request("GET", objectPath(location), {
      query: [["fields", FIELDS]],
      signal: this.#signal,
    });
    if (answer.status === 404) {
      await giveUp(answer.body);
      return null;
    }
    if (answer.status !== 200) throw await failure(answer, "look at", location);
    return entryOf(location, JSON.parse(await readText(answer)) as Item);
  }

  async get(location: Location, { range, etag }: GetOptions): Promise<AsyncIterable<Uint8Array>> {
    const query: [string, string][] = [["alt", "media"]];
    if (etag !== null) query.push(["ifGenerationMatch", etag]);
    // As it is stored: what is kept compressed has its size in that form.
    const headers: Record<string, string> = { "accept-encoding": "gzip" };
    if (range) headers.range = rangeHeader(range);
    const answer = await this.#service.request("GET", objectPath(location), {
      query,
      headers,
      signal: this.#signal,
    });
    if (answer.status === (range ? 206 : 200)) return received(answer.body, "Google Cloud Storage");
    if (answer.status === 416) {
      await giveUp(answer.body);
      return (async function* () {})();
    }
    if (answer.status === 412 || (answer.status === 404 && etag !== null)) {
      await giveUp(answer.body);
      throw changed(location);
    }
    throw await failure(answer, "read", location);
  }

  async write(location: Location, options: WriteOptions): Promise<Upload> {
    return new GsUpload(this.#service, location, options);
  }

  async delete(location: Location): Promise<boolean> {
    return this.#deleteKey(location, location.path);
  }

  async deleteFolder(folder: Location, maxDepth: number): Promise<boolean> {
    const keys: string[] = [];
    for (let after: string | null = null, first = true; first || after !== null; first = false) {
      const page: Page = await this.#page(folder, after, 1000, []);
      for (const { name } of page.items ?? []) keys.push(name);
      after = page.nextPageToken ?? null;
    }
    return deleteKeys(folder, keys, maxDepth, async (key) => void (await this.#deleteKey(folder, key)));
  }

  sign(location: Location, { method, expiresSeconds }: SignOptions): Promise<string> {
    return this.#service.presign(location, method, expiresSeconds);
  }

  async #page(
    folder: Location,
    after: string | null,
    limit: number,
    more: [string, string][],
  ): Promise<Page> {
    const query: [string, string][] = [
      ["prefix", keyPrefix(folder)],
      ["maxResults", String(limit)],
      ["fields", `items(${FIELDS}),prefixes,nextPageToken`],
      ...more,
    ];
    if (after !== null) query.push(["pageToken", after]);
    const answer = await this.#service.request("GET", objectsPath(folder), { query, signal: this.#signal });
    if (answer.status !== 200) throw await failure(answer, "list", folder);
    return JSON.parse(await readText(answer)) as Page;
  }

  async #deleteKey(location: Location, key: string): Promise<boolean> {
    const answer = await this.#service.request("DELETE", objectPath(location, key), { signal: this.#signal });
    if (answer.status !== 204 && answer.status !== 404) throw await failure(answer, "delete", location);
    await giveUp(answer.body);
    return answer.status === 204;
  }
}

interface Item {
  name: string;
  /** A number as text. */
  size: string;
  updated: string;
  generation: string;
}

interface Page {
  items?: Item[];
  prefixes?: string[];
  nextPageToken?: string;
}

function entryOf(location: Location, item: Item | null): Entry {
  const modified = item ? Date.parse(item.updated) : Number.NaN;
  return {
    url: locationUrl(location),
    name: nameOf(location),
    isDirectory: item === null,
    size: item ? Number(item.size) : null,
    modifiedMs: Number.isFinite(modified) ? modified : null,
    etag: item?.generation ?? null,
  };
}
