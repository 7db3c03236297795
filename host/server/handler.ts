/**
 * The server as one function on web standards: a Request in, a Response out. Node's edge is serve.node.ts.
 *
 *     /healthz, /metrics, /openapi.json, /docs      operations.ts
 *     /server/v1/…                                  the wire of the published client, a file of routes/ for each kind of thing
 *     /{token}/run…                                 runs by a shared token
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { methodNotAllowed } from "hono/method-not-allowed";
import { getPath } from "hono/utils/url";
import { FuseletError, PermissionDeniedError } from "../../runtime/errors.ts";
import { servedDenial } from "../permissions/served.ts";
import { StorageError, type StorageErrorCode } from "../storage/errors.ts";
import { StoreError } from "../store/errors.ts";
import { allowUser, openSignIn, requireUser } from "./auth.ts";
import { errorBody, errorResponse, HttpError, notFound } from "./errors.ts";
import { jsonProblem, MOST_OPEN_VALUES } from "./json-size.ts";
import { answerAgain, LinkAnswers } from "./link-answers.ts";
import { loggablePath } from "./log.ts";
import { checkHost, cors } from "./origin.ts";
import type { App, Peer, ServerEnv, ServerParts } from "./parts.ts";
import { addAccountRoutes } from "./routes/account.ts";
import { BASE } from "./routes/base.ts";
import { addCodeProxyRoutes } from "./routes/code-proxy.ts";
import { addCollectionRoutes } from "./routes/collections.ts";
import { addDatasetRoutes } from "./routes/datasets.ts";
import { addDocs } from "./routes/docs.ts";
import { addEfsRoutes } from "./routes/efs.ts";
import { addFileRoutes } from "./routes/files.ts";
import { addJobRoutes } from "./routes/jobs.ts";
import { addOperations } from "./routes/operations.ts";
import { addRunRoutes } from "./routes/run.ts";
import { addRunLogRoutes } from "./routes/run-log.ts";
import { addScheduleRoutes } from "./routes/schedules.ts";
import { addSecretRoutes } from "./routes/secrets.ts";
import { addSharedRunRoutes, LINK_BODY_BYTES, linkPath } from "./routes/shared-run.ts";
import { addSharedTokenRoutes } from "./routes/shared-tokens.ts";
import { addSignedRoutes } from "./routes/signed.ts";
import { addUdfCacheRoutes } from "./routes/udf-cache.ts";
import { addUdfRoutes } from "./routes/udfs.ts";
import { addUserRoutes } from "./routes/users.ts";

/** The server's function. It never throws. */
export type Handler = (request: Request, peer: Peer) => Promise<Response>;

/** Uploads have a limit of their own, and are read as they come. */
const UPLOAD = /^\/server\/v1\/(files\/upload|efs\/[^/]+\/upload$|signed\/)/;

/** Of a form. */
const MOST_FIELDS = 10_000;

