/** The union of descriptors: how sets and flags add up. Deny still beats allow. */
import {
  checkPermissions,
  PERMISSION_NAMES,
  type Permissions,
  type SecretGrant,
  secretGrants,
} from "./descriptor.ts";

type List = boolean | readonly string[] | undefined;
type Secrets = Permissions["secrets"];

/**
 * What either descriptor grants; what either denies is denied.
 * @throws UsageError where one of them is no descriptor.
 */
export function unite(a: Permissions, b: Permissions): Permissions {
  const [one, two] = [checkPermissions(a), checkPermissions(b)];
  const out: Record<string, unknown> = {};
  const deny: Record<string, unknown> = {};
  for (const name of PERMISSION_NAMES) {
    const both =
      name === "secrets"
        ? uniteSecrets(one.secrets, two.secrets)
        : uniteLists(one[name] as List, two[name] as List);
    if (both !== undefined) out[name] = both;
    const denied = uniteLists(one.deny?.[name], two.deny?.[name]);
    if (denied !== undefined) deny[name] = denied;
  }
  if (Object.keys(deny).length) out.deny = deny;
  return checkPermissions(out);
}

/** All rules of both lists. */
export function uniteLists(a: List, b: List): List {
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
