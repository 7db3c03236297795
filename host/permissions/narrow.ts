/** The intersection of descriptors: how a request or a nested run gets less, and never more, than what it runs under. */
import {
  type ListPermission,
  type PermissionName,
  type Permissions,
  RULES,
  type SecretGrant,
  secretGrants,
  takesList,
} from "./descriptor.ts";
import { combine, type List, type Secrets } from "./unite.ts";

/**
 * What both descriptors grant; what either denies is denied.
 * @throws UsageError where one of them is no descriptor.
 */
export function narrow(a: Permissions, b: Permissions): Permissions {
  return combine(a, b, intersectLists, intersectSecrets);
}

function intersectLists(a: List, b: List, name: PermissionName): List {
  if (!a || !b) return undefined;
  if (a === true) return b;
  if (b === true) return a;
  return takesList(name) ? intersectRules(name, a, b) : undefined;
}

function intersectRules(name: ListPermission, a: readonly string[], b: readonly string[]): string[] {
  return a
    .flatMap((rule) => b.map((other) => RULES[name].intersect(rule, other)))
    .filter((rule) => rule !== null);
}

/** The hosts to which a secret may go under both grants. */
export function intersectHosts(
  a: true | readonly string[],
  b: true | readonly string[],
): true | readonly string[] {
  if (a === true) return b;
  return b === true ? a : intersectRules("net", a, b);
}

function intersectSecrets(a: Secrets, b: Secrets): Secrets {
  if (!a || !b) return undefined;
  if (a === true && b === true) return true;
  const both: SecretGrant[] = [];
  for (const one of secretGrants(a)) {
    for (const two of secretGrants(b)) {
      const name = RULES.secrets.intersect(one.name, two.name);
      if (name === null) continue;
      both.push({ name, hosts: intersectHosts(one.hosts, two.hosts), reveal: one.reveal && two.reveal });
    }
  }
  return both;
}
