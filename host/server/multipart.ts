/** Forms with files (`multipart/form-data`, RFC 7578), read as they come. */
import { concat } from "../../runtime/bytes.ts";
import { HttpError } from "./errors.ts";

/** One field of a form. */
export interface FormPart {
  readonly name: string;
  /** Null for what is no file. */
  readonly fileName: string | null;
  /** To be read to its end before the next field is asked for, or not at all. */
  readonly body: AsyncIterable<Uint8Array>;
}

const MOST_HEADER_BYTES = 16 * 1024;
const MOST_PARTS = 100;
const MOST_FIELD_BYTES = 64 * 1024;
/** What a form with a file has beside that at most. */
export const FORM_BYTES = 64 * 1024;

const encode = (text: string) => new TextEncoder().encode(text);
const HEADER_END = encode("\r\n\r\n");
/** Of a header: `; name="value"`, or `; name=value`. */
const PARAMETER = /;\s*([^\s=;"]+)=(?:"([^"]*)"|([^\s;"]+))/g;

/**
 * The fields of a form in their order.
 * @param contentType with the boundary
 * @throws HttpError 415 for another type, 422 for what is no form, 400 where it ends early
 */
export async function* readForm(
  body: AsyncIterable<Uint8Array>,
  contentType: string | undefined,
): AsyncGenerator<FormPart> {
  const boundary =
    /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([\x20-\x7e]{1,70})"|([\x21-\x7e]{1,70}?))\s*(?:;|$)/i.exec(
      contentType ?? "",
    );
  if (!boundary) throw new HttpError(415, "The body must be multipart/form-data with a boundary");
  const delimiter = encode(`\r\n--${boundary[1] ?? boundary[2]}`);
  // The first delimiter needs no line break before it.
  const scanner = new Scanner(body, encode("\r\n"));
  try {
    for await (const _ of scanner.until(delimiter)) {
      // A preamble says nothing.
    }
    for (let count = 0; ; count++) {
      const mark = new TextDecoder().decode(await scanner.take(2));
      if (mark === "--") return;
      if (mark !== "\r\n") throw malformed("a boundary is followed by something else than a line break");
      if (count >= MOST_PARTS) throw malformed(`it has more than ${MOST_PARTS} fields`);
      const headers = parseHeaders(
        await allOf(scanner.until(HEADER_END), MOST_HEADER_BYTES, "the header of a field"),
      );
      const rest = scanner.until(delimiter);
      yield { ...headers, body: rest };
      for await (const _ of rest) {
        // What nobody read.
      }
    }
  } finally {
    await scanner.close();
  }
}

/** The text of a field that is no file. @throws HttpError 422 beyond 64 KiB, and for bytes that are no text */
export async function textOf({ name, body }: FormPart): Promise<string> {
  const bytes = await allOf(body, MOST_FIELD_BYTES, `the field ${JSON.stringify(name)}`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed(`the field ${JSON.stringify(name)} is no text`);
  }
}

const malformed = (why: string) => new HttpError(422, `Cannot read the form: ${why}`);

async function allOf(
  parts: AsyncIterable<Uint8Array>,
  most: number,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const part of parts) {
    length += part.length;
    if (length > most) throw malformed(`${what} has more than ${most} bytes`);
    read.push(part);
  }
  return concat(read);
}

/** @throws HttpError 422 */
function parseHeaders(bytes: Uint8Array): Pick<FormPart, "name" | "fileName"> {
  const [disposition] = new TextDecoder()
    .decode(bytes)
    .split("\r\n")
    .filter((line) => /^content-disposition\s*:\s*form-data\s*;/i.test(line));
  const name = parameterOf(disposition, "name");
  if (name === null) throw malformed("a field has no name");
  return { name, fileName: parameterOf(disposition, "filename") };
}

/** As HTML has it: quotes and line breaks in it are written as %22, %0D and %0A. Some clients, as .NET's, write a word without quotes. */
function parameterOf(disposition: string | undefined, name: string): string | null {
  for (const [, key, quoted, word] of (disposition ?? "").matchAll(PARAMETER))
    if (key?.toLowerCase() === name)
      return (quoted ?? word ?? "").replace(/%(22|0D|0A)/gi, (each) => decodeURIComponent(each));
  return null;
}

/** Reads a stream up to marks in it. */
class Scanner {
  readonly #parts: AsyncIterator<Uint8Array>;
  #buffer: Uint8Array;

  constructor(body: AsyncIterable<Uint8Array>, buffer: Uint8Array) {
    this.#parts = body[Symbol.asyncIterator]();
    this.#buffer = buffer;
  }

  /** What is before a mark, in parts; the mark is passed over. */
  async *until(mark: Uint8Array): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = find(this.#buffer, mark);
      // The beginning of a mark may be at the end of what is here.
      const end = at < 0 ? Math.max(0, this.#buffer.length - mark.length + 1) : at;
      const part = this.#buffer.subarray(0, end);
      this.#buffer = this.#buffer.subarray(at < 0 ? end : at + mark.length);
      if (part.length > 0) yield part;
      if (at >= 0) return;
      await this.#fill();
    }
  }

  async take(count: number): Promise<Uint8Array> {
    while (this.#buffer.length < count) await this.#fill();
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  /** Ends the stream, wherever it is. */
  async close(): Promise<void> {
    await this.#parts.return?.();
  }

  async #fill(): Promise<void> {
    const { done, value } = await this.#parts.next();
    if (done) throw new HttpError(400, "The body ended before its end: the last boundary is missing");
    this.#buffer = this.#buffer.length === 0 ? value : concat([this.#buffer, value]);
  }
}

function find(bytes: Uint8Array, mark: Uint8Array): number {
  const [first = 0] = mark;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
