/** Keys of a page's origin: they lie in IndexedDB and never leave the browser's own code, not even for the page. */
import { SecretError } from "./errors.ts";
import type { KeySource, SecretKeys } from "./keys.ts";

const STORE = "keys";
const RECORD = "secrets";

/** @param name the database's */
export function openKeys(name: string): KeySource {
  const find = () => inDatabase(name, "readonly", (store) => store.get(RECORD));
  return {
    async open() {
      const keys = await find();
      if (keys) return keys;
      throw new SecretError(
        "key",
        "There is no key to read secrets with: none was ever set, or the key was lost",
      );
    },
    async make() {
      const there = await find();
      if (there) return there;
      const made = await generateKeys();
      // Another tab may have been quicker: then its keys stay.
      await inDatabase(name, "readwrite", (store) => {
        const found = store.getKey(RECORD);
        found.onsuccess = () => {
          if (found.result === undefined) store.put(made, RECORD);
        };
        return found;
      });
      return (await find()) as SecretKeys;
    },
  };
}

async function generateKeys(): Promise<SecretKeys> {
  const { subtle } = crypto;
  const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
  return {
    encryption: await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    placeholders: await subtle.generateKey(hmac, false, ["sign"]),
  };
}

/** Does one thing in a transaction of its own, and answers when that is over. */
function inDatabase(
  name: string,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest,
): Promise<SecretKeys | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new SecretError("key", "Cannot use the keys of this origin: its storage failed", { cause }));
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => {
        database.close();
        resolve(request.result);
      };
      transaction.onabort = () => {
        database.close();
        fail(transaction.error);
      };
    };
  });
}
