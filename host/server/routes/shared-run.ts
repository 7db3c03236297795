/**
 * Runs by a link, for whoever has its token, in the name of the token's owner:
 *
 *     /{token}/run                    /{token}/run/file[.csv]        /{token}/run/tiles/{z}/{x}/{y}[.png]
 *     /{token}/{slug}/run…            for the token of a collection
 *     /{token}[.csv]                  in short for …/run/file[.csv], and /{token}/{slug}[.csv]
 *
 * and all of them under /server/v1/realtime-shared as well. Parameters stand in the query, or in the body of a POST.
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { memoBySource } from "../../../runtime/memo.ts";
import { isRecord } from "../../../runtime/record.ts";
import type { Tile, UdfSource } from "../../../runtime/udf.ts";
import { DEFAULT_RESULT_AGE } from "../../cache/age.ts";
import type { FormattedResult } from "../../formats/formats.ts";
import type { Wish } from "../../formats/negotiate.ts";
import { withoutCode } from "../../udfs/without-code.ts";
import { presentedBy, type SignIn, senderOf } from "../auth.ts";
import { cacheAges } from "../cache-ages.ts";
import { HttpError, notFound } from "../errors.ts";
import { exactly, stringifyExact } from "../exact-json.ts";
import type { LinkAnswers } from "../link-answers.ts";
import type { App, SavedUdf, ServerEnv, ServerParts, SharedToken } from "../parts.ts";
import { RecentMap } from "../recent-map.ts";
import { cachedAnswer, failureAnswer, resultAnswer, toResponse } from "../run-answer.ts";
import {
  FORMAT_PATTERN,
  queryParameters,
  readAge,
  readContext,
  readQueryWish,
  readRunId,
  readTileFile,
  TileFileParams,
  UdfQuery,
  varyOf,
} from "../run-request.ts";
import { anyResult, errors } from "../schemas.ts";
import { endOf } from "../shared-tokens.ts";
import { tokenLabel } from "../token-hash.ts";
import { BASE, CLIENT_ID } from "./base.ts";

const Token = { token: z.string().min(1).max(512) };
const Slug = { slug: z.string().min(1).max(255) };
const File = {
  file: z
    .string()
    .regex(/^file(\.[A-Za-z0-9]{1,16})?$/)
    .openapi({ example: "file.csv", pattern: `^file${FORMAT_PATTERN.extension}` }),
};

/** A link in short. What stands behind the last dot is the format: a slug that has a dot itself takes the whole form. */
const SHORT = new RegExp(
  `^((?:${BASE}/realtime-shared)?/(?:(?:fsh_|UDF_)[\\w-]+|[0-9a-f]{64}|fc_[\\w-]+(?:/(?!run$)[^/]+?)?))(\\.[A-Za-z0-9]{1,16})?$`,
);

/** The path that a request is routed by: that of a link, or of a run of one's own, in its whole form. */
export const linkPath = (path: string): string =>
  path === "/run/udf" ? `${BASE}/realtime/${CLIENT_ID}/api/v1/run/udf` : path.replace(SHORT, "$1/run/file$2");

/** Not looked into here: a record of Zod takes seconds for what a body can have. */
const Body = z
  .custom<Record<string, unknown>>(isRecord)
  .openapi({ type: "object", additionalProperties: true });

/** The most bytes of a body that comes with a link: anybody may have one. */
export const LINK_BODY_BYTES = 4 * 1024 * 1024;
/** Of a body. Objects of very many take seconds wherever they are copied. */
const MOST_PARAMETERS = 10_000;

/** How old a result may be whose parts are asked for, where nobody says: with its length, they are of one run. */
const PARTS_MS = 60_000;

/** The UDFs that were run last, read, and the characters of them together. */
const MOST_SOURCES = 1000;
const MOST_CHARACTERS = 64 * 1024 * 1024;

interface Asked {
  token: string;
  slug: string | undefined;
  tile: Tile | undefined;
  extension: string | undefined;
  query: z.infer<typeof UdfQuery>;
  parameters: Record<string, unknown>;
}

