/** Ages as people write them: `cache_max_age` of the reference. */

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** About 30,000 years: a number that no clock overflows. */
export const MAX_AGE_MS = 1e15;

/**
 * Reads `"12h"`, `"7d"` (a whole number and s, m, h or d, in any case, with spaces around), a whole number of seconds, or 0 (off).
 * @returns milliseconds, or undefined for anything else
 */
export function parseAge(age: unknown): number | undefined {
  if (typeof age === "number") return Number.isInteger(age) && age >= 0 ? bounded(age) : undefined;
  if (typeof age !== "string") return undefined;
  if (age.trim() === "0") return 0;
  const [, number, unit = ""] = /^\s*(\d+)\s*([smhd])\s*$/i.exec(age) ?? [];
  return number === undefined ? undefined : bounded(Number(number) * SECONDS[unit.toLowerCase()]!);
}

const bounded = (seconds: number) => Math.min(seconds * 1000, MAX_AGE_MS);

/** Seconds that results are kept where nobody says for how long: the reference's 90 days. */
export const DEFAULT_RESULT_AGE = 90 * 86_400;

/** What an age must be, for messages. */
export const AGE_RULE = 'a whole number and s, m, h or d ("12h"), or seconds';
