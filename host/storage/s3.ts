/** `s3://`: Amazon S3 and what speaks its protocol (MinIO, R2, Ceph, …), by its REST API. */
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
import { below, type Location, locationUrl, nameOf } from "./location.ts";
import { deleteKeys, keyPrefix, rangeHeader } from "./objects.ts";
import { changed } from "./refusals.ts";
import { failure, type S3Options, S3Service } from "./s3-service.ts";
import { S3Upload } from "./s3-upload.ts";
import { giveUp, readText, received } from "./send.ts";
import { elements, textOf } from "./xml.ts";

/**
 * Opens S3.
 * @throws StorageError of code "config" where the endpoint is no URL of http or https
 */
export function s3Driver(options: S3Options): OpenDriver {
  const service = new S3Service(options);
  return ({ signal }) => new S3Driver(service, signal);
}

class S3Driver implements Driver {
  readonly #service: S3Service;
  readonly #signal: AbortSignal;

  constructor(service: S3Service, signal: AbortSignal) {
    this.#service = service;
    this.#signal = signal;
  }

  async list(folder: Location, { recursive, after, limit }: ListOptions): Promise<Listing> {
    const prefix = keyPrefix(folder);
    const { xml, decode } = await this.#page(folder, {
      after,
      limit,
      more: recursive ? [] : [["delimiter", "/"]],
    });
    const entries: Entry[] = [];
    for (const item of elements(xml, "Contents")) {
      const name = decode(textOf(item, "Key") ?? "").slice(prefix.length);
      const location = name.endsWith("/") ? null : below(folder, name);
      if (location) {
        const modified = Date.parse(textOf(item, "LastModified") ?? "");
        entries.push(
          entryOf(location, { size: Number(textOf(item, "Size")), modified, etag: textOf(item, "ETag") }),
        );
      }
    }
    for (const item of elements(xml, "CommonPrefixes")) {
      const location = below(folder, decode(textOf(item, "Prefix") ?? "").slice(prefix.length));
      if (location) entries.push(entryOf(location, null));
    }
    entries.sort((a, b) => (a.url < b.url ? -1 : 1));
    return { entries, next: nextOf(xml) };
  }

  async head(location: Location): Promise<Entry | null> {
    if (location.isFolder) return null;
    const answer = await this.#service.request("HEAD", { location, signal: this.#signal });
    await giveUp(answer.body);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw await failure(answer, "look at", location);
    return entryOf(location, {
      size: Number(answer.header("content-length")),
      modified: Date.parse(answer.header("last-modified") ?? ""),
      etag: answer.header("etag"),
    });
  }

  async get(location: Location, { range, etag }: GetOptions): Promise<AsyncIterable<Uint8Array>> {
    const headers: Record<string, string> = {};
    if (range) headers.range = rangeHeader(range);
    if (etag !== null) headers["if-match"] = etag;
    const answer = await this.#service.request("GET", { location, headers, signal: this.#signal });
    if (answer.status === (range ? 206 : 200)) return received(answer.body, "S3");
    // Beyond the end, or of an empty file.
    if (answer.status === 416) {
      await giveUp(answer.body);
      return nothing();
    }
    if (answer.status === 412) throw changed(location);
    throw await failure(answer, "read", location);
  }

  async write(location: Location, options: WriteOptions): Promise<Upload> {
    return new S3Upload(this.#service, location, options);
  }

  async delete(location: Location): Promise<boolean> {
    if ((await this.head(location)) === null) return false;
    await this.#deleteKey(location, location.path);
    return true;
  }

  async deleteFolder(folder: Location, maxDepth: number): Promise<boolean> {
    const keys: string[] = [];
    for (let after: string | null = null, first = true; first || after !== null; first = false) {
      const { xml, decode } = await this.#page(folder, { after, limit: 1000, more: [] });
      for (const item of elements(xml, "Contents")) keys.push(decode(textOf(item, "Key") ?? ""));
      after = nextOf(xml);
    }
    return deleteKeys(folder, keys, maxDepth, (key) => this.#deleteKey(folder, key));
  }

  sign(location: Location, { method, expiresSeconds }: SignOptions): Promise<string> {
    return this.#service.presign(location, method, expiresSeconds);
  }

  async #page(
    folder: Location,
    { after, limit, more }: { after: string | null; limit: number; more: [string, string][] },
  ): Promise<{ xml: string; decode: (name: string) => string }> {
    const query: [string, string][] = [
      ["list-type", "2"],
      ["encoding-type", "url"],
      ["prefix", keyPrefix(folder)],
      ["max-keys", String(limit)],
      ...more,
    ];
    if (after !== null) query.push(["continuation-token", after]);
    const answer = await this.#service.request("GET", {
      location: folder,
      key: null,
      query,
      signal: this.#signal,
    });
    if (answer.status !== 200) throw await failure(answer, "list", folder);
    const xml = await readText(answer);
    const isEncoded = textOf(xml, "EncodingType") === "url";
    return { xml, decode: isEncoded ? decodeKey : (name) => name };
  }

  async #deleteKey(location: Location, key: string): Promise<void> {
    const answer = await this.#service.request("DELETE", { location, key, signal: this.#signal });
    if (answer.status !== 204 && answer.status !== 200) throw await failure(answer, "delete", location);
    await giveUp(answer.body);
  }
}

function entryOf(
  location: Location,
  file: { size: number; modified: number; etag: string | null } | null,
): Entry {
  return {
    url: locationUrl(location),
    name: nameOf(location),
    isDirectory: file === null,
    size: file && Number.isSafeInteger(file.size) ? file.size : null,
    modifiedMs: file && Number.isFinite(file.modified) ? file.modified : null,
    etag: file?.etag ?? null,
  };
}

function nextOf(xml: string): string | null {
  return textOf(xml, "IsTruncated") === "true" ? textOf(xml, "NextContinuationToken") : null;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** As forms encode it: XML has no way to write some characters. */
function decodeKey(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
