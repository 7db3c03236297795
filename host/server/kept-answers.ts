/** Answers to runs by a link, in memory: a tile that many look at is found once, and written once. */
import { RecentMap } from "./recent-map.ts";
import type { RunAnswer } from "./run-answer.ts";

const MOST_BYTES = 128 * 1024 * 1024;
/** Larger ones are not kept here. */
const MOST_OF_ONE = 4 * 1024 * 1024;

interface Kept {
  answer: RunAnswer;
  /** When its result was made. */
  atMs: number;
}

export class KeptAnswers {
  readonly #kept = new RecentMap<Kept>({ entries: Number.POSITIVE_INFINITY, weight: MOST_BYTES });

  /** @returns one that is not older, with the time that is left of its age */
  get(key: string, ageMs: number): { answer: RunAnswer; leftMs: number } | undefined {
    const found = this.#kept.get(key);
    const leftMs = found ? found.atMs + ageMs - Date.now() : 0;
    return found && leftMs > 0 ? { answer: found.answer, leftMs } : undefined;
  }

  put(key: string, answer: RunAnswer, atMs: number): void {
    const bytes =
      answer.body.length + (answer.headers["x-fused-metadata"]?.length ?? 0) + 2 * key.length + 500;
    if (bytes <= MOST_OF_ONE) this.#kept.set(key, { answer, atMs }, bytes);
  }
}
