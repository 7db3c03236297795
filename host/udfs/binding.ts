/** The binding `udfs`: a UDF runs another one, by its name. */
import { UdfRuntimeError, UsageError } from "../../runtime/errors.ts";
import type { Tile, UdfSource } from "../../runtime/udf.ts";
import type { Binding } from "../host.ts";

/** How deep runs may be nested: `max_recursion_factor` of the reference. */
export const MOST_NESTED = 5;

/** Finds what a name stands for. @returns null where there is no such UDF */
export type FindUdf = (name: string) => Promise<UdfSource | null>;

/** What a nested run gave: its value, or how it raised; and its output. */
export interface NestedRun {
  value: unknown;
  failure: { type: string; message: string; traceback: string } | null;
  stdout: string;
  stderr: string;
}

/**
 * Makes the binding.
 *
 *     run(name, parameters, tile)   asks for `run` of that name, runs the UDF, and gives what came of it (`NestedRun`)
 *
 * @throws UsageError for an argument that is wrong, a name that no UDF has, or runs that are nested too deep
 */
export function udfBinding(find: FindUdf): Binding {
  return {
    async run([name, parameters, tile], call): Promise<NestedRun> {
      if (typeof name !== "string")
        throw new UsageError(`Cannot run a UDF: its name must be a text: received ${typeof name}`);
      if (!isRecord(parameters))
        throw new UsageError(`Cannot run ${JSON.stringify(name)}: parameters must be an object`);
      const { value: granted } = await call.require("run", name);
      const { context } = call;
      if (context.recursionFactor >= MOST_NESTED) {
        throw new UsageError(
          `Cannot run ${JSON.stringify(granted)}: runs are nested ${context.recursionFactor} deep, and at most ${MOST_NESTED} are allowed`,
        );
      }
      const source = await find(granted);
      if (!source)
        throw new UsageError(`Cannot run ${JSON.stringify(granted)}: there is no UDF of that name`);
      try {
        const { raw, stdout, stderr } = await call.run(source, {
          parameters,
          // The runtime checks it.
          ...(isRecord(tile) ? { tile: tile as unknown as Tile } : {}),
          context: { ...context, recursionFactor: context.recursionFactor + 1 },
        });
        return { value: raw, failure: null, stdout, stderr };
      } catch (error) {
        if (!(error instanceof UdfRuntimeError)) throw error;
        const {
          type,
          message,
          traceback,
          stdout = "",
          stderr = "",
        } = error as UdfRuntimeError & Partial<NestedRun>;
        return { value: null, failure: { type, message, traceback }, stdout, stderr };
      }
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
