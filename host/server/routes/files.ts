/** `/files`: files of all kinds of storage, as far as one may read and write them; one's own (`fd://`) always. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { StorageError } from "../../storage/errors.ts";
import { locationUrl, parseLocation } from "../../storage/location.ts";
import { HttpError } from "../errors.ts";
import { fileAnswer } from "../file-answer.ts";
import { entryBody, FileEntry, fileAnswers, listAll, MOST_PATH, storageErrors } from "../file-entries.ts";
import type { App, ServerEnv, ServerParts } from "../parts.ts";
import { bodyOf, receive } from "../receive.ts";
import { answer, errors, wholeNumber } from "../schemas.ts";
import { userCall } from "../user-call.ts";
import { BASE } from "./base.ts";

/** How long URLs open a file. */
const SIGNED_SECONDS = 3600;
/** Inputs of jobs that clients upload. They are in nobody's way, and go when nobody can want them any more. */
const TEMPORARY = "fd://.fuselet-uploads/";
const TEMPORARY_MS = 7 * 24 * 60 * 60 * 1000;

const ClientId = z.string().max(255).optional().openapi({ description: "Taken, and not used" });
const PathQuery = z.object({
  path: z.string().min(1).max(MOST_PATH).openapi({
    description: "`fd://`, `s3://`, `gs://`, `file:///`, `https://`",
    example: "fd://reports/a.csv",
  }),
  client_id: ClientId,
});
const TempQuery = z.object({ extension: z.string().max(255).optional(), client_id: ClientId });
const ContentLength = wholeNumber(0, Number.MAX_SAFE_INTEGER).openapi({
  description: "The most bytes of the file",
});

const SignedPost = z
  .object({ url: z.string(), fields: z.record(z.string(), z.string()) })
  .openapi("SignedPost", { description: "Where to POST a form: these fields, and then the file as `file`" });

/** None is an empty file. */
const fileBody = {
  required: false,
  content: { "application/octet-stream": { schema: { type: "string", format: "binary" } as const } },
};

