/** `/datasets`: folders that a team has registered. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Dataset } from "../datasets.ts";
import { MOST_PATH } from "../file-entries.ts";
import type { App, ServerParts } from "../parts.ts";
import { answer, errors, PageQuery } from "../schemas.ts";
import { userCall } from "../user-call.ts";
import { BASE } from "./base.ts";

const DatasetBody = z
  .object({
    id: z.string(),
    location: z.string(),
    description: z.string().nullable(),
    storage_type: z.string(),
    owner: z.string().openapi({ description: "Who registered it, by email" }),
    execution_environment_id: z.string(),
    public: z.boolean(),
    items: z.number(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("Dataset");

const Registered = z
  .object({
    dataset_id: z.string(),
    location: z.string(),
    visit_status: z.enum(["success", "timeout", "error"]),
    items_discovered: z.number(),
    new_items: z.number(),
  })
  .openapi("RegisteredDataset");

const Place = z.string().min(1).max(MOST_PATH);
const Id = z.object({ id: z.string().max(255) });

export function addDatasetRoutes(app: App, parts: ServerParts): void {
  const { datasets } = parts;
  const tags = ["datasets"];

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/datasets/register-from-url`,
      tags,
      summary: "Register a folder of Parquet files for one's team, or look at it again",
      request: { query: z.object({ url: Place }) },
      responses: { 200: answer(Registered, "What was found in it"), ...errors(404, 409, 504) },
    }),
    async (c) => {
      const user = c.get("user");
      const { dataset, visit } = await datasets.register(
        user,
        c.req.valid("query").url,
        userCall(parts, user, c.env.gone),
      );
      const { id, location } = dataset;
      const { status, items, newItems } = visit;
      return c.json(
        { dataset_id: id, location, visit_status: status, items_discovered: items, new_items: newItems },
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/datasets/find-by-location`,
      tags,
      summary: "The dataset that a file or folder belongs to: that with the longest path",
      request: { query: z.object({ location: Place }) },
      responses: { 200: answer(DatasetBody, "The dataset"), ...errors(404) },
    }),
    async (c) => c.json(toBody(await datasets.find(c.get("user"), c.req.valid("query").location)), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/datasets/self`,
      tags,
      summary: "The datasets of one's team, the latest change first",
      request: { query: PageQuery },
      responses: { 200: answer(z.array(DatasetBody), "The datasets"), ...errors() },
    }),
    async (c) => {
      const { skip, limit } = c.req.valid("query");
      return c.json((await datasets.list(c.get("user"))).slice(skip, skip + limit).map(toBody), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/datasets/by-id/{id}`,
      tags,
      summary: "A dataset",
      request: { params: Id },
      responses: { 200: answer(DatasetBody, "The dataset"), ...errors(404) },
    }),
    async (c) => c.json(toBody(await datasets.byId(c.get("user"), c.req.valid("param").id)), 200),
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${BASE}/datasets/by-id/{id}`,
      tags,
      summary: "Forget a dataset; its files stay",
      request: { params: Id },
      responses: { 200: answer(z.boolean(), "Done"), ...errors(404) },
    }),
    async (c) => {
      await datasets.delete(c.get("user"), c.req.valid("param").id);
      return c.json(true, 200);
    },
  );
}

const toBody = (dataset: Dataset): z.infer<typeof DatasetBody> => ({
  id: dataset.id,
  location: dataset.location,
  description: null,
  storage_type: dataset.storage,
  owner: dataset.ownerEmail,
  execution_environment_id: dataset.team,
  public: false,
  items: dataset.items,
  created_at: dataset.created,
  updated_at: dataset.updated,
});
