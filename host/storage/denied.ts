/** What a run's deny rules mean for places that are not asked for one by one: those that a list shows, or that go with a folder. */
import { storage } from "../permissions/storage.ts";
import type { StorageCall } from "./driver.ts";

type Permission = "read" | "write";

const rulesOf = ({ permissions }: StorageCall, permission: Permission): readonly string[] => {
  const rules = permissions.deny?.[permission];
  return Array.isArray(rules) ? rules : [];
};

/** Whether a deny rule covers a place. */
export function isDenied(call: StorageCall, permission: Permission, value: string): boolean {
  return (
    call.permissions.deny?.[permission] === true ||
    rulesOf(call, permission).some((rule) => storage.denies(rule, value))
  );
}

/** The deny rules about what lies below a folder. */
export function deniedBelow(call: StorageCall, permission: Permission, folder: string): string[] {
  return rulesOf(call, permission).filter((rule) => storage.denies(folder, rule));
}
