/** Schedules: `/cronjob`. */
import { createRoute, z } from "@hono/zod-openapi";
import type { App, ServerParts } from "../parts.ts";
import type { HistoryEntry, Schedule } from "../schedule-records.ts";
import type { ScheduleFields } from "../schedules.ts";
import { answer, errors, json, nestedWithin } from "../schemas.ts";
import { BASE } from "./base.ts";
import { RunBody, runBody } from "./jobs.ts";

/** Numbers of one field. */
const times = (least: number, most: number, description: string, fewest = 1) =>
  z
    .array(z.number().int().min(least).max(most))
    .min(fewest)
    .max(most - least + 1)
    .openapi({ description });

const MOST_NESTED = 100;

const Fields = {
  name: z.string().min(1).max(255),
  description: z.string().max(10_000).nullable(),
  enabled: z.boolean(),
  minute: times(0, 59, "Minutes of the hour"),
  hour: times(0, 23, "Hours of the day"),
  day_of_month: times(1, 31, "Days of the month; none is every day", 0),
  month: times(1, 12, "Months; none is every month", 0),
  day_of_week: times(0, 6, "Days of the week; 0 is Sunday, none is every day", 0),
  udf: z.string().max(255).openapi({ description: "The id of the UDF" }),
  udf_args: z
    .record(z.string().max(255), z.unknown())
    .refine(nestedWithin(MOST_NESTED), `it is nested deeper than ${MOST_NESTED} levels`)
    .nullable(),
};

const timezone = z
  .string()
  .min(1)
  .max(64)
  .optional()
  .openapi({ description: "A name such as Europe/Berlin. Default: UTC, or what it was" });

const NewCronJob = z
  .object({
    ...Fields,
    description: Fields.description.optional(),
    enabled: Fields.enabled.default(true),
    udf_args: Fields.udf_args.optional(),
    timezone,
  })
  .openapi("NewCronJob", { description: "It is due whenever all five fields fit" });

const CronJobChanges = z
  .object({ ...Fields, timezone })
  .partial()
  .openapi("CronJobChanges", { description: "What is left out stays as it is" });

const CronJob = z
  .object({
    ...Fields,
    id: z.string(),
    execution_environment_id: z.string(),
    timezone: z.string(),
    last_run: z.string().nullable(),
    next_run: z.string().nullable(),
    disabled_reason: z.string().nullable().openapi({
      description: "Why the server has turned it off: its UDF was deleted",
    }),
  })
  .openapi("CronJob");

const HistoryBody = z
  .object({
    due: z.string(),
    cause: z.enum(["schedule", "user"]),
    status: z.enum(["pending", "running", "succeeded", "failed", "cancelled", "skipped", "missed"]),
    job_id: z.string().nullable(),
    started: z.string().nullable(),
    ended: z.string().nullable(),
    duration_ms: z.number().nullable(),
    error: z.string().nullable(),
    note: z.string().nullable(),
  })
  .openapi("CronJobRun");

const Id = z.object({ id: z.string().max(255) });

