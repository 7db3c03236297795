/**
 * Works on jobs: takes them from the queue, runs their tasks, and says every few seconds that it is still there. What a worker leaves
 * behind that was killed is taken up by the next one: tasks that have ended are not run again.
 */
import { CancelledError, FuseletError, UdfRuntimeError } from "../../runtime/errors.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import { StorageError } from "../storage/errors.ts";
import type { Store } from "../store/store.ts";
import { HttpError } from "./errors.ts";
import { JobLog } from "./job-log.ts";
import { type JobConfig, nameOf, parametersOf, type Task, tasksOf, type UdfStep } from "./job-plan.ts";
import type { Job, JobRecords, JobTask } from "./job-records.ts";
import type { TaskOutcome, TaskResults } from "./job-results.ts";
import type { Log } from "./log.ts";
import type { Background, Registry, Runs, UdfRunner, User } from "./parts.ts";
import type { Users } from "./users.ts";

export interface JobWorkerOptions {
  store: Store;
  records: JobRecords;
  results: TaskResults;
  runs: Pick<Runs, "run">;
  runner: Pick<UdfRunner, "inspect">;
  registry: Pick<Registry, "sourceOf">;
  users: Pick<Users, "byId">;
  log: Log;
  /** Tasks of all jobs that run at once on this server. */
  tasksAtOnce: number;
  /** The most time that a task may take. */
  taskMs: number;
  /** How long a job counts as worked on after a sign of life; signs come four times as often. */
  leaseMs: number;
}

/** How often the queue is looked at for what nobody has told of: jobs of other servers, and those of a server that is gone. */
const LOOK_MS = 2000;
/** Until a job is begun anew that failed by the server's fault. */
const RETRY_MS = 5000;
/** Until a run is asked for again where its user has too many. */
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5000;

/** Why a worker lets go of a job: what the AbortSignal of its runs says. */
class Dropped extends CancelledError {
  readonly gives: "back" | "up";
  constructor(gives: "back" | "up") {
    super(gives === "back" ? "The server ends" : "The job was cancelled");
    this.gives = gives;
  }
}

/** A task failed, and with it the job. */
class TaskFailed extends FuseletError {}

interface Working {
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

