/**
 * `fetch`, over the host's binding `net` (`fetch`, `read`, `close`). The host asks for permission, connects, follows redirects and
 * decodes; a body comes piece by piece, as it is asked for.
 */
import type { GuestFailure } from "../../../udf.ts";
import { OP } from "../ops.ts";
import { type AbortSignal, abortReason, deadlineOf, onAbort } from "./abort.ts";
import { Content } from "./body.ts";
import { giveBuffer, startCall, takeBuffer } from "./calls.ts";
import { DOMException } from "./dom-exception.ts";
import { hostError } from "./failure.ts";
import { getHeader, type Header, headerList, makeHeaders } from "./headers.ts";
import {
  byteLength,
  create,
  define,
  host,
  IntrinsicError,
  IntrinsicPromise,
  joinText,
  type List,
  list,
  max,
  nothing,
  ownNames,
  toJson,
  typeError,
  uncurry,
} from "./host.ts";
import { factsOf, Request, requestContent } from "./request.ts";
import { hasNoBody, makeResponse, type Response } from "./response.ts";
import { Flow, flowOf, ReadableStream } from "./streams.ts";

/** Bytes as they are in an answer. */
interface BytesMark {
  b: number;
}

/** What `net.fetch` answers. */
interface Reply {
  url: string;
  status: number;
  statusText: string;
  headers: [name: string, value: string][];
  redirected: boolean;
  /** What has come of the body. */
  body: BytesMark;
  /** For what is still to come; null where that was all. */
  handle: number | null;
}

/** How much earlier than the guest's own clock the host may find that the time is over, in milliseconds. */
const EARLY_MS = 50;

const now = () => host(OP.now) as number;

/** The error for a request that failed. @param deadline when the UDF's own signal would have ended it */
function networkError(failure: GuestFailure, place: Error, deadline: number | null): Error {
  if (failure.type !== "NetError") return hostError(failure, place);
  if (failure.subject === "timeout" && deadline !== null && now() + EARLY_MS >= deadline)
    return new DOMException("The operation was aborted due to timeout", "TimeoutError");
  const cause = hostError(failure, null);
  const error = typeError(joinText("fetch failed: ", failure.message), cause);
  define(error, "stack", place.stack);
  return error;
}

const close = (handle: number | string): void =>
  startCall("net", "close", joinText("[", handle, "]"), nothing, nothing);

const IntrinsicWeakRef = WeakRef;
const deref = uncurry(WeakRef.prototype.deref as (this: WeakRef<Flow>) => Flow | undefined);

/** Bodies that have not ended, by handle. */
const open = create(null) as Record<string, WeakRef<Flow>>;

/** Gives up bodies that nobody can read any more: the host lets a run have so many open. */
function closeForgotten(): void {
  const handles = ownNames(open);
  for (let i = 0; i < handles.length; i++) {
    const handle = handles[i] as string;
    if (deref(open[handle] as WeakRef<Flow>)) continue;
    delete open[handle];
    close(handle);
  }
}

/**
 * The body of an answer as a stream, which asks for more when it is read. Nothing that it holds refers back to it, so that it goes
 * with its last reader.
 */
function openBody(
  first: Uint8Array,
  handle: number,
  signal: AbortSignal,
  errorOf: (failure: GuestFailure) => Error,
): ReadableStream {
  const leave = () => {
    stop();
    delete open[handle];
  };
  const flow = new Flow(
    {
      pull(flow, done, failed) {
        startCall(
          "net",
          "read",
          joinText("[", handle, "]"),
          (value) => {
            if (value === null) {
              leave();
              flow.end();
            } else {
              const bytes = takeBuffer((value as BytesMark).b);
              flow.push(bytes, byteLength(bytes));
            }
            done();
          },
          (failure) => {
            leave();
            failed(errorOf(failure));
          },
        );
      },
      cancel(_, done) {
        leave();
        close(handle);
        done();
      },
    },
    0,
    true,
  );
  const weak = (open[handle] = new IntrinsicWeakRef(flow));
  const stop = onAbort(signal, (reason) => {
    leave();
    close(handle);
    deref(weak)?.fail(reason);
  });
  if (byteLength(first) > 0) flow.push(first, byteLength(first));
  flow.start();
  return new ReadableStream(flow);
}

