/**
 * Schedules: UDFs that run at given times. Each run is a job, written in one transaction with the schedule's next time: of two servers
 * on one store, one begins it, and a server that is killed at any moment leaves it begun or due.
 */
import { FuseletError } from "../../runtime/errors.ts";
import type { Json, Store } from "../store/store.ts";
import { HttpError, notFound } from "./errors.ts";
import type { JobConfig } from "./job-plan.ts";
import { isEnded, type Job, type JobWrite } from "./job-records.ts";
import type { Jobs } from "./jobs.ts";
import type { Log } from "./log.ts";
import { isId } from "./names.ts";
import type { Background, Registry, User } from "./parts.ts";
import {
  allSchedules,
  type HistoryEntry,
  historyName,
  readHistory,
  readSchedule,
  SCHEDULES,
  SCHEDULES_OF,
  type Schedule,
  toJson,
  trimHistory,
} from "./schedule-records.ts";
import { isTimezone, lastTime, nextTime } from "./schedule-times.ts";
import type { Users } from "./users.ts";

/** What its owner may set. */
export type ScheduleFields = Pick<
  Schedule,
  | "name"
  | "description"
  | "enabled"
  | "minute"
  | "hour"
  | "dayOfMonth"
  | "month"
  | "dayOfWeek"
  | "udfId"
  | "udfArgs"
> & { readonly timezone?: string | undefined };

export interface Schedules extends Background {
  /** @throws HttpError 404 where the user has no such UDF, 422 for times that never come */
  create(user: User, fields: ScheduleFields): Promise<Schedule>;
  /** One's own, or a team mate's of a UDF that one may read. @throws HttpError 404 */
  get(user: User, id: string): Promise<Schedule>;
  /** Those that `get` gives. */
  list(user: User): Promise<Schedule[]>;
  /** One's own of a UDF. */
  ofUdf(user: User, udfId: string): Promise<Schedule[]>;
  /** @throws HttpError 404, 403 where it is another's, 422 */
  update(user: User, id: string, fields: ScheduleFields): Promise<Schedule>;
  /** @returns it as it was. @throws HttpError 404, 403 */
  delete(user: User, id: string): Promise<Schedule>;
  /** Begins a run at once, whether it is on or off. @throws HttpError 404, 403, and what `Jobs.submit` throws */
  runNow(user: User, id: string): Promise<{ schedule: Schedule; job: Job }>;
  /** Its last runs, the newest first. @throws HttpError 404 */
  history(user: User, id: string): Promise<HistoryEntry[]>;
  /** Begins what is due now. `start` does so by itself. @returns when to look again, in milliseconds */
  tick(): Promise<number>;
}

export interface SchedulesOptions {
  store: Store;
  jobs: Jobs;
  registry: Registry;
  users: Pick<Users, "byId">;
  log: Log;
  /** How late a run may begin that was missed: a server that starts later leaves it out. Default: 15 minutes. */
  graceMs?: number;
  /** Default: Date.now. */
  now?: () => number;
}

const MINUTE = 60_000;
/** The longest time between two looks: another server may have changed something. */
const LOOK_MS = 15_000;
const LEAST_LOOK_MS = 50;
/** Of one user. */
const MOST_SCHEDULES = 500;

