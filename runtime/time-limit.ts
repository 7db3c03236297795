/** A time limit that can stand still: while a person is asked, a run does not use up its time. */
export class TimeLimit {
  readonly #reached: () => void;
  #leftMs: number;
  #startedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pauses = 0;
  #ended = false;

  /** Starts at once. @param reached called once, when `ms` have passed */
  constructor(ms: number, reached: () => void) {
    this.#leftMs = ms;
    this.#reached = reached;
    this.#start();
  }

  /** Stops the clock. @returns the function that lets it go on; of several stops, the last to go on counts */
  pause(): () => void {
    if (this.#pauses++ === 0 && !this.#ended) {
      clearTimeout(this.#timer);
      this.#leftMs -= performance.now() - this.#startedAt;
    }
    let paused = true;
    return () => {
      if (!paused) return;
      paused = false;
      if (--this.#pauses === 0 && !this.#ended) this.#start();
    };
  }

  /** Nothing is reached any more. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #start(): void {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(this.#reached, Math.max(0, this.#leftMs));
  }
}
