/**
 * Secrets at rest: one record each, AES-256-GCM with a random nonce of 96 bits. Principal and name are bound to it as additional
 * data, so that a record that was copied to another name or principal is no secret there. Names are not hidden, values are, but
 * for their length.
 */

import { showText } from "../../runtime/show.ts";
import { sha256 } from "../cache/blobs.ts";
import { RULES } from "../permissions/descriptor.ts";
import type { Store } from "../store/store.ts";
import { SecretError } from "./errors.ts";
import type { KeySource, SecretKeys } from "./keys.ts";

export interface SecretEntry {
  name: string;
  /** When it was last set (ISO 8601). */
  updated: string;
}

/** Where secrets are: here, or a service that keeps them. All fail with SecretError, or with the store's own error. */
export interface Vault {
  /** @returns undefined where there is none of that name */
  read(principal: string, name: string): Promise<string | undefined>;
  /** In the order of their names. */
  list(principal: string): Promise<SecretEntry[]>;
  /** Sets one, whatever was there: text of 1 to 65,536 bytes. */
  write(principal: string, name: string, value: string): Promise<void>;
  /** @returns whether there was one */
  delete(principal: string, name: string): Promise<boolean>;
}

/** A platform's own vault, with its keys. */
export interface OpenVault {
  vault: Vault;
  keys: KeySource;
  close(): Promise<void>;
}

export interface VaultOptions {
  store: Store;
  keys: KeySource;
}

const COLLECTION = "secrets";
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MOST_VALUE_BYTES = 65_536;
const PAGE = 1000;

/**
 * @returns the name
 * @throws SecretError `value` for what is no name of a secret
 */
export function checkName(name: unknown): string {
  const canonical = typeof name === "string" && !name.includes("@") ? RULES.secrets.canonical(name) : null;
  if (canonical !== null) return canonical;
  const received = typeof name === "string" ? showText(name, 100) : typeof name;
  throw new SecretError(
    "value",
    `Cannot use a secret: its name must have letters, digits, "_", "." or "-", at most 128, and begin with a letter or "_": received ${received}`,
  );
}

/** A vault in a store. Whoever opened that closes it. */
export function makeVault({ store, keys }: VaultOptions): Vault {
  return {
    async read(principal, name) {
      const record = await store.get(COLLECTION, await keyOf(principal, checkName(name)));
      if (!record) return undefined;
      const { encryption } = await keys.open();
      return decrypt(encryption, principal, name, record.bytes ?? new Uint8Array());
    },

    async list(principal) {
      const prefix = await keyOf(principal, "");
      const entries: SecretEntry[] = [];
      for (let after = ""; ; ) {
        const page = await store.list(COLLECTION, { prefix, after, limit: PAGE });
        for (const { key, value } of page)
          entries.push({
            name: key.slice(prefix.length),
            updated: String((value as { updated?: unknown }).updated),
          });
        if (page.length < PAGE) return entries;
        after = (page.at(-1) as { key: string }).key;
      }
    },

    async write(principal, name, value) {
      const key = await keyOf(principal, checkName(name));
      const text = new TextEncoder().encode(value);
      if (text.length === 0 || text.length > MOST_VALUE_BYTES || !value.isWellFormed()) {
        throw new SecretError(
          "value",
          `Cannot set the secret ${name}: its value must be text of 1 to ${MOST_VALUE_BYTES} bytes: received ${text.length}`,
        );
      }
      const { encryption } = await keys.make();
      const bytes = await encrypt(encryption, principal, name, text);
      await store.put(COLLECTION, key, { version: VERSION, updated: new Date().toISOString() }, { bytes });
    },

    delete: async (principal, name) => store.delete(COLLECTION, await keyOf(principal, checkName(name))),
  };
}

/** Principals may be of any length and have any character. */
async function keyOf(principal: string, name: string): Promise<string> {
  return `${await sha256(principal)}/${name}`;
}

const boundTo = (principal: string, name: string) =>
  new TextEncoder().encode(JSON.stringify(["fuselet secret", VERSION, principal, name]));

async function encrypt(
  key: SecretKeys["encryption"],
  principal: string,
  name: string,
  text: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const how = { name: "AES-GCM", iv, additionalData: boundTo(principal, name), tagLength: TAG_BYTES * 8 };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(how, key, text));
  const bytes = new Uint8Array(iv.length + sealed.length);
  bytes.set(iv);
  bytes.set(sealed, iv.length);
  return bytes;
}

async function decrypt(
  key: SecretKeys["encryption"],
  principal: string,
  name: string,
  bytes: Uint8Array,
): Promise<string> {
  const iv = bytes.slice(0, NONCE_BYTES);
  const how = { name: "AES-GCM", iv, additionalData: boundTo(principal, name), tagLength: TAG_BYTES * 8 };
  try {
    const text = await crypto.subtle.decrypt(how, key, bytes.slice(NONCE_BYTES));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch (cause) {
    throw new SecretError(
      "damaged",
      `Cannot read the secret ${name}: it is damaged, or was set with another key: set it again with fuselet secrets set ${name}`,
      { cause },
    );
  }
}
