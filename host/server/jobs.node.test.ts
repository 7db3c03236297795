import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UdfRuntimeError } from "../../runtime/errors.ts";
import type { Udf } from "../../runtime/udf.ts";
import { writeResult } from "../formats/negotiate.ts";
import { HttpError } from "./errors.ts";
import { resultOf } from "./fixtures/results.ts";
import { openTestStore, type TestStore, userOf } from "./fixtures/store.ts";
import { isEnded, type Job } from "./job.ts";
import type { JobConfig } from "./job-plan.ts";
import { JobRecords } from "./job-records.ts";
import { openTaskResults } from "./job-results.ts";
import { type Jobs, type JobsOptions, openJobs } from "./jobs.ts";
import { makeLog } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { ServerRun, User } from "./parts.ts";
import { sourceFromBody } from "./udf-body.ts";

const ada = userOf("ada");
const bob = userOf("bob");

let db: TestStore;
let opened: Jobs[] = [];
let written: Map<string, Uint8Array>;

beforeEach(() => {
  db = openTestStore();
  written = new Map();
});
afterEach(async () => {
  for (const jobs of opened) await jobs.stop();
  opened = [];
  await db.close();
});

type Work = (run: ServerRun) => unknown;

/** A server's jobs, whose runs are a function. */
function open(work: Work, options: Partial<JobsOptions> = {}): Jobs {
  const results = openTaskResults(
    {
      async write(_owner, path, bytes) {
        written.set(path, bytes);
      },
      sign: async (_owner, path) => `https://signed/${path}`,
    },
    ({ raw, encoded }, wish) => writeResult(raw, wish, encoded),
  );
  const jobs = openJobs({
    store: db.store,
    results,
    runs: {
      async run(run) {
        return resultOf(await work(run));
      },
    },
    runner: { inspect: async () => ({ parameters: [{ name: "n" }] }) as unknown as Udf },
    registry: { sourceOf: ({ body, slug }) => sourceFromBody(body, slug) },
    users: { active: async (id) => [ada, bob].find((user) => user.id === id) ?? null },
    log: makeLog(() => undefined),
    tasksAtOnce: 2,
    taskMs: 1000,
    metrics: new Metrics(),
    ...options,
  });
  opened.push(jobs);
  return jobs;
}

