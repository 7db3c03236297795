/** `/collection`: collections of UDFs, and the token with which others run all that is in one. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Collection } from "../collections.ts";
import { HttpError, notFound } from "../errors.ts";
import { deleteCollection } from "../forget.ts";
import type { App, ServerParts, User } from "../parts.ts";
import { answer, errors, Flag, json, PageQuery } from "../schemas.ts";
import { BASE } from "./base.ts";

const Scope = z.enum(["public", "team"]);

const CollectionBody = z
  .object({
    id: z.string(),
    name: z.string(),
    username: z.string().nullable().openapi({ description: "The handle of its owner" }),
    access_scope: Scope,
    allow_public_read: z.boolean(),
    dashboard_body: z.string().nullable(),
    preview_image_url: z.string().nullable(),
    share_token: z.string().nullable().openapi({ description: "For its owner only" }),
    share_client_id: z.string().nullable(),
    passcode: z.string().nullable().openapi({ description: "For its owner only" }),
    last_updated: z.string(),
  })
  .openapi("Collection");

const fields = {
  access_scope: Scope.nullish().openapi({
    description: "Who may use its share token: whoever has it, or the team, and whom the team lets in",
  }),
  allow_public_read: z
    .boolean()
    .nullish()
    .openapi({ description: "Whether who has the share token may read code" }),
  dashboard_body: z.string().max(4_194_304).nullish().openapi({ description: "Kept for the client" }),
  passcode: z
    .string()
    .max(200)
    .regex(/^[\x20-\x7e]*$/)
    .nullish()
    .openapi({ description: "Lets in who knows it; an empty one takes it away" }),
  preview_image_url: z.string().max(2000).nullish(),
};
const Name = z.string().min(1).max(200);
const NewBody = z.strictObject({ name: Name, ...fields }).openapi("NewCollection");
const ChangeBody = z.strictObject({ name: Name.nullish(), ...fields }).openapi("CollectionChanges");

const Id = z.object({ id: z.string().max(64) });
const ByName = z.object({ name: z.string().max(200) });

const path = `${BASE}/collection`;
const tags = ["collections"];
const found = { 200: answer(CollectionBody, "The collection"), ...errors(404) };

const missing = (what: string) => notFound(`The collection ${JSON.stringify(what)}`);

export function addCollectionRoutes(app: App, parts: ServerParts): void {
  const shown = makeShown(parts);
  addLookups(app, parts, shown);
  addChanges(app, parts, shown);
  addSharing(app, parts, shown);
}

type Shown = (
  user: User,
  collection: Collection,
  isLite?: boolean,
) => Promise<z.infer<typeof CollectionBody>>;

/** Of the dashboards of a page of a list: whoever wants all asks again. */
const MOST_PAGE_CHARACTERS = 32 * 1024 * 1024;

/** A collection as the wire has it, for somebody. */
function makeShown({ users, sharedTokens, collections }: ServerParts): Shown {
  return async (user, collection, isLite = false) => {
    const isOwn = collection.ownerId === user.id;
    // What opens it is given to others by its owner alone.
    const [owner, shared, passcode, dashboard] = await Promise.all([
      users.byId(collection.ownerId),
      isOwn ? sharedTokens.ofCollection(collection) : null,
      isOwn ? sharedTokens.passcodeOf(collection) : null,
      isLite ? null : collections.dashboardOf(collection.id),
    ]);
    return {
      id: collection.id,
      name: collection.name,
      username: owner?.handle ?? null,
      access_scope: collection.scope,
      allow_public_read: collection.publicRead,
      dashboard_body: dashboard,
      preview_image_url: collection.previewUrl,
      share_token: shared?.token ?? null,
      share_client_id: shared?.clientId ?? null,
      passcode,
      last_updated: collection.updated,
    };
  };
}

/** One that a user may see. @throws HttpError 404 */
async function toSee({ collections, users }: ServerParts, user: User, id: string): Promise<Collection> {
  const collection = await collections.byId(id);
  if (collection?.ownerId === user.id) return collection;
  const owner = collection?.team === user.team ? await users.byId(collection.ownerId) : null;
  if (collection && owner?.team === user.team) return collection;
  throw missing(id);
}

/** @throws HttpError 404; 403 for one of somebody else in the team */
async function toChange(parts: ServerParts, user: User, id: string): Promise<Collection> {
  const collection = await toSee(parts, user, id);
  if (collection.ownerId === user.id) return collection;
  throw new HttpError(403, `The collection ${JSON.stringify(collection.name)} is somebody else's`);
}

