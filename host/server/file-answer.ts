/** A file of the storage as an answer: whole, a part of it (RFC 9110, section 14), or only what is known of it. */
import type { Context } from "hono";
import type { Entry, Range, StorageCall } from "../storage/driver.ts";
import { StorageError } from "../storage/errors.ts";
import type { Storage } from "../storage/storage.ts";
import { HttpError } from "./errors.ts";
import { namesEtag } from "./etags.ts";
import { mediaTypeOf } from "./media-types.ts";
import type { ServerEnv } from "./parts.ts";

/** @throws HttpError 416, StorageError, PermissionDeniedError */
export async function fileAnswer(
  c: Context<ServerEnv>,
  storage: Storage,
  url: string,
  call: StorageCall,
): Promise<Response> {
  const known = c.req.header("if-none-match");
  if (c.req.method === "HEAD" || known !== undefined) {
    const entry = await storage.details(url, call);
    if (entry.isDirectory) throw new StorageError("request", `Cannot open ${entry.url}: it is a folder`);
    if (known !== undefined && entry.etag !== null && namesEtag(known, entry.etag))
      return new Response(null, { status: 304, headers: { etag: entry.etag } });
    if (c.req.method === "HEAD") return new Response(null, { headers: headersOf(entry, null) });
  }
  let range: Range | null = null;
  const { entry, body } = await storage.read(
    url,
    (found) => {
      const condition = c.req.header("if-range");
      const wanted = condition === undefined || condition === found.etag ? c.req.header("range") : undefined;
      range = found.size === null ? null : parseRange(wanted, found.size);
      return range;
    },
    call,
  );
  const part = range as Range | null;
  return new Response(await streamOf(body, part ? part.length : entry.size, c.env.gone), {
    status: part ? 206 : 200,
    headers: headersOf(entry, part),
  });
}

/**
 * The part that a header `Range` asks for. What is no range of bytes, and more than one of them, counts as none: all is sent.
 * @throws HttpError 416 where the file ends before it
 */
export function parseRange(header: string | undefined, size: number): Range | null {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first !== "" && last !== "" && Number(first) > Number(last)) return null;
  const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (offset < end) return { offset, length: end - offset };
  throw new HttpError(416, `The file has ${size} bytes: there is none from ${offset} on`, {
    headers: { "content-range": `bytes */${size}` },
  });
}

/** Users' files come from the server's own origin: nothing in one may act as a page of it. */
function headersOf({ name, size, etag, modifiedMs }: Entry, range: Range | null): Record<string, string> {
  const { type, isShown } = mediaTypeOf(name);
  const length = range?.length ?? size;
  return {
    "content-type": type,
    ...(length === null ? {} : { "content-length": String(length) }),
    ...(size === null ? {} : { "accept-ranges": "bytes" }),
    ...(range && size !== null
      ? { "content-range": `bytes ${range.offset}-${range.offset + range.length - 1}/${size}` }
      : {}),
    ...(etag !== null && /^(W\/)?"[\x21\x23-\x7e]*"$/.test(etag) ? { etag } : {}),
    ...(modifiedMs === null ? {} : { "last-modified": new Date(modifiedMs).toUTCString() }),
    "content-disposition": `${isShown ? "inline" : "attachment"}; filename*=UTF-8''${encodeName(name)}`,
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-cache",
  };
}

/** As RFC 8187 has it. */
const encodeName = (name: string) =>
  encodeURIComponent(name).replace(/['()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * A body that is read as fast as the client takes it, and ended when the client is gone: a file that nobody closes is an error of Node's.
 * The first part is there before this answers, so that what fails at once is an error with a status; the second is on its way.
 */
async function streamOf(
  body: AsyncIterable<Uint8Array>,
  bytes: number | null,
  gone: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const parts = body[Symbol.asyncIterator]();
  let missing = bytes;
  let next: Promise<IteratorResult<Uint8Array>>;
  const read = () => {
    next = parts.next();
    // Whoever waits for it sees the failure; perhaps nobody does.
    next.catch(() => {});
  };
  const end = async () => {
    gone.removeEventListener("abort", end);
    await next.catch(() => {});
    await parts.return?.();
  };
  const first = await parts.next();
  read();
  gone.addEventListener("abort", end, { once: true });
  if (gone.aborted) await end();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (!first.done) controller.enqueue(first.value);
        if (!first.done && missing !== null) missing -= first.value.length;
      },
      async pull(controller) {
        const { done, value } = await next;
        if (!done) {
          if (missing !== null) missing -= value.length;
          read();
          controller.enqueue(value);
          return;
        }
        gone.removeEventListener("abort", end);
        if (missing !== null && missing !== 0) controller.error(new Error("The file ended early"));
        else controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