const config = (input?: unknown[], more: object = {}): JobConfig => ({
  name: "j",
  steps: [{ type: "udf", udf: { name: "f", code: "def f(n): ..." }, ...(input ? { input } : {}), ...more }],
});
const submission = (owner: User, of: JobConfig, more: object = {}) => ({
  owner,
  config: of,
  instanceType: null,
  cacheMaxAge: 0,
  recursion: 0,
  ...more,
});
/** Polls: jobs have no events, as other servers work on them too. */
async function untilEnded(jobs: Jobs, { id, ownerId }: Job): Promise<Job> {
  const owner = ownerId === "ada" ? ada : bob;
  for (;;) {
    const job = await jobs.get(owner, id);
    if (isEnded(job.status)) return job;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const text = async (jobs: Jobs, id: string) =>
  (await jobs.log(ada, id, undefined)).map(({ message }) => message).join("");
const never = ({ signal }: ServerRun) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("a job", () => {
  test("runs each of its arguments, as parameters or as the first one, and keeps results and output", async () => {
    const seen: unknown[] = [];
    const jobs = open((run) => {
      seen.push({ ...run.parameters, kind: run.context.kind, time: run.limits?.timeMs });
      run.onOutput?.("stdout", "a\nb");
      run.onOutput?.("stdout", "c\n");
      return run.parameters.n === 2 ? null : [run.parameters];
    });
    await jobs.start();
    const job = await untilEnded(jobs, await jobs.submit(submission(ada, config([{ n: 1 }, 2, [3]]))));
    expect(job).toMatchObject({
      status: "succeeded",
      totalTasks: 3,
      finishedTasks: 3,
      failedTasks: 0,
      tries: 1,
    });
    const context = { kind: "batch", time: 1000 };
    expect(seen).toEqual([
      { n: 1, ...context },
      { n: 2, ...context },
      { n: [3], ...context },
    ]);
    expect((await jobs.tasks(ada, job.id)).map(({ file }) => file)).toEqual(["0.json", "1.none", "2.json"]);
    expect(new TextDecoder().decode(written.get(`fd://jobs/${job.id}/0.json`))).toBe('[{"n":1}]');
    const said = JSON.parse(new TextDecoder().decode(written.get(`fd://jobs/${job.id}/1.none.metadata`)));
    expect(said).toMatchObject({ has_exception: false, stdout: "", errormsg: null });
    expect(await text(jobs, job.id)).toMatch(
      /begins on this machine: 3 tasks\n[\s\S]*\[0\] a\n\[0\] bc\n[\s\S]*The job is done\n$/,
    );
  });

  test("fails with the first task that does: none begins after it, and those before it have results", async () => {
    const jobs = open(
      ({ parameters: { n } }) => {
        if (n === 2)
          throw new UdfRuntimeError("no", { type: "ValueError", traceback: "Traceback\nValueError: no" });
        return n;
      },
      { tasksAtOnce: 1 },
    );
    await jobs.start();
    const job = await untilEnded(jobs, await jobs.submit(submission(ada, config([1, 2, 3]))));
    expect(job).toMatchObject({ status: "failed", finishedTasks: 2, failedTasks: 1, error: "task 1: no" });
    expect(await text(jobs, job.id)).toContain(
      "[1] Traceback\nValueError: no\nERROR: the job failed: task 1: no",
    );
    const ignoring = await jobs.submit(submission(ada, config([1, 2, 3], { ignore_chunk_error: true })));
    expect(await untilEnded(jobs, ignoring)).toMatchObject({
      status: "succeeded",
      finishedTasks: 3,
      failedTasks: 1,
    });
  });

  test("has no more tasks at once than it asks for, and the server has room for", async () => {
    let [now, most] = [0, 0];
    const jobs = open(async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
    });
    await jobs.start();
    const four = [1, 2, 3, 4];
    const both = [
      await jobs.submit(submission(ada, config(four))),
      await jobs.submit(submission(bob, config(four))),
    ];
    for (const job of both) await untilEnded(jobs, job);
    expect(most).toBe(2);
    most = 0;
    await untilEnded(jobs, await jobs.submit(submission(ada, config(four, { n_processes: 1 }))));
    expect(most).toBe(1);
  });

  test("gets the next place where its user has none, however many tasks of others wait", async () => {
    const begun: string[] = [];
    const under: (() => void)[] = [];
    const jobs = open((run) => {
      begun.push(run.as.owner.id);
      return Promise.race([never(run), new Promise<void>((resolve) => under.push(resolve))]);
    });
    await jobs.start();
    await jobs.submit(submission(ada, config(Array.from({ length: 50 }, (_, n) => n))));
    await expect.poll(() => begun).toEqual(["ada", "ada"]);
    await jobs.submit(submission(bob, config([1])));
    await expect
      .poll(() => {
        under.shift()?.();
        return begun;
      })
      .toContain("bob");
    expect(begun.length).toBeLessThan(50);
  });

  test("runs each task as its user is by then", async () => {
    const seen: unknown[] = [];
    let user: User | null = ada;
    const jobs = open(
      ({ as }) => {
        user = seen.push(as.owner.permissions) === 1 ? { ...ada, permissions: { net: [] } } : null;
      },
      { users: { active: async () => user } },
    );
    await jobs.start();
    const job = await jobs.submit(submission(ada, config([1, 2, 3], { n_processes: 1 })));
    expect(await untilEnded(jobs, job)).toMatchObject({
      status: "failed",
      finishedTasks: 2,
      error: "its user is not there any more, or is disabled",
    });
    expect(seen).toEqual([undefined, { net: [] }]);
  });

  test("waits where its user has too many runs, and is tried again where the server fails", async () => {
    const problems: Error[] = [new HttpError(429, "later"), new HttpError(503, "later")];
    const jobs = open(() => {
      const problem = problems.shift();
      if (problem) throw problem;
    });
    await jobs.start();
    expect(await untilEnded(jobs, await jobs.submit(submission(ada, config())))).toMatchObject({
      status: "succeeded",
      tries: 1,
    });
  });

  test("is cancelled at once, while it waits and while it runs", async () => {
    const aborted: unknown[] = [];
    const jobs = open((run) => never(run).finally(() => aborted.push(run.signal.reason)), {
      tasksAtOnce: 1,
    });
    const waiting = await jobs.submit(submission(ada, config()));
    expect(await jobs.cancel(ada, waiting.id)).toMatchObject({ status: "cancelled", tries: 0 });
    await jobs.start();
    const job = await jobs.submit(submission(ada, config()));
    await expect.poll(async () => (await jobs.get(ada, job.id)).status, { interval: 5 }).toBe("running");
    expect(await jobs.cancel(ada, job.id)).toMatchObject({ status: "cancelled" });
    await expect.poll(() => aborted.length, { interval: 5 }).toBe(1);
    expect(await jobs.cancel(ada, job.id)).toMatchObject({ status: "cancelled" });
    await expect(jobs.cancel(bob, job.id)).rejects.toMatchObject({ status: 404 });
  });

  test("goes back to the queue when the server stops, and goes on with the tasks that are left", async () => {
    const first = open((run) => (run.parameters.n === 1 ? 1 : never(run)), { tasksAtOnce: 1 });
    await first.start();
    const { id } = await first.submit(submission(ada, config([1, 2])));
    await expect.poll(async () => (await first.get(ada, id)).finishedTasks, { interval: 5 }).toBe(1);
    await first.stop();
    expect(await first.get(ada, id)).toMatchObject({ status: "pending", tries: 0, finishedTasks: 1 });
    const seen: unknown[] = [];
    const second = open((run) => void seen.push(run.parameters.n));
    await second.start();
    expect(await untilEnded(second, await second.get(ada, id))).toMatchObject({
      status: "succeeded",
      tries: 1,
    });
    expect(seen).toEqual([2]);
  });

  test("of a server that is gone is taken up when its lease has run out, and fails when that happens too often", async () => {
    let now = Date.now();
    const open2 = (work: Work) => open(work, { now: () => now, leaseMs: 60_000 });
    const gone = open2(never);
    await gone.start();
    const { id } = await gone.submit(submission(ada, config(), { tries: 1 }));
    await expect.poll(async () => (await gone.get(ada, id)).status, { interval: 5 }).toBe("running");
    const next = open2(() => "done");
    await next.start();
    const other = await next.submit(submission(ada, config()));
    await untilEnded(next, other);
    expect(await next.get(ada, id)).toMatchObject({ status: "running", tries: 1 });
    now += 61_000;
    next.wake();
    expect(await untilEnded(next, await next.get(ada, id))).toMatchObject({
      status: "failed",
      error: "it was begun 1 times, and each time the server failed or ended before it was done",
    });
  });

  test("fails where a task had failed before its server was gone, and not where it ignores that", async () => {
    const dead = new JobRecords(db.store, () => Date.now() - 60_000);
    for (const [more, end] of [
      [{}, { status: "failed", error: "task 0 failed before the server ended" }],
      [{ ignore_chunk_error: true }, { status: "succeeded", failedTasks: 1 }],
    ] as const) {
      const jobs = open(() => 1);
      const { id } = await jobs.submit(submission(ada, config([1, 2], more)));
      const claimed = (await dead.claim("dead", 10_000))!;
      await dead.endTask(claimed, "dead", { index: 0, isFailure: true, file: "0.none", bytes: 0 });
      await jobs.start();
      expect(await untilEnded(jobs, await jobs.get(ada, id))).toMatchObject(end);
      await jobs.stop();
    }
  });

  test("is worked on by one of two servers", async () => {
    const runs: string[] = [];
    const servers = ["a", "b"].map((name) =>
      open(({ parameters }) => void runs.push(`${name}${parameters.n}`)),
    );
    const jobs = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => servers[0]!.submit(submission(ada, config([n])))),
    );
    for (const server of servers) await server.start();
    for (const job of jobs) await untilEnded(servers[1]!, job);
    expect(runs.map((run) => run.slice(1)).sort()).toEqual(["1", "2", "3", "4", "5", "6"]);
  });

  test("is refused where it is no UDF, has too many tasks, or there are too many", async () => {
    const jobs = open(() => null);
    const wrong = { name: "j", steps: [{ type: "udf" as const, udf: { code: 1 } }] };
    await expect(jobs.submit(submission(ada, wrong))).rejects.toThrow("its code must be a text");
    const many = config(Array.from({ length: 10_001 }, () => 1));
    await expect(jobs.submit(submission(ada, many))).rejects.toMatchObject({ status: 422 });
    for (let i = 0; i < 500; i++) await jobs.submit(submission(bob, config()));
    await expect(jobs.submit(submission(bob, config()))).rejects.toMatchObject({ status: 429 });
    await jobs.submit(submission(ada, config()));
    expect(await jobs.list(ada, { skip: 0, limit: 5 })).toHaveLength(1);
    expect(await jobs.list(bob, { skip: 490, limit: 100 })).toHaveLength(10);
  });
});

