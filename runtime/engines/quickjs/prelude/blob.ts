/** `Blob` and `File`. Source: the File API standard. Their bytes lie in memory, shared by the slices of a blob. */
import {
  Bytes,
  byteLength,
  bytesOf,
  decodeUtf8,
  dictionary,
  encodeUtf8,
  exactBuffer,
  exec,
  IntrinsicPromise,
  joinBytes,
  type List,
  list,
  lower,
  max,
  min,
  nothing,
  part,
  settle,
  textOf,
  typeError,
  wellFormed,
} from "./host.ts";
import { Flow, ReadableStream } from "./streams.ts";

const CHUNK_BYTES = 65536;
const PLAIN = /^[ -~]*$/;
const { now } = Date;

const plainType = (type: unknown): string => (exec(PLAIN, textOf(type)) ? lower(textOf(type)) : "");

/** Bytes that the constructors take as they are. */
class Held {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

function read(parts: unknown): Uint8Array {
  if (parts instanceof Held) return parts.bytes;
  if (parts === undefined) return new Bytes(0);
  if (typeof parts !== "object" || parts === null)
    throw typeError(`Cannot make a Blob: its parts must be a list: received ${typeof parts}`);
  const found: List<Uint8Array> = list();
  for (const item of parts as Iterable<unknown>) {
    const bytes = typeof item === "object" && item !== null ? bytesOf(item) : null;
    // A copy at once: the next part may be a getter that changes it.
    if (bytes) found[found.length] = new Bytes(bytes);
    else found[found.length] = isBlob(item) ? blobBytes(item) : encodeUtf8(textOf(item));
  }
  return joinBytes(found);
}

export let isBlob: (value: unknown) => value is Blob;
/** A blob's bytes, which nobody may write to. */
export let blobBytes: (blob: Blob) => Uint8Array;

export class Blob {
  readonly #bytes: Uint8Array;
  readonly #type: string;

  static {
    isBlob = (value): value is Blob => typeof value === "object" && value !== null && #bytes in value;
    blobBytes = (blob) => blob.#bytes;
  }

  constructor(parts: unknown = undefined, options: unknown = undefined) {
    const { endings = "transparent", type = "" } = dictionary(options, "Cannot make a Blob: its options");
    if (textOf(endings) !== "transparent")
      throw typeError(`Cannot make a Blob: endings must be "transparent" here: received ${endings}`);
    this.#bytes = read(parts);
    this.#type = plainType(type);
  }
  get size(): number {
    return byteLength(this.#bytes);
  }
  get type(): string {
    return this.#type;
  }
  slice(start: unknown = 0, end: unknown = byteLength(this.#bytes), type: unknown = ""): Blob {
    const size = byteLength(this.#bytes);
    const clamp = (at: unknown) => {
      const index = (at as number) | 0;
      return index < 0 ? max(0, index + size) : min(index, size);
    };
    const first = clamp(start);
    const last = clamp(end);
    return makeBlob(part(this.#bytes, first, max(first, last)), textOf(type));
  }
  text(): Promise<string> {
    return new IntrinsicPromise((resolve) => resolve(decodeUtf8(this.#bytes)));
  }
  arrayBuffer(): Promise<ArrayBuffer> {
    return new IntrinsicPromise((resolve) => resolve(exactBuffer(new Bytes(this.#bytes))));
  }
  bytes(): Promise<Uint8Array> {
    return new IntrinsicPromise((resolve) => resolve(new Bytes(this.#bytes)));
  }
  stream(): ReadableStream {
    const bytes = this.#bytes;
    let at = 0;
    const flow = new Flow(
      {
        pull(flow, done) {
          const end = min(at + CHUNK_BYTES, byteLength(bytes));
          if (end > at) flow.push(new Bytes(part(bytes, at, end)), end - at);
          at = end;
          if (at === byteLength(bytes)) flow.end();
          settle(undefined, done, nothing);
        },
        cancel: (_, done) => done(),
      },
      0,
      true,
    );
    flow.start();
    return new ReadableStream(flow);
  }
}

/** A blob of bytes that nobody else holds. */
export const makeBlob = (bytes: Uint8Array, type: string): Blob => new Blob(new Held(bytes), { type });

export let isFile: (value: unknown) => value is File;

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;

  static {
    isFile = (value): value is File => typeof value === "object" && value !== null && #name in value;
  }

  constructor(parts: unknown, name: unknown, options: unknown = {}) {
    if (name === undefined) throw typeError("Cannot make a File: it needs parts and a name");
    super(parts, options);
    const { lastModified } = dictionary(options, "Cannot make a File: its options");
    this.#name = wellFormed(textOf(name));
    this.#lastModified = lastModified === undefined ? now() : (lastModified as number) - 0 || 0;
  }
  get name(): string {
    return this.#name;
  }
  get lastModified(): number {
    return this.#lastModified;
  }
}

/** A file of bytes that nobody else holds. */
export const makeFile = (bytes: Uint8Array, name: string, type: string): File =>
  new File(new Held(bytes), name, { type });
