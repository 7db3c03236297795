/** `/udf`: saved UDFs, their versions, and lists of them. */
import { createRoute, z } from "@hono/zod-openapi";
import { presentedBy } from "../auth.ts";
import { HttpError, notFound } from "../errors.ts";
import { deleteUdf } from "../forget.ts";
import type { App, SavedUdf, ServerParts } from "../parts.ts";
import { answer, errors, json, PageQuery, wholeNumber } from "../schemas.ts";
import { BASE } from "./base.ts";

const KINDS = [
  "auto",
  "vector_tile",
  "vector_single",
  "vector_single_none",
  "raster",
  "raster_single",
  "app",
] as const;

const SavedUdfBody = z
  .object({
    id: z.string(),
    slug: z.string(),
    udf_body: z.string().openapi({ description: "The JSON text of the UDF" }),
    udf_type: z.string(),
    collection_id: z.string(),
    collection_name: z.string(),
    allow_public_read: z.boolean(),
    allow_public_list: z.boolean(),
    allow_team_read: z.boolean(),
    user_id: z.string(),
    version: z.int(),
    created: z.string(),
    last_updated: z.string(),
  })
  .openapi("SavedUdf");

const SaveBody = z
  .strictObject({
    slug: z.string().max(200).nullish().openapi({ description: "Its name. Default: the one in its body" }),
    udf_body: z.string().openapi({ description: "The JSON text of the UDF" }),
    udf_type: z.enum(KINDS).nullish(),
    allow_public_read: z.boolean().nullish(),
    allow_public_list: z.boolean().nullish(),
    allow_team_read: z.boolean().nullish().openapi({ description: "Default: true" }),
    collection_id: z.string().max(64).nullish(),
    version: z
      .int()
      .min(0)
      .max(9_999_999_999)
      .nullish()
      .openapi({ description: "The version that this is a change of: 409 where it is not the last" }),
  })
  .openapi("SaveUdf");

const ListQuery = PageQuery.extend({
  udf_type: z.enum(["udf", "app"]).optional().openapi({ description: "Default: both" }),
});

const Id = z.object({ id: z.string().max(64) });
const Slug = z.object({ collection: z.string().max(200), slug: z.string().max(200) });
const BY_SLUG = "by-collection/{collection}/by-slug/{slug}";

/** A saved UDF as the wire has it. */
const savedBody = (udf: SavedUdf) => ({
  id: udf.id,
  slug: udf.slug,
  udf_body: udf.body,
  udf_type: udf.type,
  collection_id: udf.collectionId,
  collection_name: udf.collection,
  allow_public_read: udf.publicRead,
  allow_public_list: udf.publicList,
  allow_team_read: udf.teamRead,
  user_id: udf.ownerId,
  version: udf.version,
  created: udf.created,
  last_updated: udf.updated,
});

const missing = (slug: string) => notFound(`The UDF ${JSON.stringify(slug)}`);

export function addUdfRoutes(app: App, parts: ServerParts): void {
  addSaves(app, parts);
  addLookups(app, parts);
  addLists(app, parts);
}

const tags = ["udfs"];
const found = { 200: answer(SavedUdfBody, "The UDF"), ...errors(404) };