test("a job's log is bounded, says what it has left out, and is read from a time on", async () => {
  const jobs = open((run) => {
    for (let i = 0; i < 6; i++) run.onOutput?.("stdout", "x".repeat(1024 * 1024));
  });
  const waiting = await jobs.submit(submission(ada, config(), { notes: ["No status email"] }));
  // The published client, which follows it, would take it for one that has ended.
  expect(await jobs.log(ada, waiting.id, undefined)).toEqual([]);
  await jobs.start();
  const job = await untilEnded(jobs, waiting);
  const entries = await jobs.log(ada, job.id, undefined);
  const all = entries.map(({ message }) => message).join("");
  expect(all.startsWith("No status email\n")).toBe(true);
  expect(all.length).toBeLessThan(4.1 * 1024 * 1024);
  expect(all).toContain("The log is full: what comes is left out");
  expect(all.slice(-200)).toMatch(/The job is done\n2097152 characters of output were left out\n$/);
  const times = entries.map(({ timestamp }) => timestamp);
  expect(new Set(times).size).toBe(times.length);
  const middle = times[Math.floor(times.length / 2)] as number;
  expect(await jobs.log(ada, job.id, middle)).toEqual(entries.filter(({ timestamp }) => timestamp > middle));
});

test("a job's log and its error are bounded where thousands of tasks fail, too", async () => {
  const message = `ValueError: ${"x".repeat(300_000)}`;
  const jobs = open(() => {
    throw new UdfRuntimeError(message, { type: "ValueError", traceback: message });
  });
  await jobs.start();
  const inputs = Array.from({ length: 50 }, (_, n) => n);
  const many = await jobs.submit(submission(ada, config(inputs, { ignore_chunk_error: true })));
  expect(await untilEnded(jobs, many)).toMatchObject({ status: "succeeded", failedTasks: 50 });
  const log = await text(jobs, many.id);
  expect(log.length).toBeLessThan(4.1 * 1024 * 1024);
  for (const n of inputs) expect(log).toContain(`\n[${n}] ValueError: x`);
  const one = await untilEnded(jobs, await jobs.submit(submission(ada, config())));
  expect([one.status, one.error!.length]).toEqual(["failed", 10_000]);
});