export function createHandler(parts: ServerParts): Handler {
  const { settings } = parts;
  const app: App = new OpenAPIHono<ServerEnv>({
    getPath: (request) => linkPath(plainPath(getPath(request))),
    defaultHook(result) {
      if (result.success) return;
      const [issue] = result.error.issues;
      const where = issue?.path.join(".") || "the request";
      throw new HttpError(422, `${where}: ${issue?.message ?? "wrong"}`, { cause: result.error });
    },
  });
  app.onError((error, c) => answerError(error, c, parts));
  app.notFound((c) =>
    errorResponse(404, errorBody(`There is nothing at ${c.req.method} ${loggablePath(c.req.path)}`)),
  );
  app.use(watchRequests(parts));
  app.use(checkHost(settings));
  app.use(cors(settings));
  const linkAnswers = new LinkAnswers();
  app.use(answerAgain(linkAnswers, parts));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) =>
        errorResponse(405, errorBody(`${c.req.method} is not for this address: ${methods.join(", ")}`), {
          allow: methods.join(", "),
        }),
    }),
  );
  const signIn = openSignIn(parts.users);
  const guarded = requireUser(signIn, parts);
  const visited = allowUser(guarded);
  addOperations(app, parts);
  addDocs(app);
  app.use(`${BASE}/*`, (c, next) => {
    const { method, path } = c.req;
    if (isOpenPath(path)) return next();
    return (method === "GET" && TOKEN_PATH.test(path) ? visited : guarded)(c, next);
  });
  app.use(limitBodies(parts));
  app.use(checkBody);
  addUserRoutes(app, parts);
  addAccountRoutes(app);
  addUdfRoutes(app, parts);
  addCollectionRoutes(app, parts);
  addSharedTokenRoutes(app, parts);
  addCodeProxyRoutes(app, parts);
  addRunLogRoutes(app, parts);
  addScheduleRoutes(app, parts);
  addJobRoutes(app, parts);
  addRunRoutes(app, parts);
  addUdfCacheRoutes(app, parts);
  addFileRoutes(app, parts);
  addEfsRoutes(app, parts);
  addSignedRoutes(app, parts);
  addSecretRoutes(app, parts);
  addDatasetRoutes(app, parts);
  // Last: `/{token}/{slug}/run` is so wide that other routes would be taken for it.
  addSharedRunRoutes(app, { ...parts, signIn, answers: linkAnswers });
  return async (request, peer) => app.fetch(request, peer);
}

/** Gives each request an id, and notes how it went. */
function watchRequests({ log, metrics }: ServerParts): MiddlewareHandler<ServerEnv> {
  const seconds = metrics.duration("fuselet_request_seconds", "Time until a request was answered.");
  return async (c, next) => {
    const id = crypto.randomUUID();
    c.set("requestId", id);
    const started = performance.now();
    await next();
    const ms = performance.now() - started;
    const { method, path } = c.req;
    const { status, headers } = c.res;
    seconds(ms / 1000, { method, status: String(status) });
    // Not by `c.header`, which makes a new answer of the one that is there, body and all.
    headers.set("x-content-type-options", "nosniff");
    headers.set("x-request-id", id);
    log.info("request", {
      ...{ id, method, path: loggablePath(path), status },
      ms: Math.round(ms * 10) / 10,
      peer: c.env.address,
    });
  };
}

/** Behind the tokens: what nobody asked for is not read. */
function limitBodies({ settings, sharedTokens }: ServerParts): MiddlewareHandler<ServerEnv> {
  const limited = limitBody(settings.bodyBytes);
  const limitedOpen = limitBody(Math.min(LINK_BODY_BYTES, settings.bodyBytes));
  return async (c, next) => {
    const { method, path } = c.req;
    if (method === "GET" || method === "HEAD" || UPLOAD.test(path)) return next();
    if (!isForAnybody(path)) return limited(c, next);
    const [, token] = LINK_RUN.exec(path) ?? [];
    if (token === undefined) return c.notFound();
    if (!(await sharedTokens.byText(token))) throw notFound("What this token opens");
    return limitedOpen(c, next);
  };
}

const limitBody = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new HttpError(413, `The body is larger than ${maxSize} bytes`);
    },
  });

/** What is no text, and what takes long to be read though it is not large. @throws HttpError 422 */
const checkBody: MiddlewareHandler<ServerEnv> = async (c, next) => {
  const [, kind] = /(json|x-www-form-urlencoded)/i.exec(c.req.header("content-type") ?? "") ?? [];
  if (kind && !UPLOAD.test(c.req.path)) {
    const text = textOf(await c.req.arrayBuffer());
    const problem = text === null ? "it is no UTF-8" : problemOf(kind, text, c.req.path);
    if (problem !== null) throw new HttpError(422, `The body cannot be read: ${problem}`);
  }
  await next();
};