function readHeaders(pairs: Reply["headers"]): List<Header> {
  const headers = list<Header>();
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i] as [string, string];
    headers[i] = { name: pair[0], value: pair[1] };
  }
  return headers;
}

/** The arguments of `net.fetch` as JSON, by hand: `JSON.stringify` of objects minds what a UDF has put into prototypes. */
function writeRequest(request: Request, hasBody: boolean, deadline: number | null): string {
  const { method, url, redirect, headers, hints } = factsOf(request);
  let pairs = "";
  const add = (name: string, value: string) => {
    pairs += joinText(pairs && ",", "[", toJson(name), ",", toJson(value), "]");
  };
  const items = headerList(headers);
  for (let i = 0; i < items.length; i++) add(items[i]?.name as string, items[i]?.value as string);
  // There is no cache here, but there may be some on the way.
  const { cache } = hints;
  if (getHeader(headers, "cache-control") === null) {
    if (cache === "no-store" || cache === "reload") add("cache-control", "no-cache");
    else if (cache === "no-cache") add("cache-control", "max-age=0");
  }
  const body = hasBody ? '{"$":"bytes","b":0}' : "null";
  const timeoutMs = deadline === null ? null : max(1, deadline - now());
  const start = joinText('[{"url":', toJson(url), ',"method":', toJson(method), ',"headers":[', pairs);
  return joinText(
    start,
    '],"body":',
    body,
    ',"redirect":',
    toJson(redirect),
    ',"timeoutMs":',
    timeoutMs,
    "}]",
  );
}

function send(
  request: Request,
  body: Uint8Array | null,
  place: Error,
  done: (response: Response) => void,
  failed: (reason: unknown) => void,
): void {
  const { method, signal } = factsOf(request);
  const deadline = deadlineOf(signal);
  const errorOf = (failure: GuestFailure) => networkError(failure, place, deadline);
  closeForgotten();
  const text = writeRequest(request, body !== null, deadline);
  if (body) giveBuffer(body);
  startCall(
    "net",
    "fetch",
    text,
    (value) => {
      const { url, status, statusText, headers, redirected, body: bytes, handle } = value as Reply;
      const isEmpty = hasNoBody(status) || method === "HEAD";
      if (handle !== null && (isEmpty || abortReason(signal))) close(handle);
      if (abortReason(signal)) return;
      const first = takeBuffer(bytes.b);
      done(
        makeResponse(
          {
            type: "basic",
            url,
            status,
            statusText,
            redirected,
            headers: makeHeaders(readHeaders(headers), true),
          },
          isEmpty
            ? new Content(null)
            : handle === null
              ? new Content(first)
              : new Content(null, openBody(first, handle, signal, errorOf)),
        ),
      );
    },
    (failure) => failed(errorOf(failure)),
  );
}

export const fetch = (input: unknown, init: unknown = {}): Promise<Response> => {
  // Its stack shows the UDF where it asked.
  const place = new IntrinsicError();
  return new IntrinsicPromise((resolve, reject) => {
    const request = new Request(input, init);
    const { signal } = factsOf(request);
    const content = requestContent(request);
    const stream = content.stream && flowOf(content.stream);
    const aborted = abortReason(signal);
    if (aborted) {
      stream?.cancel(aborted.reason, nothing, nothing);
      reject(aborted.reason);
      return;
    }
    const stop = onAbort(signal, (reason) => {
      stream?.cancel(reason, nothing, nothing);
      reject(reason);
    });
    const failed = (reason: unknown) => {
      stop();
      reject(reason);
    };
    const go = (body: Uint8Array | null) => {
      if (abortReason(signal)) return;
      send(
        request,
        body,
        place,
        (response) => {
          stop();
          resolve(response);
        },
        failed,
      );
    };
    if (content.isEmpty) go(null);
    else content.read(go, failed);
  });
};
