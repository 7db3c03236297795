/** Running other UDFs from a TypeScript UDF. */
import { AGE_RULE, parseAge } from "../../host/cache/age.ts";
import type { NestedRun } from "../../host/udfs/binding.ts";
import type { FinishedRun, RunFailure } from "../../host/udfs/nested-runs.ts";
import { door } from "./door.ts";
import type { Tile } from "./udf.ts";

/**
 * Runs another UDF by its name, with what this run may do and never more. Needs the permission `run` for the name.
 * @param options `tile` makes it a run of that tile; with `cacheMaxAge` (`"12h"`, or seconds) a result of an earlier run that is not older
 *   counts as well, and what comes of this one is kept, where the permission `cache` is granted; with an `instanceType` (`realtime`,
 *   `m5.large`, …) the runtime's server runs it, which needs the permission `remote` for that, too
 * @returns its value; a table, an array or a document as `fuselet/udf` has them
 * @throws an Error named UdfRuntimeError, whose `type` is the class of what the other UDF raised; PermissionDeniedError;
 *   UsageError where there is no such UDF or runs are nested more than 5 deep
 */
export async function run(
  name: string,
  parameters: Readonly<Record<string, unknown>> = {},
  {
    tile,
    cacheMaxAge = 0,
    instanceType,
  }: { tile?: Tile; cacheMaxAge?: number | string; instanceType?: string } = {},
): Promise<unknown> {
  const age = parseAge(cacheMaxAge);
  if (age === undefined) {
    throw new RangeError(
      `Cannot run: cacheMaxAge must be ${AGE_RULE}: received ${JSON.stringify(cacheMaxAge)}`,
    );
  }
  const rest = instanceType === undefined ? (age > 0 ? [age] : []) : [age, instanceType];
  const answer = await door.call("udfs.run", name, parameters, tile ?? null, ...rest);
  const { value, failure } = answer as NestedRun;
  if (!failure) return value;
  throw raised(failure);
}

/** How `submit` runs a UDF over a list. */
export interface SubmitOptions {
  /** Runs that are started at once; there are as many under way as the host has isolates for. Default: 32 */
  maxWorkers?: number;
  /** Puts what a run threw in the place of its value, in place of throwing the first of them. Default: false */
  returnErrors?: boolean;
}

/** What became of runs, by their number: who waits for one, and those that nobody has asked about yet. */
const waiting = new Map<number, (run: FinishedRun) => void>();
const early = new Map<number, FinishedRun>();
const MOST_IN_A_CALL = 100;

/**
 * Runs another UDF by its name once for each entry of a list, several at a time, with what this run may do and never more. Needs the
 * permission `run` for the name.
 * @param list the parameters of each run
 * @returns their values in the order of the list
 * @throws what the first failing run threw, as `run` does, once all have ended; what `run` throws
 */
export async function submit(
  name: string,
  list: readonly Readonly<Record<string, unknown>>[],
  { maxWorkers = 32, returnErrors = false }: SubmitOptions = {},
): Promise<unknown[]> {
  if (!Number.isInteger(maxWorkers) || maxWorkers < 1)
    throw new RangeError(`Cannot submit: maxWorkers must be a whole number above 0: received ${maxWorkers}`);
  const results: unknown[] = [];
  const errors = new Map<number, Error>();
  let next = 0;
  let open = 0;
  const start = async () => {
    const sets = list.slice(next, next + Math.min(maxWorkers - open, MOST_IN_A_CALL));
    if (sets.length === 0) return;
    for (const id of (await door.call("udfs.start", name, sets, null)) as number[]) {
      const position = next++;
      open++;
      const settle = (run: FinishedRun) => {
        open--;
        const error = run.failure ? raised(run.failure) : run.error ? refused(run.error) : undefined;
        if (error) errors.set(position, error);
        results[position] = error ?? run.value;
      };
      const ended = early.get(id);
      early.delete(id);
      if (ended) settle(ended);
      else waiting.set(id, settle);
    }
  };
  while (next < list.length || open > 0) {
    await start();
    if (open > 0 || next < list.length) await takeEnded();
  }
  const first = Math.min(...errors.keys());
  if (errors.size > 0 && !returnErrors) throw errors.get(first);
  return results;
}

async function takeEnded(): Promise<void> {
  for (const run of (await door.call("udfs.take", 60_000)) as FinishedRun[]) {
    const settle = waiting.get(run.id);
    waiting.delete(run.id);
    if (settle) settle(run);
    else early.set(run.id, run);
  }
}

function raised({ message, type }: RunFailure): Error {
  const error = Object.assign(new Error(message), { type });
  error.name = "UdfRuntimeError";
  return error;
}

function refused(told: object): Error {
  const { type, message } = told as { type: string; message: string };
  const error = new Error(message);
  error.name = type;
  return error;
}
