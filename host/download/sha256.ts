import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** SHA-256 of all parts, hexadecimal, for platforms that only hash what is in memory as a whole. */
export async function sha256OfParts(
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<string> {
  const hash = sha256.create();
  for await (const part of parts) hash.update(part);
  return bytesToHex(hash.digest());
}
