/** What a name means to a UDF that runs others by their names: one of its own collection, what it means to whose UDF it is, or a link's token. */
import type { FindUdf } from "../udfs/binding.ts";
import { HttpError } from "./errors.ts";
import type { SavedUdf, ServerParts } from "./parts.ts";

/** What tokens look like (shared-tokens.ts). */
const TOKEN = /^(fsh_|fc_|UDF_)|^[0-9a-f]{64}$/;

export function udfFinder(parts: Pick<ServerParts, "users" | "registry" | "sharedTokens">): FindUdf {
  return async (name, { owner, collection }) => {
    const { users, registry, sharedTokens } = parts;
    const user = await users.active(owner);
    let found: SavedUdf | null = null;
    let isHidden = false;
    if (TOKEN.test(name)) {
      try {
        const { udf, shared } = await sharedTokens.open(name, undefined, user ? { user } : {});
        found = udf;
        isHidden = !shared.publicRead && !(user && registry.canRead(user, udf));
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
      }
    } else if (user) {
      if (collection !== undefined) found = await registry.find(user, name, collection);
      found ??= await registry.find(user, name);
    }
    return found?.kind === "udf" ? { ...registry.sourceOf(found), isHidden } : null;
  };
}
