/** `console`: log, info and debug go to stdout, warn and error to stderr, at once. */
import { OP } from "../ops.ts";
import { host, toJson } from "./host.ts";
import { formatLine } from "./inspect.ts";

const print =
  (stream: 1 | 2) =>
  (...values: unknown[]): void => {
    let line: string;
    try {
      line = formatLine(values);
    } catch {
      line = "[a value that cannot be printed]";
    }
    host(OP.output, stream, toJson(`${line}\n`));
  };

export const console = {
  log: print(1),
  info: print(1),
  debug: print(1),
  warn: print(2),
  error: print(2),
};
