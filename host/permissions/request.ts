/**
 * What a UDF asks for, as it declares it: in Python the table `[tool.fuselet.permissions]` of its PEP 723 block, in TypeScript
 * `udf({ permissions })`. Only the host grants. The names are those of the descriptor, without `deny`; beside them `reason`
 * may say why, in one text for all or a text a permission:
 *
 *     net = ["api.example.org"]
 *     reason = { net = "to fetch the forecast" }
 */
import { UsageError } from "../../runtime/errors.ts";
import { checkPermissions, isPermission, type PermissionName, type Permissions } from "./descriptor.ts";

/** A request that was read. */
export interface PermissionRequest {
  permissions: Permissions;
  /** Why, in the UDF's own words; null where it does not say. */
  reasonFor(permission: PermissionName): string | null;
}

/** Longer reasons are not read by anybody. */
const MOST_CHARACTERS = 1000;

/**
 * Reads what a UDF declares.
 * @param where how messages call it.
 * @throws UsageError that names the place, the value and the rule.
 */
export function readRequest(value: Readonly<Record<string, unknown>>, where: string): PermissionRequest {
  const { reason, ...wanted } = value;
  if (Object.hasOwn(wanted, "deny")) {
    throw new UsageError(`Cannot set ${where}: a UDF asks for what it needs, and cannot deny anything`);
  }
  const reasons = readReasons(reason, `${where}.reason`);
  return {
    permissions: checkPermissions(wanted, where),
    reasonFor: (permission) => reasons.get(permission) ?? reasons.get("") ?? null,
  };
}

/** By permission; the reason for all has the name "". */
function readReasons(value: unknown, where: string): Map<string, string> {
  if (value === undefined) return new Map();
  if (typeof value === "string") return new Map([["", readText(value, where)]]);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new UsageError(`Cannot set ${where}: it must be a text, or a text for each permission`);
  }
  return new Map(
    Object.entries(value).map(([name, text]) => {
      if (!isPermission(name)) {
        throw new UsageError(`Cannot set ${where}: ${JSON.stringify(name)} is no permission`);
      }
      return [name, readText(text, `${where}.${name}`)];
    }),
  );
}

function readText(value: unknown, where: string): string {
  if (typeof value === "string" && value.length <= MOST_CHARACTERS) return value;
  throw new UsageError(`Cannot set ${where}: it must be a text of at most ${MOST_CHARACTERS} characters`);
}
