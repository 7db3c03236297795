/** `/user` and `/execution-env`: who one is, one's tokens, one's team; and, for admins, all users. */
import { createRoute, z } from "@hono/zod-openapi";
import { tokenOf } from "../auth.ts";
import { HttpError, notFound } from "../errors.ts";
import { deleteUser, endAllOf } from "../forget.ts";
import type { App, ServerParts, User } from "../parts.ts";
import { answer, errors, json, UserBody, UserForAdminsBody } from "../schemas.ts";
import { BASE } from "./base.ts";

const TeamBody = z.object({ id: z.string(), name: z.string(), members: z.array(UserBody) }).openapi("Team");

const NewUserBody = z
  .strictObject({
    email: z.string().max(255),
    handle: z.string().max(64).optional(),
    name: z.string().max(255).optional(),
    team: z.string().max(64).optional(),
    is_admin: z.boolean().optional(),
    permissions: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi("NewUser");

const ChangeBody = z
  .strictObject({
    name: z.string().min(1).max(255).optional(),
    team: z.string().max(64).optional().openapi({
      description: "What the user saved before stays the user's alone until it is saved again",
    }),
    is_admin: z.boolean().optional(),
    is_enabled: z.boolean().optional().openapi({
      description:
        "false: tokens and links open nothing, runs and jobs are cancelled, schedules begin nothing",
    }),
    permissions: z
      .record(z.string(), z.unknown())
      .nullable()
      .optional()
      .openapi({ description: "Null: what the server may give at all" }),
  })
  .openapi("UserChanges");

const NewTokenBody = z
  .strictObject({
    name: z.string().min(1).max(100),
    expires_in: z
      .number()
      .int()
      .min(1)
      .max(3_153_600_000)
      .optional()
      .openapi({ description: "Seconds. No token outlives the one that it is made with" }),
  })
  .openapi("NewToken");

const MadeTokenBody = z
  .object({ id: z.string(), token: z.string(), expires: z.string().nullable() })
  .openapi("MadeToken");

const TokenBody = z
  .object({ id: z.string(), name: z.string(), created: z.string(), expires: z.string().nullable() })
  .openapi("Token");

const Id = z.object({ id: z.string().max(255) });

/** A user as the wire has it. */
const userBody = ({ id, email, handle, name, team, isAdmin }: User) => ({
  id,
  email,
  handle,
  name,
  execution_environment_id: team,
  is_admin: isAdmin,
});

const forAdmins = (user: User): z.infer<typeof UserForAdminsBody> => ({
  ...userBody(user),
  is_enabled: user.isEnabled,
  permissions: (user.permissions ?? null) as Record<string, unknown> | null,
});

const endOf = (seconds: number | undefined) => (seconds === undefined ? null : Date.now() + seconds * 1000);

export function addUserRoutes(app: App, parts: ServerParts): void {
  const { users } = parts;
  const tags = ["users"];
  const requireAdmin = (user: User) => {
    if (!user.isAdmin) throw new HttpError(403, "Only an admin may do that");
  };
  const known = async (id: string) => {
    const user = await users.byId(id);
    if (user) return user;
    throw notFound(`The user ${JSON.stringify(id)}`);
  };

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/user/self`,
      tags,
      summary: "Who the token belongs to",
      responses: { 200: answer(UserBody, "The user"), ...errors() },
    }),
    (c) => c.json(userBody(c.get("user")), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/execution-env/self`,
      tags,
      summary: "The user's team",
      responses: { 200: answer(TeamBody, "The team and who is in it"), ...errors() },
    }),
    async (c) => {
      const { team } = c.get("user");
      return c.json({ id: team, name: team, members: (await users.ofTeam(team)).map(userBody) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/user/new`,
      tags,
      summary: "Make a user (admins)",
      request: { body: json(NewUserBody) },
      responses: {
        200: answer(
          z.object({ user: UserForAdminsBody, token: z.string() }),
          "The user and a first token, which is shown this once",
        ),
        ...errors(409),
      },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      const { is_admin: isAdmin, ...rest } = c.req.valid("json");
      const user = await users.add({ ...rest, isAdmin });
      const { token } = await users.addToken(user.id, "first", null, tokenOf(c));
      return c.json({ user: forAdmins(user), token }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/user/all`,
      tags,
      summary: "All users (admins)",
      responses: { 200: answer(z.array(UserForAdminsBody), "The users"), ...errors() },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      return c.json((await users.list()).map(forAdmins), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/user/by-id/{id}`,
      tags,
      summary: "A user (admins)",
      request: { params: Id },
      responses: { 200: answer(UserForAdminsBody, "The user"), ...errors(404) },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      return c.json(forAdmins(await known(c.req.valid("param").id)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/user/by-id/{id}`,
      tags,
      summary: "Change a user (admins): what is not given stays as it is",
      request: { params: Id, body: json(ChangeBody) },
      responses: { 200: answer(UserForAdminsBody, "The user"), ...errors(404, 409) },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      const { is_admin: isAdmin, is_enabled: isEnabled, ...rest } = c.req.valid("json");
      const user = await users.update(c.req.valid("param").id, { ...rest, isAdmin, isEnabled });
      if (isEnabled === false) await endAllOf(parts, user);
      return c.json(forAdmins(user), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/user/by-id/{id}/tokens`,
      tags,
      summary: "Take all tokens of a user away, and make a new one (admins)",
      description:
        "For a token that was lost, or that others have. The user sees that the own ones are gone.",
      request: { params: Id, body: json(NewTokenBody) },
      responses: { 200: answer(MadeTokenBody, "The token, which is shown this once"), ...errors(404, 409) },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      const { name, expires_in: seconds } = c.req.valid("json");
      const { id } = await known(c.req.valid("param").id);
      if (id === c.get("user").id)
        throw new HttpError(409, "One's own tokens are made and deleted at /user/self/tokens");
      await users.deleteTokens(id);
      await parts.standing.look();
      return c.json(await users.addToken(id, name, endOf(seconds), tokenOf(c)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${BASE}/user/by-id/{id}`,
      tags,
      summary: "Delete a user (admins)",
      description:
        "Tokens, links, secrets, UDFs, collections and schedules go with the user; runs and jobs are cancelled. The files stay in the server's folder, where no user has them any more.",
      request: { params: Id },
      responses: { 200: answer(z.boolean(), "Done"), ...errors(404, 409) },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      const { id } = c.req.valid("param");
      if (id === c.get("user").id) throw new HttpError(409, "Nobody may delete themselves");
      await deleteUser(parts, await known(id));
      return c.json(true, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/user/self/tokens`,
      tags,
      summary: "One's own tokens, without their text",
      responses: { 200: answer(z.array(TokenBody), "The tokens"), ...errors() },
    }),
    async (c) => c.json(await users.tokens(c.get("user").id), 200),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/user/self/tokens`,
      tags,
      summary: "Make another token for oneself",
      request: {
        body: json(NewTokenBody),
      },
      responses: {
        200: answer(MadeTokenBody, "The token, which is shown this once, and when it ends"),
        ...errors(409),
      },
    }),
    async (c) => {
      const { name, expires_in: seconds } = c.req.valid("json");
      return c.json(await users.addToken(c.get("user").id, name, endOf(seconds), tokenOf(c)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${BASE}/user/self/tokens/{id}`,
      tags,
      summary: "Delete one of one's own tokens",
      request: { params: Id },
      responses: { 200: answer(z.boolean(), "Done"), ...errors(404) },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      if (!(await users.deleteToken(c.get("user").id, id))) throw notFound(`The token ${JSON.stringify(id)}`);
      await parts.standing.look();
      return c.json(true, 200);
    },
  );
}
