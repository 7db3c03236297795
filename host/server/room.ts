/** Places for work that goes on at once. */

interface Waiting {
  owner: string;
  enter(): void;
}

/** Lets so many in at once. A place that is left goes to whoever waits and has the fewest; of these, to who came first. */
export class Room {
  #free: number;
  /** Places by who has them. */
  readonly #taken = new Map<string, number>();
  readonly #waiting: Waiting[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async enter(owner: string, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      this.#take(owner, 1);
    } else
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          this.#waiting.splice(this.#waiting.indexOf(entry), 1);
          reject(signal.reason);
        };
        const entry: Waiting = {
          owner,
          enter: () => {
            signal.removeEventListener("abort", leave);
            this.#take(owner, 1);
            resolve();
          },
        };
        signal.addEventListener("abort", leave, { once: true });
        this.#waiting.push(entry);
      });
    return {
      [Symbol.dispose]: () => {
        this.#take(owner, -1);
        const next = this.#next();
        if (next) next.enter();
        else this.#free++;
      },
    };
  }

  #take(owner: string, more: number): void {
    const count = this.#countOf(owner) + more;
    if (count > 0) this.#taken.set(owner, count);
    else this.#taken.delete(owner);
  }

  #countOf(owner: string): number {
    return this.#taken.get(owner) ?? 0;
  }

  /** No longer waits. */
  #next(): Waiting | undefined {
    // Stable: who came first stays first.
    const [next] = this.#waiting.toSorted((a, b) => this.#countOf(a.owner) - this.#countOf(b.owner));
    if (next) this.#waiting.splice(this.#waiting.indexOf(next), 1);
    return next;
  }
}
