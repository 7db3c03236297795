/** The server's log: one JSON object a line. What it is given has no secrets, no tokens and no bodies. */

export interface Log {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** @param error its stack goes to the log, never to a client */
  error(event: string, error: unknown, fields?: Readonly<Record<string, unknown>>): void;
}

/** Tokens where they are part of a path: `/fsh_…/run`. */
const TOKEN_IN_PATH = /\b(fsh_|fc_|UDF_|fst_)[\w-]+|(?<=\/)[0-9a-f]{64}(?=\/|$)/g;

/** A path as the log may have it. */
export function loggablePath(path: string): string {
  return path.replace(TOKEN_IN_PATH, (_found, prefix: string | undefined) => `${prefix ?? ""}***`);
}

/** @param write gets whole lines with their line break @param least what it gets at least: `warn` leaves out what is no trouble */
export function makeLog(write: (line: string) => void, least: "info" | "warn" = "info"): Log {
  const line = (level: string, event: string, fields: Readonly<Record<string, unknown>> = {}) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
  return {
    info: least === "info" ? (event, fields) => line("info", event, fields) : () => {},
    warn: (event, fields) => line("warn", event, fields),
    error(event, error, fields) {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      line("error", event, { ...fields, error: stack });
    },
  };
}
