/** A run's end as an answer over HTTP. */
import type { HonoRequest } from "hono";
import { type FuseletError, IsolateError } from "../../runtime/errors.ts";
import type { RunResult } from "../../runtime/result.ts";
import { sha256 } from "../cache/blobs.ts";
import type { FormattedResult } from "../formats/formats.ts";
import { errorBody, type HttpError } from "./errors.ts";
import { namesEtag } from "./etags.ts";
import { parseRange } from "./file-answer.ts";
import { isRunError, metadataHeader, metadataOfFailure, metadataOfResult } from "./run-metadata.ts";

/** What is sent. Data, so that it can be kept and sent again. */
export interface RunAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Whether the header has less of the output than there was. */
  isCut: boolean;
}

/** How old a result may be that is given again. */
export interface ResultAge {
  ms: number;
  /** By the request or the UDF. Else caches on the way ask each time whether what they have is still right. */
  isSaid: boolean;
  /** When the link ends, in milliseconds since 1970; infinite: never. Nobody keeps what it opens for longer. */
  untilMs: number;
}

/** What a UDF made is never this server's: a page of it has an origin of its own, whatever it is. */
const APART = { "content-security-policy": "sandbox allow-scripts" };
/** Larger ones have no ETag: to hash them takes longer than it saves. */
const MOST_HASHED = 16 * 1024 * 1024;

/** @param written the result, as it is sent */
export function resultAnswer(
  result: Pick<RunResult, "stdout" | "stderr" | "cached">,
  { mediaType, bytes }: FormattedResult,
  runId: string,
): RunAnswer {
  // Parts of such a body have headers of their own, cookies among them.
  const isSeveral = mediaType.toLowerCase().startsWith("multipart/");
  const { text, isCut } = metadataHeader(metadataOfResult(result));
  return {
    status: 200,
    headers: {
      "content-type": isSeveral ? "application/octet-stream" : mediaType,
      "content-length": String(bytes.length),
      ...APART,
      "fused-run-id": runId,
      "x-fused-metadata": text,
      ...(result.cached ? { "x-fused-cached": "true" } : {}),
    },
    body: bytes,
    isCut,
  };
}

/**
 * How a run failed. 422, as the UDF is what is wrong, or how it was asked for.
 * @param output what a run printed that ended well, and whose result cannot be written
 * @returns undefined for what is no failure of a run
 */
export function failureAnswer(
  error: unknown,
  runId: string,
  output?: { stdout: string; stderr: string },
): RunAnswer | undefined {
  const isIsolate = error instanceof IsolateError;
  if (!isRunError(error) && !isIsolate) return undefined;
  if (output) Object.assign(error, output);
  const metadata = metadataOfFailure(error as FuseletError, output !== undefined);
  const { text, isCut } = metadataHeader(metadata);
  return {
    status: isIsolate ? 500 : 422,
    headers: {
      "content-type": "application/json",
      ...APART,
      "fused-run-id": runId,
      "x-fused-metadata": text,
      "cache-control": "no-store",
    },
    body: new TextEncoder().encode(
      JSON.stringify(
        errorBody(error.message, { name: error.name, exception_class: metadata.exception_class }),
      ),
    ),
    isCut,
  };
}

/** A request that was refused, as an answer that can be asked for later. */
export function refusalAnswer({ status, message, headers }: HttpError, runId: string): RunAnswer {
  return {
    status,
    headers: { "content-type": "application/json", "fused-run-id": runId, ...headers },
    body: new TextEncoder().encode(JSON.stringify(errorBody(message))),
    isCut: false,
  };
}

/**
 * Says how long others may keep an answer, where anybody who asks for it by its address gets the same.
 * @param by what caches: all on the way, or only that of who asked, where an address alone does not open it
 * @param vary the header of that name
 */
export async function cachedAnswer(
  answer: RunAnswer,
  { kept }: Pick<RunResult, "kept">,
  age: ResultAge,
  by: "public" | "private",
  vary: string,
): Promise<RunAnswer> {
  const isSame = kept !== null && kept.fields.length === 0;
  const leftMs = isSame ? kept.atMs + age.ms - Date.now() : 0;
  if (leftMs <= 0) return { ...answer, headers: { ...answer.headers, "cache-control": "no-store" } };
  const headers: Record<string, string> = {
    ...answer.headers,
    "cache-control": cacheControl(by, leftMs, age),
    vary,
    // Not of what nothing keeps: each part would be another run.
    "accept-ranges": "bytes",
  };
  if (answer.body.length <= MOST_HASHED) headers.etag = `"${(await sha256(answer.body)).slice(0, 32)}"`;
  return { ...answer, headers };
}

/** An answer that was given before, to somebody who asks for the same. */
export function againAnswer(
  answer: RunAnswer,
  runId: string,
  leftMs: number,
  age: ResultAge,
  by: "public" | "private",
): RunAnswer {
  return {
    ...answer,
    headers: {
      ...answer.headers,
      "fused-run-id": runId,
      "x-fused-cached": "true",
      "x-cache": "hit",
      "cache-control": cacheControl(by, leftMs, age),
    },
  };
}

/** A year, in milliseconds, is what HTTP knows as forever. */
const FOREVER_MS = 31_536_000_000;

const cacheControl = (by: "public" | "private", leftMs: number, { isSaid, untilMs }: ResultAge) => {
  const ms = Math.max(0, Math.min(leftMs, untilMs - Date.now(), FOREVER_MS));
  return `${by}, ${isSaid ? `max-age=${Math.floor(ms / 1000)}` : "no-cache"}`;
};

/**
 * @param request may know the answer already, or ask for a part of it
 * @throws HttpError 416 for a part that there is none of
 */
export function toResponse(answer: RunAnswer, request?: Pick<HonoRequest, "method" | "header">): Response {
  const { status, headers } = answer;
  const body = answer.body as Uint8Array<ArrayBuffer>;
  if (status !== 200 || request === undefined) return new Response(body, { status, headers });
  const { etag } = headers;
  const known = request.header("if-none-match");
  if (etag !== undefined && known !== undefined && namesEtag(known, etag)) {
    const { "content-type": _, "content-length": __, ...rest } = headers;
    return new Response(null, { status: 304, headers: rest });
  }
  const condition = request.header("if-range");
  const isAsked = request.method === "GET" && (condition === undefined || condition === etag);
  const part = isAsked ? parseRange(request.header("range"), body.length) : null;
  if (!part) return new Response(body, { status, headers });
  const end = part.offset + part.length;
  return new Response(body.subarray(part.offset, end), {
    status: 206,
    headers: {
      ...headers,
      "content-length": String(part.length),
      "content-range": `bytes ${part.offset}-${end - 1}/${body.length}`,
    },
  });
}
