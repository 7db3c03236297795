/** Streams of server-sent events: so many of a user at once, each with a sign of life, and all of them ended with the server. */
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { HttpError } from "./errors.ts";
import type { ServerEnv, ServerParts } from "./parts.ts";

/** Of one user: each looks for what is new, and holds a connection. */
const MOST_OF_USER = 64;
/** How often a stream that has nothing to say shows that it lives: a client that is gone is noticed by it too. */
const BEAT_MS = 15_000;

export class EventStreams {
  readonly #log: ServerParts["log"];
  /** What ends them, by user. */
  readonly #open = new Map<string, Set<AbortController>>();

  constructor(log: ServerParts["log"]) {
    this.#log = log;
  }

  get size(): number {
    return [...this.#open.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Answers with a stream.
   * @param write writes it to its end, or until the signal fires: the client is gone, may not see it any more, or the server ends
   * @throws HttpError 429 where the user has too many
   */
  answer(
    c: Context<ServerEnv>,
    write: (stream: SSEStreamingApi, signal: AbortSignal) => Promise<void>,
  ): Response {
    // Nobody would read it, or end it.
    if (c.req.method === "HEAD")
      return new Response(null, { headers: { "content-type": "text/event-stream" } });
    const { id } = c.get("user");
    const own = this.#open.get(id) ?? new Set();
    if (own.size >= MOST_OF_USER)
      throw new HttpError(429, `At most ${MOST_OF_USER} streams of a user may be open: close some`, {
        headers: { "retry-after": "10" },
      });
    const stop = new AbortController();
    own.add(stop);
    this.#open.set(id, own);
    const end = () => stop.abort();
    return streamSSE(c, async (stream) => {
      stream.onAbort(end);
      const unwatch = c.get("whileSignedIn")(end);
      const beat = setInterval(() => void stream.write(": still here\n\n"), BEAT_MS);
      try {
        await write(stream, stop.signal);
      } catch (error) {
        this.#log.error("stream", error, { id: c.get("requestId") });
      } finally {
        clearInterval(beat);
        unwatch();
        own.delete(stop);
        if (own.size === 0) this.#open.delete(id);
      }
    });
  }

  /** Ends those that are open. */
  close(): void {
    for (const own of this.#open.values()) for (const stop of own) stop.abort();
  }
}
