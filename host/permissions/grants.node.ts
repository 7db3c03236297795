/**
 * Grants for good, in a file of the user (mode 0600):
 *
 *     { "version": 1, "grants": [{ "principal", "udf": { "name", "hash" }, "permission", "value" | "rule", "hosts", "date" }] }
 *
 * It is written whole or not at all, by one process at a time. A file that others may write to, or that does not read well,
 * grants nothing and is left alone.
 */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { UsageError } from "../../runtime/errors.ts";
import { type GrantStore, readSavedGrant, type SavedGrant } from "./grants.ts";

export interface GrantFile extends GrantStore {
  /** Removes grants. @returns those that were removed */
  remove(which: (grant: SavedGrant) => boolean): Promise<SavedGrant[]>;
}

const VERSION = 1;
const MOST_BYTES = 8 * 1024 * 1024;
/** Nobody holds the lock longer than this: whoever does has died. */
const LOCK_MS = 5000;
const LOCK_WAIT_MS = 20;

/** What a grant is called on the command line: the same for as long as it is there. */
export function grantId(grant: SavedGrant): string {
  const { principal, udf, permission, value, rule, hosts, date } = grant;
  const content = JSON.stringify([principal, udf.name, udf.hash, permission, value, rule, hosts, date]);
  return createHash("sha256").update(content).digest("hex").slice(0, 8);
}

/**
 * Opens the grants in a file; it is made when the first one is added.
 * @throws UsageError, from its functions, that names the file and what is wrong with it
 */
export function openGrantFile(file: string): GrantFile {
  const change = async (edit: (grants: SavedGrant[]) => SavedGrant[]): Promise<void> => {
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await withLock(`${file}.lock`, async () => {
        const before = await readGrants(file);
        const after = edit(before);
        if (after.length !== before.length) await writeWhole(file, after);
      });
    } catch (error) {
      throw error instanceof UsageError ? error : failure("write", file, (error as Error).message);
    }
  };
  return {
    list: () => readGrants(file),
    add: (grants) => change((before) => [...before, ...grants]),
    async remove(which) {
      const removed: SavedGrant[] = [];
      await change((before) => {
        removed.push(...before.filter(which));
        return before.filter((grant) => !removed.includes(grant));
      });
      return removed;
    },
  };
}

const failure = (verb: "read" | "write", file: string, why: string) =>
  new UsageError(`Cannot ${verb} ${JSON.stringify(file)}: ${why}`);

async function readGrants(file: string): Promise<SavedGrant[]> {
  let text: string;
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, "r");
    const { mode, uid, size } = await handle.stat();
    const mine = process.getuid === undefined || uid === process.getuid() || uid === 0;
    if (!mine) throw failure("read", file, "it belongs to another user");
    if (process.getuid && mode & 0o022) {
      throw failure("read", file, "others may write to it; take that away with chmod 600");
    }
    if (size > MOST_BYTES) throw failure("read", file, `it is larger than ${MOST_BYTES} bytes`);
    text = await handle.readFile("utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error instanceof UsageError ? error : failure("read", file, (error as Error).message);
  } finally {
    await handle?.close();
  }
  return parseGrants(text, file);
}

function parseGrants(text: string, file: string): SavedGrant[] {
  let content: { version?: unknown; grants?: unknown } | null;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw failure("read", file, `it is no JSON: ${(error as Error).message}`);
  }
  const { version, grants } = content ?? {};
  if (version !== VERSION || !Array.isArray(grants)) {
    throw failure("read", file, `it is not in the format of this version (${VERSION})`);
  }
  return grants.map((entry: unknown, index) => {
    const grant = readSavedGrant(entry);
    if (!grant)
      throw failure("read", file, `grants[${index}] is no grant: ${JSON.stringify(entry).slice(0, 200)}`);
    return grant;
  });
}

/** First beside it under another name, then renamed, so that nobody sees a part. */
async function writeWhole(file: string, grants: readonly SavedGrant[]): Promise<void> {
  const part = `${file}.${randomUUID()}.part`;
  try {
    const handle = await open(part, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify({ version: VERSION, grants }, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Works while no other process does. */
async function withLock(lock: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await (await open(lock, "wx", 0o600)).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const held = await stat(lock).catch(() => undefined);
    if (held && Date.now() - held.mtimeMs > LOCK_MS) await rm(lock, { force: true });
    else await setTimeout(LOCK_WAIT_MS);
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}
