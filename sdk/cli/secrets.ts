/** `fuselet secrets`: sets, lists and deletes the secrets of this machine's user. Values come from standard input only. */
import { join } from "node:path";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import { FEWEST_BYTES } from "../../host/secrets/redaction.ts";
import { openVault } from "../../host/secrets/vault.node.ts";
import { checkName, type SecretEntry } from "../../host/secrets/vault.ts";
import { UsageError } from "../../runtime/errors.ts";
import type { Options, SecretsAction } from "./arguments.ts";
import { toColumns } from "./columns.ts";
import { readHidden } from "./hidden-input.ts";
import { PRINCIPAL } from "./runtime.ts";
import { type Terminal, write } from "./terminal.ts";

export interface SecretsCommand {
  options: Options;
  action: SecretsAction;
  /** Empty for `list`. */
  name: string;
}

/**
 * Runs the command.
 * @throws UsageError for a name that is not there, and for a value that is empty or no text; SecretError, StoreError
 */
export async function secrets({ options, action, name }: SecretsCommand, terminal: Terminal): Promise<void> {
  const { stdout, stderr, env } = terminal;
  if (action !== "list") checkName(name);
  const asked = {
    name: `Value of ${name}`,
    what: `the secret ${name}`,
    instead: `Write the value to standard input: fuselet secrets set ${name} < FILE`,
  };
  const value = action === "set" ? await readHidden(asked, terminal) : "";
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

function toText(entries: readonly SecretEntry[]): string {
  if (entries.length === 0) return "no secret is set\n";
  return toColumns(entries.map(({ name, updated }) => [name, updated.slice(0, 10)]));
}
