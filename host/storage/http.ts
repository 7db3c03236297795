/**
 * `https://` and `http://`: files of web servers, to be read. Each request goes through the guarded fetch, and so asks for
 * `net`; a redirect leads where `net` leads, and `read` is asked for the place that was named.
 */
import type { StoredFile } from "../files/files.ts";
import { NetError } from "../net/errors.ts";
import type { Answer, Guard } from "../net/guard.ts";
import { readRequest } from "../net/request.ts";
import type { Driver, Entry, GetOptions, OpenDriver, StorageCall } from "./driver.ts";
import { StorageError, type StorageErrorCode } from "./errors.ts";
import { encodePath, type Location, locationUrl, nameOf } from "./location.ts";
import { rangeHeader } from "./objects.ts";
import { changed, notFound } from "./refusals.ts";
import { readAll } from "./send.ts";

export interface HttpOptions {
  /** The guarded fetch. */
  guard: Pick<Guard, "fetch">;
}

/** How long the next bytes of an answer may take. */
const IDLE_MS = 60_000;
/** What is taken of a body at once. */
const TAKEN_BYTES = 256 * 1024;
/** A file of a server that sends no parts is kept in memory while it is open. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;

export function httpDriver({ guard }: HttpOptions): OpenDriver {
  return (call) => new HttpDriver(guard, call);
}

class HttpDriver implements Driver {
  readonly #guard: HttpOptions["guard"];
  readonly #call: StorageCall;

  constructor(guard: HttpOptions["guard"], call: StorageCall) {
    this.#guard = guard;
    this.#call = call;
  }

  async head(location: Location): Promise<Entry | null> {
    const answer = await this.#fetch("HEAD", location);
    answer.body.close();
    if (answer.status === 404 || answer.status === 410) return null;
    if (answer.status !== 200) throw failure(answer, location);
    const length = headerOf(answer, "content-length");
    const modified = Date.parse(headerOf(answer, "last-modified") ?? "");
    return {
      url: locationUrl(location),
      name: nameOf(location),
      isDirectory: false,
      size: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null,
      modifiedMs: Number.isFinite(modified) ? modified : null,
      etag: headerOf(answer, "etag"),
    };
  }

  async get(location: Location, { range, etag }: GetOptions): Promise<AsyncIterable<Uint8Array>> {
    const answer = await this.#fetch("GET", location, range ? { range: rangeHeader(range) } : {});
    const isPart = range !== null && answer.status === 206 && startOf(answer) === range.offset;
    if (range && answer.status === 416) {
      answer.body.close();
      return (async function* () {})();
    }
    if (answer.status !== 200 && !isPart) {
      answer.body.close();
      throw failure(answer, location);
    }
    if (etag !== null && headerOf(answer, "etag") !== etag) {
      answer.body.close();
      throw changed(location);
    }
    const body = bytesOf(answer);
    // A server that knows no ranges sends all.
    return range && !isPart ? cut(body, range.offset, range.length) : body;
  }

  /** A server that sends parts is asked for them; else all of it is fetched at once. */
  async open(location: Location): Promise<StoredFile> {
    const entry = await this.head(location);
    if (!entry) throw notFound("open", location);
    const { size, etag } = entry;
    const isStable = size !== null && etag !== null && !etag.startsWith("W/");
    if (isStable && (await this.#sendsParts(location))) {
      return {
        size,
        read: async (offset, length) => {
          const wanted = Math.min(length, size - offset);
          if (wanted <= 0) return new Uint8Array(0);
          const body = await this.get(location, { range: { offset, length: wanted }, etag });
          return readAll(body, wanted, locationUrl(location));
        },
        close: async () => {},
      };
    }
    const body = await this.get(location, { range: null, etag: null });
    const bytes = await readAll(
      body,
      MOST_KEPT_BYTES,
      `${locationUrl(location)}, whose server sends no parts,`,
    );
    return {
      size: bytes.length,
      read: async (position, length) => bytes.subarray(position, position + length),
      close: async () => {},
    };
  }

  list(folder: Location): Promise<never> {
    return refuse(folder, "list");
  }
  write(location: Location): Promise<never> {
    return refuse(location, "write");
  }
  delete(location: Location): Promise<never> {
    return refuse(location, "delete");
  }
  deleteFolder(folder: Location): Promise<never> {
    return refuse(folder, "delete");
  }
  sign(location: Location): Promise<never> {
    return refuse(location, "sign");
  }

  async #sendsParts(location: Location): Promise<boolean> {
    const answer = await this.#fetch("GET", location, { range: "bytes=0-0" });
    answer.body.close();
    return answer.status === 206;
  }

  async #fetch(method: string, location: Location, headers: Record<string, string> = {}): Promise<Answer> {
    const { scheme, authority, path, isFolder } = location;
    const url = `${scheme}://${authority}/${encodePath(path)}${isFolder && path !== "" ? "/" : ""}`;
    // Sizes and ranges are of the file itself, not of a compressed form.
    const all = Object.entries({ ...headers, "accept-encoding": "identity" });
    const request = { url, method, headers: all, body: null, redirect: "follow", timeoutMs: null };
    return orStorageError(() => this.#guard.fetch({ ...readRequest(request, 0), isFile: true }, this.#call));
  }
}

async function* bytesOf({ body }: Answer): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const bytes = await orStorageError(async () => {
        if (!(await body.wait(1, IDLE_MS)))
          body.cancel(new NetError("timeout", `The answer did not go on within ${IDLE_MS} ms`));
        return body.take(TAKEN_BYTES);
      });
      if (bytes.length > 0) yield bytes;
      else if (body.isDone) return;
    }
  } finally {
    body.close();
  }
}

async function* cut(
  body: AsyncIterable<Uint8Array>,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const part of body) {
    const wanted = part.subarray(Math.max(0, offset - at), Math.max(0, offset + length - at));
    at += part.length;
    if (wanted.length > 0) yield wanted;
    if (at >= offset + length) return;
  }
}

const headerOf = ({ headers }: Answer, name: string): string | null =>
  headers.find(([each]) => each === name)?.[1] ?? null;

function startOf(answer: Answer): number | null {
  const found = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(headerOf(answer, "content-range") ?? "");
  return found ? Number(found[1]) : null;
}

async function orStorageError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof NetError)) throw cause;
    const code: StorageErrorCode =
      cause.code === "url" ? "request" : cause.code === "size" ? "full" : "network";
    throw new StorageError(code, cause.message, { cause });
  }
}

function failure({ status }: Answer, location: Location): StorageError {
  const meanings: Record<number, [StorageErrorCode, string]> = {
    401: ["access", "the server wants to know who asks"],
    403: ["access", "the server refuses it"],
    404: ["not found", "it is not there"],
    410: ["not found", "it is not there any longer"],
  };
  const [code, why] = meanings[status] ?? ["network", "the server failed"];
  return new StorageError(code, `Cannot read ${locationUrl(location)}: ${why} (status ${status})`);
}

async function refuse(location: Location, what: string): Promise<never> {
  throw new StorageError("request", `Cannot ${what} ${locationUrl(location)}: web servers can only be read`);
}
