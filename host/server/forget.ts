/** What goes with something that is deleted. */
import type { Collection } from "./collections.ts";
import { isEnded } from "./job.ts";
import type { ServerParts, User } from "./parts.ts";

type Parts = Pick<ServerParts, "collections" | "registry" | "sharedTokens">;
type OfUser = Parts & Pick<ServerParts, "schedules" | "jobs" | "vault">;

const PAGE = 1000;

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

/**
 * Ends and deletes what a user has who is no user any more: schedules, jobs that have not ended, secrets, collections and all in them.
 * Files stay: a team may need them.
 */
export async function deleteAllOf(parts: OfUser, user: User): Promise<void> {
  const { collections, schedules, jobs, vault } = parts;
  for (const { id, ownerId } of await schedules.list(user))
    if (ownerId === user.id) await schedules.delete(user, id);
  for (let skip = 0; ; skip += PAGE) {
    const page = await jobs.list(user, { skip, limit: PAGE });
    for (const { id, status } of page) if (!isEnded(status)) await jobs.cancel(user, id);
    if (page.length < PAGE) break;
  }
  for (const { name } of await vault.list(user.id)) await vault.delete(user.id, name);
  for (const collection of await collections.listOf(user.id)) await deleteCollection(parts, collection);
}
