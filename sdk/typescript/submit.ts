/** Many runs of one UDF, several at a time. */
import { UsageError } from "../../runtime/errors.ts";
import type { RunResult } from "../../runtime/result.ts";
import type { RunOptions } from "./compose.ts";

export interface SubmitOptions extends Omit<RunOptions, "parameters"> {
  /** Runs under way at once. Default: the pool's `maxIsolates`. */
  maxWorkers?: number;
}

const isParameters = (entry: unknown): entry is Record<string, unknown> =>
  typeof entry === "object" && entry !== null && Object.getPrototypeOf(entry) === Object.prototype;

/**
 * Objects of parameters; or, where the first entry is none, values of the UDF's first parameter.
 * @throws UsageError where there is no such parameter, or the first entry is an object and another one is none
 */
async function parametersOf(
  list: readonly unknown[],
  firstParameter: () => Promise<string | undefined>,
): Promise<Record<string, unknown>[]> {
  if (list.length === 0) return [];
  if (isParameters(list[0])) {
    const wrong = list.findIndex((entry) => !isParameters(entry));
    if (wrong < 0) return list as Record<string, unknown>[];
    throw new UsageError(
      `Cannot submit: entry ${wrong} must be an object of parameters, as entry 0 is: received ${typeof list[wrong]}`,
    );
  }
  const name = await firstParameter();
  if (name === undefined)
    throw new UsageError(
      "Cannot submit: entry 0 must be an object of parameters: the UDF has no parameter that a value could be for",
    );
  return list.map((entry) => ({ [name]: entry }));
}

/** @throws what the first failing run throws (in order); runs that have not started then never do. */
export async function* submit(
  run: (options: RunOptions) => Promise<RunResult>,
  argumentList: Iterable<unknown>,
  { maxIsolates, firstParameter }: { maxIsolates: number; firstParameter(): Promise<string | undefined> },
  { maxWorkers = maxIsolates, signal, ...options }: SubmitOptions = {},
): AsyncGenerator<RunResult> {
  if (!Number.isInteger(maxWorkers) || maxWorkers < 1) {
    throw new UsageError(`Cannot submit: maxWorkers must be a whole number above 0: received ${maxWorkers}`);
  }
  const list = await parametersOf([...argumentList], firstParameter);
  const stop = new AbortController();
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const underWay: Promise<RunResult>[] = [];
  let next = 0;
  const start = () => {
    const promise = run({ ...options, parameters: list[next++] as Record<string, unknown>, signal: both });
    promise.catch(() => {});
    underWay.push(promise);
  };
  try {
    while (next < Math.min(maxWorkers, list.length)) start();
    for (let position = 0; position < list.length; position++) {
      const result = await (underWay[position] as Promise<RunResult>);
      if (next < list.length) start();
      yield result;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(underWay);
  }
}
