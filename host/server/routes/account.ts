/** What clients ask of a service before they use it: a realtime client, the team's token, whether it lives. */
import { createRoute, z } from "@hono/zod-openapi";
import { tokenOf } from "../auth.ts";
import type { App } from "../parts.ts";
import { answer, errors } from "../schemas.ts";
import { BASE, CLIENT_ID } from "./base.ts";

const InstanceBody = z
  .object({ client_id: z.string(), preference_rank: z.int(), description: z.string() })
  .openapi("RealtimeInstance");

export function addAccountRoutes(app: App): void {
  const tags = ["account"];
  for (const path of ["", "/available"]) {
    app.openapi(
      createRoute({
        method: "get",
        path: `${BASE}/realtime-instance${path}`,
        tags,
        summary: "What runs UDFs: this server",
        responses: { 200: answer(z.array(InstanceBody), "The realtime clients"), ...errors() },
      }),
      (c) => c.json([{ client_id: CLIENT_ID, preference_rank: 1, description: "This server" }], 200),
    );
  }

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/execution-env/token`,
      tags,
      summary: "The token that one has shown: with it, other programs act for the same user",
      responses: { 200: answer(z.string(), "The token"), ...errors() },
    }),
    // Whoever is here has sent one.
    (c) => c.json(tokenOf(c)!, 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/health`,
      tags,
      summary: "Whether the server answers",
      security: [],
      responses: { 200: answer(z.boolean(), "It does") },
    }),
    (c) => c.json(true, 200),
  );
}