export function addScheduleRoutes(app: App, { schedules, jobs }: ServerParts): void {
  const tags = ["schedules"];

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/cronjob/create`,
      tags,
      summary: "Schedule a UDF",
      request: { body: json(NewCronJob) },
      responses: { 200: answer(CronJob, "The schedule"), ...errors(404, 409) },
    }),
    async (c) => {
      const fields = fieldsOf(c.req.valid("json"), await c.req.text());
      return c.json(toBody(await schedules.create(c.get("user"), fields)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/cronjob/get-self`,
      tags,
      summary: "One's schedules, and the team's of UDFs that one may read",
      responses: { 200: answer(z.array(CronJob), "The schedules"), ...errors() },
    }),
    async (c) => c.json((await schedules.list(c.get("user"))).map(toBody), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/cronjob/by-udf-id/{id}`,
      tags,
      summary: "One's schedules of a UDF",
      request: { params: Id },
      responses: { 200: answer(z.array(CronJob), "The schedules"), ...errors() },
    }),
    async (c) => c.json((await schedules.ofUdf(c.get("user"), c.req.valid("param").id)).map(toBody), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/cronjob/by-id/{id}`,
      tags,
      summary: "A schedule",
      request: { params: Id },
      responses: { 200: answer(CronJob, "The schedule"), ...errors(404) },
    }),
    async (c) => c.json(toBody(await schedules.get(c.get("user"), c.req.valid("param").id)), 200),
  );

  // The published client sends POST; PUT is what it says.
  for (const method of ["post", "put"] as const) {
    app.openapi(
      createRoute({
        method,
        path: `${BASE}/cronjob/by-id/{id}`,
        tags,
        summary: "Change a schedule",
        request: { params: Id, body: json(CronJobChanges) },
        responses: { 200: answer(CronJob, "The schedule as it is now"), ...errors(404) },
      }),
      async (c) => {
        const { id } = c.req.valid("param");
        const before = toBody(await schedules.get(c.get("user"), id));
        const changes = c.req.valid("json") as Partial<typeof before>;
        const fields = fieldsOf({ ...before, ...changes }, await c.req.text());
        return c.json(toBody(await schedules.update(c.get("user"), id, fields)), 200);
      },
    );
  }

  app.openapi(
    createRoute({
      method: "delete",
      path: `${BASE}/cronjob/by-id/{id}`,
      tags,
      summary: "Delete a schedule",
      request: { params: Id },
      responses: { 200: answer(CronJob, "The schedule as it was"), ...errors(404) },
    }),
    async (c) => c.json(toBody(await schedules.delete(c.get("user"), c.req.valid("param").id)), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/cronjob/user-run/by-id/{id}`,
      tags,
      summary: "Run a schedule's UDF now, as a job",
      request: { params: Id },
      responses: {
        200: answer(z.object({ run: RunBody, cronjob: CronJob }), "The job and the schedule"),
        ...errors(404),
      },
    }),
    async (c) => {
      const { schedule, job } = await schedules.runNow(c.get("user"), c.req.valid("param").id);
      return c.json({ run: await runBody(job, jobs), cronjob: toBody(schedule) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/cronjob/by-id/{id}/history`,
      tags,
      summary: "The last 100 runs of a schedule and those that were left out, the newest first",
      request: { params: Id },
      responses: { 200: answer(z.array(HistoryBody), "The runs"), ...errors(404) },
    }),
    async (c) =>
      c.json((await schedules.history(c.get("user"), c.req.valid("param").id)).map(historyBody), 200),
  );
}

/** @param text of the body: integers of more than 53 bits are kept as texts of all their digits, which annotations turn back */
function fieldsOf(body: z.infer<typeof NewCronJob>, text: string): ScheduleFields {
  const exact = (_name: string, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? "")
      ? source
      : value;
  const { udf_args: udfArgs = body.udf_args } = JSON.parse(text, exact) as Pick<typeof body, "udf_args">;
  return {
    name: body.name,
    description: body.description ?? null,
    enabled: body.enabled,
    minute: body.minute,
    hour: body.hour,
    dayOfMonth: orAll(body.day_of_month, 1, 31),
    month: orAll(body.month, 1, 12),
    dayOfWeek: orAll(body.day_of_week, 0, 6),
    udfId: body.udf,
    udfArgs: (udfArgs ?? null) as ScheduleFields["udfArgs"],
    ...(body.timezone === undefined ? {} : { timezone: body.timezone }),
  };
}

const orAll = (values: number[], least: number, most: number) =>
  values.length > 0 ? values : Array.from({ length: most - least + 1 }, (_, i) => least + i);

const toBody = (schedule: Schedule): z.infer<typeof CronJob> => ({
  id: schedule.id,
  name: schedule.name,
  description: schedule.description,
  execution_environment_id: schedule.team,
  enabled: schedule.enabled,
  minute: [...schedule.minute],
  hour: [...schedule.hour],
  day_of_month: [...schedule.dayOfMonth],
  month: [...schedule.month],
  day_of_week: [...schedule.dayOfWeek],
  timezone: schedule.timezone,
  udf: schedule.udfId,
  udf_args: schedule.udfArgs,
  last_run: schedule.lastRun,
  next_run: schedule.nextRun === null ? null : new Date(schedule.nextRun).toISOString(),
  disabled_reason: schedule.disabledReason,
});

const historyBody = ({ jobId, started, ended, ...rest }: HistoryEntry): z.infer<typeof HistoryBody> => ({
  ...rest,
  job_id: jobId,
  started,
  ended,
  duration_ms: started !== null && ended !== null ? Date.parse(ended) - Date.parse(started) : null,
});
