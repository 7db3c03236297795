/**
 * A store in an SQLite database file (node:sqlite), safe for many processes at once.
 *
 * It is in WAL mode with `synchronous=NORMAL`: a commit is a write to the log, which a killed process leaves behind
 * whole; the disk is waited for at checkpoints only. Calls of SQLite block, so each waits for other processes only briefly,
 * and then tries again from a timer.
 */
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { link, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreError, type StoreErrorCode } from "./errors.ts";
import { RecentRecords } from "./recent-records.ts";
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
  /** The database file; it is made where there is none (mode 0600), and so is its folder (mode 0700). */
  path: string;
  /** What is in it can be made again: a damaged file is removed, and an empty one takes its place. Default false. */
  disposable?: boolean;
  /** Records that were read of late stay in memory, frozen, until somebody writes. Default false. */
  recent?: boolean;
}

export interface SqliteStore extends Store {
  /** Reads the whole file. @returns what is wrong with it, a sentence each; empty where nothing is */
  check(): Promise<string[]>;
  /** A text that is another one once anything was written, here or by others. */
  state(): Promise<string>;
  /** Copies what is in it now to a new file, mode 0600; this thread stands still. @throws StoreError `io` where that file exists */
  backup(path: string): Promise<void>;
}

/** "fuse", to tell our files from other programs'. */
const APPLICATION_ID = 0x66757365;

/** Version n of the schema is what the first n steps make. Steps are only ever added. */
const MIGRATIONS = [
  // AUTOINCREMENT: the number of a deleted or replaced record is never given again, which makes it the record's version.
  `CREATE TABLE records (
     version INTEGER PRIMARY KEY AUTOINCREMENT,
     collection TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     bytes BLOB,
     UNIQUE (collection, key)
   ) STRICT`,
];

/** How long SQLite itself waits: our thread stands still for so long. */
const BLOCK_MS = 10;
/** How long a call goes on trying while others write. */
const BUSY_MS = 10_000;

interface Opened {
  db: DatabaseSync;
  file: string;
  select: StatementSync;
  range: StatementSync;
  insert: StatementSync;
  remove: StatementSync;
  /** Another number once another connection has written (sqlite.org/pragma.html#pragma_data_version). */
  dataVersion: StatementSync;
}

/** A store in a file. The file is opened when it is first used. */
export function openStore({ path, disposable = false, recent = false }: StoreOptions): SqliteStore {
  let opened: Opened | undefined;
  let closed = false;
  const close = () => {
    opened?.db.close();
    opened = undefined;
  };
  const once = <T>(work: (opened: Opened) => T): T => {
    if (closed) throw new StoreError(`Cannot use the database ${path}: it is closed`, { code: "closed" });
    const file = opened?.file ?? identity(path);
    try {
      return work((opened ??= openDatabase(path)));
    } catch (error) {
      const failure = storeErrorOf(error, path);
      if (!disposable || !(failure instanceof StoreError) || failure.code !== "damaged") throw failure;
      close();
      // Another process may have removed it already: then another file is there now.
      if (file === identity(path)) removeDatabase(path);
      return work((opened = openDatabase(path)));
    }
  };
  const run = async <T>(work: (opened: Opened) => T): Promise<T> => {
    const started = performance.now();
    for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 50)) {
      try {
        return once(work);
      } catch (error) {
        const failure = storeErrorOf(error, path);
        const busy = failure instanceof StoreError && failure.code === "busy";
        if (!busy || performance.now() - started > BUSY_MS) throw failure;
        await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random())));
      }
    }
  };
  const records = recent ? new RecentRecords() : undefined;
  let written = 0;
  const versionOf = ({ dataVersion }: Opened) => dataVersion.get()!.data_version as number;
  const driver: StoreDriver = {
    get: (name) =>
      run((opened) =>
        records
          ? records.get(name, versionOf(opened), () => rowOf(opened.select, name))
          : find(opened.select, name),
      ),
    list: (collection, { prefix, after, limit }) =>
      run(({ range }) => {
        const from = after.startsWith(prefix) ? after : prefix;
        return (range.all(collection, from, prefix + LAST, after, limit) as unknown as Row[]).map(readRow);
      }),
    transact: (names, change) =>
      run(({ db, select, insert, remove }) => {
        records?.forget(names);
        written++;
        return inTransaction(db, () => {
          const changes = change(names.map((name) => find(select, name)));
          return names.map(({ collection, key }, i) => {
            const made = changes[i];
            if (made)
              return Number(insert.run(collection, key, made.text, made.bytes ?? null).lastInsertRowid);
            if (made === null) remove.run(collection, key);
            return 0;
          });
        });
      }),
    async close() {
      closed = true;
      if (opened) shrink(opened.db);
      close();
    },
  };
  return {
    ...makeStore(driver),
    state: () => run((opened) => `${versionOf(opened)}.${written}`),
    async check() {
      const rows = await run(({ db }) => db.prepare("PRAGMA integrity_check").all());
      return rows.map((row) => String(row.integrity_check)).filter((line) => line !== "ok");
    },
    async backup(target) {
      const temporary = `${target}.${process.pid}.tmp`;
      try {
        await (await open(temporary, "wx", 0o600)).close();
        await run(({ db }) => db.prepare("VACUUM INTO ?").run(temporary));
        const file = await open(temporary, "r+");
        await file.sync().finally(() => file.close());
        // Unlike a renaming, this never replaces a file.
        await link(temporary, target);
      } catch (error) {
        throw storeErrorOf(error, target);
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}

const rowOf = (select: StatementSync, { collection, key }: RecordName) =>
  select.get(collection, key) as Row | undefined;

function find(select: StatementSync, name: RecordName): StoreRecord | undefined {
  const row = rowOf(select, name);
  return row && readRow(row);
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      db.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
    throw error;
  }
}

/** The module, without its warning that it is experimental (Node 22 and 24 give it while they load it). */
function loadSqlite(path: string): typeof import("node:sqlite") {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes("SQLite is an experimental feature"))
      Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    const sqlite = process.getBuiltinModule("node:sqlite") as typeof import("node:sqlite") | undefined;
    if (sqlite) return sqlite;
  } finally {
    process.emitWarning = emitWarning;
  }
  throw new StoreError(
    `Cannot open ${path}: this Node has no SQLite; use Node 22.13 or later, without --no-experimental-sqlite`,
    { code: "io" },
  );
}

