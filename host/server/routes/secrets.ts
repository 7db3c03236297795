/** Secrets of whoever is signed in: those of the realtime client and the user's own are the same here. */
import { createRoute, z } from "@hono/zod-openapi";
import { notFound } from "../errors.ts";
import type { App, ServerParts } from "../parts.ts";
import { answer, errors, json } from "../schemas.ts";
import { BASE, REALTIME } from "./base.ts";

const Client = { client: z.string().max(255) };
const Key = {
  key: z
    .string()
    .max(255)
    .openapi({ description: "The name of the secret", pattern: "^[A-Za-z_][A-Za-z0-9_.-]{0,127}$" }),
};
/** Bounds and characters are the vault's to check: what it says never has the value in it. */
const Value = z.object({ value: z.string().min(1).max(65_536) }).openapi("SecretValue");

export function addSecretRoutes(app: App, { vault }: ServerParts): void {
  const tags = ["secrets"];
  const read = async (owner: string, key: string): Promise<string> => {
    const value = await vault.read(owner, key);
    if (value === undefined) throw missing(key);
    return value;
  };
  const missing = (key: string) => notFound(`The secret ${JSON.stringify(key)}`);
  const names = async (owner: string) => (await vault.list(owner)).map(({ name }) => name);

  app.openapi(
    createRoute({
      method: "get",
      path: `${REALTIME}/secrets`,
      tags,
      summary: "The names of one's secrets",
      request: { params: z.object(Client) },
      responses: { 200: answer(z.record(z.string(), z.null()), "By name, without values"), ...errors(404) },
    }),
    async (c) => c.json(Object.fromEntries((await names(c.get("user").id)).map((name) => [name, null])), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/secrets/self/user`,
      tags,
      summary: "The names of one's secrets",
      responses: { 200: answer(z.object({ secrets: z.array(z.string()) }), "The names"), ...errors() },
    }),
    async (c) => c.json({ secrets: await names(c.get("user").id) }, 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${REALTIME}/secrets/{key}`,
      tags,
      summary: "The value of a secret",
      request: { params: z.object({ ...Client, ...Key }) },
      responses: { 200: answer(z.string(), "The value"), ...errors(404) },
    }),
    async (c) => {
      c.header("cache-control", "no-store");
      return c.json(await read(c.get("user").id, c.req.valid("param").key), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/secrets/self/user/{key}`,
      tags,
      summary: "The value of a secret",
      request: { params: z.object(Key) },
      responses: { 200: answer(z.object({ value: z.string() }), "The value"), ...errors(404) },
    }),
    async (c) => {
      c.header("cache-control", "no-store");
      return c.json({ value: await read(c.get("user").id, c.req.valid("param").key) }, 200);
    },
  );

  for (const [path, params] of [
    [`${REALTIME}/secrets/{key}`, z.object({ ...Client, ...Key })],
    [`${BASE}/secrets/self/user/{key}`, z.object(Key)],
  ] as const) {
    for (const method of ["post", "put"] as const) {
      app.openapi(
        createRoute({
          method,
          path,
          tags,
          summary: "Set a secret",
          request: { params, body: json(Value) },
          responses: { 200: answer(z.string(), "Its name"), ...errors(404) },
        }),
        async (c) => {
          const { key } = c.req.valid("param");
          await vault.write(c.get("user").id, key, c.req.valid("json").value);
          return c.json(key, 200);
        },
      );
    }

    app.openapi(
      createRoute({
        method: "delete",
        path,
        tags,
        summary: "Delete a secret",
        request: { params },
        responses: { 200: answer(z.string(), "Its name"), ...errors(404) },
      }),
      async (c) => {
        const { key } = c.req.valid("param");
        if (!(await vault.delete(c.get("user").id, key))) throw missing(key);
        return c.json(key, 200);
      },
    );
  }
}
