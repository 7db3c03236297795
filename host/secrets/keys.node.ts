/** Keys from the environment, or from a file that only the user can read. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { readKey } from "../../runtime/key.node.ts";
import { SecretError } from "./errors.ts";
import type { KeySource, SecretKeys } from "./keys.ts";

export interface KeyOptions {
  /** Its file `key` (mode 0600) is made when the first secret is set. */
  folder: string;
  /** The text of FUSELET_SECRETS_KEY: 32 bytes as 64 hexadecimal digits or as base64. It counts instead of the file. */
  text: string | undefined;
}

const KEY_BYTES = 32;

export function openKeys({ folder, text }: KeyOptions): KeySource {
  const file = join(folder, "key");
  const fromFile = async (): Promise<SecretKeys> => {
    const bytes = await readKeyFile(file);
    if (bytes) return deriveKeys(bytes);
    throw new SecretError(
      "key",
      "There is no key to read secrets with: none was ever set, or the key was lost",
    );
  };
  if (text) {
    const keys = async () => deriveKeys(parseKey(text));
    return { open: keys, make: keys };
  }
  return {
    open: fromFile,
    async make() {
      // One that is there and cannot be used is never replaced: all secrets would be lost.
      if (!(await readKeyFile(file))) {
        await readKey(folder).catch((cause: Error) => {
          throw refusal("it cannot be made", cause);
        });
      }
      return fromFile();
    },
  };
}

/** @throws SecretError that says what is wrong, and nothing of the text */
function parseKey(text: string): Uint8Array {
  const trimmed = text.trim();
  const isHex = /^[0-9a-f]{64}$/i.test(trimmed);
  const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed);
  if (!isHex && !isBase64) {
    throw new SecretError(
      "key",
      `Cannot use FUSELET_SECRETS_KEY: it must be ${KEY_BYTES} bytes as 64 hexadecimal digits or as base64: received ${trimmed.length} characters; openssl rand -hex ${KEY_BYTES} makes one`,
    );
  }
  return new Uint8Array(Buffer.from(trimmed, isHex ? "hex" : "base64"));
}

/** A UDF may see it: it does not say where on this machine that folder is. */
const refusal = (why: string, cause?: unknown) =>
  new SecretError("key", `Cannot use the key of the secrets (secrets/key in the data folder): ${why}`, {
    cause,
  });

/** @returns undefined where there is none */
async function readKeyFile(file: string): Promise<Uint8Array | undefined> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw refusal("it cannot be read", error);
  }
  try {
    const { mode, size } = await handle.stat();
    if (process.getuid && mode & 0o077) throw refusal("others may read it; take that away with chmod 600");
    if (size !== KEY_BYTES) {
      throw refusal(
        `it must have ${KEY_BYTES} bytes: received ${size}; bring it back from a copy, or remove it and set all secrets again`,
      );
    }
    return new Uint8Array(await handle.readFile());
  } finally {
    await handle.close();
  }
}

/** One key for each purpose (HKDF, RFC 5869). */
async function deriveKeys(bytes: Uint8Array): Promise<SecretKeys> {
  const { subtle } = crypto;
  const base = await subtle.importKey("raw", bytes as Uint8Array<ArrayBuffer>, "HKDF", false, ["deriveKey"]);
  const derive = (purpose: string, kind: AesKeyGenParams | HmacKeyGenParams, usages: KeyUsage[]) => {
    const info = new TextEncoder().encode(`fuselet secrets 1 ${purpose}`);
    const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
    return subtle.deriveKey(how, base, kind, false, usages);
  };
  return {
    encryption: await derive("encryption", { name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]),
    placeholders: await derive("placeholders", { name: "HMAC", hash: "SHA-256", length: 256 }, ["sign"]),
  };
}
