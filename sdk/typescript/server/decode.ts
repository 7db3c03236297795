/** The body of a result by its content type, as far as that needs no library. */
import { MediaValue, NdArray } from "../../../runtime/value.ts";

/** Reads a body of a kind that needs more than this: a table, an archive of results. Null for what it does not know. */
export type DecodeMore = (kind: string, body: Uint8Array) => Promise<unknown>;

/**
 * The value that a body stands for, as a run of ours would give it; null for an empty one. What nobody can read is a document.
 * @throws ResultError, SyntaxError for a body that is not what its type says
 */
export async function decodeResult(
  body: Uint8Array,
  contentType: string,
  more?: DecodeMore,
): Promise<unknown> {
  if (body.length === 0) return null;
  const kind = contentType.split(";")[0]!.trim().toLowerCase();
  switch (kind) {
    case "application/json":
      return parse(new TextDecoder().decode(body));
    case "application/x-numpy-data":
      return new NdArray(body);
    case "application/x-bytes":
      return body;
  }
  // Servers send Parquet under several types.
  const isParquet = body.length > 8 && PARQUET.every((byte, at) => body[at] === byte);
  const decoded = await more?.(isParquet ? "parquet" : kind, body);
  if (decoded !== undefined && decoded !== null) return decoded;
  return kind === "application/octet-stream" && !isParquet
    ? body
    : new MediaValue(isParquet ? "application/vnd.apache.parquet" : kind || "application/octet-stream", body);
}

const PARQUET = [0x50, 0x41, 0x52, 0x31];

/** JSON whose integers keep all their digits, where the engine says what they were (ECMAScript's "JSON.parse source text access"). */
function parse(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const revive = (_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context?.source;
    return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}
