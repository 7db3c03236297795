/** The body of an answer between a transport, which brings it, and whoever reads it: bounded, and never far ahead of its reader. */
import { concat } from "../../runtime/bytes.ts";
import type { FuseletError } from "../../runtime/errors.ts";
import { NetError } from "./errors.ts";

/** Takes the bytes of a body, decoded or not. */
export interface Sink {
  /** @returns false where no more is wanted until whoever pushes is resumed */
  push(part: Uint8Array): boolean;
  end(): void;
}

/** Where a body comes from. */
export interface BodySource {
  /** More is wanted again. */
  resume(): void;
  /** Nobody wants the rest: lets go of the connection. Called at most once, and not after the end. */
  cancel(): void;
}

/** Changes bytes on their way to the reader; it may hold some back for a while. */
export interface Filter {
  push(part: Uint8Array): Uint8Array;
  /** @returns what was held back */
  end(): Uint8Array;
}

/** Whoever answers for a body. An object, because a callback in a field costs: V8 then keeps all of it through many collections. */
export interface BodyOwner {
  /** Nothing is left to read: all was read, or it failed, or was closed. Called once. */
  close(): void;
}

/** What waits for its reader. Beyond it the source is asked to stop. */
const MOST_WAITING_BYTES = 1024 * 1024;

const NOTHING = new Uint8Array(0);

export class Body implements Sink {
  readonly #source: BodySource;
  readonly #mostBytes: number;
  #parts: Uint8Array[] = [];
  #waitingBytes = 0;
  #totalBytes = 0;
  #isPaused = false;
  #isEnded = false;
  #error: FuseletError | undefined;
  #waiters: { bytes: number; wake(): void }[] = [];
  #owner: BodyOwner | undefined;
  #filter: Filter | undefined;

  /** @param mostBytes what the body may have in all, decoded; beyond it the source is cancelled and the body fails */
  constructor(source: BodySource, mostBytes: number) {
    this.#source = source;
    this.#mostBytes = mostBytes;
  }

  /** How long its reader waits for the next part, in milliseconds. */
  idleMs = Infinity;

  /** Gives the body to its owner, who hears of its end. */
  set owner(owner: BodyOwner) {
    if (this.isDone) owner.close();
    else this.#owner = owner;
  }

  /** Whether all has come. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether all has been read, or nothing more will come. */
  get isDone(): boolean {
    return this.#isEnded && this.#waitingBytes === 0;
  }

  /** All that was not read yet goes through a filter. */
  filter(filter: Filter): void {
    const parts = this.#parts;
    this.#parts = [];
    this.#waitingBytes = 0;
    this.#filter = filter;
    for (const part of parts) this.#add(filter.push(part));
    if (this.#isEnded) this.#add(filter.end());
  }

  push(part: Uint8Array): boolean {
    if (this.#isEnded) return false;
    this.#totalBytes += part.length;
    if (this.#totalBytes > this.#mostBytes) {
      this.cancel(new NetError("size", `The answer has more than ${this.#mostBytes} bytes`));
      return false;
    }
    this.#add(this.#filter ? this.#filter.push(part) : part);
    this.#wake();
    this.#isPaused = this.#waitingBytes >= MOST_WAITING_BYTES;
    return !this.#isPaused;
  }

  end(): void {
    if (this.#isEnded) return;
    if (this.#filter) this.#add(this.#filter.end());
    this.#isEnded = true;
    this.#wake();
    if (this.#waitingBytes === 0) this.#done();
  }

  /** The source has failed. What was not read is lost. */
  fail(error: FuseletError): void {
    if (this.#isEnded) return;
    this.#error = error;
    this.#stop();
  }

  /** Fails it from this side, and has the source let go. */
  cancel(error: FuseletError): void {
    if (this.#isEnded) return;
    this.fail(error);
    this.#source.cancel();
  }

  /** Nobody reads on. Closing twice is no error. */
  close(): void {
    if (!this.#isEnded) this.cancel(new NetError("closed", "The answer is closed"));
    else if (!this.isDone) this.#stop();
  }

  /**
   * Waits until so many bytes are there, or all that will come.
   * @param ms how long at most
   * @returns whether the wait was over before its time
   */
  wait(bytes: number, ms: number): Promise<boolean> {
    if (this.#isEnded || this.#waitingBytes >= bytes) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve(false);
      }, ms);
      const waiter = {
        bytes,
        wake: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  /**
   * Gives what has come, possibly nothing.
   * @throws FuseletError that ended the body
   */
  take(mostBytes: number): Uint8Array {
    if (this.#error) throw this.#error;
    if (this.#waitingBytes === 0) return NOTHING;
    const bytes = this.#waitingBytes <= mostBytes ? this.#takeAll() : this.#takeFirst(mostBytes);
    this.#waitingBytes -= bytes.length;
    if (this.isDone) this.#done();
    else if (this.#isPaused && this.#waitingBytes < MOST_WAITING_BYTES) {
      this.#isPaused = false;
      this.#source.resume();
    }
    return bytes;
  }

  /**
   * Waits for the next bytes.
   * @param idleMs how long at most
   * @returns null at the end
   * @throws FuseletError that ended the body; NetError of code "timeout" where nothing came
   */
  async next(mostBytes: number, idleMs: number): Promise<Uint8Array | null> {
    while (!this.isDone) {
      if (!(await this.wait(1, idleMs)))
        this.cancel(new NetError("timeout", `The answer did not go on within ${idleMs} ms`));
      const bytes = this.take(mostBytes);
      if (bytes.length > 0) return bytes;
    }
    // Says why, if it did not end well.
    this.take(0);
    return null;
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#waitingBytes += part.length;
  }

  #takeAll(): Uint8Array {
    const parts = this.#parts;
    this.#parts = [];
    return parts.length === 1 ? (parts[0] as Uint8Array) : concat(parts);
  }

  #takeFirst(mostBytes: number): Uint8Array {
    let end = 0;
    let bytes = 0;
    while (bytes < mostBytes) bytes += (this.#parts[end++] as Uint8Array).length;
    const parts = this.#parts.splice(0, end);
    const last = parts[end - 1] as Uint8Array;
    const kept = last.length - (bytes - mostBytes);
    if (kept < last.length) this.#parts.unshift(last.subarray(kept));
    parts[end - 1] = last.subarray(0, kept);
    return parts.length === 1 ? (parts[0] as Uint8Array) : concat(parts);
  }

  #stop(): void {
    this.#isEnded = true;
    this.#parts = [];
    this.#waitingBytes = 0;
    this.#wake();
    this.#done();
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter(({ bytes }) => this.#isEnded || this.#waitingBytes >= bytes);
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { wake } of ready) wake();
  }

  #done(): void {
    this.#owner?.close();
    this.#owner = undefined;
  }
}