export function addSharedRunRoutes(
  app: App,
  {
    runs,
    runner,
    writeResult,
    registry,
    sharedTokens,
    epochs,
    signIn,
    answers,
  }: Pick<ServerParts, "runs" | "runner" | "writeResult" | "registry" | "sharedTokens" | "epochs"> & {
    signIn: SignIn;
    answers: LinkAnswers;
  },
): void {
  const ageOf = cacheAges(runner);
  const sources = new RecentMap<UdfSource>({ entries: MOST_SOURCES, weight: MOST_CHARACTERS });
  const sourceOf = (udf: SavedUdf): UdfSource => {
    const key = `${udf.id}/${udf.version}/${udf.collection}`;
    const known = sources.get(key);
    if (known) return known;
    const source = registry.sourceOf(udf);
    sources.set(key, source, udf.body.length);
    return source;
  };

  const declared = memoBySource(async (source) => (await runner.inspect(source)).parameters);
  /** Without names that only make an address another one for caches on the way: `_v=2`, or jQuery's `_`. */
  const meant = async (parameters: Asked["parameters"], source: UdfSource) => {
    const isNote = (name: string) => name.startsWith("_");
    if (!Object.keys(parameters).some(isNote)) return parameters;
    const known = await declared(source);
    if (known.some(({ kind }) => kind === "rest")) return parameters;
    const names = new Set(known.map(({ name }) => name));
    return Object.fromEntries(
      Object.entries(parameters).filter(([name]) => !isNote(name) || names.has(name)),
    );
  };

  /** Only a link that is not for everybody asks who somebody is. */
  const open = async (c: Context<ServerEnv>, { token, slug }: Asked) => {
    const presented = presentedBy(c);
    try {
      return await sharedTokens.open(token, slug, presented);
    } catch (error) {
      const user = error instanceof HttpError && error.status === 403 && (await senderOf(c, signIn));
      if (!user) throw error;
      return sharedTokens.open(token, slug, { ...presented, user });
    }
  };

  /** Whether somebody may see lines of the code, as the text of a failure has them. */
  const mayRead = async (c: Context<ServerEnv>, { publicRead }: SharedToken, udf: SavedUdf) => {
    if (publicRead) return true;
    const user = await senderOf(c, signIn).catch(() => undefined);
    return user !== undefined && registry.canRead(user, udf);
  };

  const answer = async (c: Context<ServerEnv>, asked: Asked): Promise<Response> => {
    const { tile, extension, query } = asked;
    const runId = readRunId(c.req.header("fused-run-id"));
    const wish: Wish = { ...readQueryWish(c, query, extension), tile };
    const { shared, owner, udf } = await open(c, asked);
    if (udf.kind !== "udf") throw notFound("The link");
    const isOpen =
      shared.scope === "public" &&
      c.req.header("authorization") === undefined &&
      query.fused_session_token === undefined;
    const by = isOpen ? "public" : "private";
    let printed: { stdout: string; stderr: string } | undefined;
    let written: FormattedResult | undefined;
    try {
      const source = sourceOf(udf);
      const parameters = await meant(asked.parameters, source);
      const saidMs = await ageOf({ source, cacheMaxAge: shared.cache ? readAge(query.cache_max_age) : 0 });
      // A link that caches keeps tiles without being told for how long: the published client says so of `cache=True`.
      const age = {
        ms: saidMs ?? (tile ? DEFAULT_RESULT_AGE * 1000 : c.req.header("range") === undefined ? 0 : PARTS_MS),
        isSaid: saidMs !== undefined,
        untilMs: endOf(shared.expires),
      };
      const key =
        age.ms > 0
          ? stringifyExact([
              shared.token,
              udf.id,
              udf.version,
              await epochs.of(udf.id, tile),
              owner.permissions ?? null,
              owner.team,
              wish,
              Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)),
            ])
          : undefined;
      const remember = () => {
        if (key !== undefined && isOpen) c.get("remember")?.({ key, age });
      };
      const found = key === undefined ? undefined : answers.get(key, age, runId, by);
      if (found) {
        remember();
        return toResponse(found, c.req);
      }
      const result = await runs.run({
        // The token itself would stand in logs and labels.
        as: { owner, shareToken: tokenLabel(shared.token) },
        source,
        parameters,
        tile,
        context: {
          ...readContext(c, { shareToken: shared.token }),
          sessionToken: query.fused_session_token ?? null,
        },
        cacheMaxAge: Math.max(age.ms, saidMs === undefined && c.req.method === "HEAD" ? PARTS_MS : 0) / 1000,
        savedId: udf.id,
        bytes: bodyBytes(c),
        signal: c.env.gone,
        async finish(result) {
          printed = { stdout: result.stdout, stderr: result.stderr };
          written = await writeResult(result, wish, { owner, signal: c.env.gone });
        },
      });
      const made = await cachedAnswer(resultAnswer(result, written!, runId), result, age, by, varyOf(wish));
      if (key !== undefined && made.headers.etag !== undefined && result.kept) {
        answers.put(key, made, result.kept.atMs);
        remember();
      }
      return toResponse(made, c.req);
    } catch (error) {
      const shown = (await mayRead(c, shared, udf)) ? error : withoutCode(error);
      const failed = failureAnswer(shown, runId, printed);
      if (failed) return toResponse(failed);
      throw error;
    }
  };

  for (const prefix of ["", `${BASE}/realtime-shared`]) {
    for (const isCollection of [false, true]) {
      const start = `${prefix}/{token}${isCollection ? "/{slug}" : ""}/run`;
      const own = { ...Token, ...(isCollection ? Slug : {}) };
      const kinds = [
        { path: start, params: z.object(own), what: "Run a UDF" },
        { path: `${start}/{file}`, params: z.object({ ...own, ...File }), what: "Run a UDF, in a format" },
        {
          path: `${start}/tiles/{z}/{x}/{y}`,
          params: TileFileParams.extend(own),
          what: "Run a UDF for a tile",
        },
      ];
      for (const { path, params, what } of kinds) {
        for (const method of ["get", "post"] as const) {
          app.openapi(
            createRoute({
              method,
              path,
              // The same routes once more.
              hide: prefix !== "",
              tags: ["links"],
              summary: `${what} by a link${isCollection ? " of a collection" : ""}`,
              description:
                "What else stands in the query are parameters of the UDF. Failed runs are 422, with x-fused-metadata. In short, /{token}.csv is /{token}/run/file.csv, and /{token}/{slug}.csv is /{token}/{slug}/run/file.csv.",
              security: [],
              request: {
                params,
                query: UdfQuery,
                ...(method === "post" ? { body: { content: bodyContent } } : {}),
              },
              responses: {
                200: anyResult,
                304: { description: "The client has it already (If-None-Match)" },
                ...errors(404, 500),
              },
            }),
            (async (c: Context<ServerEnv>) => {
              const of = (target: string) => c.req.valid(target as never) as Record<string, unknown>;
              const param = of("param") as { token: string; slug?: string; file?: string };
              const query = of("query") as Asked["query"];
              const isTile = "z" in param;
              const { tile, extension } = isTile
                ? readTileFile(param as never)
                : { tile: undefined, extension: param.file?.split(".")[1] };
              return answer(c, {
                ...{ token: param.token, slug: param.slug, tile, extension, query },
                parameters: {
                  ...(method === "post" ? await bodyParameters(c) : {}),
                  ...queryParameters(query),
                },
              });
            }) as never,
          );
        }
      }
    }
  }
}

const bodyContent = {
  "application/json": { schema: Body },
  "application/x-www-form-urlencoded": { schema: Body },
};

/** Of one that comes in chunks, the most that it can have. */
const bodyBytes = (c: Context<ServerEnv>) =>
  Number(c.req.header("content-length") ?? (c.req.header("transfer-encoding") ? LINK_BODY_BYTES : 0));

/** @throws HttpError 415, 422 */
async function bodyParameters(c: Context<ServerEnv>): Promise<Record<string, unknown>> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === undefined) return {};
  if (type === "application/json") {
    const parameters = exactly(c.req.valid("json" as never) as Record<string, unknown>, await c.req.text());
    if (Object.keys(parameters).length <= MOST_PARAMETERS) return parameters;
    throw new HttpError(422, `The body cannot be read: it has more than ${MOST_PARAMETERS} parameters`);
  }
  if (type === "application/x-www-form-urlencoded") return c.req.valid("form" as never);
  throw new HttpError(
    415,
    "Parameters come as application/json or application/x-www-form-urlencoded, or in the query",
  );
}
