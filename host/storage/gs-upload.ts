/** A file that is written to Google Cloud Storage: one request for a short one, a resumable upload for a longer one. */
import { concat } from "../../runtime/bytes.ts";
import type { Upload, WriteOptions } from "./driver.ts";
import { StorageError } from "./errors.ts";
import { failure, type GsService, objectsPath } from "./gs-service.ts";
import { type Location, locationUrl } from "./location.ts";
import { giveUp, NEVER, type ServiceAnswer } from "./send.ts";

/** What is sent at once: more is sent in parts of this size, which is a multiple of 256 KiB, as GCS wants it. */
const PART_BYTES = 8 * 1024 * 1024;

export class GsUpload implements Upload {
  readonly #service: GsService;
  readonly #location: Location;
  readonly #options: WriteOptions;
  #waiting: Uint8Array = new Uint8Array(0);
  #sentBytes = 0;
  /** Path and query of the session. */
  #session: string | null = null;

  constructor(service: GsService, location: Location, options: WriteOptions) {
    this.#service = service;
    this.#location = location;
    this.#options = options;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting = concat([this.#waiting, bytes]);
    while (this.#waiting.length > PART_BYTES) {
      this.#session ??= await this.#begin();
      const end = this.#sentBytes + PART_BYTES;
      const answer = await this.#sendPart(
        this.#waiting.subarray(0, PART_BYTES),
        `bytes ${this.#sentBytes}-${end - 1}/*`,
      );
      if (answer.status !== 308) throw await failure(answer, "write", this.#location);
      await giveUp(answer.body);
      // It may have kept less than it was sent: the rest is sent again.
      const kept = /^bytes=0-(\d+)$/.exec(answer.header("range") ?? "");
      const until = kept ? Number(kept[1]) + 1 : 0;
      if (until <= this.#sentBytes || until > end)
        throw new StorageError(
          "network",
          `Cannot write ${locationUrl(this.#location)}: Google Cloud Storage kept nothing of a part`,
        );
      this.#waiting = this.#waiting.subarray(until - this.#sentBytes);
      this.#sentBytes = until;
    }
  }

  async commit(): Promise<void> {
    const total = this.#sentBytes + this.#waiting.length;
    const answer =
      this.#session === null
        ? await this.#service.request("POST", `/upload${objectsPath(this.#location)}`, {
            query: this.#query("media"),
            headers: { "content-type": this.#options.contentType ?? "application/octet-stream" },
            body: this.#waiting,
            signal: NEVER,
          })
        : await this.#sendPart(this.#waiting, `bytes ${this.#sentBytes}-${total - 1}/${total}`);
    if (answer.status !== 200 && answer.status !== 201) throw await failure(answer, "write", this.#location);
    await giveUp(answer.body);
    this.#session = null;
  }

  async abort(): Promise<void> {
    this.#waiting = new Uint8Array(0);
    const session = this.#session;
    this.#session = null;
    if (session === null) return;
    try {
      const answer = await this.#service.request("DELETE", session, {
        headers: { "content-length": "0" },
        signal: NEVER,
      });
      await giveUp(answer.body);
    } catch {
      // It expires after a week, and nothing of it is visible.
    }
  }

  async #begin(): Promise<string> {
    const contentType = this.#options.contentType ?? "application/octet-stream";
    const answer = await this.#service.request("POST", `/upload${objectsPath(this.#location)}`, {
      query: this.#query("resumable"),
      headers: { "content-type": "application/json; charset=UTF-8", "x-upload-content-type": contentType },
      body: new TextEncoder().encode(JSON.stringify({ contentType })),
      signal: NEVER,
    });
    if (answer.status !== 200) throw await failure(answer, "write", this.#location);
    await giveUp(answer.body);
    const session = answer.header("location");
    const url = session !== null && URL.canParse(session) ? new URL(session) : null;
    // Requests carry the host's token.
    if (url?.origin !== this.#service.origin)
      throw new StorageError("network", "Google Cloud Storage named no place of its own for an upload");
    return url.pathname + url.search;
  }

  #sendPart(body: Uint8Array, range: string): Promise<ServiceAnswer> {
    return this.#service.request("PUT", this.#session as string, {
      headers: { "content-range": range },
      body,
      signal: NEVER,
    });
  }

  #query(uploadType: "media" | "resumable"): [string, string][] {
    const query: [string, string][] = [
      ["uploadType", uploadType],
      ["name", this.#location.path],
    ];
    if (this.#options.ifNoneMatch) query.push(["ifGenerationMatch", "0"]);
    return query;
  }
}
