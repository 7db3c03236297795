/** Which UDFs ran lately, for their owners to look at: the last of each user since the server started. What they printed is not in it. */
import type { Runs, User } from "./parts.ts";

export interface LoggedRun {
  id: string;
  /** Whose team it was then: who goes to another one takes no runs along. */
  team: string;
  /** ISO 8601: when it began. */
  timestamp: string;
  udfName: string;
  /** Of a saved one. */
  udfId: string | null;
  /** What it was asked for with, as a hash (`tokenLabel`). */
  shareToken: string | null;
  ms: number;
  /** The class of the error that it ended with. */
  error: string | null;
}

/** Runs of one user that are remembered, and of all. */
const MOST_OF_USER = 1000;
const MOST_RUNS = 100_000;

export class RunLog {
  // The one that ran last is last.
  readonly #users = new Map<string, LoggedRun[]>();
  #count = 0;

  /** The same runs, each noted as it ends. */
  watch(runs: Runs): Runs {
    return {
      ...runs,
      run: async (run) => {
        const began = Date.now();
        const note = (error: string | null) =>
          this.#note(run.as.owner.id, {
            id: crypto.randomUUID(),
            team: run.as.owner.team,
            timestamp: new Date(began).toISOString(),
            udfName: run.source.name,
            udfId: run.savedId ?? null,
            shareToken: run.as.shareToken ?? null,
            ms: Date.now() - began,
            error,
          });
        try {
          const result = await runs.run(run);
          note(null);
          return result;
        } catch (error) {
          note((error as Error).name);
          throw error;
        }
      },
    };
  }

  /** Of these users, the oldest first. */
  of(users: readonly Pick<User, "id">[]): LoggedRun[] {
    const found = users.flatMap(({ id }) => this.#users.get(id) ?? []);
    return found.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  }

  #note(userId: string, run: LoggedRun): void {
    const kept = this.#users.get(userId) ?? [];
    kept.push(run);
    this.#count++;
    if (kept.length > MOST_OF_USER) {
      kept.shift();
      this.#count--;
    }
    this.#users.delete(userId);
    this.#users.set(userId, kept);
    while (this.#count > MOST_RUNS) {
      const [oldest, runs] = this.#users.entries().next().value as [string, LoggedRun[]];
      this.#users.delete(oldest);
      this.#count -= runs.length;
    }
  }
}
