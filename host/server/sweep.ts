/**
 * Removes what nobody wants any more, a little at a time: jobs that ended long ago, with their logs, and what was left behind
 * where the server was killed while something was deleted. Each removal is whole by itself: one that is broken off is gone on with by the
 * next sweep, and two servers on one store may sweep at once.
 *
 * What is bounded by number goes when another one comes: versions of a UDF (udf-saves.ts), histories of schedules (schedule-records.ts).
 */
import type { Background, ServerParts } from "./parts.ts";
import { scan } from "./records.ts";
import { EPOCHS } from "./udf-epochs.ts";
import { UDFS } from "./udf-records.ts";

type Parts = Pick<ServerParts, "store" | "registry" | "sharedTokens" | "epochs" | "jobs" | "log" | "metrics">;

export interface SweepOptions extends Parts {
  /** Default: Date.now. */
  now?: () => number;
  /** How long to wait between two things that are looked at. Default: 5 ms for every 50. */
  pause?: () => Promise<void>;
}

export interface Sweep extends Background {
  /** Sweeps now. `start` does so by itself. @returns how many of each went */
  run(): Promise<Readonly<Record<string, number>>>;
}

const FIRST_MS = 60_000;
const EVERY_MS = 30 * 60_000;
const SEEN = { collection: "server.sweep", key: "seen" } as const;

/** The server ends. */
class Ended extends Error {}

export function openSweep(options: SweepOptions): Sweep {
  const { store, registry, sharedTokens, epochs, jobs, log, metrics, now = Date.now } = options;
  const { pause = gently() } = options;
  const count = metrics.counter("fuselet_swept_total", "What was removed because nobody wants it any more.");
  let isStopped = false;
  const breathe = async () => {
    if (isStopped) throw new Ended();
    await pause();
  };

  /**
   * Ages are believed where the clock went on as it should since the sweep before: one that jumps ahead by years must not make all jobs
   * old. After a jump, or a time without a server, the first sweep does not believe it, and the second does.
   */
  const isClockRight = async () => {
    const before = (await store.get(SEEN.collection, SEEN.key))?.value as number | undefined;
    const time = now();
    await store.put(SEEN.collection, SEEN.key, time);
    return before !== undefined && before <= time && time - before <= 2 * EVERY_MS;
  };
  const steps: Readonly<Record<string, (isRight: boolean) => Promise<number>>> = {
    jobs: (isRight) => jobs.sweep(breathe, isRight),
    async udfs() {
      let gone = 0;
      for await (const { key } of scan(store, UDFS, "")) {
        await breathe();
        if (await registry.deleteOrphan(key)) gone++;
      }
      return gone;
    },
    // Behind the UDFs that they open and belong to.
    tokens: () => sharedTokens.sweep(breathe),
    async epochs() {
      let gone = 0;
      let last = "";
      for await (const { key } of scan(store, EPOCHS, "")) {
        await breathe();
        const id = key.split("/", 1)[0]!;
        if (id === last || (await registry.byId(id))) continue;
        last = id;
        await epochs.drop(id);
        gone++;
      }
      return gone;
    },
  };
  const run: Sweep["run"] = async () => {
    const removed: Record<string, number> = {};
    const isRight = await isClockRight();
    for (const [what, step] of Object.entries(steps)) {
      try {
        removed[what] = await step(isRight);
        if (removed[what] > 0) count({ what }, removed[what]);
      } catch (error) {
        if (error instanceof Ended) break;
        // The other steps need not wait for this one.
        log.error("sweep", error, { what });
      }
    }
    return removed;
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<unknown> = Promise.resolve();
  const runIn = (ms: number) => {
    timer = setTimeout(() => {
      running = run()
        .catch((error) => log.error("sweep", error))
        .then(() => isStopped || runIn(EVERY_MS));
    }, ms);
  };
  return {
    run,
    async start() {
      isStopped = false;
      runIn(FIRST_MS);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
    },
  };
}

/** Others have their turn after some of what is looked at. */
function gently(): () => Promise<void> {
  let looked = 0;
  return async () => {
    if (++looked % 50 === 0) await new Promise<void>((resolve) => setTimeout(() => resolve(), 5));
  };
}
