/** Files that a run has open at the host: it knows them by number and reads parts of them. */
import { UsageError } from "../../runtime/errors.ts";
import type { Binding, Call } from "../host.ts";
import { Room } from "./room.ts";

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
/** What is read for a run at once. */
const MOST_READ_BYTES = 64 * 1024 * 1024;

interface Run {
  files: Map<unknown, StoredFile>;
  lastNumber: number;
}

/** The open files of all runs. Those of a run are closed when it ends, and their numbers mean nothing in another. */
export class RunFiles {
  readonly #runs = new WeakMap<AbortSignal, Run>();
  readonly #rooms = new WeakMap<AbortSignal, Room>();

  /** The room for all that is read for a run. */
  roomOf({ signal, taken }: Pick<Call, "signal" | "taken">): Room {
    let room = this.#rooms.get(signal);
    if (!room) this.#rooms.set(signal, (room = new Room(MOST_READ_BYTES, taken)));
    return room;
  }

  /**
   * Opens a file for a run. @returns its number
   * @throws UsageError beyond 256 files
   */
  async add(file: StoredFile, { signal }: Pick<Call, "signal">): Promise<number> {
    const run = this.#runOf(signal);
    if (signal.aborted || run.files.size >= MOST_FILES) {
      await file.close();
      throw new UsageError(
        `Cannot open a file: a run may have ${MOST_FILES} files of the host open; close some`,
      );
    }
    const number = ++run.lastNumber;
    run.files.set(number, file);
    return number;
  }

  #runOf(signal: AbortSignal): Run {
    let run = this.#runs.get(signal);
    if (run) return run;
    const { files } = (run = { files: new Map<unknown, StoredFile>(), lastNumber: 0 });
    this.#runs.set(signal, run);
    signal.addEventListener(
      "abort",
      () => {
        for (const each of files.values()) void each.close().catch(() => {});
        files.clear();
      },
      { once: true },
    );
    return run;
  }

  /**
   * The binding `files`. What a run has open, it was granted before.
   *
   *     read(file, position, length)  -> bytes; position and length in bytes, at most 4 MiB
   *     close(file)                   -> null; the number means nothing from then on
   *
   * @throws UsageError for a number that the run has not, and for numbers that are none
   */
  readonly binding: Binding = {
    read: async ([number, position, length], call) => {
      const file = this.#fileOf(number, "read", call.signal);
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
      return this.roomOf(call).read(async (take) => {
        await take(length as number);
        return file.read(position as number, length as number);
      });
    },
    close: async ([number], { signal }) => {
      const file = this.#fileOf(number, "close", signal);
      this.#runs.get(signal)?.files.delete(number);
      await file.close();
    },
  };

  #fileOf(number: unknown, what: string, signal: AbortSignal): StoredFile {
    const file = this.#runs.get(signal)?.files.get(number);
    if (file) return file;
    throw new UsageError(
      `Cannot ${what} file ${String(number)}: this run has not opened it, or has closed it`,
    );
  }
}