function addLookups(app: App, parts: ServerParts, shown: Shown): void {
  const { collections, users } = parts;
  const teammates = async (user: User) => (await users.ofTeam(user.team)).filter(({ id }) => id !== user.id);

  app.openapi(
    createRoute({
      method: "get",
      path: `${path}/by-name/{name}`,
      tags,
      summary: "One's own collection of a name",
      request: { params: ByName },
      responses: found,
    }),
    async (c) => {
      const user = c.get("user");
      const { name } = c.req.valid("param");
      const collection = await (name === "default"
        ? collections.defaultOf(user)
        : collections.byName(user.id, name));
      if (!collection) throw missing(name);
      return c.json(await shown(user, collection), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${path}/exec-env/by-slug/{name}`,
      tags,
      summary: "A collection of somebody else in the team, by its name: that which was changed longest ago",
      request: { params: ByName },
      responses: found,
    }),
    async (c) => {
      const user = c.get("user");
      const { name } = c.req.valid("param");
      const all = await Promise.all((await teammates(user)).map(({ id }) => collections.byName(id, name)));
      const [first] = all
        .filter((collection) => collection !== null)
        .filter(({ team }) => team === user.team)
        .sort((one, other) => (one.updated < other.updated ? -1 : 1));
      if (!first) throw missing(name);
      return c.json(await shown(user, first), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${path}/by-id/{id}`,
      tags,
      summary: "A collection by its id",
      request: { params: Id },
      responses: found,
    }),
    async (c) => {
      const user = c.get("user");
      return c.json(await shown(user, await toSee(parts, user, c.req.valid("param").id)), 200);
    },
  );

  const lists = [
    ["self", "One's own collections", async (user: User) => collections.listOf(user.id)],
    [
      "exec-env",
      "The collections of others in the team",
      async (user: User) =>
        (await Promise.all((await teammates(user)).map(({ id }) => collections.listOf(id))))
          .flat()
          .filter(({ team }) => team === user.team),
    ],
  ] as const;
  for (const [whose, summary, list] of lists) {
    for (const isLite of [false, true]) {
      app.openapi(
        createRoute({
          method: "get",
          path: `${path}/${whose}${isLite ? "/lite" : ""}`,
          tags,
          summary: `${summary}${isLite ? ", without their dashboards" : ""}`,
          description: isLite
            ? "All of a page"
            : "A page of large ones may have fewer than its limit: whoever wants all asks until a page is empty.",
          request: { query: PageQuery },
          responses: { 200: answer(z.array(CollectionBody), "The collections"), ...errors() },
        }),
        async (c) => {
          const user = c.get("user");
          const { skip, limit } = c.req.valid("query");
          const bodies: z.infer<typeof CollectionBody>[] = [];
          let characters = 0;
          for (const collection of (await list(user)).slice(skip, skip + limit)) {
            const body = await shown(user, collection, isLite);
            characters += body.dashboard_body?.length ?? 0;
            if (bodies.length > 0 && characters > MOST_PAGE_CHARACTERS) break;
            bodies.push(body);
          }
          return c.json(bodies, 200);
        },
      );
    }
  }
}

function addChanges(app: App, parts: ServerParts, shown: Shown): void {
  const { collections, sharedTokens } = parts;
  const changesIn = (body: z.infer<typeof ChangeBody>) => ({
    name: body.name ?? undefined,
    scope: body.access_scope ?? undefined,
    publicRead: body.allow_public_read ?? undefined,
    dashboard: body.dashboard_body ?? undefined,
    previewUrl: body.preview_image_url ?? undefined,
  });
  app.openapi(
    createRoute({
      method: "post",
      path: `${path}/new`,
      tags,
      summary: "Make a collection",
      request: { body: json(NewBody) },
      responses: { 200: answer(CollectionBody, "The collection"), ...errors(409) },
    }),
    async (c) => {
      const user = c.get("user");
      const body = c.req.valid("json");
      const collection = await collections.add(user, { ...changesIn(body), name: body.name });
      if (body.passcode) await sharedTokens.setPasscode(collection, body.passcode);
      return c.json(await shown(user, collection), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${path}/by-id/{id}`,
      tags,
      summary: "Change a collection",
      request: { params: Id, body: json(ChangeBody) },
      responses: { ...found, ...errors(404, 409) },
    }),
    async (c) => {
      const user = c.get("user");
      const body = c.req.valid("json");
      const old = await toChange(parts, user, c.req.valid("param").id);
      // What is narrower counts before what is wider.
      if (body.passcode) await sharedTokens.setPasscode(old, body.passcode);
      const collection = await collections.update(old.id, { ...changesIn(body), team: user.team });
      if (body.passcode === "") await sharedTokens.setPasscode(old, null);
      return c.json(await shown(user, collection), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${path}/by-id/{id}`,
      tags,
      summary: "Delete a collection, its share token, and the UDFs in it",
      request: { params: Id },
      responses: { ...found, ...errors(404, 409) },
    }),
    async (c) => {
      const user = c.get("user");
      const collection = await toChange(parts, user, c.req.valid("param").id);
      const body = await shown(user, collection);
      await deleteCollection(parts, collection);
      return c.json(body, 200);
    },
  );
}

function addSharing(app: App, parts: ServerParts, shown: Shown): void {
  const { sharedTokens } = parts;
  const Of = z.object({ collection_id: z.string().max(64) });

  app.openapi(
    createRoute({
      method: "post",
      path: `${path}/share`,
      tags,
      summary: "Give a collection a share token",
      request: {
        query: Of.extend({
          client_id: z.string().max(255).optional(),
          new_token: Flag.optional().openapi({ description: "Another one, where it has one: that one ends" }),
        }),
      },
      responses: { ...found, ...errors(404, 409) },
    }),
    async (c) => {
      const user = c.get("user");
      const { collection_id: id, client_id: clientId = null, new_token: anew = false } = c.req.valid("query");
      const collection = await toChange(parts, user, id);
      await sharedTokens.share(collection, { clientId, anew });
      return c.json(await shown(user, collection), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${path}/unshare`,
      tags,
      summary: "Take a collection's share token away",
      request: { query: Of },
      responses: found,
    }),
    async (c) => {
      const user = c.get("user");
      const collection = await toChange(parts, user, c.req.valid("query").collection_id);
      await sharedTokens.unshare(collection);
      return c.json(await shown(user, collection), 200);
    },
  );
}
