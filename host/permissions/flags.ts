/**
 * Permissions as command-line flags: `--allow-net` (all), `--allow-net=a,b` (these), `--deny-net=a`, `--allow-all`.
 * Lists are separated by commas; a comma inside a value is written twice. A secret is `NAME`, `NAME@HOST` or `NAME:reveal`.
 */
import { UsageError } from "../../runtime/errors.ts";
import {
  checkPermissions,
  isPermission,
  PERMISSION_NAMES,
  type PermissionName,
  type Permissions,
  RULES,
  type SecretGrant,
  takesList,
} from "./descriptor.ts";
import { RuleError } from "./rules.ts";

/** A flag as it was given: `--allow-net=a` is `{ flag: "allow-net", value: "a" }`. */
export interface PermissionFlag {
  flag: string;
  value: string | undefined;
}

/** What `--allow-all` leaves out: each of these reaches beyond the sandbox, or costs money. */
const NOT_IN_ALL: readonly PermissionName[] = ["native", "remote"];

/** Whether an option's name (without `--`) is that of a permission flag. */
export function isPermissionFlag(name: string): boolean {
  const [, verb, permission] = /^(allow|deny)-(.+)$/.exec(name) ?? [];
  return permission !== undefined && (isPermission(permission) || (verb === "allow" && permission === "all"));
}

/** Names of all permission flags, for help and suggestions. */
export const PERMISSION_FLAGS: readonly string[] = [
  ...PERMISSION_NAMES.map((name) => `allow-${name}`),
  ...PERMISSION_NAMES.map((name) => `deny-${name}`),
  "allow-all",
];

/**
 * Makes a descriptor from flags. Repeated flags add up.
 * @throws UsageError that names the flag and the value.
 */
export function permissionsFromFlags(flags: readonly PermissionFlag[]): Permissions {
  const allow = new Map<PermissionName, true | unknown[]>();
  const deny = new Map<PermissionName, true | unknown[]>();
  for (const { flag, value } of flags) {
    if (!isPermissionFlag(flag)) throw new UsageError(`Unknown permission flag --${flag}`);
    const name = flag.slice(flag.indexOf("-") + 1);
    if (name === "all") {
      if (value !== undefined) throw new UsageError(`Cannot use --allow-all=${value}: it takes no value`);
      for (const each of PERMISSION_NAMES) {
        if (!NOT_IN_ALL.includes(each)) add(allow, each, readValue(flag, each, undefined));
      }
      continue;
    }
    const permission = name as PermissionName;
    add(flag.startsWith("allow") ? allow : deny, permission, readValue(flag, permission, value));
  }
  const out: Record<string, unknown> = Object.fromEntries(allow);
  if (allow.get("secrets")?.toString() === "*") out.secrets = true;
  if (deny.size) out.deny = Object.fromEntries(deny);
  return checkPermissions(out);
}

function add(
  lists: Map<PermissionName, true | unknown[]>,
  permission: PermissionName,
  value: true | unknown[],
): void {
  const before = lists.get(permission);
  lists.set(permission, before === true || value === true ? true : [...(before ?? []), ...value]);
}

function readValue(flag: string, permission: PermissionName, value: string | undefined): true | unknown[] {
  // All secrets is a rule of its own, so that single ones can still be revealed beside it.
  if (value === undefined) return permission === "secrets" && !flag.startsWith("deny") ? ["*"] : true;
  const given = `Cannot use --${flag}=${value}:`;
  if (!takesList(permission)) throw new UsageError(`${given} it takes no value`);
  if (value === "")
    throw new UsageError(`${given} the list is empty; leave out the = to cover all, or name some`);
  return splitList(value).map((item) => {
    try {
      if (permission === "secrets" && flag.startsWith("allow")) return readSecret(item);
      return RULES[permission].parse(item);
    } catch (error) {
      if (error instanceof RuleError)
        throw new UsageError(`${given} ${JSON.stringify(item)}: ${error.message}`);
      throw error;
    }
  });
}

function readSecret(text: string): SecretGrant | string {
  const [, name, host, reveal] = /^([^@:]*)(?:@(.*?))?(:reveal)?$/.exec(text) ?? [undefined, text];
  const secret = RULES.secrets.parse(name as string);
  if (host === undefined && reveal === undefined) return secret;
  return {
    name: secret,
    ...(host === undefined ? {} : { hosts: [RULES.net.parse(host)] }),
    reveal: reveal !== undefined,
  };
}

/** Splits at single commas; two in a row are one comma of a value. */
function splitList(text: string): string[] {
  return text.split(/(?<!,),(?!,)/).map((item) => item.replaceAll(",,", ","));
}

/** The flag as a person would type it, quoted where a shell needs it: `--allow-net=example.org:443`. */
export function formatFlag(verb: "allow" | "deny", permission: PermissionName, value?: string): string {
  const flag = `--${verb}-${permission}`;
  if (value === undefined) return flag;
  const text = `${flag}=${value.replaceAll(",", ",,")}`;
  return /^[\w@%+=:,./*[\]-]*$/.test(text) && !/[*[\]]/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`;
}
