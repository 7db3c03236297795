/** The files that runs are writing, each known by a number. What a run has not ended when it ends is thrown away. */
import type { StorageCall, Upload } from "./driver.ts";
import { StorageError } from "./errors.ts";

/** What a run writes at the same time. */
const MOST_OPEN = 16;

interface Writing {
  /** For messages. */
  url: string;
  bytes: number;
  /** What is asked of it is done one after the other. */
  last: Promise<Upload>;
}

interface Run {
  writing: Map<number, Writing>;
  lastNumber: number;
}

export class Uploads {
  readonly #mostBytes: number;
  readonly #runs = new WeakMap<AbortSignal, Run>();

  /** @param mostBytes what one file may have */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /**
   * Begins to write.
   * @returns its number, which means nothing in another run
   * @throws StorageError "request" beyond 16 files; what `begin` throws
   */
  async open(url: string, begin: () => Promise<Upload>, { signal }: StorageCall): Promise<number> {
    if (signal.aborted) throw new StorageError("request", `Cannot write ${url}: the run has ended`);
    const run = this.#runOf(signal);
    if (run.writing.size >= MOST_OPEN)
      throw new StorageError(
        "request",
        `Cannot write ${url}: a run may write ${MOST_OPEN} files at the same time`,
      );
    const number = ++run.lastNumber;
    const last = begin();
    run.writing.set(number, { url, bytes: 0, last });
    try {
      await last;
    } catch (error) {
      run.writing.delete(number);
      throw error;
    }
    return number;
  }

  /**
   * Adds to a file. If that fails, the file is thrown away.
   * @throws StorageError "full" where it has too many bytes
   */
  async write(number: unknown, bytes: Uint8Array, call: StorageCall): Promise<void> {
    const writing = this.#get(number, call);
    writing.bytes += bytes.length;
    if (writing.bytes > this.#mostBytes) {
      await this.abort(number, call);
      throw new StorageError("full", `Cannot write ${writing.url}: a file may have ${this.#mostBytes} bytes`);
    }
    try {
      await then(writing, (upload) => upload.write(bytes));
    } catch (error) {
      // Nobody knows how much of it was written.
      this.#runOf(call.signal).writing.delete(number as number);
      throw error;
    }
  }

  /** Makes a file visible. If that fails, it is thrown away. */
  async commit(number: unknown, call: StorageCall): Promise<void> {
    await then(this.#take(number, call), (upload) => upload.commit());
  }

  async abort(number: unknown, call: StorageCall): Promise<void> {
    await then(this.#take(number, call), (upload) => upload.abort());
  }

  #get(number: unknown, { signal }: StorageCall): Writing {
    const writing = this.#runOf(signal).writing.get(number as number);
    if (writing) return writing;
    const shown = typeof number === "number" ? ` ${number}` : "";
    throw new StorageError(
      "request",
      `Cannot write to the file${shown}: this run does not write it, or has ended it`,
    );
  }

  #take(number: unknown, call: StorageCall): Writing {
    const writing = this.#get(number, call);
    this.#runOf(call.signal).writing.delete(number as number);
    return writing;
  }

  #runOf(signal: AbortSignal): Run {
    let run = this.#runs.get(signal);
    if (run) return run;
    const { writing } = (run = { writing: new Map<number, Writing>(), lastNumber: 0 });
    this.#runs.set(signal, run);
    signal.addEventListener(
      "abort",
      () => {
        for (const each of writing.values()) then(each, (upload) => upload.abort()).catch(() => {});
        writing.clear();
      },
      { once: true },
    );
    return run;
  }
}

/** Does something once all before is done. A failure throws the file away, and all that is asked of it later fails with it. */
function then(writing: Writing, work: (upload: Upload) => Promise<void>): Promise<Upload> {
  writing.last = writing.last.then(async (upload) => {
    try {
      await work(upload);
      return upload;
    } catch (error) {
      await upload.abort();
      throw error;
    }
  });
  return writing.last;
}
