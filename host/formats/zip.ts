/**
 * Several results as one zip archive: each is a member, and the member `meta.json` says what they are:
 *
 *     {"files": {NAME: {"content_type": "application/json"}}}
 */
import { strToU8, zipSync } from "fflate";
import type { Encoded } from "../../runtime/value.ts";
import { unsafePath } from "../udfs/paths.ts";
import { encodedMembers } from "./encoded-json.ts";
import type { FormatOptions } from "./formats.ts";
import { formatNamed, writeResult } from "./negotiate.ts";
import { describeValue, isObject, UnsuitableError } from "./values.ts";

const META = "meta.json";
/** What readers of such archives take as Parquet, and as bytes. */
const PARQUET = "application/octet-stream";
const BYTES = "application/x-bytes";
/** The time of all members: the same results are the same archive. */
const TIME = new Date("1980-01-02T00:00:00");

/**
 * Encodes an object of results.
 * @param options.formats of the members, in order of preference
 * @throws UnsuitableError for anything else, and for names that are none for files
 */
export async function encodeZip(
  value: unknown,
  { formats = ["npy", "parquet", "json"], encoded = null, hasConstants = false }: FormatOptions = {},
): Promise<Uint8Array> {
  if (!isObject(value)) throw new UnsuitableError(`it is ${describeValue(value)}`);
  const wish = {
    formats: formats.map(formatNamed).filter((name) => name !== undefined && name !== "zip"),
    isFirm: false,
    hasConstants,
  };
  const encodedOf = encoded ? encodedMembers(encoded) : new Map<string, Encoded>();
  const members: Record<string, Uint8Array> = {};
  const files: Record<string, { content_type: string }> = {};
  for (const [name, item] of Object.entries(value)) {
    const why = name === META ? "that is what the archive's own list is called" : unsafePath(name);
    if (why !== null)
      throw new UnsuitableError(`${JSON.stringify(name)} cannot be the name of a member: ${why}`);
    const { mediaType, bytes } = await writeResult(item, wish, encodedOf.get(name));
    members[name] = bytes;
    files[name] = { content_type: memberType(mediaType) };
  }
  return zipSync({ [META]: strToU8(JSON.stringify({ files })), ...members }, { level: 6, mtime: TIME });
}

function memberType(mediaType: string): string {
  if (mediaType === "application/vnd.apache.parquet") return PARQUET;
  return mediaType === "application/octet-stream" ? BYTES : mediaType;
}
