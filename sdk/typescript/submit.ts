/** Many runs of one UDF, several at a time. */
import { UsageError } from "../../runtime/errors.ts";
import type { RunResult } from "../../runtime/result.ts";
import type { RunOptions } from "./compose.ts";

export interface SubmitOptions extends Omit<RunOptions, "parameters"> {
  /** Runs under way at once. Default: the pool's `maxIsolates`. */
  maxWorkers?: number;
}

/** The parameters of one run: an object, or a single value for the UDF's first parameter is the caller's to name. */
function parametersOf(entry: unknown, position: number): Record<string, unknown> {
  if (entry !== null && typeof entry === "object" && !Array.isArray(entry))
    return entry as Record<string, unknown>;
  throw new UsageError(
    `Cannot submit: entry ${position} must be an object of parameters: received ${JSON.stringify(entry)}`,
  );
}

/** @throws what the first failing run throws (in order); runs that have not started then never do. */
export async function* submit(
  run: (options: RunOptions) => Promise<RunResult>,
  argumentList: Iterable<unknown>,
  maxIsolates: number,
  { maxWorkers = maxIsolates, signal, ...options }: SubmitOptions = {},
): AsyncGenerator<RunResult> {
  if (!Number.isInteger(maxWorkers) || maxWorkers < 1) {
    throw new UsageError(`Cannot submit: maxWorkers must be a whole number above 0: received ${maxWorkers}`);
  }
  const list = [...argumentList].map(parametersOf);
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
