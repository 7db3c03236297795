/** Batch jobs: `/run`, `/job`, `/logs`. */
import { createRoute, z } from "@hono/zod-openapi";
import { exactly } from "../exact-json.ts";
import { isEnded, type Job } from "../job.ts";
import { withExact } from "../job-plan.ts";
import type { Jobs } from "../jobs.ts";
import type { App, ServerParts } from "../parts.ts";
import { readRecursion } from "../run-request.ts";
import { answer, errors, events, json, nestedWithin, PageQuery, wholeNumber } from "../schemas.ts";
import { BASE } from "./base.ts";

/** What clients ask for; here all are this machine. */
const INSTANCE_TYPES = [
  "realtime",
  "small",
  "medium",
  "large",
  ...["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"].flatMap((size) => [
    `m5.${size}`,
    `r5.${size}`,
  ]),
  ...["micro", "small", "medium", "large", "xlarge", "2xlarge"].map((size) => `t3.${size}`),
  ...[4, 8, 16, 30, 60].map((cores) => `c2-standard-${cores}`),
  "m3-ultramem-32",
  "m3-ultramem-64",
  "agent",
] as const;

/** Of a config, values for UDFs in it. */
const MOST_NESTED = 200;

const UdfStepBody = z
  .looseObject({
    type: z.literal("udf", { error: 'steps are of type "udf": this server does not ingest' }),
    name: z.string().max(255).nullish(),
    udf: z.looseObject({ name: z.string().max(255).nullish(), code: z.string() }),
    input: z.array(z.unknown()).nullish().openapi({
      description:
        "A task for each: an object is parameters, all else is the first parameter. Null: one task",
    }),
    ignore_chunk_error: z.boolean().optional().openapi({ description: "Go on after a task that failed" }),
    n_processes: z.number().int().min(1).max(10_000).nullish().openapi({ description: "Tasks at once" }),
  })
  .openapi("UdfJobStep");

const ConfigBody = z
  .looseObject({
    name: z
      .string()
      .max(255)
      .regex(/^[a-zA-Z][a-zA-Z0-9_.:-]*$/)
      .nullish(),
    steps: z.array(UdfStepBody).min(1).max(100),
    metadata: z.record(z.string(), z.unknown()).nullish(),
  })
  .refine(nestedWithin(MOST_NESTED), `it is nested deeper than ${MOST_NESTED} levels`)
  .openapi("JobConfig");

const StartBody = z
  .object({
    config: ConfigBody,
    send_status_email: z.boolean().nullish().openapi({ description: "This server sends none" }),
    additional_env: z
      .array(z.string().max(10_000))
      .max(1000)
      .nullish()
      .openapi({ description: "Not used: a UDF has no environment" }),
    image_name: z.string().max(1000).nullish().openapi({ description: "Not used" }),
    cache_max_age: z.number().int().min(0).max(3_153_600_000).nullish().openapi({
      description: "How old kept results may be, in seconds. Default: all run",
    }),
    tries: z.number().int().min(1).max(10).optional().openapi({
      description: "How often the job is begun, where the server ends before it is done. Default: 3",
    }),
  })
  .openapi("StartJob");

const StartQuery = z.object({
  instance_type: z.enum(INSTANCE_TYPES).optional().openapi({ description: "All are this machine" }),
  region: z.string().max(100).optional(),
  disk_size_gb: wholeNumber(0, 100_000).optional(),
  backend: z.string().max(100).optional(),
});

export const RunBody = z
  .object({
    job_id: z.string(),
    job_name: z.string(),
    instance_id: z.string().nullable(),
    instance_type: z.string().nullable(),
    status: z.enum(["pending", "running", "terminated"]),
    terminal_status: z.boolean(),
    last_heartbeat: z.string().nullable(),
    job_status: z.enum(["Pending", "Running", "Done", "Failed", "Canceled"]),
    job_status_date: z.string(),
    finished_job_status: z.boolean(),
    total_tasks: z.number(),
    finished_tasks: z.number(),
    failed_tasks: z.number(),
    error: z.string().nullable(),
  })
  .openapi("Run");

const JobBody = z
  .object({
    id: z.string(),
    name: z.string(),
    user_id: z.string(),
    execution_environment_id: z.string(),
    creation_date: z.string(),
    job_status: RunBody.shape.job_status,
    job_status_date: z.string(),
    instance_id: z.string().nullable(),
    instance_type: z.string().nullable(),
    total_tasks: z.number(),
    finished_tasks: z.number(),
  })
  .openapi("Job");

const LogBody = z
  .object({ message: z.string(), timestamp: z.number().openapi({ description: "Milliseconds since 1970" }) })
  .openapi("LogEntry");

const ResultBody = z
  .object({ name: z.string(), url: z.string(), path: z.string(), size: z.number().nullable() })
  .openapi("ResultFile");

const Id = z.object({ id: z.string().max(255) });
const SinceQuery = z.object({
  since_ms: wholeNumber(0, 100_000_000_000_000).optional().openapi({
    description: "Only what came after: milliseconds since 1970",
  }),
});

const STATUS = {
  pending: "Pending",
  running: "Running",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Canceled",
} as const;
/** The name of this machine among instances. */
const INSTANCE = "local";
/** How often a stream looks for what is new. */
const STREAM_MS = 300;

/** A job as the wire has it. */
export async function runBody(job: Job, jobs: Jobs): Promise<z.infer<typeof RunBody>> {
  const isOver = isEnded(job.status);
  return {
    job_id: job.id,
    job_name: job.name,
    instance_id: job.started === null ? null : INSTANCE,
    instance_type: job.instanceType,
    status: isOver ? "terminated" : (job.status as "pending" | "running"),
    terminal_status: isOver,
    last_heartbeat: isOver ? job.ended : await jobs.lastHeartbeat(job),
    job_status: STATUS[job.status],
    job_status_date: job.changed,
    finished_job_status: isOver,
    total_tasks: job.totalTasks,
    finished_tasks: job.finishedTasks,
    failed_tasks: job.failedTasks,
    error: job.error,
  };
}

