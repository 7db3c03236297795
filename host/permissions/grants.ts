/** What somebody said yes to: one value, or a rule that a UDF declares; and where it is kept for later runs. */
import { isPermission, type PermissionName, RULES, takesList } from "./descriptor.ts";
import { RuleError } from "./rules.ts";

/** What a yes covers: exactly `value` (empty for permissions without values), or what `rule` covers. */
export interface Granted {
  permission: PermissionName;
  value?: string;
  rule?: string;
  /** For `secrets`: hosts that it may be sent to. Default: every host that `net` grants. */
  hosts?: readonly string[];
}

/** A yes for good. It is bound to the principal and to the code: a UDF that was changed asks again. */
export interface SavedGrant extends Granted {
  principal: string;
  udf: { name: string; hash: string };
  /** When it was given (ISO 8601). */
  date: string;
}

/** Where grants are kept. */
export interface GrantStore {
  list(): Promise<readonly SavedGrant[]>;
  /** Keeps more of them; what is there already stays as it is. */
  add(grants: readonly SavedGrant[]): Promise<void>;
}

/** Whether a yes covers a request for a value in canonical form. */
export function covers({ permission, value, rule }: Granted, wanted: PermissionName, asked: string): boolean {
  if (permission !== wanted) return false;
  return rule === undefined
    ? value === asked
    : takesList(permission) && RULES[permission].allows(rule, asked);
}

/** Whether a yes covers what another one does. */
export function includes(outer: Granted, inner: Granted): boolean {
  if (inner.rule === undefined) return covers(outer, inner.permission, inner.value ?? "");
  const { permission, rule } = outer;
  return (
    permission === inner.permission &&
    rule !== undefined &&
    takesList(permission) &&
    RULES[permission].intersect(rule, inner.rule) === inner.rule
  );
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Reads a saved grant as it was written down; null for anything that no version of this program writes. */
export function readSavedGrant(entry: unknown): SavedGrant | null {
  const { principal, udf, permission, value, rule, hosts, date } = (entry ?? {}) as Record<string, unknown>;
  const { name, hash } = (udf ?? {}) as Record<string, unknown>;
  if (![principal, name, hash, date].every(isText)) return null;
  if (typeof permission !== "string" || !isPermission(permission)) return null;
  if (!isCanonical(permission, value, rule) || !isHosts(permission, hosts)) return null;
  return entry as SavedGrant;
}

function isCanonical(permission: PermissionName, value: unknown, rule: unknown): boolean {
  if (!takesList(permission)) return value === "" && rule === undefined;
  if (rule === undefined) return typeof value === "string" && RULES[permission].canonical(value) === value;
  return value === undefined && isRule(permission, rule);
}

function isHosts(permission: PermissionName, hosts: unknown): boolean {
  if (hosts === undefined) return true;
  return permission === "secrets" && Array.isArray(hosts) && hosts.every((host) => isRule("net", host));
}

function isRule(permission: keyof typeof RULES, rule: unknown): boolean {
  try {
    return typeof rule === "string" && RULES[permission].parse(rule) === rule;
  } catch (error) {
    if (error instanceof RuleError) return false;
    throw error;
  }
}
