/** What the network binding lets a run and a runtime use. */
import { UsageError } from "../../runtime/errors.ts";

export interface NetLimits {
  /** For a connection to come about, the look-up of the name included. */
  connectMs: number;
  /** From a request to the beginning of its answer; each redirect has it anew. */
  headersMs: number;
  /** For the next part of a body, while somebody waits for it. */
  idleMs: number;
  /** For a whole fetch, from the question to the last byte. A guest can ask for less. */
  wholeMs: number;
  /** Size of a request's body. */
  requestBytes: number;
  /** Size of the bodies of all requests that a run has open. */
  openRequestBytes: number;
  /** Size of an answer's body, decoded. */
  responseBytes: number;
  /** Answers that a run has open: asked for, and not read to the end or closed. More wait. */
  openPerRun: number;
  /** The same of all runs together. */
  openPerRuntime: number;
  /** Requests of a run that wait. More fail with the code "busy". */
  waitingPerRun: number;
}

const MiB = 1024 * 1024;

export const DEFAULT_NET_LIMITS: Readonly<NetLimits> = Object.freeze({
  connectMs: 10_000,
  headersMs: 60_000,
  idleMs: 60_000,
  wholeMs: 600_000,
  requestBytes: 64 * MiB,
  openRequestBytes: 128 * MiB,
  responseBytes: 1024 * MiB,
  openPerRun: 32,
  openPerRuntime: 256,
  waitingPerRun: 1024,
});

/** Timers know no more. */
const MOST_MS = 2 ** 31 - 1;

/**
 * The defaults, changed by what the host's owner wrote.
 * @throws UsageError for an unknown name, or a value that is no whole number above 0
 */
export function netLimits(wanted: Partial<NetLimits> = {}): NetLimits {
  const limits = { ...DEFAULT_NET_LIMITS };
  for (const [name, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(limits, name)) {
      throw new UsageError(
        `Unknown limit ${JSON.stringify(name)} of net; limits are ${Object.keys(limits).join(", ")}`,
      );
    }
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1 || (name.endsWith("Ms") && value > MOST_MS))
      throw new UsageError(
        `Cannot set the limit ${name} of net: it must be a whole number above 0: received ${value}`,
      );
    limits[name as keyof NetLimits] = value;
  }
  return limits;
}
