/**
 * How jobs go from one state to the next. Each step is one transaction, so that a job is in one state whatever happens to the process, and
 * two servers on one store never work on the same job.
 */
import type { Change, Json, RecordName, Store, StoreRecord } from "../store/store.ts";
import {
  CONFIGS,
  FAR,
  historyName,
  isEnded,
  JOB_LOGS,
  JOBS,
  type Job,
  type JobStatus,
  type JobTask,
  type JobWrite,
  type NewJob,
  ORDER,
  QUEUE,
  type Queued,
  queueName,
  TASKS,
  taskName,
  timeKey,
} from "./job.ts";
import { deleteAll, readAs, recordOf, scan } from "./records.ts";

const PAGE = 1000;
/** Characters of why a job failed: its log has all. */
const MOST_ERROR = 10_000;

export class JobRecords {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** What writes a new job. */
  prepare({ config, ...given }: NewJob): JobWrite {
    const id = crypto.randomUUID();
    const now = this.#now();
    const created = new Date(now).toISOString();
    const job: Job = {
      ...given,
      id,
      status: "pending",
      created,
      changed: created,
      started: null,
      ended: null,
      finishedTasks: 0,
      failedTasks: 0,
      tries: 0,
      error: null,
    };
    const queued: Queued = { id, lease: null, notBefore: 0 };
    return {
      job,
      names: [
        { collection: JOBS, key: id },
        { collection: CONFIGS, key: id },
        { collection: ORDER, key: `${job.ownerId}/${timeKey(FAR - now)}-${id}` },
        queueName(job),
      ],
      changes: [recordOf(job), { value: null, bytes: config }, { value: id }, recordOf(queued)],
    };
  }

  async get(id: string): Promise<Job | null> {
    const found = await this.#store.get(JOBS, id);
    return found ? readAs<Job>(found) : null;
  }

  /** When whoever works on it was last heard of; null where nobody does. @param leaseMs how long each sign of life counts */
  async lastHeartbeat(job: Job, leaseMs: number): Promise<string | null> {
    const { collection, key } = queueName(job);
    const found = await this.#store.get(collection, key);
    const lease = found && readAs<Queued>(found).lease;
    return lease ? new Date(lease.until - leaseMs).toISOString() : null;
  }

