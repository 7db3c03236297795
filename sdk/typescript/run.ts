/** Running other UDFs from a TypeScript UDF. */
import type { NestedRun } from "../../host/udfs/binding.ts";
import { door } from "./door.ts";
import type { Tile } from "./udf.ts";

/**
 * Runs another UDF by its name, with what this run may do and never more. Needs the permission `run` for the name.
 * @param options `tile` makes it a run of that tile
 * @returns its value; a table, an array or a document as `fuselet/udf` has them
 * @throws an Error named UdfRuntimeError, whose `type` is the class of what the other UDF raised; PermissionDeniedError;
 *   UsageError where there is no such UDF or runs are nested more than 5 deep
 */
export async function run(
  name: string,
  parameters: Readonly<Record<string, unknown>> = {},
  { tile }: { tile?: Tile } = {},
): Promise<unknown> {
  const { value, failure } = (await door.call("udfs.run", name, parameters, tile ?? null)) as NestedRun;
  if (!failure) return value;
  const error = Object.assign(new Error(failure.message), { type: failure.type });
  error.name = "UdfRuntimeError";
  throw error;
}
