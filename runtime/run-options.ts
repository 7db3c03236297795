/** The options of a run, checked once. */
import { ParameterError, ResultError, UsageError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { Tile } from "./udf.ts";
import { type Encoded, encodeValue } from "./value.ts";

/** On whose behalf something runs when nobody says so. */
export const DEFAULT_PRINCIPAL = "local";

export interface RunOptions {
  /** By name. What may cross: see runtime/value.ts. */
  parameters?: Readonly<Record<string, unknown>>;
  /** Makes it a tile run. */
  tile?: Tile;
  /** On whose behalf: runs of different principals never share a process. Default `"local"`. */
  principal?: string;
  /**
   * Whose `fd://` files and secrets it uses: a run for a stranger, by a link that the owner gave away, has a principal of its own and is
   * still about the owner's. Default: the principal.
   */
  owner?: string;
  /** Narrows what the runtime was made with. */
  permissions?: unknown;
  /** What the run is told about itself: who asked for it, and how. */
  context?: unknown;
  /** Narrows the runtime's limits. */
  limits?: Partial<Limits>;
  /** Where results are kept: those that were kept under another one do not count. */
  cacheEpoch?: string;
  /** Ends the run at once, whatever it does. */
  signal?: AbortSignal;
  /** The UDF's output while it runs. */
  onOutput?: (stream: "stdout" | "stderr", text: string) => void;
}

const RUN_OPTIONS = new Set([
  "parameters",
  "tile",
  "principal",
  "owner",
  "permissions",
  "context",
  "limits",
  "cacheEpoch",
  "signal",
  "onOutput",
  // The SDK makes an age of these two.
  "cacheMaxAge",
  "cache",
]);

/** Checks the options of a run once; after this they are trusted. */
export function checkOptions(options: RunOptions): void {
  for (const name of Object.keys(options)) {
    if (!RUN_OPTIONS.has(name)) {
      throw new UsageError(
        `Cannot run: the option ${JSON.stringify(name)} is unknown; options are ${[...RUN_OPTIONS].join(", ")}`,
      );
    }
  }
  const { parameters, tile } = options;
  if (
    parameters !== undefined &&
    (typeof parameters !== "object" || parameters === null || Array.isArray(parameters))
  ) {
    throw new UsageError(`Cannot run: parameters must be an object: received ${JSON.stringify(parameters)}`);
  }
  for (const name of ["principal", "owner", "cacheEpoch"] as const) {
    const { [name]: value } = options;
    if (value !== undefined && (typeof value !== "string" || value === "")) {
      throw new UsageError(
        `Cannot run: ${name} must be a text that is not empty: received ${JSON.stringify(value)}`,
      );
    }
  }
  if (tile !== undefined) {
    const { x, y, z } = tile;
    const side = 2 ** z;
    if (![x, y, z].every(Number.isInteger) || z < 0 || z > 30 || x < 0 || y < 0 || x >= side || y >= side) {
      throw new UsageError(
        `Cannot run: tile must have whole numbers z from 0 to 30, x and y from 0 to 2^z - 1: received ${JSON.stringify(tile)}`,
      );
    }
  }
}

/** The same parameters in the order of their names. */
export function inOrder(parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws ParameterError that names the parameter which cannot cross */
export function encodeParameters(parameters: Readonly<Record<string, unknown>>): Encoded {
  try {
    return encodeValue(parameters, "parameters");
  } catch (error) {
    if (!(error instanceof ResultError)) throw error;
    const message = error.message.replace(/^Cannot return/, "Cannot pass");
    throw new ParameterError(message, { parameter: /^parameters\["([^"]*)"\]/.exec(error.path)?.[1] ?? "" });
  }
}
