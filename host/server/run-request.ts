/** What a request says of the run that it asks for, beside the UDF: the format, the age of kept results, the context. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Tile } from "../../runtime/udf.ts";
import type { RunContext } from "../context/context.ts";
import { FORMATS } from "../formats/formats.ts";
import { formatNamed, formatsAccepted, type Wish } from "../formats/negotiate.ts";
import { MOST_NESTED } from "../udfs/binding.ts";
import { contextUser } from "./context-user.ts";
import { HttpError } from "./errors.ts";
import type { ServerEnv, User } from "./parts.ts";
import { wholeNumber } from "./schemas.ts";

const MOST_TILE = 2 ** 30;

const FORMAT = `(${Object.keys(FORMATS).join("|")})`;
/** What the document says of formats. Other names of theirs are taken, too. */
export const FORMAT_PATTERN = { list: `^${FORMAT}(,${FORMAT})*$`, extension: `(\\.${FORMAT})?$` };

/** Where the extension of a format may stand behind the last number. */
const Extension = "(\\.[A-Za-z0-9]{1,16})?";

/** A tile in a path. */
export const TileParams = z.object({
  z: wholeNumber(0, 30),
  x: wholeNumber(0, MOST_TILE),
  y: wholeNumber(0, MOST_TILE),
});

/** The same, whose last part may end with a format: `12.png`. */
export const TileFileParams = TileParams.extend({
  y: z
    .string()
    .regex(new RegExp(`^\\d{1,10}${Extension}$`))
    .openapi({ example: "12.png", pattern: `^\\d{1,10}${FORMAT_PATTERN.extension}` }),
});

/** What the queries of all runs may have. */
export const RunQuery = {
  format: z.string().max(200).optional().openapi({
    description: "Formats of the result, separated by commas, in order of preference",
    pattern: FORMAT_PATTERN.list,
  }),
  cache_max_age: z
    .string()
    .regex(/^\d{1,12}\s*[smhdSMHD]?$/)
    .optional()
    .openapi({
      description:
        "How old a kept result may be: seconds, or a number and s, m, h or d. 0 runs it. Default: as the UDF says",
    }),
};

/** The query of a run whose parameters stand in it. */
export const UdfQuery = z.looseObject({
  ...RunQuery,
  dtype_out_vector: z
    .string()
    .max(200)
    .optional()
    .openapi({ description: "The format of a table", pattern: FORMAT_PATTERN.list }),
  dtype_out_raster: z
    .string()
    .max(200)
    .optional()
    .openapi({ description: "The format of an array", pattern: FORMAT_PATTERN.list }),
  fused_session_token: z.string().max(4096).optional().openapi({
    description: "Where the token is for a team",
  }),
});

/** In the query, and no parameters of the UDF. */
const RESERVED = new Set([
  ...Object.keys(UdfQuery.shape),
  "profile",
  "fused_cache_disable_stream",
  "client_id",
  // Options that the published client passes on.
  "_stream_logs",
  "_use_polling",
]);

/** The last of several with one name counts. */
export function queryParameters(query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query)
      .filter(([name]) => !RESERVED.has(name))
      .map(([name, value]) => [name, Array.isArray(value) ? value.at(-1) : value]),
  );
}