export function addJobRoutes(app: App, { jobs, taskResults, streams }: ServerParts): void {
  const tags = ["jobs"];

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/run`,
      tags,
      summary: "Start a batch job",
      request: { query: StartQuery, body: json(StartBody) },
      responses: { 200: answer(RunBody, "The job, which waits or runs"), ...errors() },
    }),
    async (c) => {
      const body = c.req.valid("json");
      const { config, cache_max_age, tries, ...rest } = body;
      const query = c.req.valid("query");
      const job = await jobs.submit({
        owner: c.get("user"),
        config: withExact(config, exactly(body, await c.req.text()).config),
        instanceType: query.instance_type ?? null,
        cacheMaxAge: cache_max_age ?? 0,
        recursion: readRecursion(c.req.header("fused-recursion")),
        tries,
        notes: notesOf({ ...rest, ...query }),
      });
      return c.json(await runBody(job, jobs), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/run/by-id/{id}`,
      tags,
      summary: "A job as it is now",
      request: { params: Id },
      responses: { 200: answer(RunBody, "The job"), ...errors(404) },
    }),
    async (c) => c.json(await runBody(await jobs.get(c.get("user"), c.req.valid("param").id), jobs), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/run/by-id/{id}/cancel`,
      tags,
      summary: "Cancel a job",
      request: { params: Id },
      responses: { 200: answer(RunBody, "The job, which has ended"), ...errors(404) },
    }),
    async (c) => c.json(await runBody(await jobs.cancel(c.get("user"), c.req.valid("param").id), jobs), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/run/by-id/{id}/results`,
      tags,
      summary: "The files of the tasks that have ended",
      description:
        "Two for each: the result, and what is said about its run (`.metadata`). Each URL can be used without a token for an hour.",
      request: { params: Id },
      responses: { 200: answer(z.array(ResultBody), "The files"), ...errors(404) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const user = c.get("user");
      return c.json(await taskResults.sign(user, id, await jobs.tasks(user, id)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/job/self`,
      tags,
      summary: "One's jobs, the newest first",
      request: { query: PageQuery },
      responses: { 200: answer(z.array(JobBody), "The jobs"), ...errors() },
    }),
    async (c) => {
      const found = await jobs.list(c.get("user"), c.req.valid("query"));
      return c.json(found.map(jobBody), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/job/by-id/{id}/config`,
      tags,
      summary: "What a job runs",
      description: "Redirects to a URL that can be used without a token for an hour.",
      request: { params: Id },
      responses: {
        307: { description: "Where the config lies", headers: z.object({ location: z.string() }) },
        ...errors(404),
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const user = c.get("user");
      return c.redirect(await taskResults.signConfig(user, id, await jobs.config(user, id)), 307);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/logs/{id}`,
      tags,
      summary: "The log of a job",
      request: { params: Id, query: SinceQuery },
      responses: { 200: answer(z.array(LogBody), "Its entries"), ...errors(404) },
    }),
    async (c) => {
      const { since_ms } = c.req.valid("query");
      return c.json(await jobs.log(c.get("user"), c.req.valid("param").id, since_ms), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/logs/{id}/stream`,
      tags,
      summary: "The log of a job, as it is written",
      description: "Events `log`, each an entry, and `end` with the job once it has ended.",
      request: { params: Id, query: SinceQuery },
      responses: {
        200: events("Server-sent events"),
        ...errors(404),
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const user = c.get("user");
      await jobs.get(user, id);
      let since = c.req.valid("query").since_ms;
      return streams.answer(c, async (stream, signal) => {
        while (!signal.aborted) {
          // The job first: what is logged before its end is then in the log.
          const job = await jobs.get(user, id);
          for (const entry of await jobs.log(user, id, since)) {
            await stream.writeSSE({ event: "log", id: String(entry.timestamp), data: JSON.stringify(entry) });
            since = entry.timestamp;
          }
          if (isEnded(job.status)) {
            await stream.writeSSE({ event: "end", data: JSON.stringify(await runBody(job, jobs)) });
            return;
          }
          await stream.sleep(STREAM_MS);
        }
      });
    },
  );
}

const jobBody = (job: Job): z.infer<typeof JobBody> => ({
  id: job.id,
  name: job.name,
  user_id: job.ownerId,
  execution_environment_id: job.team,
  creation_date: job.created,
  job_status: STATUS[job.status],
  job_status_date: job.changed,
  instance_id: job.started === null ? null : INSTANCE,
  instance_type: job.instanceType,
  total_tasks: job.totalTasks,
  finished_tasks: job.finishedTasks,
});

/** What was asked for and has no effect here, for the log of the job. The published client always asks for a credential provider. */
function notesOf(asked: z.infer<typeof StartQuery> & Omit<z.infer<typeof StartBody>, "config">): string[] {
  const names = (asked.additional_env ?? [])
    .map((text) => text.split("=")[0] ?? "")
    .filter((name) => name !== "FUSED_CREDENTIAL_PROVIDER");
  return [
    ...(asked.send_status_email ? ["No status email is sent: this server sends none"] : []),
    ...(names.length > 0 ? [`Not used: the environment variables ${names.join(", ").slice(0, 1000)}`] : []),
    ...(asked.image_name ? ["Not used: the image name"] : []),
    ...(asked.region || asked.disk_size_gb
      ? ["Not used: region and disk size; jobs run on this machine"]
      : []),
  ];
}
