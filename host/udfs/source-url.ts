/** A UDF's source, and the modules beside it, from a URL. What fetches it is the caller's. */
import { UdfLoadError } from "../../runtime/errors.ts";
import type { Header, UdfSource } from "../../runtime/udf.ts";
import { checkPath, moduleNameOf } from "./paths.ts";
import { sourceFromBytes } from "./source.ts";

/** Gives what is at a URL, all of it. @throws UsageError that says why it cannot; PermissionDeniedError */
export type FetchBytes = (url: URL) => Promise<Uint8Array>;

/**
 * Reads a source: a file or a zip archive.
 * @throws what `fetchBytes` throws; UdfLoadError where what came is no UDF
 */
export async function sourceFromUrl(url: URL, fetchBytes: FetchBytes): Promise<UdfSource> {
  return sourceFromBytes(await fetchBytes(url), nameOf(url));
}

/**
 * Reads modules beside a UDF's URL: those that its decorator or its imports name.
 * @throws UdfLoadError that names the module and why it cannot be read; PermissionDeniedError
 */
export async function readUrlHeaders(
  sourceUrl: URL,
  names: readonly string[],
  fetchBytes: FetchBytes,
): Promise<Header[]> {
  return Promise.all(
    names.map(async (name) => {
      const plain = checkPath(name.replace(/^\.\//, ""));
      const extension = /\.[^./]+$/.exec(sourceUrl.pathname)?.[0] ?? ".py";
      const file = /\.[^./]+$/.test(plain) ? plain : `${plain}${extension}`;
      try {
        const bytes = await fetchBytes(urlBeside(sourceUrl, file));
        return {
          moduleName: moduleNameOf(file),
          code: new TextDecoder("utf-8", { fatal: true }).decode(bytes),
          file,
        };
      } catch (cause) {
        if (cause instanceof Error && cause.name === "PermissionDeniedError") throw cause;
        throw new UdfLoadError(
          `Cannot read the header ${JSON.stringify(name)} of ${JSON.stringify(sourceUrl.href)}: ${(cause as Error).message}`,
          { cause },
        );
      }
    }),
  );
}

/**
 * The URL of a file in a UDF's folder. A UDF's author wrote the name: encoded, no part of it is a scheme, a host, a query, or a
 * way out that only a reader of URLs sees (`%2e%2e`).
 */
function urlBeside(sourceUrl: URL, file: string): URL {
  if (!/^https?:$/.test(sourceUrl.protocol))
    throw new UdfLoadError(`a ${sourceUrl.protocol} URL has no folder; give the UDF as a folder or a zip`);
  const folder = new URL(".", sourceUrl);
  const url = new URL(folder);
  url.pathname = folder.pathname + file.split("/").map(encodeURIComponent).join("/");
  // In case a reader of URLs understands a name in a way that nobody thought of.
  if (url.origin === folder.origin && url.pathname.startsWith(folder.pathname)) return url;
  throw new UdfLoadError("it leaves the UDF's folder");
}

/** The file's name in a URL; `udf` where it has none (blob: and data: URLs, folders). */
function nameOf(url: URL): string {
  if (!url.protocol.startsWith("http")) return "udf";
  const last = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(last) || "udf";
  } catch {
    return last;
  }
}
