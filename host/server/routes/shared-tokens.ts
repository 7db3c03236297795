/** `/udf-access-token`, `/session-token`: tokens with which others run one's UDFs. */
import { createRoute, z } from "@hono/zod-openapi";
import { presentedBy } from "../auth.ts";
import { HttpError, notFound } from "../errors.ts";
import { isPlainJson } from "../names.ts";
import type { App, ServerParts, SharedToken, User } from "../parts.ts";
import { answer, errors, json, PageQuery } from "../schemas.ts";
import { BASE } from "./base.ts";

const SharedTokenBody = z
  .object({
    token: z.string(),
    udf_email: z.string().nullable(),
    udf_slug: z.string().nullable(),
    udf_id: z.string().nullable(),
    collection_id: z.string().nullable(),
    enabled: z.boolean(),
    owning_user_id: z.string(),
    owning_execution_environment_id: z.string(),
    client_id: z.string().nullable(),
    public_read: z.boolean(),
    access_scope: z.enum(["public", "team"]),
    cache: z.boolean(),
    metadata_json: z.record(z.string(), z.unknown()),
    expires: z.string().nullable(),
    last_updated: z.string(),
  })
  .openapi("SharedToken");

const MOST_METADATA = 65_536;

const changes = {
  client_id: z.string().max(255).nullish().openapi({ description: "Kept; this server is one client" }),
  public_read: z.boolean().nullish().openapi({ description: "Whether who has it may read the code" }),
  access_scope: z
    .enum(["public", "world", "team"])
    .nullish()
    .openapi({ description: "Who may use it; world is public" }),
  cache: z.boolean().nullish().openapi({ description: "Whether results are kept" }),
  metadata_json: z
    .record(z.string(), z.unknown())
    .refine((value) => isPlainJson(value, MOST_METADATA), `JSON of at most ${MOST_METADATA} characters`)
    .nullish(),
  enabled: z.boolean().nullish(),
  expires_in: z
    .int()
    .min(0)
    .max(3_153_600_000)
    .nullish()
    .openapi({ description: "Seconds from now; 0: it does not expire" }),
};

const ChangeBody = z.strictObject(changes).openapi("SharedTokenChanges");

const NewBody = z
  .strictObject({
    udf_email: z
      .string()
      .max(255)
      .nullish()
      .openapi({ description: "The owner's email or handle. Default: oneself" }),
    udf_slug: z.string().max(200).nullish(),
    udf_id: z.string().max(64).nullish().openapi({ description: "Its id, instead of owner and name" }),
    ...changes,
  })
  .openapi("NewSharedToken");

const Token = z.object({ token: z.string().max(500) });
const path = `${BASE}/udf-access-token`;
const tags = ["shared tokens"];
const found = { 200: answer(SharedTokenBody, "The token"), ...errors(404) };

const nothing = () => notFound("The token");

