/** What a name means to a UDF that runs others by their names: what it means to whose UDF it is, or a link's token. */
import type { FindUdf } from "../udfs/binding.ts";
import { HttpError } from "./errors.ts";
import type { SavedUdf, ServerParts } from "./parts.ts";

/** What tokens look like (shared-tokens.ts). */
const TOKEN = /^(fsh_|fc_|UDF_)|^[0-9a-f]{64}$/;

export function udfFinder(parts: Pick<ServerParts, "users" | "registry" | "sharedTokens">): FindUdf {
  return async (name, { owner }) => {
    const { users, registry, sharedTokens } = parts;
    const user = await users.active(owner);
    let found: SavedUdf | null = null;
    if (TOKEN.test(name)) {
      try {
        found = (await sharedTokens.open(name, undefined, user ? { user } : {})).udf;
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
      }
    } else if (user) found = await registry.find(user, name);
    return found?.kind === "udf" ? registry.sourceOf(found) : null;
  };
}
