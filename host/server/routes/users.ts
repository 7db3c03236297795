/** `/user` and `/execution-env`: who one is, one's tokens, one's team; and, for admins, all users. */
import { createRoute, z } from "@hono/zod-openapi";
import { checkPermissions } from "../../permissions/descriptor.ts";
import { HttpError, notFound } from "../errors.ts";
import { deleteAllOf } from "../forget.ts";
import type { App, ServerParts, User } from "../parts.ts";
import { answer, errors, json, UserBody } from "../schemas.ts";
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

const TokenBody = z
  .object({ id: z.string(), name: z.string(), created: z.string(), expires: z.string().nullable() })
  .openapi("Token");

const Id = z.object({ id: z.string().max(255) });

/** A user as the wire has it. */
export const userBody = ({ id, email, handle, name, team, isAdmin }: User) => ({
  id,
  email,
  handle,
  name,
  execution_environment_id: team,
  is_admin: isAdmin,
});

export function addUserRoutes(app: App, parts: ServerParts): void {
  const { users } = parts;
  const tags = ["users"];
  const requireAdmin = (user: User) => {
    if (!user.isAdmin) throw new HttpError(403, "Only an admin may do that");
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
      const members = (await users.list()).filter((user) => user.team === team);
      return c.json({ id: team, name: team, members: members.map(userBody) }, 200);
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
          z.object({ user: UserBody, token: z.string() }),
          "The user and a first token, which is shown this once",
        ),
        ...errors(409),
      },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      const { is_admin: isAdmin, permissions, ...rest } = c.req.valid("json");
      const user = await users.add({
        ...rest,
        isAdmin,
        ...(permissions ? { permissions: checkPermissions(permissions) } : {}),
      });
      const { token } = await users.addToken(user.id, "first", null);
      return c.json({ user: userBody(user), token }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/user/all`,
      tags,
      summary: "All users (admins)",
      responses: { 200: answer(z.array(UserBody), "The users"), ...errors() },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      return c.json((await users.list()).map(userBody), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${BASE}/user/by-id/{id}`,
      tags,
      summary: "Delete a user, and the user's tokens, UDFs, schedules, jobs and secrets (admins); files stay",
      request: { params: Id },
      responses: { 200: answer(z.boolean(), "Done"), ...errors(404, 409) },
    }),
    async (c) => {
      requireAdmin(c.get("user"));
      const { id } = c.req.valid("param");
      if (id === c.get("user").id) throw new HttpError(409, "Nobody may delete themselves");
      const user = await users.byId(id);
      if (!user || !(await users.delete(id))) throw notFound(`The user ${JSON.stringify(id)}`);
      await deleteAllOf(parts, user);
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
        body: json(
          z.strictObject({
            name: z.string().min(1).max(100),
            expires_in: z
              .number()
              .int()
              .min(1)
              .max(3_153_600_000)
              .optional()
              .openapi({ description: "Seconds" }),
          }),
        ),
      },
      responses: {
        200: answer(z.object({ id: z.string(), token: z.string() }), "The token, which is shown this once"),
        ...errors(),
      },
    }),
    async (c) => {
      const { name, expires_in: seconds } = c.req.valid("json");
      const expires = seconds === undefined ? null : Date.now() + seconds * 1000;
      return c.json(await users.addToken(c.get("user").id, name, expires), 200);
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
      return c.json(true, 200);
    },
  );
}
