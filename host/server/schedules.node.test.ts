import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore, userOf } from "./fixtures/store.ts";
import { isEnded } from "./job.ts";
import { JobRecords } from "./job-records.ts";
import { type Jobs, type JobsOptions, openJobs } from "./jobs.ts";
import { makeLog } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { SavedUdf, User } from "./parts.ts";
import type { Registry } from "./registry.ts";
import { nextTime } from "./schedule-times.ts";
import { openSchedules, type ScheduleFields, type Schedules } from "./schedules.ts";
import { sourceFromBody } from "./udf-body.ts";

const ada = userOf("ada");
const mate = userOf("mate");
const bob = userOf("bob", { team: "other" });
const byId = async (id: string) => [ada, mate, bob].find((user) => user.id === id) ?? null;
const disabled = new Set<string>();
const users = { byId, active: async (id: string) => (disabled.has(id) ? null : byId(id)) };
const log = makeLog((line) => expect.unreachable(line));
const MINUTE = 60_000;

let db: TestStore;
let now = Date.parse("2026-03-02T10:00:30Z");
let saved: Map<string, Partial<SavedUdf>>;
let jobs: Jobs;
let schedules: Schedules;

const registry = {
  byId: async (id: string) => saved.get(id) ?? null,
  details: async (id: string) => saved.get(id) ?? null,
  canRead: (user: User, udf: SavedUdf) => udf.ownerId === user.id || (udf.teamRead && udf.team === user.team),
  sourceOf: ({ body, slug }: Pick<SavedUdf, "body" | "slug">) => sourceFromBody(body, slug),
} as unknown as Registry;

/** The schedules of another server on the same db.store. */
const open = () => openSchedules({ store: db.store, jobs, registry, users, log, now: () => now });

