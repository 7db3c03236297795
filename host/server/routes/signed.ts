/**
 * `/signed/…`: files for whoever has a URL of signed-urls.ts, without a token. GET gives one, in parts too; PUT writes one; POST takes a
 * form whose field `file` is written.
 */
import type { Context } from "hono";
import type { StorageCall } from "../../storage/driver.ts";
import { HttpError } from "../errors.ts";
import { fileAnswer } from "../file-answer.ts";
import { FORM_BYTES, readForm } from "../multipart.ts";
import type { App, ServerEnv, ServerParts } from "../parts.ts";
import { bodyOf, receive } from "../receive.ts";
import type { SignedAccess } from "../signed-urls.ts";
import { userCall } from "../user-call.ts";
import { BASE } from "./base.ts";

export function addSignedRoutes(app: App, parts: ServerParts): void {
  const { settings, users, storage, signedUrls } = parts;

  /** @throws HttpError 403 */
  const open = async (c: Context<ServerEnv>): Promise<SignedAccess & { call: StorageCall }> => {
    const access = await signedUrls.read(c.req.method, new URL(c.req.url));
    const owner = await users.active(access.owner);
    if (!owner) throw new HttpError(403, "This address opens nothing: its owner is not here any more");
    return { ...access, call: userCall(parts, owner, c.env.gone) };
  };
  const write = async (
    { url, call }: { url: string; call: StorageCall },
    content: AsyncIterable<Uint8Array>,
  ): Promise<Response> => {
    const target = await storage.upload(url, { contentType: null, ifNoneMatch: false }, call);
    await receive(content, target, call.signal);
    return new Response(null, { status: 204 });
  };
  const limitOf = ({ mostBytes }: SignedAccess) =>
    Math.min(mostBytes ?? settings.uploadBytes, settings.uploadBytes);

  app.get(`${BASE}/signed/*`, async (c) => {
    const { url, call } = await open(c);
    return fileAnswer(c, storage, url, call);
  });

  app.put(`${BASE}/signed/*`, async (c) => {
    const access = await open(c);
    return write(access, bodyOf(c.req.raw, limitOf(access)));
  });

  app.post(`${BASE}/signed/*`, async (c) => {
    const access = await open(c);
    const most = limitOf(access);
    const form = readForm(bodyOf(c.req.raw, most + FORM_BYTES), c.req.header("content-type"));
    for await (const { name, body } of form) {
      // Awaited: the form ends where this loop does.
      if (name === "file") return await write(access, atMost(body, most));
    }
    throw new HttpError(422, 'Cannot upload: the form has no field "file"');
  });
}

async function* atMost(parts: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of parts) {
    bytes += part.length;
    if (bytes > most) throw new HttpError(413, `The file is larger than ${most} bytes`);
    yield part;
  }
}
