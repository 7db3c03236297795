/** A file that is written to S3: one request for a short one, a multipart upload for a longer one. */
import { concat } from "../../runtime/bytes.ts";
import type { Upload, WriteOptions } from "./driver.ts";
import { StorageError } from "./errors.ts";
import { type Location, locationUrl } from "./location.ts";
import { failure, refusal, type S3Request, type S3Service } from "./s3-service.ts";
import { giveUp, NEVER, readText } from "./send.ts";
import { escapeText, textOf } from "./xml.ts";

/** What is sent at once: more is sent in parts of this size. S3 takes 10,000 of them, each but the last at least 5 MiB. */
const PART_BYTES = 8 * 1024 * 1024;
const MOST_PARTS = 10_000;

/** A file that is kept back until it is long enough for a part, so that a short one is one request. */
export class S3Upload implements Upload {
  readonly #service: S3Service;
  readonly #location: Location;
  readonly #options: WriteOptions;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #uploadId: string | null = null;
  readonly #tags: string[] = [];

  constructor(service: S3Service, location: Location, options: WriteOptions) {
    this.#service = service;
    this.#location = location;
    this.#options = options;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    while (this.#waitingBytes > PART_BYTES) await this.#sendPart(this.#take(PART_BYTES));
  }

  async commit(): Promise<void> {
    const last = this.#take(PART_BYTES);
    if (this.#uploadId === null) {
      await this.#expect(200, "write", "PUT", {
        headers: this.#headers("content-type", "if-none-match"),
        body: last,
      });
      return;
    }
    await this.#sendPart(last);
    const parts = this.#tags.map(
      (tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeText(tag)}</ETag></Part>`,
    );
    const answer = await this.#expect(200, "write", "POST", {
      query: [["uploadId", this.#uploadId]],
      headers: this.#headers("if-none-match"),
      body: new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`),
    });
    // A failure may come after the status.
    if (textOf(answer, "ETag") === null) throw refusal(200, answer, "write", this.#location);
    this.#uploadId = null;
  }

  async abort(): Promise<void> {
    this.#waiting = [];
    this.#waitingBytes = 0;
    const uploadId = this.#uploadId;
    this.#uploadId = null;
    if (uploadId === null) return;
    try {
      const answer = await this.#service.request("DELETE", {
        location: this.#location,
        query: [["uploadId", uploadId]],
        signal: NEVER,
      });
      await giveUp(answer.body);
    } catch {
      // Its parts are in the way of nothing; rules of the bucket can remove them.
    }
  }

  async #sendPart(body: Uint8Array): Promise<void> {
    if (this.#tags.length === MOST_PARTS) {
      throw new StorageError(
        "full",
        `Cannot write ${locationUrl(this.#location)}: S3 takes at most ${PART_BYTES * MOST_PARTS} bytes`,
      );
    }
    if (this.#uploadId === null) {
      const begun = await this.#expect(200, "write", "POST", {
        query: [["uploads", ""]],
        headers: this.#headers("content-type"),
      });
      this.#uploadId = textOf(begun, "UploadId");
    }
    const answer = await this.#service.request("PUT", {
      location: this.#location,
      query: [
        ["partNumber", String(this.#tags.length + 1)],
        ["uploadId", this.#uploadId ?? ""],
      ],
      body,
      signal: NEVER,
    });
    const tag = answer.header("etag");
    if (answer.status !== 200 || tag === null) throw await failure(answer, "write", this.#location);
    await giveUp(answer.body);
    this.#tags.push(tag);
  }

  /** @returns the answer's text */
  async #expect(
    status: number,
    what: string,
    method: string,
    asking: Omit<S3Request, "location" | "signal">,
  ): Promise<string> {
    const answer = await this.#service.request(method, {
      ...asking,
      location: this.#location,
      signal: NEVER,
    });
    if (answer.status !== status) throw await failure(answer, what, this.#location);
    return readText(answer);
  }

  #headers(...names: ("content-type" | "if-none-match")[]): Record<string, string> {
    const { contentType, ifNoneMatch } = this.#options;
    const headers: Record<string, string> = {};
    if (names.includes("content-type") && contentType !== null) headers["content-type"] = contentType;
    if (names.includes("if-none-match") && ifNoneMatch) headers["if-none-match"] = "*";
    return headers;
  }

  #take(most: number): Uint8Array {
    const all = concat(this.#waiting);
    const rest = all.subarray(most);
    this.#waiting = rest.length > 0 ? [rest] : [];
    this.#waitingBytes = rest.length;
    return all.subarray(0, most);
  }
}
