/**
 * Schedules: UDFs that run at given times. Each run is a job, written in one transaction with the schedule's next time: of two servers
 * on one store, one begins it, and a server that is killed at any moment leaves it begun or due.
 */
import { HttpError, notFound } from "./errors.ts";
import type { Job } from "./job.ts";
import { isId } from "./names.ts";
import type { Background, User } from "./parts.ts";
import { recordOf } from "./records.ts";
import {
  allSchedules,
  type HistoryEntry,
  readHistory,
  readSchedule,
  SCHEDULES,
  type Schedule,
  trimHistory,
} from "./schedule-records.ts";
import {
  ifNotFound,
  LEAST_LOOK_MS,
  LOOK_MS,
  openScheduleRuns,
  type ScheduleRunsOptions,
} from "./schedule-runs.ts";
import { isTimezone, nextTime } from "./schedule-times.ts";

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
  /** @throws HttpError 404 where the user has no such UDF, 403 where it is another's, 422 for times that never come */
  create(user: User, fields: ScheduleFields): Promise<Schedule>;
  /** One's own, or a team mate's of a UDF that one may read. @throws HttpError 404 */
  get(user: User, id: string): Promise<Schedule>;
  /** Those that `get` gives. */
  list(user: User): Promise<Schedule[]>;
  /** One's own of a UDF. */
  ofUdf(user: User, udfId: string): Promise<Schedule[]>;
  /** @throws HttpError 404, 403 where it is another's, 422 */
  update(user: User, id: string, fields: ScheduleFields): Promise<Schedule>;
  /** Turns those off that run a UDF which was deleted. */
  endOf(udf: { id: string; ownerId: string }): Promise<void>;
  /** @returns it as it was. @throws HttpError 404, 403 */
  delete(user: User, id: string): Promise<Schedule>;
  /** Begins a run at once, whether it is on or off. @throws HttpError 404, 403, and what `Jobs.submit` throws */
  runNow(user: User, id: string): Promise<{ schedule: Schedule; job: Job }>;
  /** Its last runs, the newest first. @throws HttpError 404 */
  history(user: User, id: string): Promise<HistoryEntry[]>;
  /** Begins what is due now. `start` does so by itself. @returns when to look again, in milliseconds */
  tick(): Promise<number>;
}

/** Characters of arguments: of one schedule, and of all of one user. Each look at what is due reads them. */
const MOST_ARGS = 1024 * 1024;
const MOST_ARGS_OF_USER = 4 * MOST_ARGS;
/** Of one user. */
const MOST_SCHEDULES = 500;

