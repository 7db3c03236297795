/** Bodies of requests that become files, as they come: none is in memory as a whole. */
import type { Upload } from "../storage/driver.ts";
import { HttpError } from "./errors.ts";

/** What is written at once: each writing is counted against a quota, and sockets give little at a time. */
const BLOCK_BYTES = 1024 * 1024;

/**
 * The parts of a request's body.
 * @param most the most bytes
 * @throws HttpError 413 beyond them, 400 where it ends early
 */
export async function* bodyOf(request: Request, most: number): AsyncGenerator<Uint8Array> {
  const length = request.headers.get("content-length");
  const declared = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
  const tooLarge = () => new HttpError(413, `The body is larger than ${most} bytes`);
  if (declared !== null && declared > most) throw tooLarge();
  const reader = request.body?.getReader();
  let bytes = 0;
  let isDone = reader === undefined;
  try {
    while (reader && !isDone) {
      const part = await reader.read().catch((cause: unknown) => {
        throw new HttpError(400, "The body ended before its end", { cause });
      });
      isDone = part.done;
      if (!part.value) continue;
      bytes += part.value.length;
      if (bytes > most) throw tooLarge();
      yield part.value;
    }
    if (declared !== null && bytes < declared)
      throw new HttpError(400, `The body ended before its end: after ${bytes} of ${declared} bytes`);
  } finally {
    if (!isDone) await reader?.cancel().catch(() => {});
  }
}

/**
 * Writes a file of parts. Where they fail, or the client is gone before all are there, nothing of it is left.
 * @returns its size in bytes
 */
export async function receive(
  parts: AsyncIterable<Uint8Array>,
  upload: Upload,
  gone: AbortSignal,
): Promise<number> {
  let bytes = 0;
  try {
    for await (const block of blocksOf(parts)) {
      bytes += block.length;
      await upload.write(block);
    }
    if (gone.aborted) throw new HttpError(400, "The client is gone");
    await upload.commit();
  } catch (error) {
    await upload.abort();
    throw error;
  }
  return bytes;
}

async function* blocksOf(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block = new Uint8Array(BLOCK_BYTES);
  let used = 0;
  for await (let part of parts) {
    while (used + part.length >= BLOCK_BYTES) {
      block.set(part.subarray(0, BLOCK_BYTES - used), used);
      part = part.subarray(BLOCK_BYTES - used);
      yield block;
      // Whoever got the last one may still have it.
      block = new Uint8Array(BLOCK_BYTES);
      used = 0;
    }
    block.set(part, used);
    used += part.length;
  }
  if (used > 0) yield block.subarray(0, used);
}