/** @throws StoreError, or SQLite's own error */
function openDatabase(path: string): Opened {
  const { DatabaseSync } = loadSqlite(path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its other files the mode of this one.
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
  const db = new DatabaseSync(path);
  try {
    db.exec(`PRAGMA busy_timeout = ${BLOCK_MS}; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON`);
    const isNew = checkIdentity(db, path);
    // Before anything is in it, and in this order: both change the format of the file.
    if (isNew) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216");
    if (pragma(db, "user_version") < MIGRATIONS.length) migrate(db, path);
    return {
      db,
      file: identity(path),
      select: db.prepare(
        "SELECT key, version, value AS text, bytes FROM records WHERE collection = ? AND key = ?",
      ),
      // The plus keeps the planner from beginning at `after` where that is less than the prefix.
      range: db.prepare(
        "SELECT key, version, value AS text FROM records WHERE collection = ? AND key >= ? AND key < ? AND +key > ? ORDER BY key LIMIT ?",
      ),
      insert: db.prepare(
        "INSERT OR REPLACE INTO records (collection, key, value, bytes) VALUES (?, ?, ?, ?)",
      ),
      remove: db.prepare("DELETE FROM records WHERE collection = ? AND key = ?"),
      dataVersion: db.prepare("PRAGMA data_version"),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

const pragma = (db: DatabaseSync, name: string): number =>
  Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;

/** Whether the file is new. @throws StoreError where it is not ours, or newer than this program */
function checkIdentity(db: DatabaseSync, path: string): boolean {
  const version = pragma(db, "user_version");
  const objects = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!.n as number;
  if (objects === 0 && version === 0) return true;
  if (pragma(db, "application_id") !== APPLICATION_ID)
    throw new StoreError(`Cannot open ${path}: it is a database of another program`, { code: "damaged" });
  if (version > MIGRATIONS.length) {
    const why = `its schema has version ${version}, and this fuselet knows ${MIGRATIONS.length}`;
    throw new StoreError(`Cannot open ${path}: ${why}. Use the newer fuselet that wrote it`, {
      code: "version",
    });
  }
  return false;
}

function migrate(db: DatabaseSync, path: string): void {
  inTransaction(db, () => {
    // Another process may have been quicker.
    if (checkIdentity(db, path)) db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    for (const step of MIGRATIONS.slice(pragma(db, "user_version"))) db.exec(step);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/** Gives room back to the disk where most of the file is unused. */
function shrink(db: DatabaseSync): void {
  try {
    // Each step gives a page back; Deno's `exec` makes one.
    if (pragma(db, "freelist_count") > pragma(db, "page_count") / 2)
      db.prepare("PRAGMA incremental_vacuum").all();
  } catch {
    // Another process writes, or the disk is full: the next one that closes does it.
  }
}

/** Which file lies at the path now. */
function identity(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : "";
}

function removeDatabase(path: string): void {
  // The log first: alone it would be taken for that of the next file.
  for (const suffix of ["-wal", "-shm", ""]) rmSync(path + suffix, { force: true });
}

/** SQLite's primary result codes: sqlite.org/rescode.html. */
const CODES: Record<number, [StoreErrorCode, string]> = {
  5: ["busy", "other processes write to it all the time"],
  6: ["busy", "other processes write to it all the time"],
  11: ["damaged", "the file is damaged"],
  13: ["full", "the disk is full"],
  26: ["damaged", "it is no database"],
};

/** What SQLite and the file system throw, as a StoreError; anything else as it is, such as an error of who changes a record. */
function storeErrorOf(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  const { message, code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  if (code !== "ERR_SQLITE_ERROR" && !("syscall" in error)) return error;
  const [kind, why]: [StoreErrorCode, string] = CODES[(errcode ?? 0) & 0xff] ?? [
    code === "ENOSPC" || code === "EDQUOT" ? "full" : "io",
    message,
  ];
  return new StoreError(`Cannot use the database ${path}: ${why}`, { code: kind, cause: error });
}
