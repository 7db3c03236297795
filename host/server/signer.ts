/** What this server gives out and takes back, and nobody must have changed meanwhile: signed by HMAC-SHA-256. */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { once } from "../../runtime/once.ts";

export interface Signer {
  /** @param parts JSON; the first says what they are, so that no signature is one of something else */
  sign(parts: readonly unknown[]): Promise<string>;
  /** Whether a text is the signature of these parts. */
  verify(parts: readonly unknown[], signature: string): Promise<boolean>;
}

/** @param readKey gives 32 bytes that nobody else has; it is called when they are first wanted */
export function openSigner(readKey: () => Promise<Uint8Array>): Signer {
  const key = once(async () => {
    const how = { name: "HMAC", hash: "SHA-256" };
    return crypto.subtle.importKey("raw", new Uint8Array(await readKey()), how, false, ["sign", "verify"]);
  });
  const bytesOf = (parts: readonly unknown[]) => new TextEncoder().encode(JSON.stringify(parts));
  return {
    async sign(parts) {
      return bytesToHex(new Uint8Array(await crypto.subtle.sign("HMAC", await key(), bytesOf(parts))));
    },
    async verify(parts, signature) {
      if (!/^[0-9a-f]{64}$/.test(signature)) return false;
      return crypto.subtle.verify("HMAC", await key(), hexToBytes(signature), bytesOf(parts));
    },
  };
}
