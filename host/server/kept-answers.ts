/** Answers to runs by a link, in memory: a tile that many look at is found once, and written once. */
import type { RunAnswer } from "./run-answer.ts";

const MOST_BYTES = 128 * 1024 * 1024;
/** Larger ones are not kept here. */
const MOST_OF_ONE = 4 * 1024 * 1024;

interface Kept {
  answer: RunAnswer;
  /** When its result was made. */
  atMs: number;
  bytes: number;
}

export class KeptAnswers {
  /** The last used is last. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** @returns one that is not older, with the time that is left of its age */
  get(key: string, ageMs: number): { answer: RunAnswer; leftMs: number } | undefined {
    const found = this.#kept.get(key);
    if (!found) return undefined;
    const leftMs = found.atMs + ageMs - Date.now();
    if (leftMs <= 0) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return { answer: found.answer, leftMs };
  }

  put(key: string, answer: RunAnswer, atMs: number): void {
    const bytes =
      answer.body.length + (answer.headers["x-fused-metadata"]?.length ?? 0) + 2 * key.length + 500;
    if (bytes > MOST_OF_ONE) return;
    this.#delete(key);
    this.#kept.set(key, { answer, atMs, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= MOST_BYTES) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
