/**
 * Files and folders that are held open before anything is decided about them. A path says what a name led to when somebody
 * looked; by the next look somebody may have put a link there. What is held stays what it is: its real path is read from the
 * system, checked, and then all is done through the handle.
 *
 * On Linux it is opened without access to its content (`O_PATH`), and it and what lies in it are reached through
 * `/proc/self/fd`. Elsewhere it is opened by its real path without following links, and looked up again before each change:
 * between the two a window stays for changes, none for reading.
 */
import { constants, existsSync } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

/** From Linux's fcntl.h; Node does not name it. */
const O_PATH = 0o10000000;
/** From macOS's fcntl.h: no part of the path may be a link. */
const O_NOFOLLOW_ANY = process.platform === "darwin" ? 0x20000000 : 0;

export interface HoldOptions {
  /** Whether a link at the end of the path is followed. Default: true. */
  followLink?: boolean;
  /** Whether it must be a folder. Default: false. */
  folder?: boolean;
}

export interface Held {
  /** For `stat`; for reading see `openToRead`. */
  readonly handle: FileHandle;
  /** Where it was when it was opened, without links. */
  readonly real: string;
  /** A path to the very file or folder, to which names can be added. */
  readonly path: string;
  /** Holds what a folder has under a name, and not what a link there leads to. */
  child(name: string, options?: Pick<HoldOptions, "folder">): Promise<Held>;
  /** Opens a file for reading: the one that is held. */
  openToRead(): Promise<FileHandle>;
  /** To be called before a change in a folder. @throws where it is not any longer where it was, as far as the system tells */
  verify(): Promise<void>;
  close(): Promise<void>;
}

const hasHandlePaths = process.platform === "linux" && existsSync("/proc/self/fd");

/** Holds what a path leads to. @throws the system's error; ELOOP or ENOTDIR for a link that is not to be followed */
export function hold(path: string, options: HoldOptions = {}): Promise<Held> {
  return hasHandlePaths ? holdByHandle(path, options) : holdByPath(path, options);
}

async function holdByHandle(path: string, { followLink = true, folder = false }: HoldOptions): Promise<Held> {
  const flags = O_PATH | (followLink ? 0 : constants.O_NOFOLLOW) | (folder ? constants.O_DIRECTORY : 0);
  const handle = await open(path, flags);
  try {
    const own = `/proc/self/fd/${handle.fd}`;
    const real = await readlink(own);
    // Deleted meanwhile, or the name of something else: the system adds a word to the path.
    if (!real.startsWith("/") || real.endsWith(" (deleted)")) await checkIdentity(handle, real);
    if (!followLink && (await handle.stat()).isSymbolicLink()) throw systemError("ELOOP");
    return {
      handle,
      real,
      path: own,
      child: (name, options) => holdByHandle(join(own, name), { ...options, followLink: false }),
      openToRead: () => open(own, constants.O_RDONLY | constants.O_NONBLOCK),
      verify: async () => {},
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The way of systems without `/proc/self/fd`. */
export async function holdByPath(
  path: string,
  { followLink = true, folder = false }: HoldOptions,
): Promise<Held> {
  if (!followLink && (await lstat(path)).isSymbolicLink()) throw systemError("ELOOP");
  const real = await realpath(path);
  // A device or a pipe is opened without waiting for its other end.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | O_NOFOLLOW_ANY;
  const handle = await open(real, flags | (folder ? constants.O_DIRECTORY : 0));
  const verify = async () => {
    await checkIdentity(handle, real);
    if ((await realpath(real)) !== real) throw systemError("ELOOP");
  };
  try {
    await verify();
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    handle,
    real,
    path: real,
    child: (name, options) => holdByPath(join(real, name), { ...options, followLink: false }),
    openToRead: async () => {
      const { ino, dev } = await handle.stat();
      const again = await open(real, flags);
      const found = await again.stat();
      if (found.ino === ino && found.dev === dev) return again;
      await again.close();
      throw systemError("ELOOP");
    },
    verify,
    close: () => handle.close(),
  };
}

async function checkIdentity(handle: FileHandle, path: string): Promise<void> {
  const [held, found] = await Promise.all([handle.stat(), stat(path)]);
  if (held.ino !== found.ino || held.dev !== found.dev) throw systemError("ENOENT");
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
