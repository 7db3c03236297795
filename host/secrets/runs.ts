/** Which runs have to do with secrets. Small, because every runtime loads it: the rest comes with the first secret. */
import type { Redaction } from "./redaction.ts";
import type { RunSecrets } from "./run-secrets.ts";

const runs = new WeakMap<AbortSignal, RunSecrets>();

/** The secrets that a run has asked for, by the signal of its calls; undefined where it has asked for none. */
export const secretsOf = (signal: AbortSignal): RunSecrets | undefined => runs.get(signal);

/** Takes note of the first secret of a run. */
export const keepSecrets = (signal: AbortSignal, secrets: RunSecrets): void => void runs.set(signal, secrets);

/** Whether a run has seen the value of a secret: what it made is for nobody else, and not to be kept. */
export const usedSecret = (signal: AbortSignal): boolean => runs.get(signal)?.revealed !== undefined;

/** What takes the values that a run has seen out of what is shown of it. */
export const redactionOf = (signal: AbortSignal): Redaction | undefined => runs.get(signal)?.revealed;
