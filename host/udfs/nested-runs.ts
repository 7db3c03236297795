/** Runs that a run has started and not waited for: many are under way at once, and what came of them is kept until it is taken. */
import { FuseletError, UdfRuntimeError, UsageError } from "../../runtime/errors.ts";
import { isRecord } from "../../runtime/record.ts";
import type { Tile, UdfSource } from "../../runtime/udf.ts";
import { MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
import { type Call, failureOf } from "../host.ts";
import { withoutCode } from "./without-code.ts";

/** Runs of one run that wait, are under way, or are done and not taken. */
const MOST_STARTED = 1024;
/** Parameters that wait, of all of them together. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;
/** Results that nobody has taken: with more of them no further run begins. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024;
/** Results in one answer, if there are several. */
const MOST_TAKEN_BYTES = 16 * 1024 * 1024;
const MOST_TIMEOUT_MS = 60_000;

/** What a run raised in the UDF that it ran. */
export interface RunFailure {
  type: string;
  message: string;
  traceback: string;
}

/** What came of a started run: a value, or how the UDF raised (`failure`), or what else went wrong (`error`, as the host tells it). */
export interface FinishedRun {
  id: number;
  value: unknown;
  failure: RunFailure | null;
  error: object | null;
  stdout: string;
  stderr: string;
  /** From its begin to its end. */
  ms: number;
}

interface Waiting {
  id: number;
  source: UdfSource;
  parameters: Record<string, unknown>;
  tile: Tile | undefined;
  bytes: number;
}

export class NestedRuns {
  readonly #call: Call;
  readonly #atOnce: number;
  readonly #waiting: Waiting[] = [];
  readonly #finished: { run: FinishedRun; bytes: number }[] = [];
  readonly #wakers = new Set<() => void>();
  #underWay = 0;
  /** Ends what was begun with the first run that is under way or waits. */
  #letGo: (() => void) | undefined;
  #waitingBytes = 0;
  #keptBytes = 0;
  /** The largest result so far: what is expected of those under way. */
  #largest = 0;
  #lastId = 0;

  /** @param atOnce how many may be under way */
  constructor(call: Call, atOnce: number) {
    this.#call = call;
    this.#atOnce = atOnce;
    call.signal.addEventListener(
      "abort",
      () => {
        this.#waiting.length = 0;
        this.#finished.length = 0;
        this.#letGo?.();
        this.#wake();
      },
      { once: true },
    );
  }

  get #count(): number {
    return this.#waiting.length + this.#underWay + this.#finished.length;
  }

  /**
   * Starts a run with each of these parameters, in their order, until there is room for no more.
   * @returns the numbers of those that were started; at least one where none was started before
   */
  start(source: UdfSource, sets: readonly Record<string, unknown>[], tile: Tile | undefined): number[] {
    const ids: number[] = [];
    for (const parameters of sets) {
      const bytes = bytesOf(parameters);
      if (
        this.#count >= MOST_STARTED ||
        (this.#waiting.length > 0 && this.#waitingBytes + bytes > MOST_WAITING_BYTES)
      )
        break;
      const id = ++this.#lastId;
      this.#waiting.push({ id, source, parameters, tile, bytes });
      this.#waitingBytes += bytes;
      ids.push(id);
    }
    this.#begin();
    return ids;
  }

  /** What has ended since, first to last; waits for it, if nothing has yet. Empty: nothing has, somebody else has taken it, or nothing is left. */
  async take(timeoutMs: number): Promise<FinishedRun[]> {
    // Of several who wait, one takes all; the others, too, hear that something has ended: it may be theirs.
    if (this.#finished.length === 0 && this.#count > 0 && timeoutMs > 0 && !this.#call.signal.aborted)
      await this.#nextEnd(Math.min(timeoutMs, MOST_TIMEOUT_MS));
    if (this.#finished.length > 0) await this.#call.taken();
    const taken: FinishedRun[] = [];
    let bytes = 0;
    for (let first = this.#finished[0]; first; first = this.#finished[0]) {
      if (taken.length > 0 && bytes + first.bytes > MOST_TAKEN_BYTES) break;
      this.#finished.shift();
      bytes += first.bytes;
      taken.push(first.run);
    }
    this.#keptBytes -= bytes;
    this.#begin();
    return taken;
  }

  /** Those of these runs that have not begun never will. @returns their numbers */
  cancel(ids: ReadonlySet<number>): number[] {
    const cancelled = this.#waiting.filter(({ id }) => ids.has(id));
    for (const waiting of cancelled) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.#waitingBytes -= waiting.bytes;
    }
    this.#wake();
    return cancelled.map(({ id }) => id);
  }

  #begin(): void {
    if (this.#call.signal.aborted) return;
    this.#beginWhatMay();
    if (this.#underWay + this.#waiting.length > 0) this.#letGo ??= this.#call.hold();
    else {
      this.#letGo?.();
      this.#letGo = undefined;
    }
  }

  #beginWhatMay(): void {
    const { signal } = this.#call;
    while (this.#underWay < this.#atOnce) {
      if (this.#keptBytes > 0 && this.#keptBytes + this.#underWay * this.#largest > MOST_KEPT_BYTES) return;
      const next = this.#waiting.shift();
      if (!next) return;
      this.#waitingBytes -= next.bytes;
      this.#underWay++;
      void this.#run(next).then((finished) => {
        this.#underWay--;
        if (signal.aborted) return;
        this.#finished.push(finished);
        this.#keptBytes += finished.bytes;
        this.#largest = Math.max(this.#largest, finished.bytes);
        this.#begin();
        this.#wake();
      });
    }
  }

  async #run({ id, source, parameters, tile }: Waiting): Promise<{ run: FinishedRun; bytes: number }> {
    const began = performance.now();
    const ended = (run: Omit<FinishedRun, "id" | "ms">, bytes: number) => ({
      run: { id, ms: performance.now() - began, ...run },
      bytes: bytes + run.stdout.length + run.stderr.length,
    });
    try {
      const { raw, bytes, stdout, stderr } = await this.#call.run(source, {
        parameters,
        ...(tile ? { tile } : {}),
        context: nestedContext(this.#call),
      });
      return ended({ value: raw, failure: null, error: null, stdout, stderr }, bytes);
    } catch (thrown) {
      const cause = source.isHidden ? withoutCode(thrown) : thrown;
      if (cause instanceof FuseletError) this.#call.noteDenial(cause);
      const failure = failureFrom(cause);
      const error = failure ? null : failureOf(cause, "udfs.start");
      const { stdout, stderr } = outputOf(cause);
      return ended(
        { value: null, failure, error, stdout, stderr },
        failure ? failure.message.length + failure.traceback.length : 0,
      );
    }
  }

  #nextEnd(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#wakers.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}

/** What a nested run is told about itself. */
export function nestedContext({ context }: Call): Call["context"] {
  return { ...context, recursionFactor: context.recursionFactor + 1 };
}

/** How the UDF raised; null where something else went wrong. */
export function failureFrom(error: unknown): RunFailure | null {
  if (!(error instanceof UdfRuntimeError)) return null;
  const { type, message, traceback } = error;
  return { type, message, traceback };
}

/** What it printed before. */
export function outputOf(error: unknown): { stdout: string; stderr: string } {
  const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
  return { stdout, stderr };
}

/** About how many bytes a value takes that came from a UDF. */
function bytesOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof NdArray) return value.npy.length;
  if (value instanceof TableValue) return value.ipc.length;
  if (value instanceof MediaValue) return value.bytes.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + bytesOf(item), 16);
}

/** @throws UsageError where one is no object */
export function readParameters(value: unknown, label: string): Record<string, unknown> {
  if (!isRecord(value)) throw new UsageError(`Cannot run ${label}: parameters must be an object`);
  return value;
}
