/** When a schedule is due. */
import { Cron } from "croner";

/** All five must fit: Friday the 13th is a day of the week and a day of the month. */
export interface Times {
  readonly minute: readonly number[];
  readonly hour: readonly number[];
  readonly dayOfMonth: readonly number[];
  readonly month: readonly number[];
  /** 0 is Sunday. */
  readonly dayOfWeek: readonly number[];
  /** A name of the IANA database. */
  readonly timezone: string;
}

/** The first moment after another; null where there is none. A time that a clock change leaves out is at the change, one that it repeats is once. */
export function nextTime(times: Times, afterMs: number): number | null {
  return cron(times).nextRun(new Date(afterMs))?.getTime() ?? null;
}

/** The last moment up to another, itself among them; null where there is none. */
export function lastTime(times: Times, upToMs: number): number | null {
  return (
    cron(times)
      .previousRuns(1, new Date(upToMs + 1))[0]
      ?.getTime() ?? null
  );
}

export function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

function cron({ minute, hour, dayOfMonth, month, dayOfWeek, timezone }: Times): Cron {
  const pattern = [
    list(minute, 60),
    list(hour, 24),
    list(dayOfMonth, 31),
    list(month, 12),
    list(dayOfWeek, 7),
  ].join(" ");
  return new Cron(pattern, {
    timezone,
    mode: "5-part",
    domAndDow: true,
    fixedTimeRule: "no-wildcard",
    paused: true,
  });
}

const list = (values: readonly number[], all: number) => {
  const different = [...new Set(values)].sort((a, b) => a - b);
  return different.length === all ? "*" : different.join(",");
};
