/**
 * An index of Python packages, by the Simple Repository API: JSON (PEP 691), else HTML (PEP 503), with METADATA beside files (PEP 658).
 * Source: packaging.python.org/en/latest/specifications/simple-repository-api/
 */
import type { BuildCache } from "../../runtime/assets.ts";
import { AssetError } from "../../runtime/errors.ts";
import type { IndexFile, PackageCaller, PythonIndex } from "../../runtime/packages.ts";
import { type FetchDocument, type Home, placeFor } from "./fetch.ts";
import { nameOf } from "./packages.ts";
import { keepPages } from "./pages.ts";

const MiB = 1024 * 1024;
const MOST_PAGE_BYTES = 64 * MiB;
const MOST_METADATA_BYTES = 4 * MiB;
const MOST_WHEEL_BYTES = 512 * MiB;

const JSON_TYPE = "application/vnd.pypi.simple.v1+json";
const ACCEPT = `${JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1`;

const NO_INDEX =
  "no index of Python packages is set up. Name one with --index URL, FUSELET_INDEX or packages.index";

export interface PythonIndexOptions {
  /** Its URL ends with a slash; null where there is none. */
  index: Home | null;
  /** Where the files of Pyodide's distributions lie: `/vVERSION/full/` below it. Its URL ends with a slash. */
  pyodide: Home;
  fetch: FetchDocument;
  /** Asks for `import`. @throws PermissionDeniedError */
  require(name: string, caller: PackageCaller): Promise<void>;
  /** Asks nobody. @throws PermissionDeniedError where a rule denies it */
  refuse(name: string, caller: PackageCaller): void;
  cache: BuildCache;
  /** Hexadecimal. */
  sha256(bytes: Uint8Array): Promise<string>;
}

export function openPythonIndex({
  index,
  pyodide,
  fetch,
  require,
  refuse,
  cache,
  sha256,
}: PythonIndexOptions): PythonIndex {
  const url = nameOf(index);
  const readPage = async (name: string, caller: PackageCaller) => {
    const what = `the package ${name}`;
    const home = placeFor(what, index, NO_INDEX);
    const request = {
      url: new URL(`${name}/`, home.url),
      home,
      accept: ACCEPT,
      mostBytes: MOST_PAGE_BYTES,
      what,
    };
    const page = await fetch(request, caller);
    if (!page) return { page: null, bytes: 0 };
    const text = new TextDecoder().decode(page.bytes);
    const { length: bytes } = page.bytes;
    if (page.mediaType.endsWith("json"))
      return { page: readJsonPage(text, page.url, `${url}/${name}/`), bytes };
    if (page.mediaType.endsWith("html")) return { page: readHtmlPage(text, page.url), bytes };
    throw new AssetError(
      `Cannot fetch ${what} from ${url}: it is no index of packages, its answer is ${page.mediaType || "of no type"}`,
    );
  };
  const pageOf = keepPages(readPage);
  const find: PythonIndex["find"] = async (name, caller) => {
    await require(name, caller);
    return pageOf(name, caller);
  };

  /** Of one index, under one name: what another one has of that name is not it. */
  const keyOf = async (
    from: string,
    name: string,
    { file, sha256: expected }: { file: string; sha256: string },
  ) => `wheel-${await sha256(new TextEncoder().encode([from, name, file].join("\n")))}-${expected}`;

  /** A file from the cache, or fetched, checked and kept. */
  const keep = async (
    from: string,
    name: string,
    wanted: { file: string; sha256: string },
    load: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> => {
    const { file, sha256: expected } = wanted;
    const key = await keyOf(from, name, wanted);
    const kept = await cache.get(key, () => {});
    if (kept) return kept;
    const bytes = await load();
    const actual = await sha256(bytes);
    if (actual !== expected) {
      throw new AssetError(
        `The file ${file} from ${from} is not the one that is wanted: its SHA-256 is ${actual}, and ${expected} was expected. Nothing was installed`,
      );
    }
    // What cannot be kept is fetched again.
    await cache.put(key, bytes);
    return bytes;
  };

  return {
    url,
    require,
    refuse,
    find,

    async metadata(name, { file, url: of, metadata }, caller) {
      const what = `the metadata of ${file} (${name})`;
      const request = {
        url: new URL(`${of}.metadata`),
        home: placeFor(what, index, NO_INDEX),
        accept: "*/*",
        mostBytes: MOST_METADATA_BYTES,
        what,
      };
      const found = await fetch(request, caller);
      if (!found) throw new AssetError(`Cannot fetch ${what} from ${url}: it is not there`);
      const actual = await sha256(found.bytes);
      if (metadata?.sha256 && actual !== metadata.sha256) {
        throw new AssetError(
          `Cannot use ${what} from ${url}: its SHA-256 is ${actual}, and ${metadata.sha256} was expected`,
        );
      }
      return new TextDecoder().decode(found.bytes);
    },

    read: (name, wanted, caller) =>
      keep(url, name, wanted, async () => {
        const files = await find(name, caller);
        const same = files?.filter(({ file }) => file === wanted.file) ?? [];
        const found = same.find((each) => each.sha256 === wanted.sha256);
        if (!found) {
          const why = same[0]
            ? `its file of that name has the SHA-256 ${same[0].sha256}`
            : "it has no such file";
          throw new AssetError(
            `Cannot fetch ${wanted.file} with the SHA-256 ${wanted.sha256} from ${url}: ${why}`,
          );
        }
        const request = {
          url: new URL(found.url),
          home: placeFor(wanted.file, index, NO_INDEX),
          accept: "*/*",
          mostBytes: MOST_WHEEL_BYTES,
          what: wanted.file,
        };
        const fetched = await fetch(request, caller);
        if (!fetched) throw new AssetError(`Cannot fetch ${wanted.file} from ${url}: it is not there`);
        return fetched.bytes;
      }),

    kept: async (from, name, wanted) => cache.get(await keyOf(from, name, wanted), () => {}),

    readOfDistribution: (name, wanted, caller) =>
      keep(pyodide.url.href, name, wanted, async () => {
        await require(name, caller);
        const { file, version } = wanted;
        const request = {
          url: new URL(`v${version}/full/${encodeURIComponent(file)}`, pyodide.url),
          home: pyodide,
          accept: "*/*",
          mostBytes: MOST_WHEEL_BYTES,
          what: file,
        };
        const fetched = await fetch(request, caller);
        if (!fetched) throw new AssetError(`Cannot fetch ${file} from ${pyodide.url.href}: it is not there`);
        return fetched.bytes;
      }),
  };
}

const isSha256 = (value: unknown): value is string =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value);

