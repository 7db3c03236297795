/** The limits of a run: names, defaults, and the arithmetic of narrowing them. */
import { UsageError } from "./errors.ts";

/** All limits, each with the unit in its name. */
export interface Limits {
  /** Wall time of the run itself, module-level code included. */
  timeMs: number;
  /** Wall time for starting an isolate: boot, assets, packages. */
  startMs: number;
  /** Wall time for installing packages, building a snapshot included. */
  installMs: number;
  /** How long an unused isolate is kept. */
  idleMs: number;
  /** Memory of the isolate: the engine's heap, and in Node the process's growth too. */
  memoryBytes: number;
  /** Size of the encoded result. */
  outputBytes: number;
  /** stdout and stderr together; what is beyond is dropped and marked. */
  logBytes: number;
  /** Size of one message to the host, buffers included (the result has `outputBytes`). */
  messageBytes: number;
  /** Host calls in a run. */
  hostCalls: number;
  /** Runs of other UDFs that a run starts; those that they start count for them. */
  nestedRuns: number;
}

export type LimitName = keyof Limits;

const MiB = 1024 * 1024;

/** The defaults. 120 s is the reference's limit for a realtime run. */
export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  timeMs: 120_000,
  startMs: 60_000,
  installMs: 600_000,
  idleMs: 300_000,
  memoryBytes: 2048 * MiB,
  outputBytes: 512 * MiB,
  logBytes: 4 * MiB,
  messageBytes: 64 * MiB,
  hostCalls: 100_000,
  nestedRuns: 10_000,
});

const HIGHEST: Partial<Limits> = { memoryBytes: 4096 * MiB };

/**
 * Checks limits that a caller wrote and narrows `base` by them: a limit never grows.
 * @throws UsageError for an unknown name or a value that is not a positive finite number.
 */
export function narrowLimits(base: Readonly<Limits>, wanted: Partial<Limits> = {}): Limits {
  const limits = { ...base };
  for (const [name, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new UsageError(
        `Unknown limit ${JSON.stringify(name)}; limits are ${Object.keys(DEFAULT_LIMITS).join(", ")}`,
      );
    }
    const limit = name as LimitName;
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
      throw new UsageError(
        `Cannot set limits.${limit}: it must be a number above 0: received ${String(value)}`,
      );
    }
    limits[limit] = Math.min(limits[limit], value);
  }
  return limits;
}

/** The limits that a runtime is made with: the defaults, changed either way by what its owner wrote, within what an engine can hold. */
export function ownLimits(wanted: Partial<Limits> = {}): Limits {
  const open = Object.fromEntries(
    Object.keys(DEFAULT_LIMITS).map((name) => [name, HIGHEST[name as LimitName] ?? Number.MAX_SAFE_INTEGER]),
  ) as unknown as Limits;
  const checked = narrowLimits(open, wanted);
  const given = Object.keys(wanted).filter((name) => wanted[name as LimitName] !== undefined);
  return { ...DEFAULT_LIMITS, ...Object.fromEntries(given.map((n) => [n, checked[n as LimitName]])) };
}