/** A number alone is seconds. */
export function readAge(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

/** Splits `12.png`. @throws HttpError 404 for a tile that is none */
export function readTileFile({ z, x, y }: z.infer<typeof TileFileParams>): {
  tile: Tile;
  extension?: string;
} {
  const [number = "", extension] = y.split(".");
  const tile = { z, x, y: Number(number) };
  checkTile(tile);
  return extension === undefined ? { tile } : { tile, extension };
}

/** @throws HttpError 404 */
export function checkTile({ z, x, y }: Tile): void {
  const side = 2 ** z;
  if (x >= side || y >= side)
    throw new HttpError(404, `There is no tile ${z}/${x}/${y}: at zoom ${z}, x and y are below ${side}`);
}

export interface FormatAsk {
  /** A list, as clients send it. */
  format?: string | null | undefined;
  /** The extension in the path. */
  extension?: string | undefined;
  dtypeOutRaster?: string | undefined;
  dtypeOutVector?: string | undefined;
  /** The header. */
  accept?: string | undefined;
  /** The header `User-Agent`. */
  agent?: string | undefined;
}

/**
 * The formats that a request asks for. What stands in the path counts before `format`, this before `dtype_out_*`, and those before the
 * header Accept, which never makes a request fail.
 * @throws HttpError 422 for names of which none is a format
 */
export function readWish({
  format,
  extension,
  dtypeOutRaster,
  dtypeOutVector,
  accept,
  agent,
}: FormatAsk): Wish {
  const asked = extension ?? format;
  if (asked) {
    const formats = named(asked);
    // The published client asks for npy in its asynchronous half too, which takes that for Parquet.
    if (agent?.includes("aiohttp") && formats.includes("tiff"))
      formats.sort((a, b) => Number(a === "npy") - Number(b === "npy"));
    // A list of formats comes from programs; what these clients take for JSON has NaN in it.
    const hasConstants = formats.length > 1 && /python-requests|aiohttp/.test(agent ?? "");
    return { formats, isFirm: true, hasConstants };
  }
  const old = [dtypeOutRaster, dtypeOutVector].filter(Boolean).join(",");
  if (old) return { formats: named(old), isFirm: false };
  return { formats: accept === undefined ? [] : formatsAccepted(accept), isFirm: false };
}

/**
 * The same, of a run whose parameters stand in the query. A value without a name (`?=png`, as the documents of Fused write it) is a format.
 * @throws HttpError 422
 */
export function readQueryWish(
  c: Context<ServerEnv>,
  query: z.infer<typeof UdfQuery>,
  extension?: string,
): Wish {
  return readWish({
    format: query.format ?? new URL(c.req.url).searchParams.get(""),
    extension,
    dtypeOutRaster: query.dtype_out_raster,
    dtypeOutVector: query.dtype_out_vector,
    accept: c.req.header("accept"),
    agent: c.req.header("user-agent"),
  });
}

/** What the choice of a format depends on, beside the address: the header Vary. @param wish of `readWish` */
export const varyOf = ({ formats, isFirm }: Wish): string =>
  isFirm && formats.length > 1 ? "Accept, Origin, User-Agent" : "Accept, Origin";

function named(list: string) {
  const names = list.split(",", 50).map((name) => name.trim());
  const found = names.map(formatNamed).filter((format) => format !== undefined);
  if (found.length > 0) return found;
  throw new HttpError(
    422,
    `Unknown format ${JSON.stringify(list.slice(0, 200))}: it is one of ${Object.keys(FORMATS).join(", ")}`,
  );
}

/**
 * What a request must not tell a UDF: who somebody is to this server, or to one in front of it. The names are those of common proxies that
 * sign people in.
 */
const PRIVATE =
  /^(authorization|cookie2?|proxy-.*|x-api-key|x-forwarded-.*|x-real-ip|forwarded|remote-.*|x-remote-.*|x-original-.*|x-auth-.*|x-webauth-.*|x-authentik-.*|x-vouch-.*|x-pomerium-.*|tailscale-.*|cf-.*|x-amzn?-.*|x-goog-.*|x-ms-.*)$/;

/** @throws HttpError 422 where runs are nested too deep */
export function readContext(c: Context<ServerEnv>, as: { user?: User; shareToken?: string }): RunContext {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(c.req.header())) if (!PRIVATE.test(name)) headers[name] = value;
  const { user, shareToken } = as;
  return {
    headers,
    recursionFactor: readRecursion(c.req.header("fused-recursion")),
    clientId: c.req.param("client") ?? null,
    userEmail: user?.email ?? null,
    user: user ? contextUser(user) : null,
    kind: "realtime",
    shareToken: shareToken ?? null,
    sessionToken: null,
    executionEnvironmentId: user?.team ?? null,
  };
}

/** Clients count from 1 or 2 on, one more with each run that a run asks for over HTTP. @throws HttpError 422 for too many */
export function readRecursion(text: string | undefined): number {
  const depth = text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (depth <= MOST_NESTED + 1) return depth;
  throw new HttpError(
    422,
    `Cannot run: runs are nested ${depth} deep, and at most ${MOST_NESTED} are allowed`,
  );
}

/** The number that a client gives to a run, or a new one. @throws HttpError 422 */
export function readRunId(text: string | undefined): string {
  if (text === undefined) return crypto.randomUUID();
  if (/^[\w-]{1,64}$/.test(text)) return text;
  throw new HttpError(422, "The header Fused-Run-Id must be up to 64 letters, digits, _ or -");
}
