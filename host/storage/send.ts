/** Requests to services that the host's owner has configured: not through the guarded fetch, which is for what UDFs ask for. */
import { concat } from "../../runtime/bytes.ts";
import { StorageError } from "./errors.ts";

export interface ServiceRequest {
  method: string;
  /** `https://s3.eu-west-1.amazonaws.com` */
  origin: string;
  /** Encoded, with the query. It is sent as it is. */
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Uint8Array | null;
  signal: AbortSignal;
}

export interface ServiceAnswer {
  status: number;
  /** A header, by its name in lower case. */
  header(name: string): string | null;
  /** As it comes, no coding undone. It is read to its end or given up with `return`. */
  body: AsyncIterable<Uint8Array>;
}

/** Sends one request, and follows nothing. Rejects where no answer comes. */
export type Send = (request: ServiceRequest) => Promise<ServiceAnswer>;

/** For a write that has begun: it is ended, or thrown away, by requests of its own, also when its run has ended. */
export const NEVER = new AbortController().signal;

const MOST_TRIES = 4;
const FIRST_WAIT_MS = 100;
/** What is over soon: too many requests, and failures of the service itself. */
const PASSING = new Set([429, 500, 502, 503, 504]);

/**
 * Sends a request that may be repeated, up to four times.
 * @param make the request, signed anew for each try
 * @throws StorageError of code "network" where no answer comes
 */
export async function sendRepeatedly(
  send: Send,
  make: () => ServiceRequest | Promise<ServiceRequest>,
): Promise<ServiceAnswer> {
  for (let tries = 1; ; tries++) {
    const request = await make();
    const { origin, signal } = request;
    let cause: unknown;
    try {
      const answer = await send(request);
      if (tries === MOST_TRIES || !PASSING.has(answer.status)) return answer;
      await giveUp(answer.body);
    } catch (error) {
      cause = error;
    }
    if (signal.aborted) throw new StorageError("network", "The run has ended");
    if (tries === MOST_TRIES && cause !== undefined)
      throw new StorageError("network", `Cannot reach ${origin}: no answer came`, { cause });
    const ms = FIRST_WAIT_MS * 2 ** tries * (0.5 + Math.random() / 2);
    await new Promise<void>((resolve) => setTimeout(resolve, ms));
  }
}

/** @throws StorageError "full" where there are more bytes */
export async function readAll(
  body: AsyncIterable<Uint8Array>,
  mostBytes: number,
  what: string,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > mostBytes)
      throw new StorageError("full", `Cannot read ${what} at once: it has more than ${mostBytes} bytes`);
    parts.push(part);
  }
  // Node's own kind of bytes stays here.
  return concat(parts);
}

/** Reads the rest of what will not be looked at, unless it is long. */
export async function giveUp(body: AsyncIterable<Uint8Array>): Promise<void> {
  await readAll(body, 64 * 1024, "an answer").catch(() => {});
}

/** Reads an answer that is text. */
export async function readText({ body }: ServiceAnswer): Promise<string> {
  return new TextDecoder().decode(await readAll(body, 16 * 1024 * 1024, "an answer"));
}

/** The bytes of a body, with its failures as StorageError. */
export async function* received(body: AsyncIterable<Uint8Array>, origin: string): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new StorageError("network", `${origin} did not answer to the end`, { cause });
  }
}
