/** Schedules: UDFs that a server runs at given times. */
import { UsageError } from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import { fromWire, inPath, listFromWire } from "./answers.ts";
import type { Connection } from "./connection.ts";
import type { JobStatus } from "./jobs.ts";

/** A schedule, in UTC: the UDF runs whenever all five fit. */
export interface CronJob {
  id: string;
  name: string;
  description: string | null;
  executionEnvironmentId: string | null;
  enabled: boolean;
  /** 0 to 59. */
  minute: number[];
  /** 0 to 23. */
  hour: number[];
  dayOfMonth: number[];
  /** 1 to 12. */
  month: number[];
  /** 0 (Sunday) to 6. */
  dayOfWeek: number[];
  /** The id of the UDF. */
  udf: string;
  udfArgs: Readonly<Record<string, unknown>> | null;
  /** An ISO text. */
  lastRun: string | null;
}

/** When a UDF is to run, and with what. */
export interface ScheduleOptions {
  /** 0 to 59. */
  minute: number | readonly number[];
  /** 0 to 23, in UTC. */
  hour: number | readonly number[];
  /** 1 to 31. Default: every day */
  dayOfMonth?: number | readonly number[];
  /** 1 to 12. Default: every month */
  month?: number | readonly number[];
  /** 0 (Sunday) to 6. Default: every day */
  dayOfWeek?: number | readonly number[];
  /** Parameters of the runs. */
  udfArgs?: Readonly<Record<string, unknown>>;
  /** Default: true */
  enabled?: boolean;
  description?: string;
}

/** A UDF that a server has. */
export interface FoundUdf {
  id: string;
  name: string;
}

/** @param find finds, or saves, what is to be scheduled */
export function scheduleFunctions<Udf>(connection: Connection, find: (udf: Udf) => Promise<FoundUdf>) {
  const one = async (path: string, method = "GET", json?: unknown) =>
    fromWire<CronJob>(await connection.json(path, { method, json }), "a schedule");
  const list = async (path: string) => listFromWire<CronJob>(await connection.json(path), "schedules");

  return {
    /**
     * Runs a UDF at given times. One that has a schedule already gets this one in its place.
     * @throws UsageError for times that do not exist, ServerError
     */
    async scheduleUdf(udf: Udf, options: ScheduleOptions): Promise<CronJob> {
      const times = {
        minute: numbers("minute", options.minute, 0, 59),
        hour: numbers("hour", options.hour, 0, 23),
        day_of_month: numbers("dayOfMonth", options.dayOfMonth, 1, 31),
        month: numbers("month", options.month, 1, 12),
        day_of_week: numbers("dayOfWeek", options.dayOfWeek, 0, 6),
      };
      const { id, name } = await find(udf);
      const body = {
        name,
        description: options.description ?? null,
        enabled: options.enabled ?? true,
        ...times,
        udf: id,
        udf_args: options.udfArgs ?? null,
      };
      const [known] = await list(`cronjob/by-udf-id/${inPath(id)}`);
      return known
        ? one(`cronjob/by-id/${inPath(known.id)}`, "PUT", body)
        : one("cronjob/create", "POST", body);
    },

    /** The schedules of your team. */
    scheduleList: (): Promise<CronJob[]> => list("cronjob/get-self"),

    /** A schedule as it is now. */
    scheduleGet: (id: string): Promise<CronJob> => one(`cronjob/by-id/${inPath(id)}`),

    /** Saves the changes of a schedule. */
    scheduleUpdate: (job: CronJob): Promise<CronJob> =>
      one(`cronjob/by-id/${inPath(job.id)}`, "PUT", {
        name: job.name,
        description: job.description,
        enabled: job.enabled,
        minute: job.minute,
        hour: job.hour,
        day_of_month: job.dayOfMonth,
        month: job.month,
        day_of_week: job.dayOfWeek,
        udf: job.udf,
        udf_args: job.udfArgs,
      }),

    /** Deletes a schedule. @returns it as it was */
    scheduleDelete: (id: string): Promise<CronJob> => one(`cronjob/by-id/${inPath(id)}`, "DELETE"),

    /** Runs a schedule's UDF now, as a job. */
    async scheduleRun(id: string): Promise<{ run: JobStatus; cronjob: CronJob }> {
      const answer = await connection.json(`cronjob/user-run/by-id/${inPath(id)}`, {
        method: "POST",
        json: {},
      });
      const { run, cronjob } = isRecord(answer) ? answer : {};
      return {
        run: fromWire<JobStatus>(run, "the job"),
        cronjob: fromWire<CronJob>(cronjob, "the schedule"),
      };
    },
  };
}

/** @throws UsageError */
function numbers(
  name: string,
  given: number | readonly number[] | undefined,
  least: number,
  most: number,
): number[] {
  if (given === undefined) return Array.from({ length: most - least + 1 }, (_, at) => least + at);
  const list = typeof given === "number" ? [given] : [...given];
  if (list.length > 0 && list.every((one) => Number.isInteger(one) && one >= least && one <= most))
    return list;
  throw new UsageError(
    `Cannot schedule: ${name} must be whole numbers from ${least} to ${most}: received ${JSON.stringify(given)}`,
  );
}
