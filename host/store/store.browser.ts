/** A store in IndexedDB: all tabs and workers of the page's origin share it. */
import { StoreError, type StoreErrorCode } from "./errors.ts";
import {
  LAST,
  makeStore,
  type RecordName,
  type Row,
  readRow,
  type Store,
  type StoreDriver,
  type StoreRecord,
} from "./store.ts";

export interface StoreOptions {
  /** The database's name. Default `fuselet`. */
  name?: string;
}

const STORES = ["records", "bytes", "versions"];

/** Version n of the schema is what the first n steps make. Steps are only ever added. */
const MIGRATIONS: readonly ((database: IDBDatabase) => void)[] = [
  (database) => {
    database.createObjectStore("records");
    // Under the same keys, so that a list does not read them.
    database.createObjectStore("bytes");
    // One record: the last version that was given.
    database.createObjectStore("versions");
  },
];

/** IndexedDB orders texts by UTF-16 units, and bytes as bytes. */
const keyOf = (collection: string, key: string): [string, Uint8Array<ArrayBuffer>] => [
  collection,
  new TextEncoder().encode(key),
];

/** A store in the browser. It is opened when it is first used. */
export function openStore({ name = "fuselet" }: StoreOptions = {}): Store {
  let opening: Promise<IDBDatabase> | undefined;
  let closed = false;
  const forget = (database: Promise<IDBDatabase>) => {
    if (opening === database) opening = undefined;
  };
  const open = (): Promise<IDBDatabase> => {
    if (closed) throw new StoreError(`Cannot use the database ${name}: it is closed`, { code: "closed" });
    if (opening) return opening;
    const started = openDatabase(name, () => forget(started));
    started.catch(() => forget(started));
    opening = started;
    return started;
  };
  /** Does something in a transaction, and answers when it is committed. */
  const run = async <T>(mode: IDBTransactionMode, work: (transaction: IDBTransaction) => Promise<T>) => {
    for (let attempt = 1; ; attempt++) {
      const connecting = open();
      try {
        const transaction = (await connecting).transaction(STORES, mode);
        const done = completed(transaction);
        done.catch(() => {});
        try {
          const result = await work(transaction);
          await done;
          return result;
        } catch (error) {
          // The transaction's own error says more than that of a request which it took down.
          if (transaction.error) throw transaction.error;
          abort(transaction);
          throw error;
        }
      } catch (error) {
        // The browser has closed the connection: another version is wanted, or the storage was cleared.
        const gone = error instanceof DOMException && error.name === "InvalidStateError";
        if (!gone || attempt > 1) throw storeErrorOf(error, name);
        forget(connecting);
      }
    }
  };
  const driver: StoreDriver = {
    get: (name) => run("readonly", (transaction) => find(transaction, name)),
    list: (collection, { prefix, after, limit }) =>
      run("readonly", async (transaction) => {
        const isBehind = after !== "" && indexedDB.cmp(keyOf("", after), keyOf("", prefix)) >= 0;
        const from = keyOf(collection, isBehind ? after : prefix);
        const to = keyOf(collection, prefix + LAST);
        if (indexedDB.cmp(from, to) >= 0) return [];
        const range = IDBKeyRange.bound(from, to, isBehind, true);
        return (await settled<Row[]>(transaction.objectStore("records").getAll(range, limit))).map(readRow);
      }),
    transact: (names, change) =>
      run("readwrite", async (transaction) => {
        const versions = transaction.objectStore("versions");
        const [last = 0, ...found] = await Promise.all([
          settled<number | undefined>(versions.get("last")),
          ...names.map((name) => find(transaction, name)),
        ]);
        const changes = change(found);
        let version = last;
        const given = names.map((name, i) => {
          const made = changes[i];
          if (made !== undefined) write(transaction, name, made && { ...made, version: ++version });
          return version;
        });
        if (version !== last) versions.put(version, "last");
        return given;
      }),
    async close() {
      closed = true;
      const database = await opening?.catch(() => undefined);
      database?.close();
      opening = undefined;
    },
  };
  return makeStore(driver);
}

function openDatabase(name: string, onClosed: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, MIGRATIONS.length);
    request.onupgradeneeded = ({ oldVersion }) => {
      for (const step of MIGRATIONS.slice(oldVersion)) step(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      // A tab with a newer fuselet waits for this.
      database.onversionchange = () => {
        database.close();
        onClosed();
      };
      database.onclose = onClosed;
      resolve(database);
    };
  });
}

async function find(
  transaction: IDBTransaction,
  { collection, key }: RecordName,
): Promise<StoreRecord | undefined> {
  const [row, bytes] = await Promise.all([
    settled<Row | undefined>(transaction.objectStore("records").get(keyOf(collection, key))),
    settled<Uint8Array | undefined>(transaction.objectStore("bytes").get(keyOf(collection, key))),
  ]);
  return row && readRow({ ...row, bytes: bytes ?? null });
}

function write(
  transaction: IDBTransaction,
  { collection, key }: RecordName,
  made: { text: string; bytes: Uint8Array | undefined; version: number } | null,
): void {
  const place = keyOf(collection, key);
  const records = transaction.objectStore("records");
  const bytes = transaction.objectStore("bytes");
  if (made) records.put({ key, version: made.version, text: made.text } satisfies Row, place);
  else records.delete(place);
  // A copy: of a view, the whole buffer would be stored.
  if (made?.bytes) bytes.put(made.bytes.slice(), place);
  else bytes.delete(place);
}

function settled<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error);
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended.
  }
}

const CODES: Record<string, [StoreErrorCode, string]> = {
  QuotaExceededError: ["full", "the browser gives this page no more room"],
  VersionError: ["version", "a newer fuselet has written it. Reload the page"],
};

function storeErrorOf(error: unknown, name: string): unknown {
  if (!(error instanceof DOMException)) return error;
  const [code, why] = CODES[error.name] ?? (["io", `${error.name}: ${error.message}`] as const);
  return new StoreError(`Cannot use the database ${name}: ${why}`, { code, cause: error });
}