/** @param where what to call it in messages @throws AssetError for what is no page of the API's first version */
export function readJsonPage(text: string, base: URL, where: string): IndexFile[] {
  const fail = (why: string) =>
    new AssetError(`The answer of ${where} is no page of an index of packages: ${why}`);
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch {
    throw fail("it is no JSON");
  }
  const { meta, files } = (typeof page === "object" && page !== null ? page : {}) as Record<string, unknown>;
  const version = (meta as Record<string, unknown> | undefined)?.["api-version"];
  if (typeof version !== "string" || !/^1\./.test(version)) throw fail("it has no api-version 1");
  if (!Array.isArray(files)) throw fail("it has no list of files");
  const read: IndexFile[] = [];
  for (const item of files as Record<string, unknown>[]) {
    const { filename, url, hashes, yanked = false } = item ?? {};
    if (typeof filename !== "string" || typeof url !== "string" || !URL.canParse(url, base.href)) continue;
    const sha256 = (hashes as Record<string, unknown> | undefined)?.sha256;
    const metadata = item["core-metadata"] ?? item["dist-info-metadata"] ?? false;
    const requiresPython = item["requires-python"];
    read.push({
      file: filename,
      url: withoutHash(new URL(url, base)),
      sha256: isSha256(sha256) ? sha256 : "",
      requiresPython: typeof requiresPython === "string" ? requiresPython : "",
      yanked: yanked !== false,
      metadata: metadata ? { sha256: hashOfMetadata(metadata) } : null,
    });
  }
  return read;
}

function hashOfMetadata(value: unknown): string {
  const sha256 =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>).sha256 : undefined;
  return isSha256(sha256) ? sha256 : "";
}

const withoutHash = (url: URL): string => {
  url.hash = "";
  return url.href;
};

/** Links of a page: an element's attributes, and its text. Each end is looked for once, so that no page takes long. */
function* linksOf(text: string): Generator<[attributes: string, label: string]> {
  const opening = /<a\s/gi;
  while (opening.exec(text)) {
    const start = opening.lastIndex;
    const end = text.indexOf(">", start);
    const stop = end < 0 ? -1 : text.indexOf("<", end);
    if (stop < 0) return;
    opening.lastIndex = stop;
    if (end - start <= 4096 && stop - end <= 1024 && /^<\/a>$/i.test(text.slice(stop, stop + 4)))
      yield [text.slice(start, end), text.slice(end + 1, stop)];
  }
}

/** Links of a page, and nothing else of HTML. */
export function readHtmlPage(text: string, base: URL): IndexFile[] {
  const files: IndexFile[] = [];
  for (const [attributes, label] of linksOf(text)) {
    const of = (name: string) => {
      const found = new RegExp(`(?:^|\\s)${name}(?:\\s*=\\s*(?:"([^"]*)"|'([^']*)'))?(?=\\s|$)`, "i").exec(
        attributes,
      );
      return found ? unescapeHtml(found[1] ?? found[2] ?? "") : undefined;
    };
    const href = of("href");
    if (href === undefined || !URL.canParse(href, base.href)) continue;
    const url = new URL(href, base);
    const sha256 = /^#sha256=([0-9a-f]{64})$/.exec(url.hash)?.[1] ?? "";
    const metadata = of("data-core-metadata") ?? of("data-dist-info-metadata");
    files.push({
      file: unescapeHtml(label).trim(),
      url: withoutHash(url),
      sha256,
      requiresPython: of("data-requires-python") ?? "",
      yanked: of("data-yanked") !== undefined,
      metadata:
        metadata === undefined ? null : { sha256: /^sha256=([0-9a-f]{64})$/.exec(metadata)?.[1] ?? "" },
    });
  }
  return files;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  "#x27": "'",
};
const unescapeHtml = (text: string) =>
  text.replaceAll(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name: string) => ENTITIES[name] as string);
