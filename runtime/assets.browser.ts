/** Assets over HTTP, and the build cache in IndexedDB. */
import { createStore, del, get, set, type UseStore, update } from "idb-keyval";
import type { Assets, BuildCache, Folder } from "./assets.ts";
import { AssetError, UsageError } from "./errors.ts";

/** Where things are. All have defaults. */
export interface AssetOptions {
  /** The folder of this package's files for pages, `dist/embed`. Default: where this module was loaded from. */
  base?: string;
  /** A Pyodide distribution: a folder with pyodide-lock.json and wheels. Default: `pyodide/` below `base`. */
  pyodide?: string;
  /** The folder of the npm package `esbuild-wasm`, for UDFs of several files. Default: such UDFs are refused. */
  esbuildUrl?: string;
  /** Where `isolate.html` is served with its own headers, for pages with a strict Content-Security-Policy. Default: it is made in the page. */
  isolateUrl?: string;
}

const OPTIONS = new Set(["base", "pyodide", "esbuildUrl", "isolateUrl"]);

/** Builds that are kept; the one used longest ago goes first. */
const CACHE_BYTES = 1024 * 1024 * 1024;

/** A folder behind a URL. */
function httpFolder(url: URL): Folder {
  const request = async (file: string, method: "GET" | "HEAD"): Promise<Response> => {
    const target = new URL(file, url);
    try {
      return await fetch(target, { method });
    } catch (cause) {
      throw new AssetError(
        `Cannot read ${target}: the page could not fetch it (${(cause as Error).message}). Does its server allow this origin?`,
        { cause },
      );
    }
  };
  return {
    name: url.href.replace(/\/$/, ""),
    async read(file) {
      const response = await request(file, "GET");
      if (!response.ok) {
        throw new AssetError(`Cannot read ${new URL(file, url)}: the server answered ${response.status}`);
      }
      return new Uint8Array(await response.arrayBuffer());
    },
    async has(file) {
      const response = await request(file, "HEAD");
      // Servers of single-page applications answer everything with their page.
      return response.ok && !(response.headers.get("content-type") ?? "").startsWith("text/html");
    },
  };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What is known of the builds without reading them. */
type Index = Record<string, { size: number; sha256: string; used: number }>;
const INDEX = "index";

/** Takes entries out until `size` more bytes fit. @returns keys of those taken out */
function makeRoom(index: Index, size: number): string[] {
  const oldestFirst = Object.entries(index).sort(([, a], [, b]) => a.used - b.used);
  let total = oldestFirst.reduce((sum, [, entry]) => sum + entry.size, size);
  const out: string[] = [];
  for (const [key, entry] of oldestFirst) {
    if (total <= CACHE_BYTES) break;
    total -= entry.size;
    delete index[key];
    out.push(key);
  }
  return out;
}

/** Builds in IndexedDB, each with its hash: that shows damage, not tampering, which whoever writes to this origin's storage can do. */
export function indexedDbCache(name = "fuselet-builds"): BuildCache {
  let opened: UseStore | undefined;
  const store = () => (opened ??= createStore(name, "builds"));
  const touch = (key: string, entry: Index[string] | undefined) =>
    update<Index>(
      INDEX,
      (index = {}) => {
        delete index[key];
        return entry ? { ...index, [key]: entry } : index;
      },
      store(),
    );
  return {
    async get(key, damaged) {
      try {
        const entry = (await get<Index>(INDEX, store()))?.[key];
        const bytes = entry && (await get<ArrayBuffer>(key, store()));
        if (!entry || !bytes) return undefined;
        const found = new Uint8Array(bytes);
        if ((await sha256(found)) === entry.sha256) {
          await touch(key, { ...entry, used: Date.now() });
          return found;
        }
        damaged(`the stored ${key} is damaged`);
        return undefined;
      } catch (error) {
        damaged(`the browser's storage cannot be read (${(error as Error).message})`);
        return undefined;
      }
    },
    async put(key, bytes) {
      if (bytes.length > CACHE_BYTES) return `${bytes.length} bytes are too large for the browser's storage`;
      try {
        let out: string[] = [];
        const entry = { size: bytes.length, sha256: await sha256(bytes), used: Date.now() };
        await update<Index>(
          INDEX,
          (index = {}) => {
            const rest = { ...index };
            delete rest[key];
            out = makeRoom(rest, bytes.length);
            return rest;
          },
          store(),
        );
        for (const old of out) await del(old, store());
        await set(key, bytes.slice().buffer, store());
        await touch(key, entry);
        return undefined;
      } catch (error) {
        return `the browser's storage refused ${bytes.length} bytes (${(error as Error).message})`;
      }
    },
  };
}

const asFolder = (url: string, base: string | URL | undefined, option: string): URL => {
  try {
    return new URL(url.endsWith("/") ? url : `${url}/`, base);
  } catch (cause) {
    throw new UsageError(`Cannot create a runtime: assets.${option} must be a URL: received ${url}`, {
      cause,
    });
  }
};

/**
 * The assets of this package in a page.
 * @throws UsageError for an unknown option or a bad URL; AssetError where the page is no secure context
 */
export function openAssets(options: AssetOptions = {}): Assets {
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name));
  if (unknown) {
    throw new UsageError(
      `Cannot create a runtime: assets.${unknown} is unknown; options are ${[...OPTIONS].join(", ")}`,
    );
  }
  if (typeof crypto.subtle === "undefined") {
    throw new AssetError(
      "Cannot create a runtime in this page: it needs a secure context. Serve the page over https, or from localhost",
    );
  }
  const page = globalThis.location?.href;
  const base = options.base ? asFolder(options.base, page, "base") : new URL("./", import.meta.url);
  return {
    own: httpFolder(new URL("assets/", base)),
    pyodide: httpFolder(
      options.pyodide ? asFolder(options.pyodide, page, "pyodide") : new URL("pyodide/", base),
    ),
    quickjs: httpFolder(new URL("quickjs/", base)),
    cache: indexedDbCache(),
    sha256,
  };
}