export function openSchedules(options: ScheduleRunsOptions): Schedules {
  const { store, jobs, registry, users, log, now = Date.now } = options;

  const canSee = async (user: User, schedule: Schedule) => {
    if (schedule.ownerId === user.id) return true;
    // Who has gone to another team takes no schedules along.
    if (schedule.team !== user.team || (await users.byId(schedule.ownerId))?.team !== user.team) return false;
    const saved = await registry.details(schedule.udfId);
    return saved !== null && registry.canRead(user, saved);
  };
  const get = async (user: User, id: string) => {
    const found = isId(id) ? await store.get(SCHEDULES, id) : undefined;
    const schedule = found && readSchedule(found);
    if (!schedule || !(await canSee(user, schedule))) throw notFound(`The schedule ${JSON.stringify(id)}`);
    return schedule;
  };
  const ownOf = async (user: User) =>
    (await allSchedules(store)).map(readSchedule).filter(({ ownerId }) => ownerId === user.id);
  const getOwn = async (user: User, id: string) => {
    const schedule = await get(user, id);
    if (schedule.ownerId !== user.id) throw new HttpError(403, "This schedule is another user's");
    return schedule;
  };
  const sizeOf = ({ udfArgs }: Pick<Schedule, "udfArgs">) => JSON.stringify(udfArgs).length;
  /** @param id of the schedule that is changed @throws HttpError */
  const checkFields = async (
    user: User,
    { udfId, ...fields }: ScheduleFields,
    timezone: string,
    id?: string,
  ) => {
    const size = sizeOf(fields);
    if (size > MOST_ARGS)
      throw new HttpError(422, `udf_args have at most ${MOST_ARGS} characters as JSON: received ${size}`);
    const others = (await ownOf(user)).filter((other) => other.id !== id);
    if (others.length >= MOST_SCHEDULES)
      throw new HttpError(409, `A user has at most ${MOST_SCHEDULES} schedules: delete some`);
    if (others.reduce((sum, other) => sum + sizeOf(other), size) > MOST_ARGS_OF_USER)
      throw new HttpError(
        409,
        `udf_args of all schedules of a user have at most ${MOST_ARGS_OF_USER} characters as JSON: let the UDF read them from a file`,
      );
    if (!isTimezone(timezone))
      throw new HttpError(
        422,
        `timezone must be a name such as Europe/Berlin: received ${JSON.stringify(timezone)}`,
      );
    const nextRun = nextTime({ ...fields, timezone }, now());
    if (nextRun === null) throw new HttpError(422, "This schedule never comes: no day has such a date");
    const saved = await registry.details(udfId);
    if (!saved || !registry.canRead(user, saved)) throw notFound(`The UDF ${JSON.stringify(udfId)}`);
    if (saved.ownerId !== user.id)
      throw new HttpError(
        403,
        "Cannot schedule it: it would run in your name what somebody else can change; save a copy of it",
      );
    return {
      timezone,
      team: user.team,
      nextRun: fields.enabled ? nextRun : null,
      updated: new Date(now()).toISOString(),
      planned: now(),
      disabledReason: null,
    };
  };
  const runs = openScheduleRuns(options);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ticking: Promise<void> = Promise.resolve();
  let isStopped = true;
  const lookIn = (ms: number) => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => {
      ticking = runs
        .tick()
        .catch((error) => {
          log.error("schedules", error);
          return LOOK_MS;
        })
        .then(lookIn);
    }, ms);
  };

  return {
    get,
    tick: runs.tick,
    async create(user, fields) {
      const checked = await checkFields(user, fields, fields.timezone ?? "UTC");
      const id = crypto.randomUUID();
      const schedule: Schedule = {
        ...fields,
        ...checked,
        id,
        ownerId: user.id,
        created: checked.updated,
        lastRun: null,
        lastJobId: null,
      };
      await store.update(SCHEDULES, id, () => recordOf(schedule));
      lookIn(LEAST_LOOK_MS);
      return schedule;
    },
    async list(user) {
      const schedules = (await allSchedules(store)).map(readSchedule);
      const seen = await Promise.all(schedules.map((schedule) => canSee(user, schedule)));
      return schedules.filter((_, i) => seen[i]);
    },
    async ofUdf(user, udfId) {
      return (await ownOf(user)).filter((schedule) => schedule.udfId === udfId);
    },
    async endOf(udf) {
      for (const { id, ownerId, udfId } of (await allSchedules(store)).map(readSchedule)) {
        if (udfId !== udf.id || ownerId !== udf.ownerId) continue;
        for (let isDone = false; !isDone; ) {
          const record = await store.get(SCHEDULES, id);
          isDone = !record || (await runs.end(readSchedule(record), record.version));
        }
      }
    },
    async update(user, id, fields) {
      const before = await getOwn(user, id);
      const checked = await checkFields(user, fields, fields.timezone ?? before.timezone, id);
      const record = await store.update(SCHEDULES, id, (found) => {
        if (!found) throw notFound(`The schedule ${JSON.stringify(id)}`);
        return recordOf({ ...readSchedule(found), ...fields, ...checked });
      });
      lookIn(LEAST_LOOK_MS);
      return readSchedule(record!);
    },
    async delete(user, id) {
      const schedule = await getOwn(user, id);
      await store.delete(SCHEDULES, id);
      await trimHistory(store, id, 0);
      return schedule;
    },
    async runNow(user, id) {
      for (;;) {
        await getOwn(user, id);
        const record = await store.get(SCHEDULES, id);
        const begun = record && (await runs.begin(readSchedule(record), record.version));
        if (begun) return begun;
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
