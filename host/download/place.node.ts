/**
 * Downloads on disk. Below one folder, for each key:
 *
 *     KEY.data   the file, whole              KEY.sha256   what it hashes to, once somebody has asked
 *     KEY.part   what has come of it so far   KEY.json     which version that is
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { openDiskFile } from "../files/disk-file.node.ts";
import type { DownloadPlace, PartialDownload } from "./download.ts";
import { DownloadError } from "./errors.ts";

/** A file that nobody has asked for in longest goes first when there are more bytes than this. */
const MOST_BYTES = 32 * 1024 ** 3;
/** What a try has left that nobody has taken up again in so long. */
const STALE_MS = 24 * 60 * 60 * 1000;

export interface DownloadFolder {
  folder: string;
  lock: DownloadPlace["lock"];
  /** Default 32 GiB. */
  maxBytes?: number;
}

/** A failure of the disk, in words. */
function refused(path: string, cause: unknown): DownloadError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new DownloadError(
    `Cannot write ${path}: ${code === "ENOSPC" ? "the disk is full" : (code ?? message)}`,
    {
      code: "storage",
      cause,
    },
  );
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

/** The hash of a file that may be replaced at any moment: it is noted together with which file it is of. */
async function knownSha256(path: string, note: string): Promise<string> {
  const identity = async () => {
    const { ino, size, birthtimeMs } = await stat(path);
    return `${ino} ${size} ${birthtimeMs}`;
  };
  const now = await identity();
  const [noted, of] = (await readFile(note, "utf8").catch(() => "")).split("\n");
  if (noted && of === now) return noted;
  const actual = await sha256Of(path);
  // Replaced meanwhile: what was read may be half the one and half the other.
  if ((await identity()) !== now) return knownSha256(path, note);
  await writeFile(note, `${actual}\n${now}`, { mode: 0o600 });
  return actual;
}

async function resume(folder: string, key: string, kept: () => Promise<void>): Promise<PartialDownload> {
  const path = (end: string) => join(folder, `${key}.${end}`);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw refused(folder, cause);
  });
  let validator: string | null = null;
  let part: FileHandle;
  try {
    part = await open(path("part"), "a+", 0o600);
  } catch (cause) {
    throw refused(path("part"), cause);
  }
  let { size } = await part.stat();
  try {
    const note = JSON.parse(await readFile(path("json"), "utf8")) as { validator: unknown };
    if (typeof note.validator === "string") validator = note.validator;
  } catch {
    // What it belongs to is not known: it will be fetched from the start.
  }
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (cause) {
      throw refused(path("part"), cause);
    }
  };
  return {
    get size() {
      return size;
    },
    get validator() {
      return validator;
    },
    restart: (next) =>
      attempt(async () => {
        // The old note must not meet new bytes.
        await rm(path("json"), { force: true });
        await part.truncate(0);
        size = 0;
        validator = next;
        if (next !== null)
          await writeFile(path("json"), JSON.stringify({ validator: next }), { mode: 0o600 });
      }),
    append: (bytes) =>
      attempt(async () => {
        await part.appendFile(bytes);
        size += bytes.length;
      }),
    sha256: () => sha256Of(path("part")),
    finish: () =>
      attempt(async () => {
        await part.sync();
        await rename(path("part"), path("data"));
        await rm(path("json"), { force: true });
        await kept();
      }),
    async close() {
      await part.close();
      if (size === 0) await rm(path("part"), { force: true });
    },
  };
}

/** Removes what is too much and what is stale, never the file of `key`. */
async function prune(folder: string, key: string, maxBytes: number): Promise<void> {
  const names = await readdir(folder);
  const found = await Promise.all(
    names.map(async (name) => ({ name, info: await stat(join(folder, name)).catch(() => null) })),
  );
  const remove = (name: string) => rm(join(folder, name), { force: true });
  let total = 0;
  for (const { name, info } of found.sort((a, b) => (b.info?.mtimeMs ?? 0) - (a.info?.mtimeMs ?? 0))) {
    if (!info) continue;
    if (name.endsWith(".data")) {
      total += info.size;
      if (total > maxBytes && name !== `${key}.data`) {
        await remove(name);
        await remove(name.replace(/data$/, "sha256"));
      }
    } else if (/\.(part|json)$/.test(name) && Date.now() - info.mtimeMs > STALE_MS) await remove(name);
  }
}

/** Downloads below a folder, which is made when the first one comes. */
export function diskDownloads({ folder, lock, maxBytes = MOST_BYTES }: DownloadFolder): DownloadPlace {
  return {
    lock,
    async find(key, sha256) {
      const path = join(folder, `${key}.data`);
      try {
        if (sha256 !== null && (await knownSha256(path, join(folder, `${key}.sha256`))) !== sha256)
          return null;
        const file = await openDiskFile(path);
        // The time of last use, which decides what goes when there is too much.
        const now = new Date();
        void utimes(path, now, now).catch(() => {});
        return file;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw refused(path, error);
      }
    },
    resume: (key) => resume(folder, key, () => prune(folder, key, maxBytes)),
  };
}
