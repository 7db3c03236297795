/**
 * Ends what goes on for somebody who may not ask for it any more: the runs of a user who was disabled, the streams of a token that has
 * ended. Whether somebody still may is looked up every second, since another server on the same store may have changed it, or time has.
 */
import type { Log } from "./log.ts";

/** Says whether somebody still may. */
type IsStill = () => Promise<boolean>;

interface Watched {
  isStill: IsStill;
  ends: Set<() => void>;
}

const LOOK_MS = 1000;

export class Standing {
  readonly #log: Pick<Log, "error">;
  readonly #everyMs: number;
  /** By what is looked up. */
  readonly #watched = new Map<string, Watched>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(log: Pick<Log, "error">, everyMs = LOOK_MS) {
    this.#log = log;
    this.#everyMs = everyMs;
  }

  /**
   * @param key of what is looked up: once for all that are watched by it
   * @param end called once, when it is no more
   * @returns the function that ends the watch
   */
  watch(key: string, isStill: IsStill, end: () => void): () => void {
    const found = this.#watched.get(key) ?? { isStill, ends: new Set() };
    this.#watched.set(key, found);
    // The same function may be given twice.
    const own = () => end();
    found.ends.add(own);
    this.#timer ??= setInterval(() => void this.look(), this.#everyMs);
    return () => {
      found.ends.delete(own);
      if (found.ends.size === 0 && this.#watched.get(key) === found) this.#watched.delete(key);
    };
  }

  /** Looks at once: after something was taken away. */
  async look(): Promise<void> {
    // Not where the last one is gone: there is a next one soon.
    if (this.#watched.size === 0) this.close();
    await Promise.all([...this.#watched].map(([key, watched]) => this.#lookAt(key, watched)));
  }

  /** Watches no more, until something is watched again. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #lookAt(key: string, watched: Watched): Promise<void> {
    try {
      if (await watched.isStill()) return;
    } catch (error) {
      this.#log.error("standing", error);
      return;
    }
    // Another look may have been faster.
    if (this.#watched.get(key) !== watched) return;
    this.#watched.delete(key);
    for (const end of watched.ends) end();
  }
}
