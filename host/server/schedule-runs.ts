/** Begins the runs of schedules: those that are due, and those that a user asks for. */
import { FuseletError } from "../../runtime/errors.ts";
import type { RecordName, Store } from "../store/store.ts";
import { HttpError, notFound } from "./errors.ts";
import { parseExact } from "./exact-json.ts";
import { isEnded, type Job, type JobWrite } from "./job.ts";
import type { JobConfig } from "./job-plan.ts";
import type { Jobs } from "./jobs.ts";
import type { Log } from "./log.ts";
import { recordOf } from "./records.ts";
import type { Registry } from "./registry.ts";
import {
  allSchedules,
  type HistoryEntry,
  newHistoryName,
  readHistory,
  readSchedule,
  SCHEDULES,
  type Schedule,
  trimHistory,
} from "./schedule-records.ts";
import { lastTime, nextTime } from "./schedule-times.ts";
import type { Users } from "./users.ts";

export interface ScheduleRunsOptions {
  store: Store;
  jobs: Jobs;
  registry: Pick<Registry, "byId" | "details" | "canRead" | "sourceOf">;
  users: Pick<Users, "byId" | "active">;
  log: Log;
  /** How late a run may begin that was missed: a server that starts later leaves it out. Default: 15 minutes. */
  graceMs?: number;
  /** Default: Date.now. */
  now?: () => number;
}

export interface ScheduleRuns {
  /** Begins what is due now. @returns when to look again, in milliseconds */
  tick(): Promise<number>;
  /** Begins a run now. @returns null where somebody else has changed the schedule since. @throws what `Jobs.prepare` throws, HttpError 404 */
  begin(schedule: Schedule, version: number): Promise<{ schedule: Schedule; job: Job } | null>;
  /** Turns a schedule off whose UDF was deleted, and cancels its jobs that wait. @returns false where somebody else has changed it since */
  end(schedule: Schedule, version: number): Promise<boolean>;
}

const MINUTE = 60_000;
/** A schedule that was planned so much later than now was planned by a clock that was wrong. */
const CLOCK_MS = 60 * MINUTE;
const UDF_GONE = "its UDF was deleted";
/** The longest time between two looks: another server may have changed something. */
export const LOOK_MS = 15_000;
export const LEAST_LOOK_MS = 50;

