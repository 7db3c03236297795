/** `fuselet secrets`: sets, lists and deletes the secrets of this machine's user. Values come from standard input only. */
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import { FEWEST_BYTES } from "../../host/secrets/redaction.ts";
import { openVault } from "../../host/secrets/vault.node.ts";
import { checkName, type SecretEntry } from "../../host/secrets/vault.ts";
import { CancelledError, UsageError } from "../../runtime/errors.ts";
import type { Options, SecretsAction } from "./arguments.ts";
import { PRINCIPAL } from "./runtime.ts";
import { type Terminal, write } from "./terminal.ts";

export interface SecretsCommand {
  options: Options;
  action: SecretsAction;
  /** Empty for `list`. */
  name: string;
}

/** More is no secret; the vault's own bound is lower. */
const MOST_BYTES = 1024 * 1024;

/**
 * Runs the command.
 * @throws UsageError for a name that is not there, and for a value that is empty or no text; SecretError, StoreError
 */
export async function secrets({ options, action, name }: SecretsCommand, terminal: Terminal): Promise<void> {
  const { stdout, stderr, env } = terminal;
  if (action !== "list") checkName(name);
  const value = action === "set" ? await readValue(name, terminal) : "";
  const { vault, close } = openVault(join(dataFolder(env), "secrets"), env.FUSELET_SECRETS_KEY);
  try {
    if (action === "list") {
      const entries = await vault.list(PRINCIPAL);
      await write(stdout, options.has("json") ? `${JSON.stringify(entries)}\n` : toText(entries));
    } else if (action === "set") {
      await vault.write(PRINCIPAL, name, value);
      if (Buffer.byteLength(value) < FEWEST_BYTES) {
        await write(
          stderr,
          `note: ${name} has fewer than ${FEWEST_BYTES} bytes: it is not taken out of answers and output\n`,
        );
      }
    } else if (!(await vault.delete(PRINCIPAL, name))) {
      throw new UsageError(`There is no secret ${name}: fuselet secrets list shows all`);
    }
  } finally {
    await close();
  }
}

/** Standard input without its last line break; on a terminal a line that is not shown. */
async function readValue(name: string, { stdin, stderr }: Terminal): Promise<string> {
  if (!stdin) throw new UsageError(`Write the value to standard input: fuselet secrets set ${name} < FILE`);
  const value = stdin.isTTY ? await readHiddenLine(name, stdin, stderr) : await readAll(stdin);
  if (value === "") throw new UsageError(`Cannot set the secret ${name}: standard input is empty`);
  return value;
}

async function readHiddenLine(
  name: string,
  input: NonNullable<Terminal["stdin"]>,
  stderr: Terminal["stderr"],
): Promise<string> {
  await write(stderr, `Value of ${name} (it is not shown): `);
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
async function readAll(input: NonNullable<Terminal["stdin"]>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > MOST_BYTES) throw new UsageError(`Cannot set a secret of more than ${MOST_BYTES} bytes`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    return text.replace(/\r?\n$/, "");
  } catch {
    throw new UsageError("Cannot set a secret: standard input is no text (UTF-8)");
  }
}

function toText(entries: readonly SecretEntry[]): string {
  if (entries.length === 0) return "no secret is set\n";
  const width = Math.max(...entries.map(({ name }) => name.length));
  return entries.map(({ name, updated }) => `${name.padEnd(width)}  ${updated.slice(0, 10)}\n`).join("");
}