  async config(id: string): Promise<string> {
    return new TextDecoder().decode((await this.#store.get(CONFIGS, id))?.bytes);
  }

  /** A user's jobs, the newest first. */
  async list(ownerId: string, { skip, limit }: { skip: number; limit: number }): Promise<Job[]> {
    const ids: string[] = [];
    let passed = 0;
    for await (const { value } of scan(this.#store, ORDER, `${ownerId}/`)) {
      if (passed++ >= skip) ids.push(value as string);
      if (ids.length >= limit) break;
    }
    const jobs = await Promise.all(ids.map((id) => this.get(id)));
    return jobs.filter((job) => job !== null);
  }

  /** How many jobs of a user have not ended, up to 1000. */
  async countAlive(ownerId: string): Promise<number> {
    return (await this.#store.list(QUEUE, { prefix: `${ownerId}/`, limit: PAGE })).length;
  }

  /**
   * Takes a job to work on: the oldest of the user for whom the fewest are worked on; also one whose worker was not heard of any more.
   * @param mine those that the holder works on: it goes on with them, however late its signs of life are
   * @param except users whose jobs are left alone
   * @returns it with one more try: whoever claims it ends it where those are too many
   */
  async claim(
    holder: string,
    leaseMs: number,
    mine: { has(id: string): boolean } = new Set(),
    except: ReadonlySet<string> = new Set(),
  ): Promise<Job | null> {
    for (const key of await this.#claimable(leaseMs, mine, except)) {
      const id = key.slice(key.lastIndexOf("/") + 17);
      const now = this.#now();
      let claimed: Job | null = null;
      const names = [
        { collection: QUEUE, key },
        { collection: JOBS, key: id },
      ];
      await this.#store.transact(names, ([queued, found]) => {
        claimed = null;
        if (!queued || !found || !isFree(readAs<Queued>(queued), { mine, now, leaseMs }))
          return [undefined, undefined];
        const job = readAs<Job>(found);
        const time = new Date(now).toISOString();
        claimed = {
          ...job,
          status: "running",
          started: job.started ?? time,
          changed: time,
          tries: job.tries + 1,
        };
        const next: Queued = { id, lease: { holder, until: now + leaseMs }, notBefore: 0 };
        return [recordOf(next), recordOf(claimed)];
      });
      if (claimed) return claimed;
    }
    return null;
  }

  async #claimable(
    leaseMs: number,
    mine: { has(id: string): boolean },
    except: ReadonlySet<string>,
  ): Promise<string[]> {
    const now = this.#now();
    const working = new Map<string, number>();
    const free: { key: string; owner: string; at: string }[] = [];
    for await (const record of scan(this.#store, QUEUE, "")) {
      const { key } = record;
      const [owner, at] = [key.slice(0, key.lastIndexOf("/")), key.slice(key.lastIndexOf("/") + 1)];
      if (except.has(owner)) continue;
      if (isFree(readAs<Queued>(record), { mine, now, leaseMs })) free.push({ key, owner, at });
      else working.set(owner, (working.get(owner) ?? 0) + 1);
    }
    const load = ({ owner }: { owner: string }) => working.get(owner) ?? 0;
    return free.sort((a, b) => load(a) - load(b) || (a.at < b.at ? -1 : 1)).map(({ key }) => key);
  }

  /** A sign of life. @returns whether the job is still the holder's */
  async beat(job: Job, holder: string, leaseMs: number): Promise<boolean> {
    let isOurs = false;
    const { collection, key } = queueName(job);
    await this.#store.update(collection, key, (found) => {
      const queued = found && readAs<Queued>(found);
      isOurs = queued?.lease?.holder === holder;
      return isOurs ? recordOf({ ...queued, lease: { holder, until: this.#now() + leaseMs } }) : undefined;
    });
    return isOurs;
  }

  /** Notes how a task ended. @returns false where the job is not the holder's any more */
  async endTask(job: Job, holder: string, task: JobTask): Promise<boolean> {
    return this.#ifHeld(job, holder, [taskName(job.id, task.index)], (current, [before]) => ({
      // A task that was noted before this try counts once.
      job: before
        ? current
        : {
            ...current,
            finishedTasks: current.finishedTasks + 1,
            failedTasks: current.failedTasks + (task.isFailure ? 1 : 0),
          },
      others: [recordOf(task)],
    }));
  }

