/** What is read for a run waits in the host's memory until the UDF takes it: of many readers at once, those that came first go on. */

interface Reader {
  bytes: number;
  wake(): void;
}

export class Room {
  readonly #mostBytes: number;
  readonly #taken: () => Promise<void>;
  readonly #readers = new Set<Reader>();
  #bytes = 0;

  /**
   * @param mostBytes beyond it only the first reader goes on, so the most is that and what one reader reads
   * @param taken resolves when the UDF has taken most of what was read before
   */
  constructor(mostBytes: number, taken: () => Promise<void>) {
    this.#mostBytes = mostBytes;
    this.#taken = taken;
  }

  /** Reads something. @param work calls `take` for what it is about to keep, and waits for it; when it ends, all of that is given back */
  async read<T>(work: (take: (bytes: number) => Promise<void>) => Promise<T>): Promise<T> {
    const reader: Reader = { bytes: 0, wake() {} };
    this.#readers.add(reader);
    const isFirst = () => this.#readers.values().next().value === reader;
    try {
      return await work(async (bytes) => {
        await this.#taken();
        while (this.#bytes + bytes > this.#mostBytes && !isFirst()) {
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
          await this.#taken();
        }
        reader.bytes += bytes;
        this.#bytes += bytes;
      });
    } finally {
      this.#readers.delete(reader);
      this.#bytes -= reader.bytes;
      for (const { wake } of this.#readers) wake();
    }
  }

  /** Makes room for something of a known size. @returns gives it back; a second call does nothing */
  hold(bytes: number): Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const reading = this.read(async (take) => {
      await take(bytes);
      await new Promise<void>((free) => resolve(free));
    });
    reading.catch(reject);
    return promise;
  }
}
