/** Files that a run has open at the host: it knows them by number and reads parts of them. */
import { UsageError } from "../../runtime/errors.ts";
import type { Binding, Call } from "../host.ts";

/** A file at the host. */
export interface StoredFile {
  /** In bytes. */
  readonly size: number;
  /** @returns the bytes from `position` on; fewer than `length` only where the file ends */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The most that one call reads. */
const MOST_BYTES = 4 * 1024 * 1024;
/** The most files that a run has open. */
const MOST_FILES = 256;

/** The open files of all runs. Those of a run are closed when it ends, and their numbers mean nothing in another. */
export class RunFiles {
  readonly #runs = new WeakMap<AbortSignal, Map<unknown, StoredFile>>();

  /**
   * Opens a file for a run. @returns its number
   * @throws UsageError beyond 256 files
   */
  async add(file: StoredFile, { signal }: Call): Promise<number> {
    let files = this.#runs.get(signal);
    if (!files) {
      const opened = new Map<unknown, StoredFile>();
      files = opened;
      this.#runs.set(signal, opened);
      signal.addEventListener("abort", () => {
        for (const each of opened.values()) void each.close().catch(() => {});
        opened.clear();
      });
    }
    if (signal.aborted || files.size >= MOST_FILES) {
      await file.close();
      throw new UsageError(`Cannot open a file: a run may have ${MOST_FILES} files of the host open`);
    }
    const number = files.size;
    files.set(number, file);
    return number;
  }

  /** The binding `files`: `read(file, position, length)`, numbers in bytes. What a run has open, it was granted before. */
  readonly binding: Binding = {
    read: async ([number, position, length], { signal }) => {
      const file = this.#runs.get(signal)?.get(number);
      if (!file) throw new UsageError(`Cannot read file ${String(number)}: this run has not opened it`);
      for (const value of [position, length]) {
        if (!Number.isSafeInteger(value) || (value as number) < 0)
          throw new UsageError(
            `Cannot read a file: position and length are whole numbers: received ${String(value)}`,
          );
      }
      if ((length as number) > MOST_BYTES) {
        throw new UsageError(
          `Cannot read ${String(length)} bytes of a file at once: the most is ${MOST_BYTES}`,
        );
      }
      return file.read(position as number, length as number);
    },
  };
}
