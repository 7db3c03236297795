/** Batch jobs: what users submit, and how they look after it. What runs them is job-worker.ts. */
import { HttpError, notFound } from "./errors.ts";
import { stringifyExact } from "./exact-json.ts";
import { isEnded, type Job, type JobTask, type JobWrite } from "./job.ts";
import { addToLog, type LogEntry, readLog } from "./job-log.ts";
import { countTasks, type JobConfig, nameOf } from "./job-plan.ts";
import { JobRecords } from "./job-records.ts";
import { JobWorker, type JobWorkerOptions } from "./job-worker.ts";
import type { Metrics } from "./metrics.ts";
import { isId } from "./names.ts";
import type { Background, User } from "./parts.ts";

export interface Submission {
  owner: User;
  config: JobConfig;
  instanceType: string | null;
  /** How old kept results may be, in seconds; 0: none is taken. */
  cacheMaxAge: number;
  /** How deep the run is nested that asks for it. */
  recursion: number;
  /** How often it is begun at most, where the server ends before it is done. Default: 3. */
  tries?: number | undefined;
  /** Of the schedule that begins it. */
  historyKey?: string | undefined;
  /** What the user should know about how it runs, for its log. */
  notes?: readonly string[];
}

export interface Jobs extends Background {
  /**
   * Puts a job into the queue. It is kept when this returns.
   * @throws HttpError 422 where it cannot run, 429 where the user has too many that have not ended
   */
  submit(submission: Submission): Promise<Job>;
  /** Checks a job as `submit` does, and gives what writes it, for a transaction of the caller's; `wake` is to be called after that. */
  prepare(submission: Submission): Promise<JobWrite>;
  wake(): void;
  /** One of a user's jobs. @throws HttpError 404 */
  get(user: User, id: string): Promise<Job>;
  list(user: User, page: { skip: number; limit: number }): Promise<Job[]>;
  /** Ends a job at once; one that has ended stays as it is. @param note for its log. @throws HttpError 404 */
  cancel(user: User, id: string, note?: string): Promise<Job>;
  /** The text of its config. @throws HttpError 404 */
  config(user: User, id: string): Promise<string>;
  /** @throws HttpError 404 */
  log(user: User, id: string, sinceMs: number | undefined): Promise<LogEntry[]>;
  /** The tasks that have ended. @throws HttpError 404 */
  tasks(user: User, id: string): Promise<JobTask[]>;
  /**
   * Removes jobs that ended long ago, and the oldest of users who have very many, with their logs. Results are files of their owner, and stay.
   * @param pause is waited for between two of them; what it throws ends this
   * @param isClockRight whether ages can be told: else only those go that are too many
   */
  sweep(pause: () => Promise<void>, isClockRight: boolean): Promise<number>;
  /** When whoever works on it was last heard of. */
  lastHeartbeat(job: Job): Promise<string | null>;
}

export interface JobsOptions extends Omit<JobWorkerOptions, "records" | "leaseMs" | "onEnd"> {
  metrics: Metrics;
  /** How long a job is remembered after its end, in milliseconds. Default: 30 days. */
  keepMs?: number | undefined;
  /** Of one user, jobs that have ended. Default: 10,000. */
  keepOfUser?: number;
  /** Default: 10 s. */
  leaseMs?: number;
  /** Default: Date.now. */
  now?: () => number;
}

const LEASE_MS = 10_000;
const TRIES = 3;
/** Of one user, that have not ended. */
const MOST_ALIVE = 500;
const MOST_TASKS = 10_000;
const MOST_CONFIG_BYTES = 32 * 1024 * 1024;
const KEEP_MS = 30 * 86_400_000;
const KEEP_OF_USER = 10_000;

export function openJobs(options: JobsOptions): Jobs {
  const { store, registry, metrics, leaseMs = LEASE_MS, now = Date.now } = options;
  const { keepMs = KEEP_MS, keepOfUser = KEEP_OF_USER } = options;
  const records = new JobRecords(store, now);
  const count = metrics.counter("fuselet_jobs_total", "Jobs that have ended here, by how they ended.");
  const worker = new JobWorker({ ...options, records, leaseMs, onEnd: (outcome) => count({ outcome }) });
  metrics.gauge("fuselet_jobs", "Jobs that this server works on.", () => worker.size);
  const get = async (user: User, id: string) => {
    const job = isId(id) ? await records.get(id) : null;
    if (!job || job.ownerId !== user.id) throw notFound(`The job ${JSON.stringify(id)}`);
    return job;
  };
  const prepare: Jobs["prepare"] = async (submission) => {
    const {
      owner,
      config,
      instanceType,
      cacheMaxAge,
      recursion,
      tries = TRIES,
      historyKey = null,
      notes = [],
    } = submission;
    const totalTasks = countTasks(config);
    if (totalTasks > MOST_TASKS)
      throw new HttpError(422, `A job has at most ${MOST_TASKS} tasks: received ${totalTasks}`);
    // What cannot be read as a UDF is said now, and not in a log.
    for (const step of config.steps)
      registry.sourceOf({ body: stringifyExact(step.udf), slug: nameOf(step) });
    const text = new TextEncoder().encode(stringifyExact(config));
    if (text.length > MOST_CONFIG_BYTES)
      throw new HttpError(
        422,
        `A job is described by at most ${MOST_CONFIG_BYTES} bytes: received ${text.length}`,
      );
    if ((await records.countAlive(owner.id)) >= MOST_ALIVE)
      throw new HttpError(429, `At most ${MOST_ALIVE} jobs of a user may wait or run: cancel some, or wait`, {
        headers: { "retry-after": "60" },
      });
    return records.prepare({
      ownerId: owner.id,
      team: owner.team,
      name: config.name ?? (config.steps[0] ? nameOf(config.steps[0]) : "job"),
      instanceType,
      totalTasks,
      mostTries: tries,
      cacheMaxAge,
      recursion,
      historyKey,
      notes,
      config: text,
    });
  };
  return {
    prepare,
    wake: () => worker.wake(),
    async submit(submission) {
      const { job, names, changes } = await prepare(submission);
      await store.transact(names, () => changes);
      worker.wake();
      return job;
    },
    get,
    list: (user, page) => records.list(user.id, page),
    async cancel(user, id, note = "The job was cancelled") {
      const before = await get(user, id);
      const job = await records.cancel(before);
      worker.drop(id);
      if (!isEnded(before.status) && job.status === "cancelled") {
        await addToLog(store, id, note);
        count({ outcome: "cancelled" });
      }
      return job;
    },
    async config(user, id) {
      await get(user, id);
      return records.config(id);
    },
    async log(user, id, sinceMs) {
      await get(user, id);
      return readLog(store, id, sinceMs);
    },
    async tasks(user, id) {
      await get(user, id);
      return records.tasks(id);
    },
    async sweep(pause, isClockRight) {
      let count = 0;
      const before = isClockRight ? now() - keepMs : Number.NEGATIVE_INFINITY;
      for await (const job of records.old(keepOfUser, before)) {
        await pause();
        await records.remove(job);
        count++;
      }
      return count;
    },
    lastHeartbeat: (job) => records.lastHeartbeat(job, leaseMs),
    start: () => worker.start(),
    stop: () => worker.stop(),
  };
}
