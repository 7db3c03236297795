/** The one place that decides whether something may be done. Every decision is reported. */
import { PermissionDeniedError } from "../../runtime/errors.ts";
import { showText } from "../../runtime/show.ts";
import {
  checkPermissions,
  type ListPermission,
  type PermissionName,
  type Permissions,
  RULES,
  secretGrants,
  takesList,
} from "./descriptor.ts";
import { formatFlag } from "./flags.ts";
import { splitSecret } from "./names.ts";
import { intersectHosts } from "./narrow.ts";

/** On whose behalf something is asked for. */
export interface Caller {
  readonly principal: string;
  readonly udf: { readonly name: string; readonly hash: string };
  /** The same for all that one run asks for. */
  readonly runId: string;
  /** What this run was granted; the broker's own permissions bound it. */
  readonly permissions: Permissions;
  /** Another UDF's run asked for this one: nobody is asked, and no earlier answer counts, or it would get more than that run has. */
  readonly isNested?: boolean;
  /** Aborts when the run ends: nobody is asked for it any longer. */
  readonly signal?: AbortSignal;
  /** Stops the run's clock while somebody is asked. Stops may overlap. @returns the function that ends this one */
  pause?(): () => void;
  /** Called where not the rules decided but an answer did: another run of the same may get another one. */
  noteAnswer?(): void;
  /** Takes out of a text what must not be shown or logged. */
  redact?(text: string): string;
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

/** What decided: the rules alone, somebody who was asked (now, or before in this run), or what was answered in an earlier run. */
export type How = "rule" | "prompt once" | "prompt run" | "prompt always" | "prompt deny" | "saved grant";

/** One decision, as the audit hook gets it. */
export interface Decision {
  permission: PermissionName;
  value: string;
  allowed: boolean;
  /** The rule that decided: `example.org`, `true`; null where no rule covered the value. */
  rule: string | null;
  /** Why: it was allowed or denied, no rule covered it, or the value itself is unsafe. */
  reason: "allowed" | "denied" | "not granted" | "unsafe value";
  how: How;
  principal: string;
  udf: Caller["udf"];
  runId: string;
}

/** A request that no rule covers. */
export interface Ungranted {
  permission: PermissionName;
  /** In canonical form. */
  value: string;
  caller: Caller;
}

/** What becomes of it. */
export interface Answer {
  allowed: boolean;
  how: How;
  /** For `secrets`: hosts that it may be sent to. Default: every host that `net` grants. */
  hosts?: true | readonly string[];
}

export interface BrokerOptions {
  /** The most that any caller may do. Default: nothing. */
  permissions?: Permissions;
  /**
   * Asked where no rule covers a request; never for what a deny rule denies, nor for an unsafe value. The run's clock stands
   * still meanwhile. Default: nobody is asked, it is denied. If it throws, nothing is granted.
   */
  onUngranted?: (request: Ungranted) => Promise<Answer>;
  /** Called with each decision of `require`, before it takes effect. If it throws, nothing is granted. */
  onDecision?: ((decision: Decision) => void) | undefined;
}

export interface Broker {
  /**
   * Decides.
   * @param value a host with port, a path, a name; empty for permissions without values. `NAME@HOST:PORT` is a secret and where
   *   it is to be sent.
   * @throws PermissionDeniedError with the permission, the value and the flag that would grant it.
   */
  require(permission: PermissionName, value: string, caller: Caller): Promise<Grant>;
  /**
   * The same for what needs no grant: it is refused only where a rule denies it, and nobody is asked.
   * @throws PermissionDeniedError
   */
  requireUndenied(permission: ListPermission, value: string, caller: Caller): void;
  /** What the rules say: nobody is asked, it is not reported, and nothing is granted by it. */
  query(permission: PermissionName, value: string, caller: Caller): Decision;
}

/**
 * Makes a broker.
 * @throws UsageError where the permissions are no descriptor.
 */
export function createBroker({ permissions = {}, onUngranted, onDecision }: BrokerOptions = {}): Broker {
  const most = checkPermissions(permissions);
  const query: Broker["query"] = (permission, value, { principal, udf, runId, permissions: own }) => {
    const canonical = canonicalOf(permission, value);
    const verdict =
      canonical === null ? UNSAFE : decide(permission, canonical, [most, checkPermissions(own)]);
    const shown = canonical ?? (typeof value === "string" ? value : "");
    return { permission, value: shown, ...verdict, how: "rule", principal, udf, runId };
  };
  return {
    query,
    requireUndenied(permission, value, { principal, udf, runId, permissions: own }) {
      const canonical = canonicalOf(permission, value) ?? "";
      const denying = [most, checkPermissions(own)].map(({ deny }) =>
        findRule(permission, deny?.[permission], canonical, "denies"),
      );
      const rule = denying.find((found) => found !== null) ?? null;
      const verdict = { allowed: rule === null, rule, reason: rule === null ? "allowed" : "denied" } as const;
      const decision: Decision = { permission, value, ...verdict, how: "rule", principal, udf, runId };
      onDecision?.(decision);
      if (!decision.allowed) throw denialOf(decision);
    },
    async require(permission, value, caller) {
      let decision = query(permission, value, caller);
      let answer: Answer | undefined;
      if (decision.reason === "not granted" && onUngranted && !caller.isNested) {
        answer = await whilePaused(caller, () => onUngranted({ permission, value: decision.value, caller }));
        const { allowed, how } = answer;
        if (how !== "rule") caller.noteAnswer?.();
        decision = { ...decision, allowed, how, reason: allowed ? "allowed" : "not granted" };
      }
      const shown = caller.redact?.(decision.value) ?? decision.value;
      const reported = shown === decision.value ? decision : { ...decision, value: shown };
      onDecision?.(reported);
      if (!decision.allowed) throw denialOf(reported);
      const { value: granted } = decision;
      if (permission !== "secrets") return { permission, value: granted, hosts: true, reveal: false };
      const all = [most, checkPermissions(caller.permissions)];
      return { permission, value: granted, ...secretGrant(granted, all, answer?.hosts) };
    },
  };
}

/** Asks while the run's time does not pass. */
async function whilePaused(caller: Caller, ask: () => Promise<Answer>): Promise<Answer> {
  const resume = caller.pause?.();
  try {
    return await ask();
  } finally {
    resume?.();
  }
}

function canonicalOf(permission: PermissionName, value: string): string | null {
  if (typeof value !== "string") return null;
  if (!takesList(permission)) return value === "" ? "" : null;
  return RULES[permission].canonical(value);
}

type Verdict = Pick<Decision, "allowed" | "rule" | "reason">;

const UNSAFE: Verdict = { allowed: false, rule: null, reason: "unsafe value" };

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
    if (allowing === null || (permission === "secrets" && !maySend(value, permissions)))
      return { allowed: false, rule: null, reason: "not granted" };
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

/** Whether a secret may be sent where a value says, if it says so. */
function maySend(value: string, permissions: Permissions): boolean {
  const [name, host] = splitSecret(value);
  if (host === undefined) return true;
  const { hosts } = secretGrant(name, [permissions]);
  return hosts === true || hosts.some((rule) => RULES.net.allows(rule, host));
}

/** How a secret may be used under all descriptors that have it, and under an answer; within one, its entries add up. */
function secretGrant(
  name: string,
  all: readonly Permissions[],
  answered: true | readonly string[] = true,
): Pick<Grant, "hosts" | "reveal"> {
  let grant: Pick<Grant, "hosts" | "reveal"> = { hosts: answered, reveal: true };
  for (const { secrets } of all) {
    const entries = secretGrants(secrets).filter((entry) => RULES.secrets.allows(entry.name, name));
    // An entry for the name itself says more than one for all names.
    const own = entries.some((entry) => entry.name === name)
      ? entries.filter((entry) => entry.name === name)
      : entries;
    const hosts =
      own.length === 0 || own.some((entry) => entry.hosts === true)
        ? true
        : own.flatMap((entry) => entry.hosts as string[]);
    grant = {
      hosts: intersectHosts(grant.hosts, hosts),
      reveal: grant.reveal && own.some((entry) => entry.reveal),
    };
  }
  return grant;
}

/** The error of a decision against a request: what was asked for, and the flag that would grant it, if one would. */
export function denialOf({ permission, value, rule, reason, how }: Decision): PermissionDeniedError {
  const noValue = !takesList(permission);
  const need = `Requires ${permission} access${noValue ? "" : ` to ${showText(value, 500)}`}`;
  const grant = reason === "not granted" ? formatFlag("allow", permission, noValue ? undefined : value) : "";
  const remedy = {
    "not granted":
      how === "prompt deny" ? `, which was refused: ${grant} allows it` : `: run again with ${grant}`,
    denied: `, which is denied: run again without ${formatFlag("deny", permission, rule === "true" || rule === null ? undefined : rule)}`,
    "unsafe value": noValue
      ? `, which takes no value`
      : `, which is not ${RULES[permission].noun} that can be granted`,
    allowed: "",
  }[reason];
  const isFinal = reason === "unsafe value";
  return new PermissionDeniedError(need + remedy, {
    permission,
    value,
    grant,
    ...(isFinal ? {} : { remedy }),
  });
}