export function addSharedTokenRoutes(app: App, parts: ServerParts): void {
  addTokenRoutes(app, parts);

  const { sharedTokens } = parts;
  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/session-token/by-access-token/{token}`,
      tags,
      summary: "Let others use a collection of the team for a while",
      request: {
        params: Token,
        body: json(
          z.strictObject({
            ttl: z.int().min(1).max(2_592_000).default(3600).openapi({ description: "Seconds" }),
          }),
        ),
      },
      responses: {
        200: answer(
          z.object({ token: z.string(), session_token: z.string(), expires_at: z.string() }),
          "The session token, and what it is for",
        ),
        ...errors(404),
      },
    }),
    async (c) => {
      const { token } = c.req.valid("param");
      const session = await sharedTokens.session(c.get("user"), token, c.req.valid("json").ttl);
      const expires = session.expires.toISOString();
      return c.json({ token, session_token: session.token, expires_at: expires }, 200);
    },
  );
}

function addTokenRoutes(app: App, { sharedTokens, registry, users }: ServerParts): void {
  /** A token as the wire has it. */
  const bodyOf = async (shared: SharedToken) => {
    const [owner, udf] = await Promise.all([
      users.byId(shared.ownerId),
      registry.details(shared.udfId ?? ""),
    ]);
    return {
      token: shared.token,
      udf_email: owner?.email ?? null,
      udf_slug: udf?.slug ?? null,
      udf_id: shared.udfId,
      collection_id: shared.collection,
      enabled: shared.enabled,
      owning_user_id: shared.ownerId,
      owning_execution_environment_id: owner?.team ?? "",
      client_id: shared.clientId,
      public_read: shared.publicRead,
      access_scope: shared.scope,
      cache: shared.cache,
      metadata_json: { ...shared.metadata },
      expires: shared.expires,
      last_updated: shared.updated,
    };
  };
  const own = async (user: User, text: string) => {
    const shared = await sharedTokens.byText(text);
    if (shared?.ownerId !== user.id) throw nothing();
    return shared;
  };
  /** One of a UDF: what is a collection's is changed with that. */
  const ownOfUdf = async (user: User, text: string) => {
    const shared = await own(user, text);
    if (shared.udfId === null)
      throw new HttpError(409, "This is the token of a collection: share or unshare the collection");
    return shared;
  };

  app.openapi(
    createRoute({
      method: "post",
      path: `${path}/new`,
      tags,
      summary: "Make a token for one of one's own UDFs",
      request: { body: json(NewBody) },
      responses: { ...found, ...errors(404, 409) },
    }),
    async (c) => {
      const user = c.get("user");
      const { udf_id: id, udf_email: who, udf_slug: slug, ...wanted } = c.req.valid("json");
      if ((id ?? slug ?? null) === null)
        throw new HttpError(422, "Cannot make a token: udf_id or udf_slug is needed");
      const udf = id
        ? await registry.byId(id)
        : await registry.find(user, who ? `${who}/${slug}` : (slug ?? ""));
      if (!udf || !registry.canRead(user, udf)) throw notFound(`The UDF ${JSON.stringify(id ?? slug)}`);
      if (udf.ownerId !== user.id)
        throw new HttpError(
          403,
          "Cannot make a token: it would run in your name what somebody else can change",
        );
      return c.json(await bodyOf(await sharedTokens.add(user, udf.id, changesIn(wanted))), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${path}/self`,
      tags,
      summary: "One's tokens of UDFs",
      request: { query: PageQuery },
      responses: { 200: answer(z.array(SharedTokenBody), "The tokens"), ...errors() },
    }),
    async (c) => {
      const tokens = await sharedTokens.listOf(c.get("user"), c.req.valid("query"));
      return c.json(await Promise.all(tokens.map(bodyOf)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${path}/by-token/{token}`,
      tags,
      summary: "What a token is: one's own, or one whose code who has it may read",
      request: { params: Token },
      responses: found,
    }),
    async (c) => {
      const { token } = c.req.valid("param");
      const presented = presentedBy(c);
      const shared = await sharedTokens.byText(token);
      if (!shared) throw nothing();
      if (shared.ownerId !== presented.user?.id) {
        // Of a collection's token, that says whether its code may be read now.
        const opened = await sharedTokens.open(token, undefined, presented);
        if (!opened.shared.publicRead) throw nothing();
      }
      return c.json(await bodyOf(shared), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${path}/by-token/{token}`,
      tags,
      summary: "Change a token",
      request: { params: Token, body: json(ChangeBody) },
      responses: { ...found, ...errors(404, 409) },
    }),
    async (c) => {
      const shared = await ownOfUdf(c.get("user"), c.req.valid("param").token);
      return c.json(await bodyOf(await sharedTokens.update(shared, changesIn(c.req.valid("json")))), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${path}/by-token/{token}/rotate`,
      tags,
      summary: "Get another token in place of one, which ends",
      request: { params: Token },
      responses: { ...found, ...errors(404, 409) },
    }),
    async (c) => {
      const shared = await ownOfUdf(c.get("user"), c.req.valid("param").token);
      return c.json(await bodyOf(await sharedTokens.rotate(shared)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${path}/by-token/{token}`,
      tags,
      summary: "Delete a token",
      request: { params: Token },
      responses: { ...found, ...errors(404, 409) },
    }),
    async (c) => {
      const shared = await ownOfUdf(c.get("user"), c.req.valid("param").token);
      const body = await bodyOf(shared);
      await sharedTokens.delete(shared);
      return c.json(body, 200);
    },
  );
}

function changesIn(body: z.infer<typeof ChangeBody>) {
  const { expires_in: seconds, access_scope: scope } = body;
  return {
    clientId: body.client_id ?? undefined,
    publicRead: body.public_read ?? undefined,
    scope: scope === "world" ? ("public" as const) : (scope ?? undefined),
    cache: body.cache ?? undefined,
    metadata: body.metadata_json ?? undefined,
    enabled: body.enabled ?? undefined,
    expires:
      seconds === undefined || seconds === null
        ? undefined
        : seconds === 0
          ? null
          : new Date(Date.now() + seconds * 1000).toISOString(),
  };
}
