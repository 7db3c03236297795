/** How old a kept result may be that answers a run: as its request says, else as the UDF does. */
import { UdfLoadError, UsageError } from "../../runtime/errors.ts";
import { memoBySource } from "../../runtime/memo.ts";
import { AGE_RULE, parseAge } from "../cache/age.ts";
import type { ServerRun, UdfRunner } from "./parts.ts";

/** Most UDFs say no age: no need to read them to see that. */
const MAY_SAY_AGE = /cache_?max_?age/i;

/**
 * Makes a function that gives the age of a run in milliseconds; 0: it is run, and its result is not kept; undefined: nobody says one.
 * It throws UsageError for an age that is none, UdfLoadError for one of the UDF.
 */
export function cacheAges(
  runner: Pick<UdfRunner, "inspect">,
): (run: Pick<ServerRun, "cacheMaxAge" | "source">) => Promise<number | undefined> {
  const read = memoBySource(async (source) => (await runner.inspect(source)).metadata.cacheMaxAge);
  return async ({ cacheMaxAge, source }) => {
    if (cacheMaxAge !== undefined) return readAge(cacheMaxAge, UsageError);
    const { cacheMaxAge: said } = source.metadata;
    // Null: whoever sent it has read it, and there is none.
    if (said === null) return undefined;
    const own = said ?? (MAY_SAY_AGE.test(source.code) ? await read(source) : undefined);
    return own === undefined || own === null ? undefined : readAge(own, UdfLoadError);
  };
}

function readAge(age: unknown, Refusal: new (message: string) => Error): number {
  const ms = parseAge(age);
  if (ms !== undefined) return ms;
  throw new Refusal(
    `Cannot run: the age of kept results must be ${AGE_RULE}: received ${JSON.stringify(age)?.slice(0, 100)}`,
  );
}
