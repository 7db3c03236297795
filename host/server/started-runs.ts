/** Runs that were started and are asked for later: their answers, and what they print while they go on. */
import type { RunAnswer } from "./run-answer.ts";

type Stream = "stdout" | "stderr";

/** A piece of output, or the end. */
export type RunEvent =
  | { readonly event: Stream; readonly text: string }
  | { readonly event: "end"; readonly status: number };

/** How long an answer is kept that nobody has asked for since, how many, and how much of all of them. The last one stays, however large. */
const KEPT_MS = 5 * 60_000;
const MOST_ENDED = 1000;
const MOST_BYTES = 256 * 1024 * 1024;
/** The same of one user: nobody's answers go because another one has many. */
const MOST_ENDED_OF_USER = 100;
const MOST_BYTES_OF_USER = 64 * 1024 * 1024;

/** A run that begins. It must not throw. */
export type RunToStart = (
  onOutput: (stream: Stream, text: string) => void,
  signal: AbortSignal,
) => Promise<RunAnswer>;

export class StartedRun {
  readonly #pieces: { event: Stream; text: string }[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  /** Undefined while it goes on. */
  answer: RunAnswer | undefined;
  readonly ended: Promise<RunAnswer>;

  constructor(run: RunToStart) {
    const onOutput = (event: Stream, text: string) => {
      this.#pieces.push({ event, text });
      this.#wake();
    };
    this.ended = run(onOutput, this.#stop.signal).then((answer) => {
      this.answer = answer;
      this.#wake();
      return answer;
    });
  }

  /** Ends it, if it goes on. */
  cancel(): void {
    this.#stop.abort();
  }

  /** Its answer, if it is there in time. */
  async within(timeoutMs: number, signal: AbortSignal): Promise<RunAnswer | undefined> {
    if (this.answer || signal.aborted) return this.answer;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let onAbort = () => {};
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs);
      onAbort = () => resolve(undefined);
      signal.addEventListener("abort", onAbort);
    });
    try {
      return await Promise.race([this.ended, timeout]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** What it prints, from its begin on, and its end. Ends when the signal fires. */
  async *events(signal: AbortSignal): AsyncGenerator<RunEvent> {
    for (let at = 0; !signal.aborted; ) {
      const piece = this.#pieces[at];
      if (piece) {
        at++;
        yield piece;
      } else if (this.answer) {
        yield { event: "end", status: this.answer.status };
        return;
      } else await this.#next(signal);
    }
  }

  /** What it has printed. */
  output(): Record<Stream, string> {
    const of = (stream: Stream) =>
      this.#pieces.reduce((text, piece) => (piece.event === stream ? text + piece.text : text), "");
    return { stdout: of("stdout"), stderr: of("stderr") };
  }

  get bytes(): number {
    return this.#pieces.reduce((sum, { text }) => sum + text.length, this.answer?.body.length ?? 0);
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#listeners.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#listeners.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#listeners]) wake();
  }
}

/** By who has started them and the number that they gave. */
export class StartedRuns {
  readonly #runs = new Map<string, StartedRun>();
  /** Those that have ended, the oldest first. */
  readonly #ended = new Map<string, { bytes: number; untilMs: number }>();
  #bytes = 0;

  /** Starts a run, unless this user has one of this id: a request that was sent twice is one run. */
  start(userId: string, runId: string, run: RunToStart): StartedRun {
    const key = keyOf(userId, runId);
    const found = this.#runs.get(key);
    if (found) return found;
    const started = new StartedRun(run);
    this.#runs.set(key, started);
    void started.ended.then(() => {
      if (this.#runs.get(key) !== started) return;
      const { bytes } = started;
      this.#ended.set(key, { bytes, untilMs: performance.now() + KEPT_MS });
      this.#bytes += bytes;
      this.#sweepOf(userId);
      this.#sweep();
    });
    return started;
  }

  get(userId: string, runId: string): StartedRun | undefined {
    this.#sweep();
    return this.#runs.get(keyOf(userId, runId));
  }

  /** Nobody will ask for it. */
  forget(userId: string, runId: string): void {
    this.#delete(keyOf(userId, runId));
  }

  #sweep(): void {
    const now = performance.now();
    for (const [key, { untilMs }] of this.#ended) {
      const isRoom = this.#ended.size <= MOST_ENDED && this.#bytes <= MOST_BYTES;
      if (untilMs > now && (isRoom || this.#ended.size === 1)) break;
      this.#delete(key);
    }
  }

  #sweepOf(userId: string): void {
    const own = [...this.#ended].filter(([key]) => key.startsWith(keyOf(userId, "")));
    let bytes = own.reduce((sum, [, ended]) => sum + ended.bytes, 0);
    for (const [at, [key, ended]] of own.entries()) {
      const left = own.length - at;
      if (left === 1 || (left <= MOST_ENDED_OF_USER && bytes <= MOST_BYTES_OF_USER)) break;
      bytes -= ended.bytes;
      this.#delete(key);
    }
  }

  #delete(key: string): void {
    this.#runs.delete(key);
    this.#bytes -= this.#ended.get(key)?.bytes ?? 0;
    this.#ended.delete(key);
  }
}

const keyOf = (userId: string, runId: string) => `${userId}/${runId}`;
