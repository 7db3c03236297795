/**
 * Which runs have to do with secrets. Small, because every runtime loads it: the rest comes with the first secret.
 *
 * A value that one run has seen may be handed to every other below the same outermost run, as a parameter or a result: what was
 * revealed is noted for the outermost one, and counts for all. Placeholders are a run's own.
 */
import type { Redaction } from "./redaction.ts";
import type { RunSecrets } from "./run-secrets.ts";

const runs = new WeakMap<AbortSignal, RunSecrets>();
const outermost = new WeakMap<AbortSignal, AbortSignal>();

/** Takes note of a run that another one has asked for, before anything is asked on its behalf. */
export const keepParent = (signal: AbortSignal, parent: AbortSignal): void =>
  void outermost.set(signal, outermostOf(parent));

/** The signal of the run that was not asked for by another one: for what counts for all below it. */
export const outermostOf = (signal: AbortSignal): AbortSignal => outermost.get(signal) ?? signal;

/** The secrets that a run has asked for, by the signal of its calls; undefined where it has asked for none. */
export const secretsOf = (signal: AbortSignal): RunSecrets | undefined => runs.get(signal);

/** Takes note of the first secret of a run. */
export const keepSecrets = (signal: AbortSignal, secrets: RunSecrets): void => void runs.set(signal, secrets);

/** Whether a run may have seen the value of a secret: what it made is for nobody else, and not to be kept. */
export const usedSecret = (signal: AbortSignal): boolean => redactionOf(signal) !== undefined;

/** What takes the values that a run may have seen out of what is shown of it. */
export const redactionOf = (signal: AbortSignal): Redaction | undefined =>
  runs.get(outermostOf(signal))?.revealed;
