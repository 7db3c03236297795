/**
 * A copy of a server's folder as one tar archive, made while the server runs, and a folder made of such an archive.
 *
 * Databases are copied by SQLite, each as it is at one moment, and before the files: what a database names is then there. A file that users
 * replace is in it as the old one or the new one. Left out is what is made again: caches, uploads that go on, counts of what is used.
 */
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  rmdir,
} from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { createTarDecoder, createTarPacker } from "modern-tar";
import { UsageError } from "../../runtime/errors.ts";
import { isPartName } from "../storage/parts.node.ts";
import { openStore } from "../store/store.node.ts";

/** The first entry of an archive: it says what the rest is. */
const MANIFEST = "fuselet-backup.json";
const FORMAT = 1;
/** How each database of SQLite begins (sqlite.org/fileformat.html). */
const MAGIC = Buffer.from("SQLite format 3\0");
const CHUNK_BYTES = 1024 * 1024;
const LEFT_OUT = /^(cache|parts|usage\.db)$/;
const DATABASE = /\.db$/;
const BESIDE_DATABASE = /\.db-(wal|shm|journal)$/;

/** What a backup or a restore has done. */
export interface Copied {
  files: number;
  bytes: number;
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

interface Source {
  /** In the archive. */
  name: string;
  path: string;
}

/**
 * Copies a server's folder to a new archive, mode 0600.
 * @throws UsageError where there is no server's folder, or the file is in it, or there already; StoreError
 */
export async function backup(data: string, file: string, version: string): Promise<Copied> {
  if (!(await exists(join(data, "server.db"))))
    throw new UsageError(`Cannot back up ${JSON.stringify(data)}: it is not a folder of fuselet serve`);
  if (resolve(file).startsWith(resolve(data) + sep))
    throw new UsageError(
      `Cannot write ${JSON.stringify(file)}: it would be in what it is a copy of; name a file elsewhere`,
    );
  if (await exists(file)) throw new UsageError(`Cannot write ${JSON.stringify(file)}: it is there already`);
  const temporary = await mkdtemp(join(dirname(file), `.${basename(file).slice(0, 100)}.`)).catch(
    (cause: Error) => {
      throw new UsageError(`Cannot write ${JSON.stringify(file)}: ${cause.message}`, { cause });
    },
  );
  try {
    const part = join(temporary, "archive");
    const copied = await writeArchive(data, part, temporary, version);
    // Unlike a renaming, this never replaces a file.
    await link(part, file);
    return copied;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function writeArchive(data: string, part: string, temporary: string, version: string): Promise<Copied> {
  const target = await open(part, "wx", 0o600);
  const copied = { files: 0, bytes: 0 };
  try {
    const { readable, controller } = createTarPacker();
    const add = async (name: string, size: number, body: Chunks) => {
      const writer = controller.add({ name, size, mode: 0o600, type: "file" }).getWriter();
      for await (const bytes of body) await writer.write(bytes);
      await writer.close();
    };
    const pack = async () => {
      const about = { format: FORMAT, version, created: new Date().toISOString() };
      const manifest = new TextEncoder().encode(JSON.stringify(about));
      await add(MANIFEST, manifest.length, [manifest]);
      for (const { name, path } of await sourcesIn(data, temporary)) {
        // A file that is gone meanwhile was deleted by its user.
        const handle = await open(path, "r").catch(orUndefined);
        if (!handle) continue;
        try {
          const { size } = await handle.stat();
          await add(name, size, chunksOf(handle, size));
          copied.files++;
          copied.bytes += size;
        } finally {
          await handle.close();
        }
      }
      controller.finalize();
    };
    const packed = pack().catch((error) => {
      controller.error(error);
      throw error;
    });
    await Promise.all([packed, writeAll(target, readable)]);
    await target.sync();
    return copied;
  } finally {
    await target.close();
  }
}

/** So many bytes of a file; fewer where it has become shorter. */
async function* chunksOf(handle: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < size; ) {
    const bytes = new Uint8Array(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield bytes.subarray(0, bytesRead);
  }
}

function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

async function writeAll(target: FileHandle, chunks: Chunks): Promise<void> {
  for await (const bytes of chunks) await target.appendFile(bytes);
}

/** Copies of the databases, then the other files. */
async function sourcesIn(data: string, temporary: string): Promise<Source[]> {
  const databases: Source[] = [];
  const files: Source[] = [];
  const walk = async (folder: string, name: string) => {
    for (const entry of (await readdir(folder, { withFileTypes: true }).catch(orUndefined)) ?? []) {
      if ((name === "" && LEFT_OUT.test(entry.name)) || isPartName(entry.name)) continue;
      const path = join(folder, entry.name);
      const below = name === "" ? entry.name : `${name}/${entry.name}`;
      // What users call .db is theirs, and no database of ours.
      const isOurs = !/^(files|mount)\//.test(below);
      if (entry.isDirectory()) await walk(path, below);
      else if (!entry.isFile() || (isOurs && BESIDE_DATABASE.test(entry.name))) continue;
      else if (isOurs && DATABASE.test(entry.name)) databases.push({ name: below, path });
      else files.push({ name: below, path });
    }
  };
  await walk(data, "");
  for (const [index, source] of databases.entries()) {
    const store = openStore({ path: source.path });
    const copy = join(temporary, `${index}.db`);
    try {
      await store.backup(copy);
    } finally {
      await store.close();
    }
    source.path = copy;
  }
  return [...databases, ...files];
}

/**
 * Makes a server's folder of an archive: all of it, or nothing.
 * @param folder where nothing is yet, or an empty folder
 * @throws UsageError where there is something, or the archive is none of ours or is damaged
 */
export async function restore(file: string, folder: string): Promise<Copied> {
  const data = resolve(folder);
  const refuse = (why: string, cause?: unknown) =>
    new UsageError(`Cannot restore ${JSON.stringify(file)}: ${why}`, { cause });
  if (((await readdir(data).catch(orUndefined)) ?? []).length > 0)
    throw refuse(`the folder ${JSON.stringify(data)} is not empty; name another one`);
  await mkdir(dirname(data), { recursive: true, mode: 0o700 });
  const part = await mkdtemp(`${data}.restoring-`);
  try {
    const copied = await unpack(file, part).catch((cause: Error) => {
      throw cause instanceof UsageError
        ? refuse(cause.message)
        : refuse(`it is no whole archive (${cause.message})`, cause);
    });
    await checkDatabase(join(part, "server.db"), refuse);
    await rmdir(data).catch(orUndefined);
    await rename(part, data);
    return copied;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  }
}

async function unpack(file: string, folder: string): Promise<Copied> {
  const source = await open(file, "r").catch((cause: Error) => {
    throw new UsageError(cause.message, { cause });
  });
  const copied = { files: 0, bytes: 0 };
  try {
    const bytes = streamOf(chunksOf(source, (await source.stat()).size));
    const entries = bytes.pipeThrough(createTarDecoder({ strict: true }));
    let isKnown = false;
    for await (const { header, body } of entries) {
      if (!isKnown) {
        if (header.name !== MANIFEST) throw new UsageError("it is no backup of fuselet");
        const { format } = (await new Response(body).json()) as { format?: unknown };
        if (format !== FORMAT)
          throw new UsageError(`its format is ${JSON.stringify(format)}, and this fuselet reads ${FORMAT}`);
        isKnown = true;
        continue;
      }
      const path = resolve(folder, header.name);
      if (header.type !== "file" || !path.startsWith(folder + sep) || header.name.endsWith("/"))
        throw new UsageError(`it has ${JSON.stringify(header.name)}, which is no file of a backup`);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const target = await open(path, "wx", 0o600);
      await writeAll(target, body).finally(() => target.close());
      copied.files++;
      copied.bytes += header.size;
    }
    if (!isKnown) throw new UsageError("it is no backup of fuselet");
    return copied;
  } finally {
    await source.close();
  }
}

async function checkDatabase(path: string, refuse: (why: string) => UsageError): Promise<void> {
  if (!(await exists(path))) throw refuse("it has no database");
  // SQLite takes the place of a file without that with an empty database.
  if (!(await begin(path, MAGIC.length)).equals(MAGIC)) throw refuse("its database is none");
  const store = openStore({ path });
  try {
    const [problem] = await store.check();
    if (problem !== undefined) throw refuse(`its database is damaged: ${problem}`);
  } finally {
    await store.close();
  }
}

/** The first bytes of a file. */
async function begin(path: string, length: number): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    return (await handle.read({ buffer: Buffer.alloc(length) })).buffer;
  } finally {
    await handle.close();
  }
}

const exists = async (path: string) => (await lstat(path).catch(orUndefined)) !== undefined;

/** For what need not be there. */
function orUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
