/** Routes for whoever runs the server: whether it lives, what it has done, what it can do; and the files that pages load. */
import { createRoute, z } from "@hono/zod-openapi";
import { errorBody, errorResponse } from "../errors.ts";
import type { App, ServerParts } from "../parts.ts";
import { answer } from "../schemas.ts";

const Health = z
  .object({ status: z.literal("ok"), version: z.string(), isolates: z.number(), spares: z.number() })
  .openapi("Health");

export function addOperations(app: App, { settings, runner, store, metrics, asset }: ServerParts): void {
  metrics.gauge("fuselet_isolates", "Isolates that are there now.", () => runner.isolates.isolates);
  app.openapi(
    createRoute({
      method: "get",
      path: "/healthz",
      tags: ["operations"],
      summary: "Whether the server and its database answer",
      security: [],
      responses: { 200: answer(Health, "They do") },
    }),
    async (c) => {
      await store.get("server.health", "health");
      return c.json({ status: "ok" as const, version: settings.version, ...runner.isolates }, 200);
    },
  );
  app.get("/metrics", (c) =>
    c.body(metrics.text(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
  // Made once, when it is first wanted: that takes longer than other answers, and anybody may ask.
  let openApi: string | undefined;
  app.get("/openapi.json", (c) => {
    openApi ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: "3.1.0",
        info: {
          title: "fuselet",
          version: settings.version,
          license: { name: "MIT", url: "https://opensource.org/license/mit" },
        },
        servers: [{ url: settings.publicUrl }],
        security: [{ token: [] }],
      }),
    );
    return c.body(openApi, 200, { "content-type": "application/json" });
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  app.get("/embed/:path{.+}", async (c) => {
    const found = await asset(c.req.param("path"));
    if (!found) return errorResponse(404, errorBody("There is no such file"));
    return c.body(found.bytes as Uint8Array<ArrayBuffer>, 200, {
      "content-type": found.type,
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
      "cache-control": "public, max-age=300",
    });
  });
}
