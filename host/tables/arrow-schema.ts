/** The Arrow schema that writers of Parquet put into a file's metadata: a message of the Arrow IPC format, in base64. */
import type { Schema } from "apache-arrow";

/** @throws an error for what is no base64 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  const PART = 4096;
  let text = "";
  for (let at = 0; at < bytes.length; at += PART)
    text += String.fromCharCode(...bytes.subarray(at, at + PART));
  return btoa(text);
}

/** @returns null for what is none, or has types that are not known here */
export async function readSchema(text: string): Promise<Schema | null> {
  const { tableFromIPC } = await import("apache-arrow");
  try {
    return tableFromIPC(fromBase64(text)).schema;
  } catch {
    return null;
  }
}

/** What follows the last message of a stream. */
const END_BYTES = 8;

/** The schema with some of its columns. @returns null where it cannot be made: readers then go by the Parquet types */
export async function withColumns(text: string, names: ReadonlySet<string>): Promise<string | null> {
  const { Schema, Table, tableToIPC } = await import("apache-arrow");
  const schema = await readSchema(text);
  if (!schema) return null;
  const fields = schema.fields.filter(({ name }) => names.has(name));
  const stream = tableToIPC(new Table(new Schema(fields, schema.metadata)), "stream");
  return toBase64(stream.subarray(0, stream.length - END_BYTES));
}