/** @returns null for what is no UTF-8: as a text, it would be another one than what was sent */
function textOf(bytes: ArrayBuffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const problemOf = (kind: string, text: string, path: string) =>
  kind.toLowerCase() === "json"
    ? jsonProblem(text, isForAnybody(path) ? MOST_OPEN_VALUES : undefined)
    : formProblem(text);

const formProblem = (text: string) =>
  text.split("&", MOST_FIELDS + 1).length > MOST_FIELDS ? `it has more than ${MOST_FIELDS} fields` : null;

/** Without the slashes that a base URL with one at its end leaves, and those behind a path. Names of files keep theirs. */
const plainPath = (path: string) =>
  path.startsWith(`${BASE}/signed/`) ? path : path.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");

/** Routes of the wire that check their own tokens, which are in the path. */
const isOpenPath = (path: string) =>
  (path.startsWith(`${BASE}/realtime-shared/`) && !path.includes("/udf-cache/")) ||
  path.startsWith(`${BASE}/signed/`) ||
  path === `${BASE}/health`;

/** Whether no user's token is asked for. */
const isForAnybody = (path: string) => !path.startsWith(`${BASE}/`) || isOpenPath(path);

/** Runs by a link, with its token. */
const LINK_RUN = new RegExp(`^(?:${BASE}/realtime-shared)?/([^/]+)/(?:[^/]+/)?run(?:/|$)`);

/** Where a shared token in the path may be enough. */
const TOKEN_PATH = new RegExp(`^${BASE}/(udf/shared|udf-access-token)/by-token/`);

/** Codes of Node's errors where a connection ends: by the other end, and by us where its body dawdles. */
const LEFT: ReadonlySet<unknown> = new Set(["ECONNRESET", "ABORT_ERR"]);

function answerError(error: unknown, c: Context<ServerEnv>, { log }: ServerParts): Response {
  if (error instanceof HttpError) return errorResponse(error.status, errorBody(error.message), error.headers);
  if (error instanceof PermissionDeniedError)
    return errorResponse(403, errorBody(servedDenial(error).message));
  if (error instanceof FuseletError && STATUS_OF[error.name] !== undefined)
    return errorResponse(STATUS_OF[error.name] as number, errorBody(error.message));
  // Of the framework itself: a body that is no JSON, a type that a route does not take.
  if (error instanceof HTTPException && error.status < 500)
    return errorResponse(error.status === 400 ? 422 : error.status, errorBody(error.message));
  if (error instanceof StorageError)
    return errorResponse(STORAGE_STATUS[error.code], errorBody(error.message));
  if (isFull(error))
    return errorResponse(507, errorBody("The server's disk is full: try again when there is room"));
  if (error instanceof StoreError && error.code === "busy")
    return errorResponse(503, errorBody("The server's database is busy: try again"), { "retry-after": "1" });
  // Node's, where a client leaves in the middle of its body: nobody gets the answer, and it is no failure of ours.
  if (c.env.gone.aborted && LEFT.has((error as { code?: unknown }).code))
    return errorResponse(400, errorBody("The body ended before its end"));
  const id = c.get("requestId");
  log.error("failure", error, { id });
  return errorResponse(500, errorBody(`The server failed. Its log has more under ${id}`));
}

/** Of the database, and of files that are no user's. */
const isFull = (error: unknown) =>
  (error instanceof StoreError && error.code === "full") ||
  ["ENOSPC", "EDQUOT"].includes(String((error as { code?: unknown }).code));

/** Errors whose text may go to whoever asked. A StoreError's names files of this machine. */
const STATUS_OF: Readonly<Record<string, number>> = {
  UsageError: 422,
  UdfLoadError: 422,
  ParameterError: 422,
  ResultError: 422,
  SecretError: 422,
};

const STORAGE_STATUS: Readonly<Record<StorageErrorCode, number>> = {
  "not found": 404,
  exists: 409,
  access: 403,
  request: 422,
  // Clients do not ask again for minutes, as they do after 502 and 503.
  network: 504,
  full: 507,
  config: 422,
};
