/** Places that are taken and given back, first come, first served. */

export interface Waiting {
  /** Resolves when a place was given. */
  ready: Promise<void>;
  /** Stops waiting. @returns false where a place was given already */
  leave(): boolean;
}

export class Slots {
  #free: number;
  readonly #mostWaiting: number;
  readonly #waiters = new Set<() => void>();

  constructor(places: number, mostWaiting: number) {
    this.#free = places;
    this.#mostWaiting = mostWaiting;
  }

  /** Takes a place, if one is free. */
  take(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Waits for a place. @returns null where too many wait already */
  wait(): Waiting | null {
    if (this.#waiters.size >= this.#mostWaiting) return null;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    return { ready: promise, leave: () => this.#waiters.delete(resolve) };
  }

  /** Gives a place back, or on to whoever waits longest. */
  give(): void {
    const [next] = this.#waiters;
    if (next) {
      this.#waiters.delete(next);
      next();
    } else this.#free++;
  }
}
