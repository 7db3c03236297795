/** `/efs/{client}`: the disk that a team shares, `file:///mount/…`. Its paths have no scheme, and perhaps slashes at their start. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HttpError } from "../errors.ts";
import { fileAnswer } from "../file-answer.ts";
import { entryBody, FileEntry, fileAnswers, listAll, MOST_PATH, storageErrors } from "../file-entries.ts";
import { FORM_BYTES, readForm, textOf } from "../multipart.ts";
import type { App, ServerEnv, ServerParts } from "../parts.ts";
import { bodyOf, receive } from "../receive.ts";
import { answer, json, wholeNumber } from "../schemas.ts";
import { userCall } from "../user-call.ts";
import { BASE } from "./base.ts";

const MOUNT = "file:///mount";

const Client = z.object({ client: z.string().max(255) });
const Item = z.object({ item: z.string().max(MOST_PATH) }).openapi("MountItem");

/** @param item with or without slashes at its start */
const urlOf = (item: string) => {
  const path = item.replace(/^\/+/, "");
  return path === "" ? MOUNT : `${MOUNT}/${path}`;
};

export function addEfsRoutes(app: App, parts: ServerParts): void {
  const { settings, storage } = parts;
  const tags = ["files"];
  const callOf = (c: Context<ServerEnv>) => userCall(parts, c.get("user"), c.env.gone);

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/efs/{client}/list`,
      tags,
      summary: "What lies in a folder of the team's disk",
      request: {
        params: Client,
        query: z.object({
          limit: wholeNumber(-1, 100_000).default(-1).openapi({ description: "-1: all" }),
        }),
        body: json(Item),
      },
      responses: {
        200: answer(
          z.object({ items: z.array(FileEntry) }),
          "The entries; their URLs are relative to the disk",
        ),
        ...storageErrors,
      },
    }),
    async (c) => {
      const entries = await listAll(storage, urlOf(c.req.valid("json").item), callOf(c));
      const { limit } = c.req.valid("query");
      const items = entries.slice(0, limit < 0 ? entries.length : limit).map((entry) => {
        const { url, ...rest } = entryBody(entry);
        return { url: url.slice(MOUNT.length + 1), ...rest };
      });
      return c.json({ items }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/efs/{client}/download`,
      tags,
      summary: "The content of a file of the team's disk",
      request: { params: Client, query: z.object({ file_name: z.string().min(1).max(MOST_PATH) }) },
      responses: fileAnswers,
    }),
    (c) => fileAnswer(c, storage, urlOf(c.req.valid("query").file_name), callOf(c)),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/efs/{client}/upload`,
      tags,
      summary: "Write a file to the team's disk: all of it, or nothing",
      request: {
        params: Client,
        body: {
          required: true,
          content: {
            "multipart/form-data": {
              schema: {
                type: "object",
                required: ["dir", "file"],
                properties: {
                  dir: { type: "string", description: "The folder; before the file. /: the disk itself" },
                  file: { type: "string", format: "binary" },
                },
              },
            },
          },
        },
      },
      responses: {
        200: answer(z.object({ url: z.string(), size: z.number() }), "The file"),
        ...storageErrors,
      },
    }),
    async (c) => {
      const body = bodyOf(c.req.raw, settings.uploadBytes + FORM_BYTES);
      let folder: string | undefined;
      for await (const part of readForm(body, c.req.header("content-type"))) {
        if (part.name === "dir") folder = await textOf(part);
        if (part.name !== "file") continue;
        // The file is written as it comes: its folder must be known before.
        if (folder === undefined)
          throw new HttpError(
            422,
            'Cannot upload: the field "dir", the folder, must be before the field "file"; "/" is the disk itself',
          );
        const { fileName } = part;
        if (!fileName || fileName.includes("/"))
          throw new HttpError(
            422,
            `Cannot upload: the file must have a name without slashes: received ${JSON.stringify(fileName)}`,
          );
        const url = urlOf(`${folder.replace(/\/+$/, "")}/${fileName}`);
        const target = await storage.upload(url, { contentType: null, ifNoneMatch: false }, callOf(c));
        const size = await receive(part.body, target, c.env.gone);
        return c.json({ url: url.slice(MOUNT.length + 1), size }, 200);
      }
      throw new HttpError(422, 'Cannot upload: the form has no field "file"');
    },
  );

  for (const what of ["file", "dir"] as const) {
    app.openapi(
      createRoute({
        method: "delete",
        path: `${BASE}/efs/{client}/delete-${what}`,
        tags,
        summary: `Delete ${what === "file" ? "a file" : "a folder with all that lies in it"} of the team's disk`,
        request: { params: Client, body: json(Item) },
        responses: { 200: answer(z.boolean(), "Whether there was one"), ...storageErrors },
      }),
      async (c) => {
        const url = urlOf(c.req.valid("json").item);
        if (what === "dir")
          return c.json(
            await storage.delete(url.replace(/\/*$/, "/"), Number.POSITIVE_INFINITY, callOf(c)),
            200,
          );
        const call = callOf(c);
        if ((await storage.details(url, call)).isDirectory)
          throw new HttpError(422, `Cannot delete ${url} as a file: it is a folder`);
        return c.json(await storage.delete(url, 0, call), 200);
      },
    );
  }
}
