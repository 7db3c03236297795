/** What `Request` and `Response` have in common: a body that is read once. Source: the Fetch standard, "Body mixin". */
import { blobBytes, isBlob, makeBlob } from "./blob.ts";
import { decodeForm, encodeForm, isForm } from "./form-data.ts";
import { getHeader, type Headers } from "./headers.ts";
import {
  apply,
  Bytes,
  byteLength,
  bytesOf,
  decodeUtf8,
  define,
  encodeUtf8,
  exactBuffer,
  IntrinsicError,
  IntrinsicPromise,
  nothing,
  parseJson,
  settle,
  textOf,
  typeError,
} from "./host.ts";
import { addMethods } from "./named.ts";
import { Flow, flowOf, isStream, ReadableStream, readAll, tee } from "./streams.ts";
import { isSearchParams, URLSearchParams } from "./url.ts";

/** A body: bytes, which become a stream when somebody asks for one, or a stream; neither is no body. */
export class Content {
  bytes: Uint8Array | null;
  stream: ReadableStream | null;
  /** Others hold the bytes too: whoever reads them gets a copy. */
  shared: boolean;
  /** The bytes have been read. */
  used = false;
  constructor(bytes: Uint8Array | null, stream: ReadableStream | null = null, shared = false) {
    this.bytes = bytes;
    this.stream = stream;
    this.shared = shared;
  }

  get isEmpty(): boolean {
    return !this.stream && !this.bytes && !this.used;
  }
  get isUsed(): boolean {
    return this.stream ? flowOf(this.stream).disturbed : this.used;
  }
  /** @throws TypeError where it was read, or is being read */
  check(): void {
    if (this.isUsed) throw typeError("Body is unusable: it has been read already");
    if (this.stream && flowOf(this.stream).lock) throw typeError("Body is unusable: its stream is locked");
  }
  /** Reads all of it; check first. */
  read(done: (bytes: Uint8Array) => void, failed: (reason: unknown) => void): void {
    if (this.stream) readAll(this.stream, done, failed);
    else {
      this.used = this.bytes !== null;
      const bytes = this.bytes ?? new Bytes(0);
      done(this.shared ? new Bytes(bytes) : bytes);
    }
  }
  /** The body as a stream; null where there is none. */
  open(): ReadableStream | null {
    if (this.stream || !this.bytes) return this.stream;
    const bytes = this.shared ? new Bytes(this.bytes) : this.bytes;
    const flow = new Flow(
      { pull: (_, done) => settle(undefined, done, nothing), cancel: (_, done) => done() },
      0,
      true,
    );
    if (this.used) flow.disturbed = true;
    else if (byteLength(bytes) > 0) flow.push(bytes, byteLength(bytes));
    flow.end();
    this.bytes = null;
    this.stream = new ReadableStream(flow);
    return this.stream;
  }
  /** Moves the body to another owner; check first. */
  take(): Content {
    const moved = new Content(this.bytes, this.stream, this.shared);
    this.bytes = this.stream = null;
    this.used = true;
    return moved;
  }
  /** The same body again; check first. */
  clone(): Content {
    if (!this.stream) {
      this.shared = true;
      return new Content(this.bytes, null, true);
    }
    const branches = tee(this.stream);
    this.stream = branches[0];
    return new Content(null, branches[1]);
  }
}

/** A body as a UDF gives it, and the content type that goes with it. @throws TypeError for a stream that is in use */
export function extract(body: unknown): { content: Content; type: string | null } {
  const of = (bytes: Uint8Array, type: string | null, shared = false) => ({
    content: new Content(bytes, null, shared),
    type,
  });
  if (typeof body === "object" && body !== null) {
    if (isStream(body)) {
      const { lock, disturbed } = flowOf(body);
      if (lock || disturbed)
        throw typeError("Cannot use the stream as a body: it is locked or has been read");
      return { content: new Content(null, body), type: null };
    }
    const bytes = bytesOf(body);
    if (bytes) return of(new Bytes(bytes), null);
    if (isBlob(body)) return of(blobBytes(body), body.type || null, true);
    if (isForm(body)) {
      const { bytes: form, type } = encodeForm(body);
      return of(form, type);
    }
    if (isSearchParams(body))
      return of(encodeUtf8(apply(formText, body, [])), "application/x-www-form-urlencoded;charset=UTF-8");
  }
  return of(encodeUtf8(textOf(body)), "text/plain;charset=UTF-8");
}
const { toString: formText } = URLSearchParams.prototype;

/**
 * Gives a class `body`, `bodyUsed` and what reads the body.
 * @param contentOf the body of an object of the class; throws for another
 */
export function addBody(
  prototype: object,
  contentOf: (self: never) => Content,
  headersOf: (self: never) => Headers,
): void {
  const typeOf = (self: never) => getHeader(headersOf(self), "content-type") ?? "";
  const reader = (convert: (bytes: Uint8Array, self: never) => unknown) => (self: unknown) => {
    const place = new IntrinsicError();
    return new IntrinsicPromise<unknown>((resolve, reject) => {
      const content = contentOf(self as never);
      content.check();
      content.read((bytes) => {
        try {
          resolve(convert(bytes, self as never));
        } catch (error) {
          // It is thrown where nothing of the UDF is on the stack.
          if (error instanceof IntrinsicError) define(error, "stack", place.stack);
          reject(error);
        }
      }, reject);
    });
  };
  const text = reader(decodeUtf8);
  const json = reader((bytes) => parseJson(decodeUtf8(bytes)));
  const raw = reader((bytes) => bytes);
  const buffer = reader(exactBuffer);
  const blob = reader((bytes, self) => makeBlob(bytes, typeOf(self)));
  const form = reader((bytes, self) => decodeForm(bytes, typeOf(self)));
  addMethods(prototype, {
    get body() {
      return contentOf(this as never).open();
    },
    get bodyUsed() {
      return contentOf(this as never).isUsed;
    },
    arrayBuffer() {
      return buffer(this);
    },
    blob() {
      return blob(this);
    },
    bytes() {
      return raw(this);
    },
    formData() {
      return form(this);
    },
    json() {
      return json(this);
    },
    text() {
      return text(this);
    },
  });
}
