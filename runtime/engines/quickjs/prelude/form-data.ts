/** `FormData` and its two encodings. Source: the XHR standard; RFC 7578 as the HTML standard writes it. */
import { OP } from "../ops.ts";
import { blobBytes, type File, isBlob, isFile, makeFile } from "./blob.ts";
import {
  Bytes,
  byteLength,
  decodeUtf8,
  encodeUtf8,
  exec,
  host,
  indexOfByte,
  joinBytes,
  joinText,
  type List,
  list,
  lower,
  min,
  part,
  replaceText,
  textOf,
  typeError,
  wellFormed,
} from "./host.ts";
import { addIteration, type Named, replaceNamed, toArray } from "./named.ts";
import { URLSearchParams } from "./url.ts";

type Entry = Named<string | File>;

/** An entry as `append` and `set` make it from their arguments. */
function makeEntry(name: unknown, value: unknown, file: unknown): Entry {
  const key = wellFormed(textOf(name));
  if (!isBlob(value)) {
    if (file !== undefined) throw typeError("Only a Blob in a form has a file name");
    return { name: key, value: wellFormed(textOf(value)) };
  }
  if (isFile(value) && file === undefined) return { name: key, value };
  return {
    name: key,
    value: makeFile(blobBytes(value), file === undefined ? "blob" : textOf(file), value.type),
  };
}

export let isForm: (value: unknown) => value is FormData;
let entriesOf: (form: FormData) => List<Entry>;

export class FormData {
  #entries = list<Entry>();

  static {
    isForm = (value): value is FormData => typeof value === "object" && value !== null && #entries in value;
    entriesOf = (form) => form.#entries;
    addIteration(FormData.prototype, (form: FormData, index) =>
      index < form.#entries.length ? form.#entries[index] : undefined,
    );
  }

  constructor(form: unknown = undefined) {
    if (form !== undefined) throw typeError("Cannot make FormData from a form: there are none here");
  }
  append(name: unknown, value: unknown, file: unknown = undefined): void {
    this.#entries[this.#entries.length] = makeEntry(name, value, file);
  }
  delete(name: unknown): void {
    this.#entries = replaceNamed(this.#entries, wellFormed(textOf(name)), null);
  }
  get(name: unknown): string | File | null {
    return this.#named(name)[0] ?? null;
  }
  getAll(name: unknown): (string | File)[] {
    return toArray(this.#named(name));
  }
  has(name: unknown): boolean {
    return this.#named(name).length > 0;
  }
  set(name: unknown, value: unknown, file: unknown = undefined): void {
    const entry = makeEntry(name, value, file);
    this.#entries = replaceNamed(this.#entries, entry.name, entry);
  }

  #named(name: unknown): List<string | File> {
    const key = wellFormed(textOf(name));
    const found = list<string | File>();
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i] as Entry;
      if (entry.name === key) found[found.length] = entry.value;
    }
    return found;
  }
}

const withLineBreaks = (text: string): string =>
  replaceText(replaceText(replaceText(text, "\r\n", "\n"), "\r", "\n"), "\n", "\r\n");

/** A name between the quotes of a header. */
const quoted = (text: string): string =>
  replaceText(replaceText(replaceText(text, "\r", "%0D"), "\n", "%0A"), '"', "%22");

/** The form as `multipart/form-data`. */
export function encodeForm(form: FormData): { bytes: Uint8Array; type: string } {
  const random = new Bytes(host(OP.random, 16) as ArrayBuffer);
  let boundary = "----formdata-";
  for (let i = 0; i < 16; i++) boundary += ALPHABET[(random[i] as number) & 31];
  const entries = entriesOf(form);
  const parts = list<Uint8Array>();
  for (let i = 0; i < entries.length; i++) {
    const { name, value } = entries[i] as Entry;
    const head = joinText(
      "--",
      boundary,
      '\r\nContent-Disposition: form-data; name="',
      quoted(withLineBreaks(name)),
      '"',
    );
    if (typeof value === "string")
      parts[parts.length] = encodeUtf8(joinText(head, "\r\n\r\n", withLineBreaks(value), "\r\n"));
    else {
      const type = value.type || "application/octet-stream";
      parts[parts.length] = encodeUtf8(
        joinText(head, '; filename="', quoted(value.name), '"\r\nContent-Type: ', type, "\r\n\r\n"),
      );
      parts[parts.length] = blobBytes(value);
      parts[parts.length] = encodeUtf8("\r\n");
    }
  }
  parts[parts.length] = encodeUtf8(joinText("--", boundary, "--\r\n"));
  return { bytes: joinBytes(parts), type: joinText("multipart/form-data; boundary=", boundary) };
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Size of the headers of a part. */
const MOST_HEAD_BYTES = 16384;

const BOUNDARY = /;\s*boundary=(?:"([^"]+)"|([^;\s"]+))/i;
const DISPOSITION =
  /^content-disposition:\s*form-data\s*;(?:.*;)?\s*name="([^"]*)"(?:.*;\s*filename="([^"]*)")?/im;
const CONTENT_TYPE = /^content-type:[\t ]*(.*?)[\t ]*$/im;

const unquoted = (text: string): string =>
  replaceText(replaceText(replaceText(text, "%0D", "\r"), "%0A", "\n"), "%22", '"');

/** Where `wanted` begins; -1 where it does not. */
function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = from; (at = indexOfByte(bytes, wanted[0] as number, at)) >= 0; at++) {
    let same = 1;
    while (same < byteLength(wanted) && bytes[at + same] === wanted[same]) same++;
    if (same === byteLength(wanted)) return at;
  }
  return -1;
}

/** Reads a body as a form. @param type its content type @throws TypeError for what is no form */
export function decodeForm(bytes: Uint8Array, type: string): FormData {
  const form = new FormData();
  if (exec(/^application\/x-www-form-urlencoded\s*(;|$)/i, type)) {
    for (const [name, value] of new URLSearchParams(decodeUtf8(bytes))) form.append(name, value);
    return form;
  }
  const boundary = exec(/^multipart\/form-data\s*;/i, type) && exec(BOUNDARY, type);
  if (!boundary)
    throw typeError(`Cannot read the body as a form: its content type is ${type || "not known"}`);
  // A line break before the first boundary, where there may be none, makes all of them alike.
  const parts = list<Uint8Array>();
  parts[0] = encodeUtf8("\r\n");
  parts[1] = bytes;
  const all = joinBytes(parts);
  const mark = encodeUtf8(joinText("\r\n--", boundary[1] ?? boundary[2]));
  const gap = encodeUtf8("\r\n\r\n");
  const bad = () => typeError("Cannot read the body as a form: it is cut off or has a bad part");
  for (let at = find(all, mark, 0); ; ) {
    if (at < 0) throw bad();
    const start = at + byteLength(mark);
    if (all[start] === 0x2d && all[start + 1] === 0x2d) return form;
    const body = find(all, gap, start);
    at = body < 0 || body - start > MOST_HEAD_BYTES ? -1 : find(all, mark, body + 2);
    if (at < 0) throw bad();
    const head = decodeUtf8(part(all, start, body));
    const disposition = exec(DISPOSITION, head);
    if (!disposition) throw bad();
    const content = part(all, min(body + 4, at), at);
    const name = unquoted(disposition[1] as string);
    const file = disposition[2];
    if (file === undefined) form.append(name, decodeUtf8(content));
    else {
      const kind = exec(CONTENT_TYPE, head)?.[1] ?? "text/plain";
      form.append(name, makeFile(new Bytes(content), unquoted(file), lower(kind)));
    }
  }
}