export function openScheduleRuns(options: ScheduleRunsOptions): ScheduleRuns {
  const { store, jobs, registry, users, log, graceMs = 15 * MINUTE, now = Date.now } = options;

  /** @throws HttpError, UdfLoadError */
  const prepareJob = async (schedule: Schedule, historyKey: string): Promise<JobWrite> => {
    const owner = await users.active(schedule.ownerId);
    const saved = owner && (await registry.byId(schedule.udfId));
    if (!owner || saved?.ownerId !== owner.id)
      throw notFound(`The UDF ${JSON.stringify(schedule.udfId)} of the schedule`);
    // The registry reads the body, and says what is wrong with it.
    registry.sourceOf(saved);
    const udf = parseExact(saved.body) as Record<string, unknown>;
    const config: JobConfig = {
      name: schedule.name,
      steps: [{ type: "udf", udf, input: [schedule.udfArgs ?? {}] }],
    };
    return jobs.prepare({ owner, config, instanceType: null, cacheMaxAge: 0, recursion: 0, historyKey });
  };
  const entryOf = (due: number, cause: HistoryEntry["cause"], more: Partial<HistoryEntry>): HistoryEntry => ({
    due: new Date(due).toISOString(),
    cause,
    status: "pending",
    jobId: null,
    started: null,
    ended: null,
    error: null,
    note: null,
    ...more,
  });

  /** Changes a schedule, adds to its history and writes its job, unless somebody else has changed it since. @returns whether it did */
  const commit = async (
    { id, version }: { id: string; version: number },
    next: Schedule,
    { name, entry, job }: { name: RecordName; entry: HistoryEntry; job?: JobWrite | undefined },
  ): Promise<boolean> => {
    let isDone = false;
    await store.transact([{ collection: SCHEDULES, key: id }, name, ...(job?.names ?? [])], ([found]) => {
      isDone = found?.version === version;
      return isDone ? [recordOf(next), recordOf(entry), ...(job?.changes ?? [])] : [];
    });
    if (isDone) await trimHistory(store, id);
    if (isDone && job) jobs.wake();
    return isDone;
  };
  const isRunning = async ({ ownerId, lastJobId }: Schedule) => {
    const owner = lastJobId === null ? null : await users.byId(ownerId);
    if (!owner || lastJobId === null) return false;
    const job = await jobs.get(owner, lastJobId).catch(ifNotFound);
    return job !== null && !isEnded(job.status);
  };

  const end: ScheduleRuns["end"] = async (schedule, version) => {
    const { id, ownerId } = schedule;
    const time = now();
    const next = { ...schedule, enabled: false, nextRun: null, disabledReason: UDF_GONE };
    const entry = entryOf(time, "schedule", {
      status: "skipped",
      note: `${UDF_GONE}: the schedule is off`,
    });
    if (!(await commit({ id, version }, next, { name: newHistoryName(id, time), entry }))) return false;
    const owner = await users.byId(ownerId);
    for (const { jobId, ended } of owner ? await readHistory(store, id) : []) {
      const job = jobId !== null && ended === null && (await jobs.get(owner!, jobId).catch(ifNotFound));
      if (job && job.started === null && !isEnded(job.status))
        await jobs.cancel(owner!, job.id, `The job was cancelled before it began: ${UDF_GONE}`);
    }
    return true;
  };
  /** The time of a schedule that was planned when the clock was wrong. */
  const replan = (id: string) =>
    store.update(SCHEDULES, id, (found) => {
      const schedule = found && readSchedule(found);
      if (!schedule?.enabled || schedule.planned <= now() + CLOCK_MS) return undefined;
      return recordOf({ ...schedule, nextRun: nextTime(schedule, now()), planned: now() });
    });

  /** One schedule that is due. */
  const fire = async (schedule: Schedule, version: number): Promise<void> => {
    const time = now();
    if ((await registry.details(schedule.udfId))?.ownerId !== schedule.ownerId) {
      await end(schedule, version);
      return;
    }
    const due = lastTime(schedule, time) ?? time;
    const name = newHistoryName(schedule.id, time);
    const next = { ...schedule, nextRun: nextTime(schedule, time), planned: time };
    const leaveOut = (more: Partial<HistoryEntry>) =>
      commit({ id: schedule.id, version }, next, { name, entry: entryOf(due, "schedule", more) });
    const lateMs = time - due;
    if (lateMs > graceMs) {
      await leaveOut({
        status: "missed",
        note: `no server was there for ${Math.round(lateMs / MINUTE)} minutes`,
      });
      return;
    }
    if (!(await users.active(schedule.ownerId))) {
      await leaveOut({ status: "skipped", note: "its owner is disabled" });
      return;
    }
    if (await isRunning(schedule)) {
      await leaveOut({ status: "skipped", note: "the run before it had not ended" });
      return;
    }
    let job: JobWrite;
    try {
      job = await prepareJob(schedule, name.key);
    } catch (error) {
      if (!(error instanceof FuseletError) || error.name === "StoreError") throw error;
      await leaveOut({ status: "failed", error: error.message });
      return;
    }
    const note =
      lateMs > MINUTE ? `it was missed, and began ${Math.round(lateMs / MINUTE)} minutes late` : null;
    await commit(
      { id: schedule.id, version },
      { ...next, lastRun: new Date(time).toISOString(), lastJobId: job.job.id },
      { name, entry: entryOf(due, "schedule", { jobId: job.job.id, note }), job },
    );
  };
  const tick = async (): Promise<number> => {
    let wait = LOOK_MS;
    for (const record of await allSchedules(store)) {
      const schedule = readSchedule(record);
      if (schedule.nextRun === null) continue;
      if (schedule.nextRun > now()) {
        if (schedule.planned > now() + CLOCK_MS) await replan(schedule.id);
        wait = Math.min(wait, schedule.nextRun - now());
        continue;
      }
      // One that cannot be begun must not keep the others waiting.
      await fire(schedule, record.version).then(
        () => (wait = LEAST_LOOK_MS),
        (error) => log.error("schedule", error, { schedule: schedule.id }),
      );
    }
    return Math.max(wait, LEAST_LOOK_MS);
  };

  return {
    tick,
    end,
    async begin(schedule, version) {
      const time = now();
      const name = newHistoryName(schedule.id, time);
      const job = await prepareJob(schedule, name.key);
      const next = { ...schedule, lastRun: new Date(time).toISOString(), lastJobId: job.job.id };
      const entry = entryOf(time, "user", { jobId: job.job.id });
      const isDone = await commit({ id: schedule.id, version }, next, { name, entry, job });
      return isDone ? { schedule: next, job: job.job } : null;
    },
  };
}

/** For jobs, which are forgotten some time after their end. @returns null; throws what says anything else */
export function ifNotFound(error: unknown): null {
  if (error instanceof HttpError && error.status === 404) return null;
  throw error;
}