const MONTH = 31 * 86_400_000;
const pause = async () => undefined;
const idsOf = async (jobs: Jobs, user: User) =>
  (await jobs.list(user, { skip: 0, limit: 100 })).map(({ id }) => id);

test("a job is removed a month after its end, with its log; none that goes on is, and results stay", async () => {
  let now = Date.now();
  const jobs = open(() => 1, { now: () => now });
  await jobs.start();
  const done = await jobs.submit(submission(ada, config([1, 2])));
  await untilEnded(jobs, done);
  await jobs.stop();
  const waiting = await jobs.submit(submission(ada, config()));
  expect([...written.keys()].some((path) => path.startsWith(`fd://jobs/${done.id}/`))).toBe(true);
  expect(await jobs.sweep(pause, true)).toBe(0);
  now += MONTH;
  // Not by a clock that may be wrong.
  expect(await jobs.sweep(pause, false)).toBe(0);
  expect(await jobs.sweep(pause, true)).toBe(1);
  expect(await idsOf(jobs, ada)).toEqual([waiting.id]);
  await expect(jobs.get(ada, done.id)).rejects.toMatchObject({ status: 404 });
  for (const collection of ["job-logs", "job-tasks", "job-configs"])
    expect(await db.store.list(`server.${collection}`, { prefix: done.id })).toEqual([]);
  expect([...written.keys()].filter((path) => path.startsWith(`fd://jobs/${done.id}/`))).toHaveLength(4);
});

