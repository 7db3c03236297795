/**
 * The log of a job: what its UDFs print, and what happens to it. Output is gathered for a moment and kept in pieces, as records of the
 * store; it is bounded, and where something is left out, the log says so.
 */
import type { Store } from "../store/store.ts";
import { JOB_LOGS, timeKey } from "./job.ts";
import type { Log } from "./log.ts";
import { readAs } from "./records.ts";

export interface LogEntry {
  /** One line or more, with the line break at the end. */
  readonly message: string;
  /** Milliseconds since 1970, another one for each entry of a job. */
  readonly timestamp: number;
}

/** Of the output of one try of a job, and of what is said about it. */
const MOST_CHARACTERS = 4 * 1024 * 1024;
/** Of a note where there were long ones: thousands of tasks may fail, each with its traceback. */
const LEAST_OF_NOTE = 500;
/** Of one entry; longer output becomes several. */
const MOST_OF_ENTRY = 64 * 1024;
/** How long output is gathered. */
const GATHER_MS = 200;
/** The most entries that one look gives. */
const MOST_ENTRIES = 10_000;
const PAGE = 1000;

/** Adds to a log what happens to a job beside its worker. */
export async function addToLog(store: Store, jobId: string, text: string): Promise<void> {
  const timestamp = Date.now();
  await store.put(JOB_LOGS, `${jobId}/${timeKey(timestamp)}`, { message: `${text}\n`, timestamp });
}

/** Writes the log of one job, while one worker works on it. Its calls do not wait; `close` does. */
export class JobLog {
  readonly #store: Store;
  readonly #jobId: string;
  readonly #serverLog: Log;
  /** Keeps its keys apart from those of another worker in the same millisecond. */
  readonly #writer = crypto.randomUUID().slice(0, 8);
  #waiting = "";
  #left = MOST_CHARACTERS;
  #leftOfNotes = MOST_CHARACTERS;
  #leftOut = 0;
  #lastTime = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(store: Store, jobId: string, serverLog: Log) {
    this.#store = store;
    this.#jobId = jobId;
    this.#serverLog = serverLog;
  }

  /** What a UDF printed. */
  output(text: string): void {
    const kept = text.slice(0, this.#left);
    if (kept.length < text.length && this.#leftOut === 0)
      this.note("The log is full: what comes is left out");
    this.#leftOut += text.length - kept.length;
    this.#left -= kept.length;
    if (kept !== "") this.#gather(kept);
  }

  /** What happens to the job, on a line of its own. It is never left out; of a long one, its beginning stays. */
  note(text: string): void {
    const kept = text.slice(0, Math.max(this.#leftOfNotes, LEAST_OF_NOTE)).trimEnd();
    this.#leftOfNotes -= kept.length;
    const lineBreak = this.#waiting === "" || this.#waiting.endsWith("\n") ? "" : "\n";
    this.#gather(`${lineBreak}${kept}\n`);
  }

  #gather(text: string): void {
    this.#waiting += text;
    if (this.#waiting.length >= MOST_OF_ENTRY) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), GATHER_MS);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#waiting;
    this.#waiting = "";
    for (let from = 0; from < text.length; from += MOST_OF_ENTRY) {
      const timestamp = (this.#lastTime = Math.max(Date.now(), this.#lastTime + 1));
      const entry = { message: text.slice(from, from + MOST_OF_ENTRY).toWellFormed(), timestamp };
      const key = `${this.#jobId}/${timeKey(timestamp)}-${this.#writer}`;
      this.#written = this.#written
        .then(() => this.#store.put(JOB_LOGS, key, entry))
        // A job does not fail because a line of its log is lost.
        .then(
          () => undefined,
          (error) => this.#serverLog.error("job log", error, { job: this.#jobId }),
        );
    }
  }

  /** Waits until all is kept. Twice is no error. */
  async close(): Promise<void> {
    if (this.#leftOut > 0) this.note(`${this.#leftOut} characters of output were left out`);
    this.#leftOut = 0;
    this.#write();
    await this.#written;
  }
}

/** The log of a job from behind a time on. */
export async function readLog(store: Store, jobId: string, sinceMs: number | undefined): Promise<LogEntry[]> {
  const prefix = `${jobId}/`;
  const entries: LogEntry[] = [];
  // A tilde is behind all writers.
  let after = sinceMs === undefined ? "" : `${prefix}${timeKey(sinceMs)}~`;
  while (entries.length < MOST_ENTRIES) {
    const page = await store.list(JOB_LOGS, { prefix, after, limit: PAGE });
    entries.push(...page.map((record) => readAs<LogEntry>(record)));
    if (page.length < PAGE) break;
    after = page.at(-1)!.key;
  }
  return entries;
}
