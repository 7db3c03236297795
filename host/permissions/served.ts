/** Denials as a server tells them: who gets one cannot run it again with other flags, but can ask who may give them. */
import { PermissionDeniedError } from "../../runtime/errors.ts";

/** The same denial in the words of a server. What says nothing of flags stays as it is. */
export function servedDenial(error: PermissionDeniedError): PermissionDeniedError {
  const { need, permission, value, grant } = error;
  if (need === undefined) return error;
  const rest =
    grant === ""
      ? ", which is denied here: by whoever runs this server, by the user's own permissions, or by the UDF's"
      : `, which is not granted here. Whoever runs this server can grant it (fuselet serve ${grant}), or an admin, where the user's own permissions leave it out`;
  // What the run has printed goes with it.
  return Object.assign(new PermissionDeniedError(need + rest, { permission, value, grant }), { ...error });
}
