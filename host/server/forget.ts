/** What goes with something that is deleted. */
import type { Collection } from "./collections.ts";
import type { ServerParts } from "./parts.ts";

type Parts = Pick<ServerParts, "collections" | "registry" | "sharedTokens">;

/** Deletes a collection, its share token, the UDFs in it, their versions and their tokens. */
export async function deleteCollection(parts: Parts, collection: Collection): Promise<void> {
  const { collections, registry, sharedTokens } = parts;
  await sharedTokens.unshare(collection);
  await sharedTokens.setPasscode(collection, null);
  // Nothing can be saved in it from here on.
  await collections.delete(collection);
  for (const id of await registry.idsIn(collection)) {
    const udf = await registry.byId(id);
    if (!udf) continue;
    await registry.delete(udf);
    await sharedTokens.deleteOf(udf);
  }
}

/** Deletes what a user has saved who is no user any more. */
export async function deleteSavedOf(parts: Parts, userId: string): Promise<void> {
  for (const collection of await parts.collections.listOf(userId)) await deleteCollection(parts, collection);
}
