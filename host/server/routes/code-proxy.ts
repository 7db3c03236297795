/** `/code-proxy`: UDFs that lie on GitHub. */
import { createRoute, z } from "@hono/zod-openapi";
import type { App, ServerParts } from "../parts.ts";
import { answer, errors } from "../schemas.ts";
import { BASE } from "./base.ts";

export function addCodeProxyRoutes(app: App, { codeProxy }: ServerParts): void {
  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/code-proxy/by-url`,
      tags: ["udfs"],
      summary: "Read a UDF from GitHub",
      description: "A folder, a file or a gist. The server must be allowed to reach GitHub (--allow-net).",
      request: { query: z.object({ url: z.string().max(2000) }) },
      responses: {
        200: answer(z.object({ slug: z.string(), udf_body: z.string() }), "The UDF"),
        ...errors(404),
      },
    }),
    async (c) => {
      const { name, body } = await codeProxy.load(c.req.valid("query").url, c.get("user"), c.env.gone);
      return c.json({ slug: name, udf_body: body }, 200);
    },
  );
}
