/**
 * The audit log: a file of JSON lines, one a decision.
 *
 *     {"time":"2026-01-31T12:00:00.000Z","principal":"local","udf":{"name":"quakes","hash":"…"},"runId":"…","permission":"net",
 *      "value":"example.org:443","allowed":true,"rule":"example.org","reason":"allowed","how":"rule"}
 *
 * `value` and `udf.name` are as prompts and errors show them: what cannot be seen is written as `\u202e`, a long middle is
 * left out. The file is appended to, line by line, so that several processes can share it; it is never cut or renamed here.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { UsageError } from "../../runtime/errors.ts";
import { plainText } from "../../runtime/show.ts";
import type { Decision } from "./broker.ts";

export interface AuditLog {
  /** Writes a decision, before it takes effect. @throws Error, which no UDF gets to see, where the line did not reach the file whole */
  write(decision: Decision): void;
  close(): void;
}

/** A line is one write to the file: longer ones could be torn by another process. */
const MOST_CHARACTERS = 1000;

const problem = (file: string, why: string) => `Cannot write the audit log ${JSON.stringify(file)}: ${why}`;

/**
 * Opens a log for appending; a file that is not there is made (mode 0600).
 * @throws UsageError that names the file and the reason
 */
export function openAuditLog(file: string): AuditLog {
  if (file === "-" || file === "") throw new UsageError(problem(file, "it must be a file"));
  const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
  let descriptor: number;
  try {
    // Without waiting: a pipe that nobody reads is an error at once.
    descriptor = openSync(file, O_APPEND | O_CREAT | O_WRONLY | (O_NONBLOCK ?? 0), 0o600);
  } catch (error) {
    throw new UsageError(problem(file, (error as Error).message), { cause: error });
  }
  if (!fstatSync(descriptor).isFile()) {
    closeSync(descriptor);
    throw new UsageError(problem(file, "it must be a file"));
  }
  return {
    write({ permission, value, allowed, rule, reason, how, principal, udf, runId }) {
      const line = `${JSON.stringify({
        time: new Date().toISOString(),
        principal,
        udf: { name: plainText(udf.name, MOST_CHARACTERS), hash: udf.hash },
        runId,
        permission,
        value: plainText(value, MOST_CHARACTERS),
        allowed,
        rule,
        reason,
        how,
      })}\n`;
      const bytes = Buffer.from(line);
      let written: number;
      try {
        written = writeSync(descriptor, bytes);
      } catch (error) {
        throw new Error(problem(file, (error as Error).message), { cause: error });
      }
      if (written < bytes.length) throw new Error(problem(file, "a line was cut off"));
    },
    close: () => closeSync(descriptor),
  };
}
