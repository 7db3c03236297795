/** One step of a job: its tasks, each a run whose result is kept before it counts as ended. */
import { CancelledError, FuseletError, UdfRuntimeError } from "../../runtime/errors.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import { StorageError } from "../storage/errors.ts";
import { contextUser } from "./context-user.ts";
import { HttpError } from "./errors.ts";
import { stringifyExact } from "./exact-json.ts";
import type { Job, JobTask } from "./job.ts";
import type { JobLog } from "./job-log.ts";
import { isNamed, parametersOf, type Task, type UdfStep } from "./job-plan.ts";
import type { JobRecords } from "./job-records.ts";
import type { TaskOutcome, TaskResults } from "./job-results.ts";
import type { Runs, UdfRunner, User } from "./parts.ts";
import type { Room } from "./room.ts";
import { UDF_ID } from "./udf-body.ts";
import type { Users } from "./users.ts";

/** What steps of all jobs use. */
export interface StepParts {
  records: JobRecords;
  results: TaskResults;
  runs: Pick<Runs, "run">;
  runner: Pick<UdfRunner, "inspect">;
  users: Pick<Users, "active">;
  /** Tasks of all jobs that run at once on this server. */
  tasksAtOnce: number;
  /** The most time that a task may take. */
  taskMs: number;
}

/** What a step is part of. */
export interface StepContext {
  job: Job;
  step: UdfStep;
  source: UdfSource;
  /** Whose job it is while it runs. */
  holder: string;
  room: Room;
  signal: AbortSignal;
  jobLog: JobLog;
}

/** Why a worker lets go of a job: `back` to the queue, or `up`, as it is not the worker's any more. */
export class Dropped extends CancelledError {
  readonly gives: "back" | "up";
  constructor(gives: "back" | "up") {
    super(gives === "back" ? "The server ends" : "The job was cancelled");
    this.gives = gives;
  }
}

/** A task that cannot be run. */
class TaskError extends FuseletError {}

/** Until a run is asked for again where its user has too many. */
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5000;

/** Whether a failure is nothing that the job has done: it is tried again. */
export function isServers(error: unknown): boolean {
  return !(error instanceof FuseletError) || error.name === "CancelledError" || error.name === "StoreError";
}

/**
 * Runs tasks, as many at once as the step wants and there is room for.
 * @returns why the job fails; null where it does not
 * @throws what `isServers` knows, and what the signal is aborted with
 */
export async function runStep(
  parts: StepParts,
  context: StepContext,
  tasks: readonly Task[],
): Promise<string | null> {
  const { job, step, source, room, signal } = context;
  const first = tasks.some(({ input }) => input !== undefined && !isNamed(input))
    ? (await parts.runner.inspect(source)).parameters[0]?.name
    : undefined;
  const left = tasks.values();
  let failure: string | null = null;
  // After a failure none begins; those under way end, so that results are of the first tasks, without gaps.
  let isOver = false;
  const work = async () => {
    for (const task of left) {
      using _place = await room.enter(job.ownerId, signal);
      if (isOver) return;
      try {
        // As the user is now: what was taken away since the job began, the next task does not have.
        const owner = await parts.users.active(job.ownerId);
        if (!owner) throw new TaskError("its user is not there any more, or is disabled");
        const problem = await runTask(parts, context, owner, task, first);
        if (problem !== null && !step.ignore_chunk_error) failure ??= problem;
        isOver ||= failure !== null;
      } catch (error) {
        isOver = true;
        throw error;
      }
    }
  };
  const count = Math.min(step.n_processes ?? parts.tasksAtOnce, parts.tasksAtOnce, tasks.length);
  const ends = await Promise.allSettled(Array.from({ length: count }, work));
  const broken = ends.find((end) => end.status === "rejected");
  if (broken) throw broken.reason;
  return failure;
}

/** @returns how the task failed; null where it did not */
async function runTask(
  parts: StepParts,
  context: StepContext,
  owner: User,
  { index, input }: Task,
  first: string | undefined,
): Promise<string | null> {
  const { job, holder, signal, jobLog } = context;
  const isOnly = job.totalTasks === 1;
  const label = isOnly ? "" : `[${index}] `;
  let outcome: TaskOutcome;
  try {
    const parameters = parametersOf(input, first);
    if (!parameters) throw new TaskError(`its UDF has no parameter for the value ${stringifyExact(input)}`);
    const print = labelled(label, (text) => jobLog.output(text));
    outcome = { result: await runWhenThereIsRoom(parts, context, owner, parameters, print) };
  } catch (error) {
    if (signal.aborted || !(error instanceof FuseletError) || isServers(error)) throw error;
    outcome = { error };
    const traceback = error instanceof UdfRuntimeError ? error.traceback : "";
    jobLog.note(`${label}${traceback || error.message}`);
  }
  let task: JobTask;
  try {
    task = await parts.results.write(owner, job.id, index, outcome);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return `the result of task ${index} cannot be kept: ${error.message}`;
  }
  signal.throwIfAborted();
  if (!(await parts.records.endTask(job, holder, task))) throw new Dropped("up");
  return "error" in outcome ? `${isOnly ? "" : `task ${index}: `}${outcome.error.message}` : null;
}

async function runWhenThereIsRoom(
  { runs, taskMs }: StepParts,
  { job, step, source, signal }: StepContext,
  owner: User,
  parameters: Record<string, unknown>,
  print: (text: string) => void,
): ReturnType<Runs["run"]> {
  const { [UDF_ID]: savedId } = (step.udf.metadata ?? {}) as Record<string, unknown>;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await runs.run({
        as: { owner },
        source,
        parameters,
        context: {
          kind: "batch",
          userEmail: owner.email,
          user: contextUser(owner),
          executionEnvironmentId: owner.team,
          recursionFactor: job.recursion,
        },
        cacheMaxAge: job.cacheMaxAge,
        savedId: typeof savedId === "string" ? savedId : null,
        signal,
        onOutput: (_stream, text) => print(text),
        limits: { timeMs: taskMs },
      });
    } catch (error) {
      if (!(error instanceof HttpError && (error.status === 429 || error.status === 503))) throw error;
      await pause(waitMs, signal);
    }
  }
}

/** Puts a label in front of each line of a text that comes in pieces. */
function labelled(label: string, print: (text: string) => void): (text: string) => void {
  if (label === "") return print;
  let isAtStart = true;
  return (text) => {
    if (text === "") return;
    const body = text.endsWith("\n") ? text.slice(0, -1) : text;
    const lines = (isAtStart ? label : "") + body.replaceAll("\n", `\n${label}`);
    isAtStart = text.endsWith("\n");
    print(isAtStart ? `${lines}\n` : lines);
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