  /** There may be a job to take. */
  wake(): void {
    if (this.#claiming) this.#isAsked = true;
    else this.#claiming = this.#claim().finally(() => (this.#claiming = undefined));
  }

  /** Ends the runs of a job at once where it is this worker's. */
  drop(id: string): void {
    this.#working.get(id)?.controller.abort(new Dropped("up"));
  }

  async #claim(): Promise<void> {
    const { records, leaseMs, tasksAtOnce, log } = this.#options;
    try {
      do {
        this.#isAsked = false;
        while (!this.#isStopped && this.#working.size < tasksAtOnce) {
          const job = await records.claim(this.#holder, leaseMs);
          if (!job) break;
          this.#begin(job);
        }
      } while (this.#isAsked);
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
    this.#working.set(job.id, { controller, ended });
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
      await records.end(job, this.#holder, failure === null ? "succeeded" : "failed", failure);
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
    const { records, users, registry } = this.#options;
    if (job.tries > job.mostTries)
      return `it was begun ${job.mostTries} times, and each time the server failed or ended before it was done`;
    const owner = await users.byId(job.ownerId);
    if (!owner) return "its user is not there any more";
    const config = JSON.parse(await records.config(job.id)) as JobConfig;
    const done = new Set((await records.tasks(job.id)).map(({ index }) => index));
    jobLog.note(
      `The job ${job.id} begins on this machine: ${job.totalTasks} ${job.totalTasks === 1 ? "task" : "tasks"}${
        done.size === 0 ? "" : `, of which ${done.size} have ended before`
      }`,
    );
    const steps = tasksOf(config);
    for (const [number, step] of config.steps.entries()) {
      const tasks = (steps[number] as Task[]).filter(({ index }) => !done.has(index));
      const source = registry.sourceOf({ body: JSON.stringify(step.udf), slug: nameOf(step) });
      const failure = await this.#runStep({ job, owner, step, source, controller, jobLog }, tasks);
      if (failure !== null) return failure;
    }
    const { failedTasks } = (await records.get(job.id)) ?? job;
    if (failedTasks > 0)
      jobLog.note(`${failedTasks} of ${job.totalTasks} tasks failed, which the job ignores`);
    return null;
  }

  async #runStep(context: StepContext, tasks: Task[]): Promise<string | null> {
    const { step, controller } = context;
    const first = tasks.some(({ input }) => isAlone(input))
      ? (await this.#options.runner.inspect(context.source)).parameters[0]?.name
      : undefined;
    const left = tasks.values();
    let failure: string | null = null;
    // After a failure none begins; those under way end, so that results are of the first tasks, without gaps.
    let isOver = false;
    const worker = async () => {
      for (const task of left) {
        using _room = await this.#room.enter(controller.signal);
        if (isOver) return;
        try {
          const problem = await this.#runTask(context, task, first);
          if (problem !== null && !step.ignore_chunk_error) failure ??= problem;
          isOver ||= failure !== null;
        } catch (error) {
          isOver = true;
          throw error;
        }
      }
    };
    const count = Math.min(
      step.n_processes ?? this.#options.tasksAtOnce,
      this.#options.tasksAtOnce,
      tasks.length,
    );
    const workers = await Promise.allSettled(Array.from({ length: count }, worker));
    const broken = workers.find((one) => one.status === "rejected");
    if (broken) throw broken.reason;
    return failure;
  }

  /** @returns how the task failed; null where it did not */
  async #runTask(context: StepContext, task: Task, first: string | undefined): Promise<string | null> {
    const { job, owner, controller, jobLog } = context;
    const { records, results } = this.#options;
    const label = job.totalTasks === 1 ? "" : `[${task.index}] `;
    let outcome: TaskOutcome;
    try {
      const parameters = parametersOf(task.input, first);
      if (!parameters)
        throw new TaskFailed(`its UDF has no parameter for the value ${JSON.stringify(task.input)}`);
      outcome = {
        result: await this.#run(
          context,
          parameters,
          prefixer(label, (text) => jobLog.output(text)),
        ),
      };
    } catch (error) {
      if (controller.signal.aborted || !(error instanceof FuseletError) || isOurs(error)) throw error;
      outcome = { error };
      jobLog.note(
        `${label}${error instanceof UdfRuntimeError && error.traceback ? error.traceback : error.message}`,
      );
    }
    let written: JobTask;
    try {
      written = await results.write(owner, job.id, task.index, outcome);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return `the result of task ${task.index} cannot be kept: ${error.message}`;
    }
    controller.signal.throwIfAborted();
    if (!(await records.endTask(job, this.#holder, written))) throw new Dropped("up");
    return "error" in outcome
      ? `${label === "" ? "" : `task ${task.index}: `}${outcome.error.message}`
      : null;
  }

  /** Runs a UDF, as soon as its user has room for another run. */
  async #run(
    { job, owner, source, controller }: StepContext,
    parameters: Record<string, unknown>,
    print: (text: string) => void,
  ): ReturnType<Runs["run"]> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        return await this.#options.runs.run({
          as: { owner },
          source,
          parameters,
          context: { kind: "batch", userEmail: owner.email, recursionFactor: job.recursion },
          cacheMaxAge: job.cacheMaxAge,
          signal: controller.signal,
          onOutput: (_stream, text) => print(text),
          limits: { timeMs: this.#options.taskMs },
        });
      } catch (error) {
        if (!(error instanceof HttpError && (error.status === 429 || error.status === 503))) throw error;
        await pause(waitMs, controller.signal);
      }
    }
  }
}

interface StepContext {
  job: Job;
  owner: User;
  step: UdfStep;
  source: UdfSource;
  controller: AbortController;
  jobLog: JobLog;
}

const isAlone = (input: unknown) =>
  input !== undefined && (typeof input !== "object" || input === null || Array.isArray(input));

/** Nothing that the task has done: the job is tried again. */
const isOurs = (error: FuseletError) => error.name === "CancelledError" || error.name === "StoreError";

/** Puts a label in front of each line of a text that comes in pieces. */
function prefixer(label: string, print: (text: string) => void): (text: string) => void {
  if (label === "") return print;
  let isAtStart = true;
  return (text) => {
    if (text === "") return;
    const body = text.endsWith("\n") ? text.slice(0, -1) : text;
    const labelled = (isAtStart ? label : "") + body.replaceAll("\n", `\n${label}`);
    isAtStart = text.endsWith("\n");
    print(isAtStart ? `${labelled}\n` : labelled);
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** Lets so many in at once, in the order in which they came. */
class Room {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          this.#waiting.splice(this.#waiting.indexOf(enter), 1);
          reject(signal.reason);
        };
        const enter = () => {
          signal.removeEventListener("abort", leave);
          resolve();
        };
        signal.addEventListener("abort", leave, { once: true });
        this.#waiting.push(enter);
      });
    return {
      [Symbol.dispose]: () => {
        const next = this.#waiting.shift();
        if (next) next();
        else this.#free++;
      },
    };
  }
}