test("of a user's jobs that have ended, the oldest go where they are too many; another user's stay", async () => {
  let now = Date.now();
  const jobs = open(() => 1, { now: () => now, keepOfUser: 3 });
  const add = async (user: User) => {
    now += 1000;
    const { id } = await jobs.submit(submission(user, config()));
    await jobs.cancel(user, id);
    return id;
  };
  const bobs = await add(bob);
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push(await add(ada));
  expect(await jobs.sweep(pause, false)).toBe(2);
  expect(await idsOf(jobs, ada)).toEqual(ids.slice(2).reverse());
  expect(await idsOf(jobs, bob)).toEqual([bobs]);
});

test("a job whose removal was broken off is removed by the next sweep", async () => {
  const jobs = open(() => 1, { keepOfUser: 0 });
  const { id } = await jobs.submit(submission(ada, config()));
  await jobs.cancel(ada, id);
  const gone = db.store.transact;
  let left = 1;
  db.store.transact = (...args) => (left-- > 0 ? gone(...args) : Promise.reject(new Error("killed")));
  await expect(jobs.sweep(pause, true)).rejects.toThrow("killed");
  db.store.transact = gone;
  expect(await idsOf(jobs, ada)).toEqual([id]);
  expect(await jobs.sweep(pause, true)).toBe(1);
  expect(await idsOf(jobs, ada)).toEqual([]);
});

test("a job of a server that is gone is taken up though the clock was set back, and one that waits is begun", async () => {
  let now = Date.now();
  const dead = new JobRecords(db.store, () => now);
  const leaseMs = 10_000;
  const jobs = open(() => 1, { now: () => now });
  const left = await jobs.submit(submission(ada, config()));
  expect((await dead.claim("dead", leaseMs))?.id).toBe(left.id);
  const alive = new JobRecords(db.store, () => now);
  expect(await alive.claim("alive", leaseMs)).toBeNull();
  // A clock is adjusted by a second now and then: a lease counts.
  now -= 1000;
  expect(await alive.claim("alive", leaseMs)).toBeNull();
  now -= 3_600_000;
  expect((await alive.claim("alive", leaseMs))?.id).toBe(left.id);
  // What the other one does from here on has no effect.
  expect(await dead.beat(left, "dead", leaseMs)).toBe(false);
  await alive.release(left, "alive", { counts: false, delayMs: 5000 });
  expect(await alive.claim("alive", leaseMs)).toBeNull();
  now -= 3_600_000;
  expect((await alive.claim("alive", leaseMs))?.id).toBe(left.id);
});
