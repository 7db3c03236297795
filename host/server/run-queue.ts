/** Who may run now: so many runs at once for each user, and so many waiting for that. */
import { CancelledError } from "../../runtime/errors.ts";
import { HttpError } from "./errors.ts";

export interface RunQueueOptions {
  /** Runs of one key under way at once. */
  atOnce: number;
  /** Runs of one key that wait. */
  waiting: number;
  /** Runs of all keys that wait. */
  waitingInAll: number;
  /** How large what waits may be, of one key and of all. Default: it does not matter. */
  bytes?: number;
  bytesInAll?: number;
}

interface Waiting {
  begin(leave: () => void): void;
  refuse(error: Error): void;
}

interface Line {
  underWay: number;
  bytes: number;
  waiting: Set<Waiting>;
}

const RETRY = { headers: { "retry-after": "1" } };

export class RunQueue {
  readonly #options: RunQueueOptions;
  /** Keys with runs only. */
  readonly #lines = new Map<string, Line>();
  #waiting = 0;
  #bytes = 0;
  #isClosed = false;

  constructor(options: RunQueueOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for its turn.
   * @param bytes of what waits with it
   * @returns what is to be called at the end of the run, once
   * @throws HttpError 429 where this key has too many waiting, 503 where all have, or the queue was closed; CancelledError
   */
  enter(key: string, signal: AbortSignal, bytes = 0): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw ending();
      if (signal.aborted) throw new CancelledError("The run was cancelled before it began");
      const { atOnce, waiting, waitingInAll } = this.#options;
      const { bytes: mostBytes = Infinity, bytesInAll = Infinity } = this.#options;
      let line = this.#lines.get(key);
      if (!line) this.#lines.set(key, (line = { underWay: 0, bytes: 0, waiting: new Set() }));
      const found = line;
      if (found.underWay < atOnce) {
        found.underWay++;
        return resolve(() => this.#leave(key, found));
      }
      if (found.waiting.size >= waiting)
        throw new HttpError(
          429,
          `Too many runs: ${atOnce} are under way and ${waiting} wait; send it again later`,
          RETRY,
        );
      if (found.bytes + bytes > mostBytes)
        throw new HttpError(
          429,
          `Too large runs: ${found.bytes} bytes of parameters wait, and at most ${mostBytes} may; send it again later`,
          RETRY,
        );
      if (this.#waiting >= waitingInAll || this.#bytes + bytes > bytesInAll)
        throw new HttpError(503, "The server is full: nothing was run; send it again later", RETRY);
      const onAbort = () => entry.refuse(new CancelledError("The run was cancelled before it began"));
      const settle = () => {
        signal.removeEventListener("abort", onAbort);
        if (!found.waiting.delete(entry)) return;
        this.#waiting--;
        this.#bytes -= bytes;
        found.bytes -= bytes;
      };
      const entry: Waiting = {
        begin(leave) {
          settle();
          resolve(leave);
        },
        refuse(error) {
          settle();
          reject(error);
        },
      };
      found.waiting.add(entry);
      this.#waiting++;
      this.#bytes += bytes;
      found.bytes += bytes;
      signal.addEventListener("abort", onAbort);
    });
  }

  /** Refuses all that wait, and all that come. */
  close(): void {
    this.#isClosed = true;
    for (const { waiting } of this.#lines.values()) for (const entry of [...waiting]) entry.refuse(ending());
  }

  #leave(key: string, line: Line): void {
    const [next] = line.waiting;
    // The place goes over to the one that waits longest.
    if (next) next.begin(() => this.#leave(key, line));
    else if (--line.underWay === 0) this.#lines.delete(key);
  }
}

const ending = () =>
  new HttpError(503, "The server ends: nothing was run; send it again later", {
    headers: { "retry-after": "5" },
  });
