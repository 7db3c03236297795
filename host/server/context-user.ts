/** What a run is told of the user who is signed in. */
import type { ContextUser } from "../context/context.ts";
import type { User } from "./parts.ts";

export const contextUser = ({ id, email, handle, name, team, isAdmin }: User): ContextUser => ({
  id,
  email,
  handle,
  name,
  executionEnvironmentId: team,
  isAdmin,
});