  /** The job has ended. @returns false where it is not the holder's any more */
  async end(
    job: Job,
    holder: string,
    status: "succeeded" | "failed",
    error: string | null,
  ): Promise<boolean> {
    return this.#ifHeld(job, holder, historyName(job), (current, [history]) => {
      const ended = this.#ended(current, status, error);
      return { job: ended, queued: null, others: historyName(job).map(() => historyOf(history, ended)) };
    });
  }

  /** Gives a job back, to be taken up later. @param counts whether this was one of its tries */
  async release(
    job: Job,
    holder: string,
    { counts, delayMs }: { counts: boolean; delayMs: number },
  ): Promise<boolean> {
    return this.#ifHeld(job, holder, [], (current) => ({
      job: {
        ...current,
        status: "pending",
        changed: new Date(this.#now()).toISOString(),
        tries: current.tries - (counts ? 0 : 1),
      },
      queued: { id: job.id, lease: null, notBefore: this.#now() + delayMs },
      others: [],
    }));
  }

  /** Cancels a job that has not ended. @returns it as it is then */
  async cancel(job: Job): Promise<Job> {
    const names = [{ collection: JOBS, key: job.id }, queueName(job), ...historyName(job)];
    const [found] = await this.#store.transact(names, ([current, , history]) => {
      const now = current && readAs<Job>(current);
      if (!now || isEnded(now.status)) return [];
      const ended = this.#ended(now, "cancelled", null);
      return [recordOf(ended), null, historyOf(history, ended)];
    });
    return found ? readAs<Job>(found) : job;
  }

  #ended(job: Job, status: JobStatus, error: string | null): Job {
    const time = new Date(this.#now()).toISOString();
    return { ...job, status, error: error?.slice(0, MOST_ERROR) ?? null, changed: time, ended: time };
  }

  /** The tasks that have ended, by their number. */
  async tasks(id: string): Promise<JobTask[]> {
    const tasks: JobTask[] = [];
    for await (const record of scan(this.#store, TASKS, `${id}/`)) tasks.push(readAs<JobTask>(record));
    return tasks;
  }

  /** Those that have ended and are too many of their user's, or too old. @param before when one that is too old has ended */
  async *old(mostOfUser: number, before: number): AsyncGenerator<Job> {
    let owner = "";
    let count = 0;
    for await (const { value } of scan(this.#store, ORDER, "")) {
      const job = await this.get(value as string);
      if (!job || job.ended === null) continue;
      // A user's jobs come one after the other, the newest first.
      if (job.ownerId !== owner) [owner, count] = [job.ownerId, 0];
      count++;
      if (count > mostOfUser || Date.parse(job.ended) < before) yield job;
    }
  }

  /** Removes a job that has ended, with its log. Where this is broken off, the job is there and can be removed again. */
  async remove(job: Job): Promise<void> {
    for (const collection of [TASKS, JOB_LOGS]) {
      for (;;) {
        const page = await this.#store.list(collection, { prefix: `${job.id}/`, limit: PAGE });
        const names = page.map(({ key }) => ({ collection, key }));
        await deleteAll(this.#store, names);
        if (page.length < PAGE) break;
      }
    }
    const orderKey = `${job.ownerId}/${timeKey(FAR - Date.parse(job.created))}-${job.id}`;
    await deleteAll(this.#store, [
      { collection: JOBS, key: job.id },
      { collection: CONFIGS, key: job.id },
      { collection: ORDER, key: orderKey },
    ]);
  }

  /** Changes a job only where the holder's lease is still its own: what a worker does that was given up for dead has no effect. */
  async #ifHeld(
    job: Job,
    holder: string,
    names: readonly RecordName[],
    change: (
      current: Job,
      others: readonly (StoreRecord | undefined)[],
    ) => { job: Job; queued?: Queued | null; others: readonly Change[] },
  ): Promise<boolean> {
    let isHeld = false;
    await this.#store.transact(
      [{ collection: JOBS, key: job.id }, queueName(job), ...names],
      ([current, queued, ...others]) => {
        isHeld = queued !== undefined && readAs<Queued>(queued).lease?.holder === holder;
        if (!isHeld || !current) return [];
        const made = change(readAs<Job>(current), others);
        return [recordOf(made.job), made.queued && recordOf(made.queued), ...made.others];
      },
    );
    return isHeld;
  }
}

/** No time of a queue is so far ahead, unless the clock was set back since: it counts as past. */
const FARTHEST_MS = 60_000;

const isFree = (
  { id, lease, notBefore }: Queued,
  { mine, now, leaseMs }: { mine: { has(id: string): boolean }; now: number; leaseMs: number },
) => {
  const isPast = (time: number, mostMs: number) => time <= now || time > now + mostMs;
  return lease ? isPast(lease.until, 2 * leaseMs) && !mine.has(id) : isPast(notBefore, FARTHEST_MS);
};

/** What the history of a schedule says of its job's end. */
function historyOf(record: StoreRecord | undefined, { status, started, ended, error }: Job): Change {
  if (!record) return undefined;
  return { value: { ...(record.value as Record<string, Json>), status, started, ended, error } };
}
