/** How tokens are looked up and kept: by their hash. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** SHA-256, hexadecimal. At once: for so short a text the platform's own takes longer to be asked. */
export function tokenHash(token: string): string {
  return bytesToHex(sha256(utf8ToBytes(token)));
}

/** A token where it must not be read: in logs, in the names of runs. */
export const tokenLabel = (token: string): string => tokenHash(token).slice(0, 32);
