/** The one place that decides whether something may be done. Every decision is reported. */
import { PermissionDeniedError } from "../../runtime/errors.ts";
import {
  checkPermissions,
  type PermissionName,
  type Permissions,
  RULES,
  secretGrants,
  takesList,
} from "./descriptor.ts";
import { formatFlag } from "./flags.ts";
import { intersectHosts } from "./narrow.ts";

/** On whose behalf something is asked for. */
export interface Caller {
  principal: string;
  /** The UDF's name. */
  udf: string;
  /** What this run was granted; the broker's own permissions bound it. */
  permissions: Permissions;
}

/** What was granted. */
export interface Grant {
  permission: PermissionName;
  /** The value in canonical form: use this, not what was asked with. */
  value: string;
  /** For `secrets`: the hosts that it may be sent to; true is every host that `net` grants. */
  hosts: true | readonly string[];
  /** For `secrets`: whether the UDF may see the value itself. */
  reveal: boolean;
}

/** One decision, as the audit hook gets it. */
export interface Decision {
  permission: PermissionName;
  value: string;
  allowed: boolean;
  /** The rule that decided: `example.org`, `true`; null where no rule covered the value. */
  rule: string | null;
  /** Why: a rule allowed or denied it, no rule covered it, or the value itself is unsafe. */
  reason: "allowed" | "denied" | "not granted" | "unsafe value";
  principal: string;
  udf: string;
}

export interface BrokerOptions {
  /** The most that any caller may do. Default: nothing. */
  permissions?: Permissions;
  /** Called with each decision of `require`, before it takes effect. If it throws, nothing is granted. */
  onDecision?: (decision: Decision) => void;
}

export interface Broker {
  /**
   * Decides.
   * @param value a host with port, a path, a name; empty for permissions without values.
   * @throws PermissionDeniedError with the permission, the value and the flag that would grant it.
   */
  require(permission: PermissionName, value: string, caller: Caller): Promise<Grant>;
  /** The decision alone: not reported, and nothing is granted by it. */
  query(permission: PermissionName, value: string, caller: Caller): Decision;
}

/**
 * Makes a broker.
 * @throws UsageError where the permissions are no descriptor.
 */
export function createBroker({ permissions = {}, onDecision }: BrokerOptions = {}): Broker {
  const most = checkPermissions(permissions);
  const query: Broker["query"] = (permission, value, caller) => {
    const canonical = canonicalOf(permission, value);
    const decision =
      canonical === null ? null : decide(permission, canonical, [most, checkPermissions(caller.permissions)]);
    return {
      permission,
      value: canonical ?? value,
      ...(decision ?? { allowed: false, rule: null, reason: "unsafe value" }),
      principal: caller.principal,
      udf: caller.udf,
    };
  };
  return {
    query,
    async require(permission, value, caller) {
      const decision = query(permission, value, caller);
      onDecision?.(decision);
      if (!decision.allowed) throw denial(decision);
      const grants = permission === "secrets" ? [most, checkPermissions(caller.permissions)] : [];
      return { permission, value: decision.value, ...secretGrant(decision.value, grants) };
    },
  };
}

function canonicalOf(permission: PermissionName, value: string): string | null {
  if (typeof value !== "string") return null;
  if (!takesList(permission)) return value === "" ? "" : null;
  return RULES[permission].canonical(value);
}

type Verdict = Pick<Decision, "allowed" | "rule" | "reason">;

/** A deny rule of any descriptor wins; then every descriptor must allow. */
function decide(permission: PermissionName, value: string, all: readonly Permissions[]): Verdict {
  for (const { deny } of all) {
    const rule = findRule(permission, deny?.[permission], value, "denies");
    if (rule !== null) return { allowed: false, rule, reason: "denied" };
  }
  let allowing: string | null = null;
  for (const permissions of all) {
    const field = permissions[permission];
    const names = Array.isArray(field)
      ? field.map((entry) => (typeof entry === "string" ? entry : entry.name))
      : field;
    allowing = findRule(permission, names as boolean | readonly string[] | undefined, value, "allows");
    if (allowing === null) return { allowed: false, rule: null, reason: "not granted" };
  }
  return { allowed: true, rule: allowing, reason: "allowed" };
}

function findRule(
  permission: PermissionName,
  list: boolean | readonly string[] | undefined,
  value: string,
  test: "allows" | "denies",
): string | null {
  if (list === true) return "true";
  if (!list || !takesList(permission)) return null;
  return list.find((rule) => RULES[permission][test](rule, value)) ?? null;
}

/** How a secret may be used under all descriptors; within one, its entries add up. */
function secretGrant(name: string, all: readonly Permissions[]): Pick<Grant, "hosts" | "reveal"> {
  let grant: Pick<Grant, "hosts" | "reveal"> = { hosts: true, reveal: all.length > 0 };
  for (const { secrets } of all) {
    const entries = secretGrants(secrets).filter((entry) => RULES.secrets.allows(entry.name, name));
    // An entry for the name itself says more than one for all names.
    const own = entries.some((entry) => entry.name === name)
      ? entries.filter((entry) => entry.name === name)
      : entries;
    const hosts = own.some((entry) => entry.hosts === true)
      ? true
      : own.flatMap((entry) => entry.hosts as string[]);
    grant = {
      hosts: intersectHosts(grant.hosts, hosts),
      reveal: grant.reveal && own.some((entry) => entry.reveal),
    };
  }
  return grant;
}

function denial({ permission, value, rule, reason }: Decision): PermissionDeniedError {
  const noValue = !takesList(permission);
  const shown = JSON.stringify(value.slice(0, 500)).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const need = `Requires ${permission} access${noValue ? "" : ` to ${shown}`}`;
  const grant = reason === "unsafe value" ? "" : formatFlag("allow", permission, noValue ? undefined : value);
  const rest = {
    "not granted": `: run again with ${grant}`,
    denied: `, which is denied: run again without ${formatFlag("deny", permission, rule === "true" || rule === null ? undefined : rule)}`,
    "unsafe value": noValue
      ? `, which takes no value`
      : `, which is not ${RULES[permission].noun} that can be granted`,
    allowed: "",
  }[reason];
  return new PermissionDeniedError(need + rest, { permission, value, grant });
}
