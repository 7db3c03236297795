/** What a command line grants: its flags, and the sets of the configuration file that it names. */
import { findConfig, readConfig } from "../../host/permissions/config.node.ts";
import type { Permissions } from "../../host/permissions/descriptor.ts";
import { isPermissionFlag, permissionsFromFlags } from "../../host/permissions/flags.ts";
import { unite } from "../../host/permissions/unite.ts";
import { UsageError } from "../../runtime/errors.ts";
import type { Options } from "./arguments.ts";

export interface Grants {
  permissions: Permissions;
  /** The file for the audit log, if any. */
  auditLog: string | undefined;
}

/**
 * Reads flags and sets; they add up, and deny beats allow. Without an option that asks for it, no file is read.
 * @throws UsageError that names the flag, or the file and the place
 */
export async function grantsFrom(options: Options): Promise<Grants> {
  const flags = options.given
    .filter(({ name }) => isPermissionFlag(name))
    .map(({ name, value }) => ({ flag: name, value }));
  const names = options.given
    .filter(({ name }) => name === "permission-set")
    .map(({ value = "default" }) => value);
  const permissions = permissionsFromFlags(flags);
  const file = options.get("config") ?? (names.length ? await findConfig(process.cwd()) : undefined);
  const auditLog = options.get("audit-log");
  if (file === undefined) return { permissions, auditLog };
  const config = await readConfig(file);
  const sets = names.map((name) => {
    const set = config.sets.get(name);
    if (set) return set;
    const known = [...config.sets.keys()].join(", ") || "no sets";
    throw new UsageError(
      `There is no permission set ${JSON.stringify(name)} in ${config.file}: it has ${known}`,
    );
  });
  return { permissions: sets.reduce(unite, permissions), auditLog: auditLog ?? config.auditLog };
}
