/**
 * Puts small pieces of output together. Where nothing can block, a run that does not wait never hears that its frames were
 * taken, and may send only so many: they should be few, and still come while it runs.
 */
import { concat } from "../bytes.ts";

/** Pieces wait until they are this many bytes together, */
const FULL_BYTES = 64 * 1024;
/** or the first of them has waited for this long. */
const WAIT_MS = 50;

export type Stream = "stdout" | "stderr";

/** @param send takes bytes that nobody else changes */
export function gatherOutput(
  send: (stream: Stream, bytes: Uint8Array) => void,
  now: () => number,
): { write(stream: Stream, bytes: Uint8Array): void; flush(): void } {
  let held: Uint8Array[] = [];
  let length = 0;
  let from: Stream = "stdout";
  let sent = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (length === 0) return;
    const bytes = concat(held);
    held = [];
    length = 0;
    sent = now();
    send(from, bytes);
  };
  return {
    write(stream, bytes) {
      if (stream !== from) flush();
      from = stream;
      held.push(bytes.slice());
      length += bytes.length;
      if (length >= FULL_BYTES || now() - sent >= WAIT_MS) flush();
      else timer ??= setTimeout(flush, WAIT_MS);
    },
    flush,
  };
}
