/** The union of descriptors: how sets and flags add up. Deny still beats allow. */
import {
  checkPermissions,
  PERMISSION_NAMES,
  type PermissionName,
  type Permissions,
  type SecretGrant,
  secretGrants,
} from "./descriptor.ts";

export type List = boolean | readonly string[] | undefined;
export type Secrets = Permissions["secrets"];

/**
 * What either descriptor grants; what either denies is denied.
 * @throws UsageError where one of them is no descriptor.
 */
export function unite(a: Permissions, b: Permissions): Permissions {
  return combine(a, b, uniteLists, uniteSecrets);
}

/**
 * One descriptor of two: what is granted as `lists` and `secrets` say, and denied what either denies.
 * @throws UsageError where one of them is no descriptor.
 */
export function combine(
  a: Permissions,
  b: Permissions,
  lists: (one: List, two: List, name: PermissionName) => List,
  secrets: (one: Secrets, two: Secrets) => Secrets,
): Permissions {
  const [one, two] = [checkPermissions(a), checkPermissions(b)];
  const out: Record<string, unknown> = {};
  const deny: Record<string, unknown> = {};
  for (const name of PERMISSION_NAMES) {
    const both =
      name === "secrets"
        ? secrets(one.secrets, two.secrets)
        : lists(one[name] as List, two[name] as List, name);
    if (both !== undefined) out[name] = both;
    const denied = uniteLists(one.deny?.[name], two.deny?.[name]);
    if (denied !== undefined) deny[name] = denied;
  }
  if (Object.keys(deny).length) out.deny = deny;
  return checkPermissions(out);
}

/** All rules of both lists. */
function uniteLists(a: List, b: List): List {
  if (a === true || b === true) return true;
  if (!a || !b) return a || b || undefined;
  return [...new Set([...a, ...b])].sort();
}

/** Entries add up: one for a single name still says more about it than one for all names. */
function uniteSecrets(a: Secrets, b: Secrets): Secrets {
  if (!a || !b) return a || b || undefined;
  if (a === true && b === true) return true;
  return [...secretGrants(a), ...secretGrants(b)] satisfies SecretGrant[];
}
