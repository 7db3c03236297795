/** Google Cloud Storage as its documentation says, with one bucket in memory: tokens and signatures are checked. */
import { createHash, createVerify, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeGcs extends AsyncDisposable {
  url: string;
  bucket: string;
  /** A service account's key file. */
  key: string;
  /** Objects by name. */
  objects: Map<string, { bytes: Buffer; generation: number; contentType: string; updated: string }>;
  /** Uploads that have begun and not ended. */
  sessions: Map<string, unknown>;
  /** Requests so far: `GET /path?query`. */
  requests: string[];
  /** How many tokens it gave. */
  tokens: number;
  /** Of each part of an upload, how much it keeps at most; a multiple of 256 KiB. */
  keptBytes: number;
  /** How many requests fail with 503 before the next is answered. */
  failures: number;
}

interface Session {
  name: string;
  bytes: Buffer;
  contentType: string;
  isNew: boolean;
}

const EMAIL = "tester@project.iam.gserviceaccount.com";
const KEY_ID = "0123456789abcdef";

export async function startFakeGcs(bucket = "bucket"): Promise<FakeGcs> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const validTokens = new Set<string>();
  let generation = 1_700_000_000_000_000;
  const sessions = new Map<string, Session>();
  const fake: FakeGcs = {
    url,
    bucket,
    key: JSON.stringify({
      type: "service_account",
      private_key_id: KEY_ID,
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      client_email: EMAIL,
      token_uri: `${url}/token`,
    }),
    objects: new Map(),
    sessions,
    requests: [],
    tokens: 0,
    keptBytes: Infinity,
    failures: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const target = new URL(request.url ?? "", url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    fake.requests.push(`${request.method} ${request.url}`);
    const reply = (status: number, value?: object, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-type": "application/json; charset=UTF-8", ...headers });
      return response.end(value === undefined ? "" : JSON.stringify(value));
    };
    if (target.pathname === "/token") return reply(...token(body.toString(), request));
    if (fake.failures > 0) {
      fake.failures--;
      return reply(503, { error: { code: 503, message: "try again" } });
    }
    if (target.searchParams.has("X-Goog-Signature")) return signed(request, target, body, response);
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (given === undefined || !validTokens.has(given)) return reply(401, { error: { code: 401 } });
    const [, isUpload, itsBucket, name] =
      /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(target.pathname) ?? [];
    if (itsBucket !== bucket) return reply(404, { error: { code: 404 } });
    if (isUpload) return upload(request, target.searchParams, body, reply);
    if (name === undefined) return reply(200, list(target.searchParams));
    const key = decodeURIComponent(name);
    const found = fake.objects.get(key);
    if (!found) return reply(404, { error: { code: 404, message: `No such object: ${bucket}/${key}` } });
    if (request.method === "DELETE") {
      fake.objects.delete(key);
      return response.writeHead(204).end();
    }
    const wanted = target.searchParams.get("ifGenerationMatch");
    if (wanted !== null && wanted !== String(found.generation)) return reply(412, { error: { code: 412 } });
    if (target.searchParams.get("alt") !== "media") return reply(200, itemOf(key, found));
    return media(request, response, found.bytes);
  }

  /** RFC 7523, as https://developers.google.com/identity/protocols/oauth2/service-account has it. */
  function token(text: string, request: IncomingMessage): [number, object] {
    const form = new URLSearchParams(text);
    const [header = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".");
    const parse = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    const isSigned = createVerify("sha256")
      .update(`${header}.${claims}`)
      .verify(publicKey, signature, "base64url");
    const { alg, typ, kid } = parse(header);
    const { iss, scope, aud, iat, exp } = parse(claims);
    const now = Date.now() / 1000;
    const isGood =
      request.method === "POST" &&
      request.headers["content-type"] === "application/x-www-form-urlencoded" &&
      form.get("grant_type") === "urn:ietf:params:oauth:grant-type:jwt-bearer" &&
      [alg, typ, kid].join() === ["RS256", "JWT", KEY_ID].join() &&
      iss === EMAIL &&
      scope === "https://www.googleapis.com/auth/devstorage.read_write" &&
      aud === `${url}/token` &&
      iat <= now + 1 &&
      iat > now - 60 &&
      exp > now &&
      exp <= iat + 3600;
    if (!isSigned || !isGood) return [400, { error: "invalid_grant" }];
    fake.tokens++;
    const made = `token-${randomUUID()}`;
    validTokens.add(made);
    return [200, { access_token: made, expires_in: 3599, token_type: "Bearer" }];
  }

  function put(name: string, bytes: Buffer, contentType: string): object {
    const object = { bytes, generation: ++generation, contentType, updated: new Date().toISOString() };
    fake.objects.set(name, object);
    return itemOf(name, object);
  }

  function upload(
    request: IncomingMessage,
    query: URLSearchParams,
    body: Buffer,
    reply: (status: number, value?: object, headers?: Record<string, string>) => unknown,
  ): unknown {
    const id = query.get("upload_id");
    if (id !== null) return resume(request, id, body, reply);
    const name = query.get("name") ?? "";
    const isNew = query.get("ifGenerationMatch") === "0";
    if (isNew && fake.objects.has(name)) return reply(412, { error: { code: 412 } });
    if (query.get("uploadType") === "media")
      return reply(200, put(name, body, request.headers["content-type"] ?? ""));
    if (query.get("uploadType") !== "resumable") return reply(400);
    const made = randomUUID();
    const contentType = String(request.headers["x-upload-content-type"]);
    sessions.set(made, { name, bytes: Buffer.alloc(0), contentType, isNew });
    const session = `${url}/upload/storage/v1/b/${bucket}/o?uploadType=resumable&upload_id=${made}`;
    return reply(200, undefined, { location: session });
  }

  /** https://cloud.google.com/storage/docs/performing-resumable-uploads: parts are multiples of 256 KiB, but the last. */
  function resume(
    request: IncomingMessage,
    id: string,
    body: Buffer,
    reply: (status: number, value?: object, headers?: Record<string, string>) => unknown,
  ): unknown {
    const session = sessions.get(id);
    if (!session) return reply(404);
    if (request.method === "DELETE") {
      sessions.delete(id);
      return reply(499);
    }
    const [, from, to, total] =
      /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(request.headers["content-range"] ?? "") ?? [];
    const isWhole = from !== undefined && Number(to) - Number(from) + 1 === body.length;
    if (!isWhole || Number(from) !== session.bytes.length) return reply(400, { error: { code: 400 } });
    if (total === "*" && body.length % (256 * 1024) !== 0) return reply(400, { error: { code: 400 } });
    if (total === "*") {
      session.bytes = Buffer.concat([session.bytes, body.subarray(0, fake.keptBytes)]);
      return reply(308, undefined, { range: `bytes=0-${session.bytes.length - 1}` });
    }
    if (Number(total) !== Number(to) + 1) return reply(400, { error: { code: 400 } });
    sessions.delete(id);
    if (session.isNew && fake.objects.has(session.name)) return reply(412, { error: { code: 412 } });
    return reply(200, put(session.name, Buffer.concat([session.bytes, body]), session.contentType));
  }

  function list(query: URLSearchParams): object {
    const prefix = query.get("prefix") ?? "";
    const delimiter = query.get("delimiter");
    const limit = Number(query.get("maxResults") ?? 1000);
    const after = Buffer.from(query.get("pageToken") ?? "", "base64url").toString();
    const seen = new Map<string, string | null>();
    for (const name of [...fake.objects.keys()].sort()) {
      if (!name.startsWith(prefix)) continue;
      const end = delimiter === null ? -1 : name.indexOf(delimiter, prefix.length);
      if (end >= 0) seen.set(name.slice(0, end + 1), null);
      else seen.set(name, name);
    }
    const all = [...seen].filter(([name]) => name > after);
    const page = all.slice(0, limit);
    const items = page.flatMap(([, name]) => (name === null ? [] : [itemOf(name, fake.objects.get(name)!)]));
    const prefixes = page.flatMap(([name, item]) => (item === null ? [name] : []));
    return {
      ...(items.length > 0 ? { items } : {}),
      ...(prefixes.length > 0 ? { prefixes } : {}),
      ...(all.length > limit
        ? { nextPageToken: Buffer.from(page.at(-1)?.[0] ?? "").toString("base64url") }
        : {}),
    };
  }

  function itemOf(
    name: string,
    { bytes, updated, generation }: { bytes: Buffer; updated: string; generation: number },
  ) {
    return { name, size: String(bytes.length), updated, generation: String(generation) };
  }

  function media(request: IncomingMessage, response: ServerResponse, bytes: Buffer): unknown {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined) return response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    if (Number(from) >= bytes.length) return response.writeHead(416).end();
    const part = bytes.subarray(Number(from), Number(to) + 1);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
    return response.writeHead(206, { "content-range": range, "content-length": part.length }).end(part);
  }

  /** https://cloud.google.com/storage/docs/authentication/canonical-requests, from what came over the wire. */
  function signed(request: IncomingMessage, target: URL, body: Buffer, response: ServerResponse): unknown {
    const refuse = (why: string) => response.writeHead(403).end(why);
    const query = target.searchParams;
    const date = query.get("X-Goog-Date") ?? "";
    const scope = `${date.slice(0, 8)}/auto/storage/goog4_request`;
    if (query.get("X-Goog-Credential") !== `${EMAIL}/${scope}`) return refuse("credential");
    const madeAt = Date.parse(
      date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
    );
    if (!(Date.now() < madeAt + Number(query.get("X-Goog-Expires")) * 1000)) return refuse("expired");
    const [path = "", rawQuery = ""] = (request.url ?? "").split("?");
    const canonicalQuery = rawQuery
      .split("&")
      .filter((pair) => !pair.startsWith("X-Goog-Signature="))
      .sort()
      .join("&");
    const canonical = `${request.method}\n${path}\n${canonicalQuery}\nhost:${request.headers.host}\n\nhost\nUNSIGNED-PAYLOAD`;
    const hash = createHash("sha256").update(canonical).digest("hex");
    const isSigned = createVerify("sha256")
      .update(`GOOG4-RSA-SHA256\n${date}\n${scope}\n${hash}`)
      .verify(publicKey, query.get("X-Goog-Signature") ?? "", "hex");
    if (!isSigned) return refuse("signature");
    const [, itsBucket, ...parts] = path.split("/");
    const name = decodeURIComponent(parts.join("/"));
    if (itsBucket !== bucket) return response.writeHead(404).end();
    if (request.method === "PUT") {
      put(name, body, request.headers["content-type"] ?? "");
      return response.writeHead(200).end();
    }
    const found = fake.objects.get(name);
    return found ? media(request, response, found.bytes) : response.writeHead(404).end();
  }

  return fake;
}
