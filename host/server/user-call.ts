/**
 * What a user does with files by the server's own routes is asked for as a UDF's calls are. One's own files and the team's are granted;
 * all else is what the server and the user's own permissions say, and what these deny stays denied.
 */
import { createBroker } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import { narrow } from "../permissions/narrow.ts";
import { unite } from "../permissions/unite.ts";
import type { StorageCall } from "../storage/driver.ts";
import type { ServerParts, ServerSettings, User } from "./parts.ts";

const OWN: Permissions = { read: ["fd://", "/mount"], write: ["fd://", "/mount"] };

/** The routes are no UDF: the audit log names them so. */
const ROUTES = { name: "server/files", hash: "" };

/** What the server may give at all, as far as a user may have it. */
export const grantedTo = ({ permissions }: Pick<ServerSettings, "permissions">, user: User): Permissions =>
  user.permissions ? narrow(permissions, user.permissions) : permissions;

/** @param signal aborts when the request has ended */
export function userCall(
  { settings, onDecision }: Pick<ServerParts, "settings" | "onDecision">,
  user: User,
  signal: AbortSignal,
): StorageCall {
  const permissions = unite(grantedTo(settings, user), OWN);
  const broker = createBroker({ permissions, onDecision });
  const asking = { principal: user.id, udf: ROUTES, runId: crypto.randomUUID(), permissions, signal };
  return {
    principal: user.id,
    owner: user.id,
    permissions,
    signal,
    taken: async () => {},
    require: (permission, value) => broker.require(permission, value, asking),
  };
}
