/**
 * Works on jobs: takes them from the queue, runs their tasks, and says every few seconds that it is still there. What a worker leaves
 * behind that was killed is taken up by the next one: tasks that have ended are not run again.
 */
import type { Store } from "../store/store.ts";
import { exactly, stringifyExact } from "./exact-json.ts";
import type { Job } from "./job.ts";
import { JobLog } from "./job-log.ts";
import { type JobConfig, nameOf, type Task, tasksOf, withExact } from "./job-plan.ts";
import { Dropped, isServers, runStep, type StepParts } from "./job-step.ts";
import type { Log } from "./log.ts";
import type { Background } from "./parts.ts";
import type { Registry } from "./registry.ts";
import { Room } from "./room.ts";

export interface JobWorkerOptions extends StepParts {
  store: Store;
  registry: Pick<Registry, "sourceOf">;
  log: Log;
  /** How long a job counts as worked on after a sign of life; signs come four times as often. */
  leaseMs: number;
  /** Called when a job has ended. */
  onEnd(status: "succeeded" | "failed"): void;
}

/** How often the queue is looked at for what nobody has told of: jobs of other servers, and those of a server that is gone. */
const LOOK_MS = 2000;
/** Until a job is begun anew that failed by the server's fault. */
const RETRY_MS = 5000;
/** Where all places are taken, so many jobs more are begun, of users who have none going on: they get the next places. */
const MOST_BESIDE = 16;

interface Working {
  ownerId: string;
  controller: AbortController;
  ended: Promise<void>;
}

export class JobWorker implements Background {
  readonly #options: JobWorkerOptions;
  readonly #holder = crypto.randomUUID();
  readonly #working = new Map<string, Working>();
  readonly #room: Room;
  #isStopped = true;
  #claiming: Promise<void> | undefined;
  #isAsked = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: JobWorkerOptions) {
    this.#options = options;
    this.#room = new Room(options.tasksAtOnce);
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    this.#timer = setInterval(() => this.wake(), LOOK_MS);
    this.wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#claiming;
    for (const { controller } of this.#working.values()) controller.abort(new Dropped("back"));
    await Promise.all([...this.#working.values()].map(({ ended }) => ended));
  }

  /** How many jobs it works on. */
  get size(): number {
    return this.#working.size;
  }

  /** There may be a job to take. */
  wake(): void {
    this.#isAsked = true;
    this.#claiming ??= this.#claim().finally(() => {
      this.#claiming = undefined;
      // Somebody has asked since the last look.
      if (this.#isAsked) this.wake();
    });
  }

  /** Ends the runs of a job at once where it is this worker's. */
  drop(id: string): void {
    this.#working.get(id)?.controller.abort(new Dropped("up"));
  }

  async #claim(): Promise<void> {
    const { records, leaseMs, tasksAtOnce, log } = this.#options;
    this.#isAsked = false;
    try {
      while (!this.#isStopped && this.#working.size < tasksAtOnce + MOST_BESIDE) {
        const owners = new Set([...this.#working.values()].map(({ ownerId }) => ownerId));
        const except = this.#working.size < tasksAtOnce ? undefined : owners;
        const job = await records.claim(this.#holder, leaseMs, this.#working, except);
        if (!job) break;
        this.#begin(job);
      }
    } catch (error) {
      log.error("job queue", error);
    }
  }

  #begin(job: Job): void {
    const controller = new AbortController();
    const ended = this.#work(job, controller).finally(() => {
      this.#working.delete(job.id);
      this.wake();
    });
    this.#working.set(job.id, { ownerId: job.ownerId, controller, ended });
  }

  /** Never throws. */
  async #work(job: Job, controller: AbortController): Promise<void> {
    const { store, records, leaseMs, log } = this.#options;
    const jobLog = new JobLog(store, job.id, log);
    const beat = setInterval(() => {
      records.beat(job, this.#holder, leaseMs).then(
        (isOurs) => isOurs || controller.abort(new Dropped("up")),
        (error) => log.error("job heartbeat", error, { job: job.id }),
      );
    }, leaseMs / 4);
    try {
      const failure = await this.#runAll(job, controller, jobLog);
      jobLog.note(failure === null ? "The job is done" : `ERROR: the job failed: ${failure}`);
      await jobLog.close();
      const status = failure === null ? "succeeded" : "failed";
      if (await records.end(job, this.#holder, status, failure)) this.#options.onEnd(status);
    } catch (error) {
      await this.#leave(job, controller.signal.reason ?? error, jobLog).catch((failed) =>
        log.error("job", failed, { job: job.id }),
      );
    } finally {
      clearInterval(beat);
      await jobLog.close();
    }
  }

  /** Where the work on a job ended without an outcome. */
  async #leave(job: Job, reason: unknown, jobLog: JobLog): Promise<void> {
    if (reason instanceof Dropped && reason.gives === "up") return;
    const counts = !(reason instanceof Dropped);
    jobLog.note(
      counts
        ? "The server failed at this job; it is tried again"
        : "The server ends; the job goes on at its next start",
    );
    if (counts) this.#options.log.error("job", reason, { job: job.id });
    await jobLog.close();
    await this.#options.records.release(job, this.#holder, { counts, delayMs: counts ? RETRY_MS : 0 });
  }

  /** @returns why the job failed; null where it did not. Throws where it has no outcome */
  async #runAll(job: Job, controller: AbortController, jobLog: JobLog): Promise<string | null> {
    const { records, registry } = this.#options;
    if (job.tries > job.mostTries)
      return `it was begun ${job.mostTries} times, and each time the server failed or ended before it was done`;
    const text = await records.config(job.id);
    const read = JSON.parse(text) as JobConfig;
    const config = withExact(read, exactly(read, text));
    const ended = await records.tasks(job.id);
    const done = new Set(ended.map(({ index }) => index));
    const failed = new Set(ended.filter(({ isFailure }) => isFailure).map(({ index }) => index));
    // Not before: who follows a log takes a job that has one, and does not run, for one that has ended.
    for (const note of job.notes ?? []) jobLog.note(note);
    jobLog.note(
      `The job ${job.id} begins on this machine: ${job.totalTasks} ${job.totalTasks === 1 ? "task" : "tasks"}${
        done.size === 0 ? "" : `, of which ${done.size} have ended before`
      }`,
    );
    const { signal } = controller;
    const steps = tasksOf(config);
    for (const [number, step] of config.steps.entries()) {
      const all = steps[number] as Task[];
      const tasks = all.filter(({ index }) => !done.has(index));
      // The server was ended between the end of the task and that of the job.
      const first = step.ignore_chunk_error ? undefined : all.find(({ index }) => failed.has(index));
      if (first) return `task ${first.index} failed before the server ended`;
      try {
        const source = registry.sourceOf({ body: stringifyExact(step.udf), slug: nameOf(step) });
        const context = { job, step, source, holder: this.#holder, room: this.#room, signal, jobLog };
        const failure = await runStep(this.#options, context, tasks);
        if (failure !== null) return failure;
      } catch (error) {
        if (signal.aborted || isServers(error)) throw error;
        return (error as Error).message;
      }
    }
    const { failedTasks } = (await records.get(job.id)) ?? job;
    if (failedTasks > 0)
      jobLog.note(`${failedTasks} of ${job.totalTasks} tasks failed, which the job ignores`);
    return null;
  }
}