export function openSchedules(options: SchedulesOptions): Schedules {
  const { store, jobs, registry, users, log, graceMs = 15 * MINUTE, now = Date.now } = options;

  const canSee = async (user: User, schedule: Schedule) => {
    if (schedule.ownerId === user.id) return true;
    if (schedule.team !== user.team) return false;
    const saved = await registry.byId(schedule.udfId);
    return saved !== null && registry.canRead(user, saved);
  };
  const get = async (user: User, id: string) => {
    const found = isId(id) ? await store.get(SCHEDULES, id) : undefined;
    const schedule = found && readSchedule(found);
    if (!schedule || !(await canSee(user, schedule))) throw notFound(`The schedule ${JSON.stringify(id)}`);
    return schedule;
  };
  const getOwn = async (user: User, id: string) => {
    const schedule = await get(user, id);
    if (schedule.ownerId !== user.id) throw new HttpError(403, "This schedule is another user's");
    return schedule;
  };
  /** @throws HttpError */
  const checkFields = async (user: User, { udfId, ...fields }: ScheduleFields, timezone: string) => {
    if (!isTimezone(timezone))
      throw new HttpError(
        422,
        `timezone must be a name such as Europe/Berlin: received ${JSON.stringify(timezone)}`,
      );
    const nextRun = nextTime({ ...fields, timezone }, now());
    if (nextRun === null) throw new HttpError(422, "This schedule never comes: no day has such a date");
    const saved = isId(udfId) ? await registry.byId(udfId) : null;
    if (!saved || !registry.canRead(user, saved)) throw notFound(`The UDF ${JSON.stringify(udfId)}`);
    return { timezone, nextRun: fields.enabled ? nextRun : null, updated: new Date(now()).toISOString() };
  };
  /** @throws HttpError, UdfLoadError */
  const prepareJob = async (schedule: Schedule, historyKey: string): Promise<JobWrite> => {
    const owner = await users.byId(schedule.ownerId);
    const saved = owner && (await registry.byId(schedule.udfId));
    if (!owner || !saved || !registry.canRead(owner, saved))
      throw notFound(`The UDF ${JSON.stringify(schedule.udfId)} of the schedule`);
    // The registry reads the body, and says what is wrong with it.
    registry.sourceOf(saved);
    const udf = JSON.parse(saved.body) as Record<string, unknown>;
    const config: JobConfig = {
      name: schedule.name,
      steps: [{ type: "udf", udf, input: [schedule.udfArgs ?? {}] }],
    };
    return jobs.prepare({ owner, config, instanceType: null, cacheMaxAge: 0, recursion: 0, historyKey });
  };
  const entry = (due: number, cause: HistoryEntry["cause"], more: Partial<HistoryEntry>): Json =>
    toJson({
      due: new Date(due).toISOString(),
      cause,
      status: "pending",
      jobId: null,
      started: null,
      ended: null,
      error: null,
      note: null,
      ...more,
    } satisfies HistoryEntry);

  /** Changes a schedule, adds to its history and writes its job, unless somebody else has changed it since. @returns whether it did */
  const commit = async (
    { id, version }: { id: string; version: number },
    next: Schedule,
    { name, value, job }: { name: ReturnType<typeof historyName>; value: Json; job?: JobWrite | undefined },
  ): Promise<boolean> => {
    let isDone = false;
    await store.transact([{ collection: SCHEDULES, key: id }, name, ...(job?.names ?? [])], ([found]) => {
      isDone = found?.version === version;
      return isDone ? [{ value: toJson(next) }, { value }, ...(job?.changes ?? [])] : [];
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

  /** One schedule that is due. */
  const fire = async (schedule: Schedule, version: number): Promise<void> => {
    const time = now();
    const due = lastTime(schedule, time) ?? time;
    const name = historyName(schedule.id, time);
    const next = { ...schedule, nextRun: nextTime(schedule, time) };
    const leaveOut = (more: Partial<HistoryEntry>) =>
      commit({ id: schedule.id, version }, next, { name, value: entry(due, "schedule", more) });
    const lateMs = time - due;
    if (lateMs > graceMs) {
      await leaveOut({
        status: "missed",
        note: `no server was there for ${Math.round(lateMs / MINUTE)} minutes`,
      });
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
      { name, value: entry(due, "schedule", { jobId: job.job.id, note }), job },
    );
  };
  const tick = async (): Promise<number> => {
    let wait = LOOK_MS;
    for (const record of await allSchedules(store)) {
      const schedule = readSchedule(record);
      if (schedule.nextRun === null) continue;
      if (schedule.nextRun > now()) {
        wait = Math.min(wait, schedule.nextRun - now());
        continue;
      }
      wait = LEAST_LOOK_MS;
      // One that cannot be begun must not keep the others waiting.
      await fire(schedule, record.version).catch((error) =>
        log.error("schedule", error, { schedule: schedule.id }),
      );
    }
    return Math.max(wait, LEAST_LOOK_MS);
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  let ticking: Promise<void> = Promise.resolve();
  let isStopped = true;
  const lookIn = (ms: number) => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => {
      ticking = tick()
        .catch((error) => {
          log.error("schedules", error);
          return LOOK_MS;
        })
        .then(lookIn);
    }, ms);
  };

  return {
    get,
    tick,
    async create(user, fields) {
      const checked = await checkFields(user, fields, fields.timezone ?? "UTC");
      const own = await store.list(SCHEDULES_OF, { prefix: `${user.id}/`, limit: MOST_SCHEDULES });
      if (own.length >= MOST_SCHEDULES)
        throw new HttpError(409, `A user has at most ${MOST_SCHEDULES} schedules: delete some`);
      const id = crypto.randomUUID();
      const schedule: Schedule = {
        ...fields,
        ...checked,
        id,
        ownerId: user.id,
        team: user.team,
        created: checked.updated,
        lastRun: null,
        lastJobId: null,
      };
      const names = [
        { collection: SCHEDULES, key: id },
        { collection: SCHEDULES_OF, key: `${user.id}/${id}` },
      ];
      await store.transact(names, () => [{ value: toJson(schedule) }, { value: id }]);
      lookIn(LEAST_LOOK_MS);
      return schedule;
    },
    async list(user) {
      const schedules = (await allSchedules(store)).map(readSchedule);
      const seen = await Promise.all(schedules.map((schedule) => canSee(user, schedule)));
      return schedules.filter((_, i) => seen[i]);
    },
    async ofUdf(user, udfId) {
      const schedules = (await allSchedules(store)).map(readSchedule);
      return schedules.filter((schedule) => schedule.ownerId === user.id && schedule.udfId === udfId);
    },
    async update(user, id, fields) {
      const before = await getOwn(user, id);
      const checked = await checkFields(user, fields, fields.timezone ?? before.timezone);
      const record = await store.update(SCHEDULES, id, (found) => {
        if (!found) throw notFound(`The schedule ${JSON.stringify(id)}`);
        return { value: toJson({ ...readSchedule(found), ...fields, ...checked }) };
      });
      lookIn(LEAST_LOOK_MS);
      return readSchedule(record!);
    },
    async delete(user, id) {
      const schedule = await getOwn(user, id);
      const names = [
        { collection: SCHEDULES, key: id },
        { collection: SCHEDULES_OF, key: `${schedule.ownerId}/${id}` },
      ];
      await store.transact(names, (found) => found.map(() => null));
      await trimHistory(store, id, 0);
      return schedule;
    },
    async runNow(user, id) {
      for (;;) {
        await getOwn(user, id);
        const record = await store.get(SCHEDULES, id);
        if (!record) continue;
        const schedule = readSchedule(record);
        const time = now();
        const name = historyName(id, time);
        const job = await prepareJob(schedule, name.key);
        const next = { ...schedule, lastRun: new Date(time).toISOString(), lastJobId: job.job.id };
        const value = entry(time, "user", { jobId: job.job.id });
        if (await commit({ id, version: record.version }, next, { name, value, job }))
          return { schedule: next, job: job.job };
      }
    },
    async history(user, id) {
      const { ownerId } = await get(user, id);
      const [entries, owner] = await Promise.all([readHistory(store, id), users.byId(ownerId)]);
      return Promise.all(
        entries.map(async (one) => {
          if (one.jobId === null || one.ended !== null || !owner) return one;
          const job = await jobs.get(owner, one.jobId).catch(ifNotFound);
          return job ? { ...one, status: job.status, started: job.started } : one;
        }),
      );
    },
    async start() {
      isStopped = false;
      lookIn(0);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await ticking;
    },
  };
}

/** A job is forgotten some time after its end. */
function ifNotFound(error: unknown): null {
  if (error instanceof HttpError && error.status === 404) return null;
  throw error;
}