beforeEach(() => {
  db = openTestStore();
  now = Date.parse("2026-03-02T10:00:30Z");
  const body = JSON.stringify({ name: "f", code: "def f(n): ..." });
  saved = new Map([
    ["mine", { slug: "f", body, ownerId: "ada", team: "t", teamRead: false }],
    ["ours", { slug: "f", body, ownerId: "ada", team: "t", teamRead: true }],
  ]);
  // Nothing runs: what matters is which jobs there are.
  jobs = openJobs({
    store: db.store,
    registry,
    users,
    log,
    now: () => now,
    tasksAtOnce: 1,
    taskMs: 1000,
    metrics: new Metrics(),
    ...({ results: null, runs: null, runner: null } as unknown as Pick<
      JobsOptions,
      "results" | "runs" | "runner"
    >),
  });
  schedules = open();
});
afterEach(async () => {
  disabled.clear();
  await db.close();
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const fields = (more: Partial<ScheduleFields> = {}): ScheduleFields => ({
  name: "hourly",
  description: null,
  enabled: true,
  minute: [5],
  hour: range(0, 23),
  dayOfMonth: range(1, 31),
  month: range(1, 12),
  dayOfWeek: range(0, 6),
  udfId: "mine",
  udfArgs: { n: 7 },
  ...more,
});
const jobsOf = (user: User) => jobs.list(user, { skip: 0, limit: 100 });
const tickAt = async (time: string) => {
  now = Date.parse(time);
  await schedules.tick();
};

test("a schedule begins one job each time that it is due, however many servers look", async () => {
  const { id, nextRun } = await schedules.create(ada, fields());
  expect(nextRun).toBe(Date.parse("2026-03-02T10:05:00Z"));
  expect(await schedules.tick()).toBe(15_000);
  expect(await jobsOf(ada)).toEqual([]);
  now = Date.parse("2026-03-02T10:05:00.010Z");
  await Promise.all([schedules.tick(), open().tick(), schedules.tick()]);
  const [job, ...others] = await jobsOf(ada);
  expect(others).toEqual([]);
  expect(job).toMatchObject({ name: "hourly", status: "pending", totalTasks: 1 });
  expect(JSON.parse(await jobs.config(ada, job!.id)).steps[0]).toMatchObject({
    input: [{ n: 7 }],
    udf: { name: "f" },
  });
  expect(await schedules.get(ada, id)).toMatchObject({
    lastRun: "2026-03-02T10:05:00.010Z",
    nextRun: Date.parse("2026-03-02T11:05:00Z"),
    lastJobId: job!.id,
  });
  expect(await schedules.history(ada, id)).toMatchObject([
    { due: "2026-03-02T10:05:00.000Z", cause: "schedule", status: "pending", jobId: job!.id, note: null },
  ]);
});

test("a schedule begins nothing while its owner is disabled, and goes on after that", async () => {
  const { id } = await schedules.create(ada, fields());
  disabled.add(ada.id);
  await tickAt("2026-03-02T10:05:00Z");
  expect(await jobsOf(ada)).toEqual([]);
  disabled.clear();
  await tickAt("2026-03-02T11:05:00Z");
  expect(await jobsOf(ada)).toHaveLength(1);
  expect(await schedules.history(ada, id)).toMatchObject([
    { status: "pending" },
    { status: "skipped", note: "its owner is disabled" },
  ]);
});

test("a run is left out while the one before it goes on, and its history knows how that ended", async () => {
  const { id } = await schedules.create(ada, fields());
  await tickAt("2026-03-02T10:05:00Z");
  await tickAt("2026-03-02T11:05:00Z");
  const statuses = async () => (await schedules.history(ada, id)).map(({ status }) => status);
  expect(await statuses()).toEqual(["skipped", "pending"]);
  const records = new JobRecords(db.store, () => now);
  const job = await records.claim("worker", 1000);
  expect(await statuses()).toEqual(["skipped", "running"]);
  await records.end(job!, "worker", "failed", "it raised");
  await tickAt("2026-03-02T12:05:00Z");
  expect(await schedules.history(ada, id)).toMatchObject([
    { status: "pending" },
    { status: "skipped", note: "the run before it had not ended", jobId: null },
    { status: "failed", error: "it raised", started: "2026-03-02T11:05:00.000Z" },
  ]);
});

test("runs that were missed: one is made up for if it is not long ago, the others are left out", async () => {
  const { id } = await schedules.create(ada, fields());
  await tickAt("2026-03-02T13:15:00Z");
  expect(await schedules.history(ada, id)).toMatchObject([
    { due: "2026-03-02T13:05:00.000Z", status: "pending", note: "it was missed, and began 10 minutes late" },
  ]);
  for (const job of await jobsOf(ada)) await jobs.cancel(ada, job.id);
  await tickAt("2026-03-04T09:30:00Z");
  expect((await schedules.history(ada, id))[0]).toMatchObject({
    due: "2026-03-04T09:05:00.000Z",
    status: "missed",
    note: "no server was there for 25 minutes",
  });
  expect((await jobsOf(ada)).every(({ status }) => isEnded(status))).toBe(true);
  expect((await schedules.get(ada, id)).nextRun).toBe(Date.parse("2026-03-04T10:05:00Z"));
});

test("a schedule is on or off, keeps its time zone, and can be run at any time", async () => {
  const berlin = await schedules.create(ada, fields({ hour: [9], timezone: "Europe/Berlin" }));
  expect(berlin.nextRun).toBe(Date.parse("2026-03-03T08:05:00Z"));
  const off = await schedules.update(ada, berlin.id, fields({ hour: [9], enabled: false }));
  expect(off).toMatchObject({ timezone: "Europe/Berlin", nextRun: null });
  await tickAt("2026-03-03T08:05:00Z");
  expect(await jobsOf(ada)).toEqual([]);
  const { job, schedule } = await schedules.runNow(ada, berlin.id);
  expect(schedule.lastRun).toBe("2026-03-03T08:05:00.000Z");
  await schedules.runNow(ada, berlin.id);
  expect((await jobsOf(ada)).map(({ id }) => id)).toContain(job.id);
  expect(await schedules.history(ada, berlin.id)).toMatchObject([{ cause: "user" }, { cause: "user" }]);
  expect(await schedules.delete(ada, berlin.id)).toMatchObject({ id: berlin.id });
  await expect(schedules.get(ada, berlin.id)).rejects.toMatchObject({ status: 404 });
  expect(await schedules.list(ada)).toEqual([]);
});

test("a schedule whose UDF cannot be read notes it each time, and a history has a hundred entries at most", async () => {
  const { id } = await schedules.create(ada, fields({ minute: range(0, 59) }));
  saved.set("mine", { ...saved.get("mine"), body: "nonsense" });
  for (let i = 1; i <= 103; i++) {
    now += MINUTE;
    await schedules.tick();
  }
  const history = await schedules.history(ada, id);
  expect(history).toHaveLength(100);
  expect(history[0]).toMatchObject({
    status: "failed",
    error: expect.stringMatching(/no JSON|not JSON|body/i),
  });
});

test("a schedule whose UDF is deleted is turned off and says why; its jobs that wait are cancelled", async () => {
  const { id } = await schedules.create(ada, fields());
  const other = await schedules.create(ada, fields({ udfId: "ours" }));
  await tickAt("2026-03-02T10:05:00Z");
  const { job: theirs } = await schedules.runNow(ada, other.id);
  const [first] = await schedules.history(ada, id);
  saved.delete("mine");
  now += 1000;
  await schedules.endOf({ id: "mine", ownerId: "ada" });
  const off = { enabled: false, nextRun: null, disabledReason: "its UDF was deleted" };
  expect(await schedules.get(ada, id)).toMatchObject(off);
  expect(await schedules.get(ada, other.id)).toMatchObject({ enabled: true, disabledReason: null });
  expect(await schedules.history(ada, id)).toMatchObject([
    { status: "skipped", jobId: null, note: "its UDF was deleted: the schedule is off" },
    { status: "cancelled", jobId: first!.jobId },
  ]);
  expect((await jobs.log(ada, first!.jobId!, undefined)).at(-1)?.message).toContain("its UDF was deleted");
  expect((await jobs.get(ada, theirs.id)).status).toBe("pending");
  await tickAt("2026-03-02T11:05:00Z");
  expect(await schedules.history(ada, id)).toHaveLength(2);
  // Its owner may give it another UDF.
  expect(await schedules.update(ada, id, fields({ udfId: "ours" }))).toMatchObject({
    enabled: true,
    disabledReason: null,
  });
});

test("a schedule whose UDF is gone is turned off when it is due, where the server had no time for it before", async () => {
  const { id } = await schedules.create(ada, fields());
  saved.delete("mine");
  await tickAt("2026-03-02T10:05:00Z");
  await tickAt("2026-03-02T11:05:00Z");
  expect(await schedules.get(ada, id)).toMatchObject({
    enabled: false,
    disabledReason: "its UDF was deleted",
  });
  expect(await schedules.history(ada, id)).toHaveLength(1);
});

test("a schedule that was planned by a clock that was years ahead is due again when the clock is right", async () => {
  const { id } = await schedules.create(ada, fields());
  await tickAt("2031-07-01T00:05:00Z");
  expect((await schedules.get(ada, id)).nextRun).toBe(Date.parse("2031-07-01T01:05:00Z"));
  await tickAt("2026-03-02T10:06:00Z");
  expect((await schedules.get(ada, id)).nextRun).toBe(Date.parse("2026-03-02T11:05:00Z"));
  await tickAt("2026-03-02T11:05:00Z");
  expect(await schedules.history(ada, id)).toContainEqual(
    expect.objectContaining({ due: "2026-03-02T11:05:00.000Z" }),
  );
  // A clock that is set back a little repeats nothing.
  const count = (await schedules.history(ada, id)).length;
  await tickAt("2026-03-02T11:04:59Z");
  await tickAt("2026-03-02T11:05:00Z");
  expect(await schedules.history(ada, id)).toHaveLength(count);
});

test("a schedule is its owner's; who may read its UDF in the team sees it, and nobody else", async () => {
  const mine = await schedules.create(ada, fields());
  const ours = await schedules.create(ada, fields({ udfId: "ours" }));
  expect((await schedules.list(mate)).map(({ id }) => id)).toEqual([ours.id]);
  expect(await schedules.list(bob)).toEqual([]);
  expect(await schedules.ofUdf(mate, "ours")).toEqual([]);
  expect(await schedules.ofUdf(ada, "ours")).toHaveLength(1);
  expect(await schedules.get(mate, ours.id)).toEqual(ours);
  const attempts = (user: User, id: string) => [
    schedules.update(user, id, fields()),
    schedules.delete(user, id),
    schedules.runNow(user, id),
  ];
  for (const attempt of attempts(mate, ours.id)) await expect(attempt).rejects.toMatchObject({ status: 403 });
  for (const attempt of [schedules.get(mate, mine.id), ...attempts(mate, mine.id), ...attempts(bob, ours.id)])
    await expect(attempt).rejects.toMatchObject({ status: 404 });
  await expect(schedules.create(bob, fields({ udfId: "ours" }))).rejects.toMatchObject({ status: 404 });
  // It would run in the mate's name whatever ada makes of it.
  await expect(schedules.create(mate, fields({ udfId: "ours" }))).rejects.toMatchObject({ status: 403 });
});

test("times that never come and zones that do not exist are refused", async () => {
  await expect(schedules.create(ada, fields({ dayOfMonth: [30], month: [2] }))).rejects.toMatchObject({
    status: 422,
  });
  await expect(schedules.create(ada, fields({ timezone: "Nowhere/X" }))).rejects.toMatchObject({
    status: 422,
  });
});

test("clock changes: a time that is left out is at the change, one that is repeated is once, each hour is each hour", () => {
  const berlin = fields({ timezone: "Europe/Berlin", minute: [30] });
  const next = (hour: readonly number[], after: string) => {
    const at = nextTime({ ...berlin, hour, timezone: "Europe/Berlin" }, Date.parse(after));
    return new Date(at as number).toISOString();
  };
  expect(next([2, 14], "2026-03-28T23:00:00Z")).toBe("2026-03-29T01:00:00.000Z");
  expect(next([2, 14], "2026-10-25T00:30:00Z")).toBe("2026-10-25T13:30:00.000Z");
  expect(next(range(0, 23), "2026-10-25T00:30:00Z")).toBe("2026-10-25T01:30:00.000Z");
});

test("the arguments of all schedules of a user are bounded, those of another one do not count", async () => {
  const udfArgs = { text: "x".repeat(1_000_000) };
  for (let i = 0; i < 4; i++) await schedules.create(ada, fields({ udfArgs }));
  const [first] = await schedules.list(ada);
  await expect(schedules.create(ada, fields({ udfArgs }))).rejects.toMatchObject({ status: 409 });
  await schedules.update(ada, first!.id, fields({ udfArgs: { text: "x".repeat(1_040_000) } }));
  await schedules.update(ada, first!.id, fields({ udfArgs: null }));
  await schedules.create(ada, fields({ udfArgs }));
});
