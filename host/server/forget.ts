/** What goes with something that is deleted. */
import type { Collection } from "./collections.ts";
import { isEnded } from "./job.ts";
import type { SavedUdf, ServerParts, User } from "./parts.ts";
import type { Schedules } from "./schedules.ts";

type Parts = Pick<ServerParts, "collections" | "registry" | "sharedTokens" | "epochs"> & {
  readonly schedules: Pick<Schedules, "endOf">;
};
type OfUser = Parts & Pick<ServerParts, "users" | "schedules" | "jobs" | "vault" | "datasets" | "standing">;

const PAGE = 1000;

/** Deletes a UDF, its versions and its tokens; its schedules are turned off. What is left where this ends early goes with the next sweep. */
export async function deleteUdf(
  { registry, sharedTokens, schedules, epochs }: Omit<Parts, "collections">,
  udf: SavedUdf,
): Promise<void> {
  await registry.delete(udf);
  await sharedTokens.deleteOf(udf);
  await schedules.endOf(udf);
  await epochs.drop(udf.id);
}

/** Deletes a collection, its share token, the UDFs in it, their versions and their tokens. */
export async function deleteCollection(parts: Parts, collection: Collection): Promise<void> {
  const { collections, registry, sharedTokens } = parts;
  await sharedTokens.unshare(collection);
  await sharedTokens.setPasscode(collection, null);
  // Nothing can be saved in it from here on.
  await collections.delete(collection);
  for (const id of await registry.idsIn(collection)) {
    const udf = await registry.byId(id);
    if (udf) await deleteUdf(parts, udf);
  }
}

/**
 * Ends all that goes on in the name of a user who is disabled: runs, streams, jobs. Schedules stay, and begin nothing as long as their owner
 * is disabled.
 */
export async function endAllOf(
  { standing, jobs }: Pick<OfUser, "standing" | "jobs">,
  user: User,
): Promise<void> {
  await standing.look();
  for (let skip = 0; ; skip += PAGE) {
    const page = await jobs.list(user, { skip, limit: PAGE });
    for (const { id, status } of page) if (!isEnded(status)) await jobs.cancel(user, id);
    if (page.length < PAGE) return;
  }
}

/**
 * Deletes a user, and before that what the user has: schedules, secrets, collections and all in them, datasets in the user's own files. The
 * user is disabled first, and goes last: what was begun can be done again where it was not done to its end. Files stay in the server's
 * folder, where nobody has them any more: a new user of the same name has other ones.
 * @throws HttpError 409 where no admin would be left
 */
export async function deleteUser(parts: OfUser, { id }: User): Promise<void> {
  const { users, collections, schedules, vault, datasets } = parts;
  const user = await users.update(id, { isEnabled: false });
  await endAllOf(parts, user);
  for (const { id, ownerId } of await schedules.list(user))
    if (ownerId === user.id) await schedules.delete(user, id);
  for (const { id, ownerId, storage } of await datasets.list(user))
    if (ownerId === user.id && storage === "fd") await datasets.delete(user, id);
  for (const { name } of await vault.list(user.id)) await vault.delete(user.id, name);
  for (const collection of await collections.listOf(user.id)) await deleteCollection(parts, collection);
  await users.delete(user.id);
}
