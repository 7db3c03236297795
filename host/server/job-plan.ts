/** What a job runs: its config as the wire has it, read as a list of tasks. */
import { isRecord } from "../../runtime/record.ts";

/** A step that runs a UDF. */
export interface UdfStep {
  readonly type: "udf";
  readonly udf: Readonly<Record<string, unknown>>;
  /** A task for each: an object is parameters, all else is the first parameter. Null: one task without. */
  readonly input?: readonly unknown[] | null | undefined;
  /** Whether the job goes on after a task that failed. */
  readonly ignore_chunk_error?: boolean | undefined;
  /** How many tasks at once, if the server has room for them. */
  readonly n_processes?: number | null | undefined;
}

export interface JobConfig {
  readonly name?: string | null | undefined;
  readonly steps: readonly UdfStep[];
}

export interface Task {
  /** Counts through all steps, from 0. */
  readonly index: number;
  /** Undefined: no parameters. */
  readonly input: unknown;
}

/** A config whose UDFs and inputs have exact numbers, as `exact` has them (exact-json.ts): all else is read here, and is no data. */
export function withExact<Config extends JobConfig>(config: Config, exact: JobConfig): Config {
  const steps = config.steps.map((step, index) => {
    const { udf, input } = exact.steps[index] as UdfStep;
    return { ...step, udf, input };
  });
  return { ...config, steps };
}

/** The tasks of each step. */
export function tasksOf({ steps }: JobConfig): Task[][] {
  let index = 0;
  return steps.map(({ input }) => (input ?? [undefined]).map((item) => ({ index: index++, input: item })));
}

export function countTasks(config: JobConfig): number {
  return tasksOf(config).reduce((sum, tasks) => sum + tasks.length, 0);
}

/** The name of a step's UDF. */
export function nameOf({ udf }: UdfStep): string {
  return typeof udf.name === "string" && udf.name !== "" ? udf.name : "udf";
}

/** Whether an input is parameters by their names. A number that is raw JSON is an object, too. */
export const isNamed = (input: unknown): input is Record<string, unknown> =>
  isRecord(input) && !JSON.isRawJSON?.(input);

/**
 * The parameters of a task.
 * @param first the name of the UDF's first parameter
 * @returns null where there is a value for a first parameter, and the UDF has none
 */
export function parametersOf(input: unknown, first: string | undefined): Record<string, unknown> | null {
  if (input === undefined) return {};
  if (isNamed(input)) return input;
  return first === undefined ? null : { [first]: input };
}
