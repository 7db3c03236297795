/** A secret text from standard input: all of it without its last line break; on a terminal a line that is not shown. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CancelledError, UsageError } from "../../runtime/errors.ts";
import { type Terminal, write } from "./terminal.ts";

/** More is no secret. */
const MOST_BYTES = 1024 * 1024;

/**
 * Reads it.
 * @param name what is asked for: `Value of API_KEY` @param what what is done with it: `the secret API_KEY`
 * @param instead how to give it, where there is no standard input
 * @throws UsageError for an input that is empty, no text or too long; CancelledError
 */
export async function readHidden(
  { name, what, instead }: { name: string; what: string; instead: string },
  { stdin, stderr }: Terminal,
): Promise<string> {
  if (!stdin) throw new UsageError(instead);
  const value = stdin.isTTY ? await readHiddenLine(name, stdin, stderr) : await readAll(stdin, what);
  if (value === "") throw new UsageError(`Cannot set ${what}: standard input is empty`);
  return value;
}

async function readHiddenLine(
  name: string,
  input: NonNullable<Terminal["stdin"]>,
  stderr: Terminal["stderr"],
): Promise<string> {
  await write(stderr, `${name} (it is not shown): `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // With a terminal it takes the echo away from the system, and writes its own nowhere.
  const lines = createInterface({ input, output: nowhere, terminal: true });
  try {
    return await new Promise((resolve, reject) => {
      lines.question("").then(resolve, reject);
      lines.once("SIGINT", () => reject(new CancelledError("Cancelled")));
      lines.once("close", () => resolve(""));
    });
  } finally {
    lines.close();
    await write(stderr, "\n");
  }
}

/** @throws UsageError for what is no text, or far too long */
async function readAll(input: NonNullable<Terminal["stdin"]>, what: string): Promise<string> {
  const kind = what.replace(/^the /, "a ").replace(/^(a \w+).*/, "$1");
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > MOST_BYTES) throw new UsageError(`Cannot set ${kind} of more than ${MOST_BYTES} bytes`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    return text.replace(/\r?\n$/, "");
  } catch {
    throw new UsageError(`Cannot set ${kind}: standard input is no text (UTF-8)`);
  }
}
