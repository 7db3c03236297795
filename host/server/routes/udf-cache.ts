/** Forgetting kept results of a saved UDF. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Tile } from "../../../runtime/udf.ts";
import { HttpError } from "../errors.ts";
import type { App, ServerParts } from "../parts.ts";
import { checkTile, TileParams } from "../run-request.ts";
import { answer, errors } from "../schemas.ts";
import { BASE } from "./base.ts";

/** All three or none. */
const Query = TileParams.partial();

export function addUdfCacheRoutes(
  app: App,
  { registry, epochs }: Pick<ServerParts, "registry" | "epochs">,
): void {
  const routes = [
    { method: "delete", path: `${BASE}/realtime-shared/{client}/udf-cache/by-id/{id}/delete` },
    { method: "post", path: `${BASE}/realtime/{client}/udf-cache/by-id/{id}/delete` },
    { method: "post", path: `${BASE}/udf-cache/by-id/{id}/delete` },
  ] as const;
  for (const { method, path } of routes) {
    const hasClient = path.includes("{client}");
    app.openapi(
      createRoute({
        method,
        path,
        tags: ["udfs"],
        summary: "Forget the kept results of one's UDF, or of one tile of it",
        request: {
          params: z.object({
            id: z.string().max(255),
            ...(hasClient ? { client: z.string().max(255) } : {}),
          }),
          query: Query,
        },
        responses: { 200: answer(z.boolean(), "They are forgotten"), ...errors(404) },
      }),
      async (c) => {
        const { id } = c.req.valid("param");
        const { x, y, z } = c.req.valid("query");
        const given = [x, y, z].filter((value) => value !== undefined).length;
        if (given > 0 && given < 3) throw new HttpError(422, "All of x, y and z are needed, or none");
        const tile = given === 0 ? undefined : ({ x, y, z } as Tile);
        if (tile) checkTile(tile);
        await registry.toWrite(c.get("user"), id);
        await epochs.forget(id, tile);
        return c.json(true, 200);
      },
    );
  }
}
