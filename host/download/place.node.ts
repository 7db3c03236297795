/**
 * Downloads on disk. Below one folder, for each key:
 *
 *     KEY.data   the file, whole              KEY.sha256   what it hashes to, once somebody has asked
 *     KEY.part   what has come of it so far   KEY.json     which version that is
 *     KEY.about  whose it is and what, for people (`DownloadAbout`)
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { readKey } from "../../runtime/key.node.ts";
import { prune } from "../../runtime/prune.node.ts";
import { openDiskFile } from "../files/disk-file.node.ts";
import type { DownloadAbout, DownloadPlace, PartialDownload } from "./download.ts";
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

/**
 * The hash of a file that may be replaced, or changed, at any moment. It is noted together with which file it is of, as it was
 * changed last: that time can be set by nobody. The MAC keeps whoever has not the folder's key from writing such a note.
 */
async function knownSha256(folder: string, key: string): Promise<string> {
  const path = join(folder, `${key}.data`);
  const identity = async () => {
    const { ino, size, ctimeNs } = await stat(path, { bigint: true });
    return `${key} ${ino} ${size} ${ctimeNs}`;
  };
  const now = await identity();
  const secret = await readKey(folder);
  const macOf = (hash: string) =>
    createHmac("sha256", secret ?? randomBytes(32))
      .update(`${hash}\n${now}`)
      .digest("hex");
  const note = noteOf(folder, key);
  const [noted = "", mac] = (await readFile(note, "utf8").catch(() => "")).split("\n");
  if (mac === macOf(noted)) return noted;
  const actual = await sha256Of(path);
  // Replaced meanwhile: what was read may be half the one and half the other.
  if ((await identity()) !== now) return knownSha256(folder, key);
  await writeFile(note, `${actual}\n${macOf(actual)}`, { mode: 0o600 });
  return actual;
}

const noteOf = (folder: string, key: string) => join(folder, `${key}.sha256`);

async function resume(
  folder: string,
  key: string,
  about: DownloadAbout,
  kept: () => Promise<void>,
): Promise<PartialDownload> {
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
        await writeFile(path("about"), JSON.stringify(about), { mode: 0o600 });
        await kept();
      }),
    async close() {
      await part.close();
      if (size === 0) await rm(path("part"), { force: true });
    },
  };
}

const isWhole = (name: string) => name.endsWith(".data");
const isHalf = (name: string) => /\.(part|json)$/.test(name);
const notesOf = (name: string) => ["sha256", "about"].map((end) => name.replace(/data$/, end));

/** Downloads below a folder, which is made when the first one comes. */
export function diskDownloads({ folder, lock, maxBytes = MOST_BYTES }: DownloadFolder): DownloadPlace {
  return {
    lock,
    async find(key, sha256) {
      const path = join(folder, `${key}.data`);
      try {
        if (sha256 !== null && (await knownSha256(folder, key)) !== sha256) return null;
        const file = await openDiskFile(path);
        // The time of last use, which decides what goes when there is too much; a file whose hash is known stays as it is.
        const now = new Date();
        void utimes(sha256 === null ? path : noteOf(folder, key), now, now).catch(() => {});
        return file;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw refused(path, error);
      }
    },
    resume: (key, about) =>
      resume(folder, key, about, () =>
        prune({
          folder,
          maxBytes,
          isKept: isWhole,
          isHalf,
          staleMs: STALE_MS,
          notesOf,
          spared: `${key}.data`,
        }),
      ),
  };
}