export function addFileRoutes(app: App, parts: ServerParts): void {
  const { settings, storage, signedUrls } = parts;
  const tags = ["files"];
  const callOf = (c: Context<ServerEnv>) => userCall(parts, c.get("user"), c.env.gone);
  /** The address by which this client reaches the server, as far as the server may be called so (origin.ts). */
  const baseFor = (c: Context<ServerEnv>) => {
    const { host, origin } = new URL(c.req.url);
    const { publicUrl } = settings;
    return publicUrl !== "" && host === new URL(publicUrl).host ? publicUrl : origin;
  };
  const withBase = (url: string, c: Context<ServerEnv>) =>
    url.startsWith(`${settings.publicUrl}${BASE}/signed/`)
      ? baseFor(c) + url.slice(settings.publicUrl.length)
      : url;
  const signPost = async (c: Context<ServerEnv>, path: string, length: number) => {
    if (length > settings.uploadBytes)
      throw new HttpError(413, `A file may have ${settings.uploadBytes} bytes: received ${length}`);
    const url = await storage.mayWrite(path, callOf(c));
    const access = { method: "POST", owner: c.get("user").id, url, mostBytes: length } as const;
    return { url: await signedUrls.sign(access, SIGNED_SECONDS, baseFor(c)), fields: {} };
  };
  const upload = async (c: Context<ServerEnv>, path: string) => {
    const content = bodyOf(c.req.raw, settings.uploadBytes);
    const target = await storage.upload(path, { contentType: null, ifNoneMatch: false }, callOf(c));
    return receive(content, target, c.env.gone);
  };
  /** A new place for an upload, once those that nobody can want any more are gone. */
  const temporaryPlace = async (c: Context<ServerEnv>, extension: string | undefined) => {
    const call = callOf(c);
    const { entries } = await storage.list(TEMPORARY, { recursive: false, after: null, limit: 1000 }, call);
    for (const { url, modifiedMs } of entries)
      if (Date.now() - (modifiedMs ?? Date.now()) > TEMPORARY_MS) await storage.delete(url, 0, call);
    const kind = extension?.replace(/\W/g, "").slice(-32) ?? "";
    return `${TEMPORARY}${crypto.randomUUID()}${kind === "" ? "" : `.${kind}`}`;
  };

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/files/list`,
      tags,
      summary: "What lies in a folder, as URLs",
      request: { query: PathQuery },
      responses: { 200: answer(z.array(z.string()), "The URLs"), ...storageErrors },
    }),
    async (c) => {
      const entries = await listAll(storage, c.req.valid("query").path, callOf(c));
      return c.json(
        entries.map(({ url }) => url),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/files/list-details`,
      tags,
      summary: "What lies in a folder, with sizes and times",
      request: { query: PathQuery },
      responses: { 200: answer(z.array(FileEntry), "The entries"), ...storageErrors },
    }),
    async (c) => c.json((await listAll(storage, c.req.valid("query").path, callOf(c))).map(entryBody), 200),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/files/get`,
      tags,
      summary: "The content of a file",
      request: { query: PathQuery },
      responses: fileAnswers,
    }),
    async (c) => {
      const { path } = c.req.valid("query");
      try {
        return await fileAnswer(c, storage, path, callOf(c));
      } catch (error) {
        const other = decoded(path);
        if (!(error instanceof StorageError && error.code === "not found") || other === path) throw error;
        return fileAnswer(c, storage, other, callOf(c));
      }
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/files/sign`,
      tags,
      summary: "A URL that gives a file to whoever has it, for an hour",
      request: { query: PathQuery },
      responses: {
        200: answer(z.string(), "The URL. Whether the file is there was not looked at"),
        ...storageErrors,
      },
    }),
    async (c) => {
      const options = { method: "GET", expiresSeconds: SIGNED_SECONDS } as const;
      return c.json(withBase(await storage.sign(c.req.valid("query").path, options, callOf(c)), c), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/files/sign_prefix`,
      tags,
      summary: "Such URLs for all files below a folder",
      request: { query: PathQuery },
      responses: {
        200: answer(z.record(z.string(), z.string()), "By the path of the file in its storage"),
        ...storageErrors,
      },
    }),
    async (c) => {
      const signed = await storage.signPrefix(c.req.valid("query").path, SIGNED_SECONDS, callOf(c));
      return c.json(
        Object.fromEntries(Object.entries(signed).map(([path, url]) => [path, withBase(url, c)])),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${BASE}/files/delete`,
      tags,
      summary: "Delete a file, or all that lies below a folder",
      request: {
        query: PathQuery.extend({
          max_deletion_depth: z
            .string()
            .regex(/^(unlimited|\d{1,3}|1000)$/, 'it must be "unlimited" or a whole number from 0 to 1000')
            .default("3")
            .openapi({ description: "How many levels a folder may have: a deeper one stays as it is" }),
        }),
      },
      responses: { 200: answer(z.boolean(), "Whether there was anything"), ...storageErrors },
    }),
    async (c) => {
      const { path, max_deletion_depth: depth } = c.req.valid("query");
      const most = depth === "unlimited" ? Number.POSITIVE_INFINITY : Number(depth);
      return c.json(await storage.delete(path, most, callOf(c)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/files/resolve`,
      tags,
      summary: "The one spelling of a path",
      request: { query: PathQuery.extend({ job_id: ClientId }) },
      responses: { 200: answer(z.string(), "The URL"), ...errors() },
    }),
    (c) => c.json(locationUrl(parseLocation(c.req.valid("query").path)), 200),
  );

  app.openapi(
    createRoute({
      method: "put",
      path: `${BASE}/files/upload`,
      tags,
      summary: "Write a file: all of it, or nothing",
      request: { query: PathQuery, body: fileBody },
      responses: {
        200: answer(z.object({ url: z.string(), size: z.number() }), "The file"),
        ...storageErrors,
      },
    }),
    async (c) => {
      const { path } = c.req.valid("query");
      const size = await upload(c, path);
      return c.json({ url: locationUrl(parseLocation(path)), size }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/files/upload-temp`,
      tags,
      summary: "Write a file that is kept for 7 days, at a place that the server chooses",
      request: { query: TempQuery, body: fileBody },
      responses: { 200: answer(z.string(), "Its URL"), ...storageErrors },
    }),
    async (c) => {
      const url = await temporaryPlace(c, c.req.valid("query").extension);
      await upload(c, url);
      return c.json(url, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/files/sign-upload`,
      tags,
      summary: "Where to POST a file to, within an hour",
      request: { query: PathQuery.extend({ content_length: ContentLength }) },
      responses: { 200: answer(SignedPost, "The form"), ...storageErrors },
    }),
    async (c) => {
      const { path, content_length: length } = c.req.valid("query");
      return c.json(await signPost(c, path, length), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${BASE}/files/sign-upload-temp`,
      tags,
      summary: "The same for a file that is kept for 7 days, at a place that the server chooses",
      request: { query: TempQuery.extend({ content_length: ContentLength }) },
      responses: {
        200: answer(
          z.object({ signed_post: SignedPost, storage_url: z.string() }),
          "The form, and the file's URL",
        ),
        ...storageErrors,
      },
    }),
    async (c) => {
      const { extension, content_length: length } = c.req.valid("query");
      const url = await temporaryPlace(c, extension);
      return c.json({ signed_post: await signPost(c, url, length), storage_url: url }, 200);
    },
  );
}

/** The published client's `download` writes spaces and the like as %XX, and a percent sign as it is. */
function decoded(path: string): string {
  return path.replace(/(%[\da-f]{2})+/gi, (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  });
}