function addSaves(app: App, parts: ServerParts): void {
  const { registry } = parts;
  const toSave = (body: z.infer<typeof SaveBody>) => ({
    slug: body.slug ?? undefined,
    body: body.udf_body,
    type: body.udf_type ?? undefined,
    publicRead: body.allow_public_read ?? undefined,
    publicList: body.allow_public_list ?? undefined,
    teamRead: body.allow_team_read ?? undefined,
    collectionId: body.collection_id ?? undefined,
    ifVersion: body.version ?? undefined,
  });

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/udf/new`,
      tags,
      summary: "Save a new UDF",
      request: { body: json(SaveBody) },
      responses: { 200: answer(SavedUdfBody, "The UDF"), ...errors(404, 409) },
    }),
    async (c) => c.json(savedBody(await registry.save(c.get("user"), toSave(c.req.valid("json")))), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/udf/by-id/{id}`,
      tags,
      summary: "Save another version of a UDF",
      request: { params: Id, body: json(SaveBody) },
      responses: { 200: answer(SavedUdfBody, "The UDF"), ...errors(404, 409) },
    }),
    async (c) => {
      const wanted = { id: c.req.valid("param").id, ...toSave(c.req.valid("json")) };
      return c.json(savedBody(await registry.save(c.get("user"), wanted)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${BASE}/udf/by-id/{id}`,
      tags,
      summary: "Delete a UDF, its versions and its shared tokens, and turn its schedules off",
      request: { params: Id },
      responses: { ...found, ...errors(404, 409) },
    }),
    async (c) => {
      const udf = await registry.toWrite(c.get("user"), c.req.valid("param").id);
      await deleteUdf(parts, udf);
      return c.json(savedBody(udf), 200);
    },
  );
}

function addLookups(app: App, { registry, users, sharedTokens }: ServerParts): void {
  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/udf/by-id/{id}`,
      tags,
      summary: "A UDF by its id",
      request: { params: Id },
      responses: found,
    }),
    async (c) => c.json(savedBody(await registry.toRead(c.get("user"), c.req.valid("param").id)), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/udf/by-id/{id}/versions`,
      tags,
      summary: "The versions of a UDF, the last first: those that were saved for whoever asks to read",
      request: { params: Id },
      responses: {
        200: answer(z.array(z.object({ version: z.int(), last_updated: z.string() })), "The versions"),
        ...errors(404),
      },
    }),
    async (c) => {
      const user = c.get("user");
      const udf = await registry.toRead(user, c.req.valid("param").id);
      const versions = await registry.versions(user, udf);
      return c.json(
        versions.map(({ version, saved }) => ({ version, last_updated: saved })),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/udf/by-id/{id}/versions/{version}`,
      tags,
      summary: "A UDF as it was; saved again, it is so again",
      request: { params: Id.extend({ version: wholeNumber(1, 9_999_999_999) }) },
      responses: found,
    }),
    async (c) => {
      const { id, version } = c.req.valid("param");
      const user = c.get("user");
      const udf = await registry.toRead(user, id);
      const was = await registry.version(user, udf, version);
      if (!was) throw notFound(`Version ${version} of the UDF ${JSON.stringify(udf.slug)}`);
      return c.json(savedBody(was), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/udf/exec-env/self/${BY_SLUG}`,
      tags,
      summary: "A UDF of the team by its name: one's own, else the oldest",
      request: { params: Slug },
      responses: found,
    }),
    async (c) => {
      const { collection, slug } = c.req.valid("param");
      const udf = await registry.ofTeam(c.get("user"), slug, collection);
      if (!udf) throw missing(slug);
      return c.json(savedBody(udf), 200);
    },
  );

  for (const by of ["email", "handle"] as const) {
    app.openapi(
      createRoute({
        method: "get",
        path: `${BASE}/udf/by-user-${by}/{owner}/${BY_SLUG}`,
        tags,
        summary: `A UDF by the ${by} of its owner and its name`,
        request: { params: Slug.extend({ owner: z.string().max(255) }) },
        responses: found,
      }),
      async (c) => {
        const { owner: who, collection, slug } = c.req.valid("param");
        const owner = await (by === "email" ? users.byEmail(who) : users.byHandle(who));
        const udf = owner && (await registry.bySlug(owner.id, slug, collection));
        if (!udf || !registry.canRead(c.get("user"), udf)) throw missing(slug);
        return c.json(savedBody(udf), 200);
      },
    );
  }

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/udf/public/${BY_SLUG}`,
      tags,
      summary: "A public UDF by its name: the oldest",
      request: { params: Slug },
      responses: found,
    }),
    async (c) => {
      const { collection, slug } = c.req.valid("param");
      const udf = await registry.publicBySlug(slug, collection);
      if (!udf) throw missing(slug);
      return c.json(savedBody(udf), 200);
    },
  );

  for (const slugPath of ["", "/{slug}"]) {
    app.openapi(
      createRoute({
        method: "get",
        path: `${BASE}/udf/shared/by-token/{token}${slugPath}`,
        tags,
        summary: "The UDF that a shared token runs, where its code may be read",
        request: {
          params: z.object({
            token: z.string().max(500),
            ...(slugPath === "" ? {} : { slug: z.string().max(200) }),
          }),
        },
        responses: found,
      }),
      async (c) => {
        const { token, slug } = c.req.valid("param") as { token: string; slug?: string };
        const presented = presentedBy(c);
        const { shared, udf } = await sharedTokens.open(token, slug, presented);
        if (!shared.publicRead && !(presented.user && registry.canRead(presented.user, udf)))
          throw new HttpError(403, "This token runs the UDF, and does not show its code");
        return c.json(savedBody(udf), 200);
      },
    );
  }
}

function addLists(app: App, { registry }: ServerParts): void {
  const lists = [
    ["self", "One's own UDFs", registry.listOf],
    ["exec-env/self", "The UDFs of the team", registry.listOfTeam],
    ["public", "Public UDFs", (_user, page) => registry.listPublic(page)],
  ] satisfies [string, string, typeof registry.listOf][];
  for (const [path, summary, list] of lists) {
    app.openapi(
      createRoute({
        method: "get",
        path: `${BASE}/udf/${path}`,
        tags,
        summary,
        description:
          "A page of large ones may have fewer than its limit: whoever wants all asks until a page is empty.",
        request: { query: ListQuery },
        responses: { 200: answer(z.array(SavedUdfBody), "The UDFs"), ...errors() },
      }),
      async (c) => {
        const { skip, limit, udf_type: kind } = c.req.valid("query");
        return c.json((await list(c.get("user"), { skip, limit, kind })).map(savedBody), 200);
      },
    );
  }
}
