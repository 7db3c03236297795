/** Assets from the file system, and the build cache in the user's cache folder. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Assets, BuildCache, Folder, ListedFolder } from "./assets.ts";
import { cacheFolder } from "./cache-folder.node.ts";
import { AssetError } from "./errors.ts";
import { readKey } from "./key.node.ts";
import { prune } from "./prune.node.ts";

const MAC_BYTES = 32;

/** A folder on disk. */
export function diskFolder(path: string): Folder {
  return {
    name: path,
    async read(file) {
      try {
        return await readFile(join(path, file));
      } catch (cause) {
        const code = (cause as NodeJS.ErrnoException).code;
        throw new AssetError(
          `Cannot read ${join(path, file)}: ${code === "ENOENT" ? "it is not there" : code}`,
          { cause },
        );
      }
    },
    has: (file) =>
      stat(join(path, file)).then(
        (found) => found.isFile(),
        () => false,
      ),
  };
}

/** A folder that is looked for when it is first used. */
function folderOf(find: () => string): Folder {
  let found: Folder | undefined;
  const folder = () => (found ??= diskFolder(find()));
  return {
    get name() {
      return folder().name;
    },
    read: async (file) => folder().read(file),
    has: async (file) => folder().has(file),
  };
}

/** A folder on disk whose files can be counted. */
export function listedDiskFolder(path: string): ListedFolder {
  return {
    ...diskFolder(path),
    async list() {
      try {
        const entries = await readdir(path, { withFileTypes: true });
        return await Promise.all(
          entries
            .filter((entry) => !entry.isDirectory())
            .map(async ({ name }) => {
              const { size, mtimeMs } = await stat(join(path, name));
              return { file: name, stamp: `${size} ${mtimeMs}` };
            }),
        );
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        throw new AssetError(
          `Cannot read the folder of wheels ${path}: ${code === "ENOENT" ? "it is not there" : code}`,
          {
            cause,
          },
        );
      }
    },
  };
}

/** A build that nobody has read for longest goes first when there are more bytes than this. */
const MAX_CACHE_BYTES = 4 * 1024 ** 3;
/** What a process that was killed left half-written. */
const STALE_MS = 60 * 60 * 1000;

const isTemporary = (name: string) => name.endsWith(".tmp");
const isBuild = (name: string) =>
  /^(snapshot|code|packages|typescript|resolution|wheels|wheel|npm)-/.test(name);

/** Files under `folder`, each with its MAC in front. Written whole or not at all; bounded. */
export function diskCache(folder: string, maxBytes: number = MAX_CACHE_BYTES): BuildCache {
  let key: Promise<Buffer | null> | undefined;
  const mac = async (name: string, bytes: Uint8Array) => {
    key ??= readKey(folder);
    const secret = await key;
    if (!secret) throw new AssetError(`Cannot read ${join(folder, "key")}: it is no key. Remove it`);
    return createHmac("sha256", secret).update(`${name}\n`).update(bytes).digest();
  };
  return {
    async get(name, damaged) {
      const file = await readFile(join(folder, name)).catch(() => null);
      if (!file) return undefined;
      const bytes = file.subarray(MAC_BYTES);
      if (file.length < MAC_BYTES || !timingSafeEqual(file.subarray(0, MAC_BYTES), await mac(name, bytes))) {
        damaged(`${join(folder, name)} is damaged or was not written by this machine`);
        return undefined;
      }
      // The time of last use, which decides what goes when the cache is full.
      const now = new Date();
      void utimes(join(folder, name), now, now).catch(() => {});
      return bytes;
    },
    async put(name, bytes) {
      const path = join(folder, name);
      const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const file = await open(temporary, "wx", 0o600);
        try {
          await file.write(await mac(name, bytes));
          await file.writeFile(bytes);
        } finally {
          await file.close();
        }
        await rename(temporary, path);
        await prune({ folder, maxBytes, isKept: isBuild, isHalf: isTemporary, staleMs: STALE_MS });
        return undefined;
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        return `cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
      }
    },
  };
}

/** Where things are. All have defaults. */
export interface AssetOptions {
  /** A Pyodide distribution: a folder with pyodide-lock.json and wheels. Default: `FUSELET_PYODIDE`, else the npm package `pyodide`. */
  pyodide?: string;
  /** A folder with wheels (pure Python, or for Pyodide) that UDFs may use beside the distribution's. Default: `FUSELET_WHEELS`, else none. */
  wheels?: string;
  /** The build cache's folder. Default: `FUSELET_CACHE`, else the platform's cache folder. */
  cache?: string;
}

/** The assets of an installed package. @throws AssetError when a folder that was named has no distribution in it. */
export function openAssets(options: AssetOptions = {}): Assets {
  const require = createRequire(import.meta.url);
  const chosen = options.pyodide ?? process.env.FUSELET_PYODIDE;
  const wheels = options.wheels ?? process.env.FUSELET_WHEELS;
  return {
    own: diskFolder(fileURLToPath(new URL("./assets/", import.meta.url))),
    pyodide: chosen ? diskFolder(chosen) : folderOf(() => dirname(require.resolve("pyodide/package.json"))),
    ...(wheels ? { wheels: listedDiskFolder(wheels) } : {}),
    quickjs: diskFolder(dirname(require.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"))),
    cache: diskCache(options.cache ?? cacheFolder()),
    sha256: async (bytes) => createHash("sha256").update(bytes).digest("hex"),
  };
}
