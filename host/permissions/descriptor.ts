/**
 * The permission descriptor: plain JSON in Deno's vocabulary. What is not named is not granted; `deny` beats all.
 *
 *     {
 *       "net": ["api.example.org:443", "*.example.org", "10.0.0.0/8"],
 *       "read": ["s3://bucket/prefix"], "write": true,
 *       "secrets": ["NAME", { "name": "KEY", "hosts": ["api.example.org"], "reveal": false }],
 *       "cache": true, "run": ["other_udf"], "remote": ["m5.large"], "import": ["pandas"], "native": false,
 *       "deny": { "net": ["169.254.0.0/16"] }
 *     }
 */
import { UsageError } from "../../runtime/errors.ts";
import { showReceived } from "../../runtime/show.ts";
import { instanceTypes, packageNames, secretNames, udfNames } from "./names.ts";
import { net } from "./net.ts";
import { RuleError, type RuleKind } from "./rules.ts";
import { storage } from "./storage.ts";

/** Permissions that take a list. */
export const RULES = {
  net,
  read: storage,
  write: storage,
  secrets: secretNames,
  run: udfNames,
  remote: instanceTypes,
  import: packageNames,
} as const satisfies Record<string, RuleKind>;

/** Permissions that are granted or not. */
const SWITCHES = ["cache", "native"] as const;

export type ListPermission = keyof typeof RULES;
export type SwitchPermission = (typeof SWITCHES)[number];
export type PermissionName = ListPermission | SwitchPermission;

/** A secret that may be used. */
export interface SecretGrant {
  /** `*` is all names. */
  name: string;
  /** Hosts (rules as in `net`) that it may be sent to. Default true: every host that `net` grants. */
  hosts?: true | readonly string[];
  /** Whether the UDF sees the value itself. Default false: it gets a placeholder. */
  reveal?: boolean;
}

/** The lists: true is all, false or absent is nothing. */
export type Lists = { readonly [Name in Exclude<ListPermission, "secrets">]?: boolean | readonly string[] };
export type Switches = { readonly [Name in SwitchPermission]?: boolean };

/** What may be done. `checkPermissions` makes sure of it. */
export interface Permissions extends Lists, Switches {
  readonly secrets?: boolean | readonly (string | SecretGrant)[];
  readonly deny?: Lists & Switches & { readonly secrets?: boolean | readonly string[] };
}

/** All names, in the order in which help and tables show them. */
export const PERMISSION_NAMES: readonly PermissionName[] = [
  "net",
  "read",
  "write",
  "secrets",
  "cache",
  "run",
  "remote",
  "import",
  "native",
];

/** Whether a name is that of a permission. */
export function isPermission(name: string): name is PermissionName {
  return (PERMISSION_NAMES as readonly string[]).includes(name);
}

/** Whether a permission takes a list of values. */
export function takesList(name: PermissionName): name is ListPermission {
  return Object.hasOwn(RULES, name);
}

const checked = new WeakSet<object>();

/**
 * Checks a descriptor and brings its rules to their canonical form.
 * @param value anything; only own properties count.
 * @param where how messages call it.
 * @returns a frozen copy; a descriptor that came from here is returned as it is.
 * @throws UsageError that names the place, the rule and what to write.
 */
export function checkPermissions(value: unknown, where = "permissions"): Permissions {
  if (typeof value === "object" && value !== null && checked.has(value)) return value as Permissions;
  const fields = readObject(value, where, [...PERMISSION_NAMES, "deny"]);
  const out: Record<string, unknown> = {};
  for (const name of PERMISSION_NAMES) {
    const read = name === "secrets" ? readSecrets : readList;
    const field = read(fields[name], `${where}.${name}`, name as ListPermission);
    if (field !== undefined) out[name] = field;
  }
  if (fields.deny !== undefined) {
    const denied = readObject(fields.deny, `${where}.deny`, PERMISSION_NAMES);
    const deny: Record<string, unknown> = {};
    for (const name of PERMISSION_NAMES) {
      const field = readList(denied[name], `${where}.deny.${name}`, name);
      if (field !== undefined) deny[name] = field;
    }
    out.deny = Object.freeze(deny);
  }
  checked.add(Object.freeze(out));
  return out as Permissions;
}

function fail(where: string, rule: string, value: unknown): never {
  const received = typeof value === "string" ? JSON.stringify(value) : showReceived(value);
  throw new UsageError(`Cannot set ${where}: ${rule}: received ${received}`);
}

function readObject(value: unknown, where: string, known: readonly string[]): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    fail(where, "it must be an object", value);
  const out: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new UsageError(
        `Cannot set ${where}: ${JSON.stringify(key)} is unknown; names are ${known.join(", ")}`,
      );
    }
    out[key] = (value as Record<string, unknown>)[key];
  }
  return out;
}

function readList(
  value: unknown,
  where: string,
  name: PermissionName,
): boolean | readonly string[] | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  if (!takesList(name)) return fail(where, "it must be true or false", value);
  if (!Array.isArray(value)) return fail(where, "it must be true, false or a list of texts", value);
  const rules = Array.from(value, (item: unknown, index) =>
    readRule(item, `${where}[${index}]`, RULES[name]),
  );
  return Object.freeze([...new Set(rules)]);
}

function readRule(value: unknown, where: string, kind: RuleKind): string {
  if (typeof value !== "string") return fail(where, `it must be the text of ${kind.noun}`, value);
  try {
    return kind.parse(value);
  } catch (error) {
    if (error instanceof RuleError) return fail(where, error.message, value);
    throw error;
  }
}

function readSecrets(value: unknown, where: string): boolean | readonly (string | SecretGrant)[] | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  if (!Array.isArray(value)) return fail(where, "it must be true, false or a list", value);
  return Object.freeze(
    Array.from(value, (item: unknown, index) => {
      const place = `${where}[${index}]`;
      if (typeof item === "string") return readRule(item, place, secretNames);
      const fields = readObject(item, place, ["name", "hosts", "reveal"]);
      const { hosts = true, reveal = false } = fields;
      if (typeof reveal !== "boolean") return fail(`${place}.reveal`, "it must be true or false", reveal);
      const list = readList(hosts, `${place}.hosts`, "net");
      return Object.freeze({
        name: readRule(fields.name, `${place}.name`, secretNames),
        hosts: list === false || list === undefined ? Object.freeze([]) : list,
        reveal,
      });
    }),
  );
}

/** The grants of secrets, with their defaults filled in; `true` is all names. */
export function secretGrants(secrets: Permissions["secrets"]): Required<SecretGrant>[] {
  const list = secrets === true ? ["*"] : secrets || [];
  return list.map((entry) => {
    const { name, hosts = true, reveal = false } = typeof entry === "string" ? { name: entry } : entry;
    return { name, hosts, reveal };
  });
}
