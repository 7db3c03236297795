/** A registry of npm: what versions a package has, and their archives. Source: github.com/npm/registry, docs/REGISTRY-API.md and docs/responses/package-metadata.md */
import type { BuildCache } from "../../runtime/assets.ts";
import { rangesOf } from "../../runtime/engines/quickjs/npm.ts";
import { AssetError } from "../../runtime/errors.ts";
import type { NpmRegistry, NpmVersion, PackageCaller } from "../../runtime/packages.ts";
import { type FetchDocument, type Home, placeFor } from "./fetch.ts";
import { nameOf } from "./packages.ts";
import { keepPages } from "./pages.ts";

const MiB = 1024 * 1024;
const MOST_PAGE_BYTES = 64 * MiB;
const MOST_ARCHIVE_BYTES = 64 * MiB;

/** The short form of a page, without what nobody needs to install. */
const ACCEPT = "application/vnd.npm.install-v1+json, application/json;q=0.8";

const NO_REGISTRY =
  "no registry of npm packages is set up. Name one with --npm-registry URL, FUSELET_NPM_REGISTRY or packages.npmRegistry";

export interface NpmRegistryOptions {
  /** Its URL ends with a slash; null where there is none. */
  registry: Home | null;
  fetch: FetchDocument;
  /** Asks for `import`. @throws PermissionDeniedError */
  require(name: string, caller: PackageCaller): Promise<void>;
  cache: BuildCache;
  /** Hexadecimal. */
  sha256(bytes: Uint8Array): Promise<string>;
}

type Page = Awaited<ReturnType<NpmRegistry["find"]>>;

export function openNpmRegistry({
  registry,
  fetch,
  require,
  cache,
  sha256,
}: NpmRegistryOptions): NpmRegistry {
  const url = nameOf(registry);

  const readPage = async (name: string, caller: PackageCaller) => {
    const what = `the package npm:${name}`;
    const home = placeFor(what, registry, NO_REGISTRY);
    const request = {
      url: new URL(name.replace("/", "%2f"), home.url),
      home,
      accept: ACCEPT,
      mostBytes: MOST_PAGE_BYTES,
      what,
    };
    const answer = await fetch(request, caller);
    if (!answer) return { page: null, bytes: 0 };
    const text = new TextDecoder().decode(answer.bytes);
    return { page: readPackagePage(text, answer.url, `${url}/${name}`), bytes: answer.bytes.length };
  };
  const pageOf = keepPages<Page>(readPage);
  const find: NpmRegistry["find"] = async (name, caller) => {
    await require(name, caller);
    return pageOf(name, caller);
  };

  /** Of one registry, under one name: what another one has of that name is not it. */
  const keyOf = async (
    from: string,
    name: string,
    { version, integrity }: { version: string; integrity: string },
  ) => `npm-${await sha256(new TextEncoder().encode([from, `${name}@${version}`, integrity].join("\n")))}`;

  return {
    url,
    require,
    find,
    kept: async (from, name, wanted) => cache.get(await keyOf(from, name, wanted), () => {}),
    async read(name, { version, integrity }, caller) {
      const id = `${name}@${version}`;
      const key = await keyOf(url, name, { version, integrity });
      const kept = await cache.get(key, () => {});
      if (kept) return kept;
      const page = await find(name, caller);
      const found = page?.versions.find((each) => each.version === version);
      if (!found) throw new AssetError(`Cannot fetch npm:${id} from ${url}: it has no such version`);
      if (found.integrity !== integrity) {
        throw new AssetError(
          `Cannot fetch npm:${id} from ${url}: its integrity is ${found.integrity || "not given"}, and ${integrity} was expected`,
        );
      }
      const what = `the archive of npm:${id}`;
      const request = {
        url: new URL(found.tarball),
        home: placeFor(what, registry, NO_REGISTRY),
        accept: "*/*",
        mostBytes: MOST_ARCHIVE_BYTES,
        what,
      };
      const fetched = await fetch(request, caller);
      if (!fetched) throw new AssetError(`Cannot fetch ${what} from ${url}: it is not there`);
      const actual = await integrityOf(fetched.bytes);
      if (actual !== integrity) {
        throw new AssetError(
          `${what} from ${url} is not the one that is wanted: its integrity is ${actual}, and ${integrity} was expected. Nothing was installed`,
        );
      }
      // What cannot be kept is fetched again.
      await cache.put(key, fetched.bytes);
      return fetched.bytes;
    },
  };
}

/** Subresource integrity with SHA-512. */
async function integrityOf(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes as Uint8Array<ArrayBuffer>));
  let text = "";
  for (const byte of digest) text += String.fromCharCode(byte);
  return `sha512-${btoa(text)}`;
}

/** @param where what to call it in messages @throws AssetError for what is no page of a package */
export function readPackagePage(text: string, base: URL, where: string): NonNullable<Page> {
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch {
    throw new AssetError(`The answer of ${where} is no page of an npm registry: it is no JSON`);
  }
  const { versions, "dist-tags": given } = (typeof page === "object" && page !== null ? page : {}) as Record<
    string,
    unknown
  >;
  if (typeof versions !== "object" || versions === null)
    throw new AssetError(`The answer of ${where} is no page of an npm registry: it has no versions`);
  const read: NpmVersion[] = [];
  for (const [version, item] of Object.entries(versions as Record<string, unknown>)) {
    const { dist, dependencies } = (typeof item === "object" && item !== null ? item : {}) as Record<
      string,
      unknown
    >;
    const { tarball, integrity } = (typeof dist === "object" && dist !== null ? dist : {}) as Record<
      string,
      unknown
    >;
    if (typeof tarball !== "string" || !URL.canParse(tarball, base.href)) continue;
    // There may be several, separated by spaces.
    const sha512 =
      typeof integrity === "string"
        ? /(?:^|\s)(sha512-[A-Za-z0-9+/]{86}==)(?:\s|$)/.exec(integrity)?.[1]
        : undefined;
    read.push({
      version,
      tarball: new URL(tarball, base).href,
      integrity: sha512 ?? "",
      dependencies: rangesOf(dependencies),
    });
  }
  const tags: Record<string, string> = Object.create(null);
  if (typeof given === "object" && given !== null)
    for (const [tag, version] of Object.entries(given)) if (typeof version === "string") tags[tag] = version;
  return { versions: read, tags };
}
