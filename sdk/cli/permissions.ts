/** `fuselet permissions`: what was allowed for good, and the schema of the configuration file. */
import { join } from "node:path";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import { grantId, openGrantFile } from "../../host/permissions/grants.node.ts";
import type { SavedGrant } from "../../host/permissions/grants.ts";
import { CONFIG_SCHEMA } from "../../host/permissions/schema.ts";
import { UsageError } from "../../runtime/errors.ts";
import { plainText, showText } from "../../runtime/show.ts";
import type { Options, PermissionsAction } from "./arguments.ts";
import { toColumns } from "./columns.ts";
import { type Terminal, write } from "./terminal.ts";

export interface PermissionsCommand {
  options: Options;
  action: PermissionsAction;
  ids: readonly string[];
}

/**
 * Runs the command.
 * @throws UsageError for an ID that is not there, or a file that cannot be used; then nothing is removed
 */
export async function permissions(
  { options, action, ids }: PermissionsCommand,
  { stdout, stderr, env }: Terminal,
): Promise<void> {
  if (action === "schema") return write(stdout, `${JSON.stringify(CONFIG_SCHEMA, null, 2)}\n`);
  const file = openGrantFile(join(dataFolder(env), "grants.json"));
  const grants = await file.list();
  if (action === "list") return write(stdout, options.has("json") ? toJson(grants) : toText(grants));
  const known = new Set(grants.map(grantId));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) {
    throw new UsageError(`There is no grant ${JSON.stringify(unknown)}: fuselet permissions lists all`);
  }
  const removed = await file.remove((grant) => options.has("all") || ids.includes(grantId(grant)));
  await write(stderr, `removed ${removed.length} of ${grants.length}\n`);
}

const toJson = (grants: readonly SavedGrant[]) =>
  `${JSON.stringify(grants.map((grant) => ({ id: grantId(grant), ...grant })))}\n`;

/** A line each. Names and values are a UDF's: they are shown as in questions. */
function toText(grants: readonly SavedGrant[]): string {
  if (grants.length === 0) return "nothing is allowed for good\n";
  const rows = grants.map((grant) => {
    const { date, udf, permission, value, rule, hosts } = grant;
    const target = rule ?? value ?? "";
    const sent = hosts ? ` sent to ${hosts.join(", ")}` : "";
    return [
      grantId(grant),
      date.slice(0, 10),
      plainText(udf.name, 40),
      `${permission}${target && ` ${showText(target)}`}${sent}`,
    ];
  });
  return toColumns([["id", "since", "udf", "allowed"], ...rows]);
}
