/** A UDF's source from a page: a URL that the page itself may fetch, or a file that the user chose. */
import { concat } from "../../runtime/bytes.ts";
import { UsageError } from "../../runtime/errors.ts";
import type { Header, UdfSource } from "../../runtime/udf.ts";
import { SOURCE_LIMITS, sourceFromBytes, tooLarge } from "./source.ts";
import { type FetchBytes, readUrlHeaders, sourceFromUrl } from "./source-url.ts";

/**
 * Reads the source that the page named.
 * @param source a URL (relative ones against the page), or a `File` or `Blob`. The page's own rules (CORS, CSP) decide what it may fetch.
 * @throws UsageError where it cannot be fetched.
 * @throws UdfLoadError where what was read is no UDF, or too large.
 */
export async function readSource(source: string | URL | Blob): Promise<UdfSource> {
  if (source instanceof Blob) {
    const file = source instanceof File ? source.name : "udf";
    return sourceFromBytes(await readBounded(source.stream(), file), file);
  }
  const label = JSON.stringify(String(source));
  let url: URL;
  try {
    url = new URL(source, globalThis.location?.href);
  } catch {
    throw new UsageError(`Cannot load the UDF ${label}: it is no URL`);
  }
  if (!/^(https?|blob|data):$/.test(url.protocol)) {
    throw new UsageError(
      `Cannot load the UDF ${label}: a page can fetch https:, http:, blob: and data: URLs`,
    );
  }
  return sourceFromUrl(url, fetchInPage);
}

/**
 * Reads modules beside the UDF's URL: those that its decorator or its imports name.
 * @throws UdfLoadError that names the module and why it cannot be read.
 */
export function readHeaders(sourceUrl: string, names: readonly string[]): Promise<Header[]> {
  return readUrlHeaders(new URL(sourceUrl, globalThis.location?.href), names, fetchInPage);
}

/** By the page's own `fetch`: whoever loads a UDF by its URL is the page. */
const fetchInPage: FetchBytes = async (url) => {
  const label = JSON.stringify(url.href);
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new UsageError(
      `Cannot load the UDF ${label}: the page could not fetch it (${(cause as Error).message}). Does its server allow this origin?`,
      { cause },
    );
  }
  if (!response.ok || !response.body) {
    throw new UsageError(
      `Cannot load the UDF ${label}: the server answered ${response.status} ${response.statusText}`,
    );
  }
  return readBounded(response.body, url.href);
};

async function readBounded(stream: ReadableStream<Uint8Array>, label: string): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    total += value.length;
    if (total > SOURCE_LIMITS.totalBytes) {
      await reader.cancel();
      throw tooLarge(label, SOURCE_LIMITS.totalBytes);
    }
  }
  return concat(chunks);
}
