/** Schemas that several routes use. What the wire sends and takes is written once: OpenAPI is made of these. */
import { z } from "@hono/zod-openapi";

/** The body of every error. */
const ErrorBody = z.looseObject({ message: z.string(), detail: z.unknown() }).openapi("Error");

export const UserBody = z
  .object({
    id: z.string(),
    email: z.string(),
    handle: z.string(),
    name: z.string(),
    execution_environment_id: z.string(),
    is_admin: z.boolean(),
  })
  .openapi("User");

/** What admins see of a user. */
export const UserForAdminsBody = UserBody.extend({
  is_enabled: z.boolean(),
  permissions: z
    .record(z.string(), z.unknown())
    .nullable()
    .openapi({ description: "The most that the user's UDFs may get; null: what the server may give at all" }),
}).openapi("UserForAdmins");

/** A whole number in a query or a path, which have texts. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^-?\d{1,16}$/, "must be a whole number")
    // `-0` is 0.
    .transform((text) => Number(text) + 0)
    .refine((value) => value >= least && value <= most, `must be from ${least} to ${most}`)
    .openapi({ type: "integer", minimum: least, maximum: most });

/** `skip` and `limit` of lists. */
export const PageQuery = z.object({
  skip: wholeNumber(0, 1_000_000_000).default(0).openapi({ description: "Entries to leave out" }),
  limit: wholeNumber(1, 1000).default(100).openapi({ description: "The most entries" }),
});

/** A flag in a query. Python writes `True`. */
export const Flag = z
  .string()
  .refine((text) => /^(true|false)$/i.test(text), "must be true or false")
  .transform((text) => text.toLowerCase() === "true")
  .openapi({ type: "boolean" });

type Content = { content: { "application/json": { schema: z.ZodType } } };

const content = <Schema extends z.ZodType>(schema: Schema) => ({ "application/json": { schema } });

/** The body of a request, which must be there. */
export const json = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: content(schema),
});

/** An answer of a route. */
export const answer = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  content: content(schema),
  description,
});

/** What a run gives: in which format says the content type. */
export const anyResult = {
  description: "The result, in the format that its content type names. No body: the result is None",
  content: { "*/*": { schema: z.any() } },
};

/** Server-sent events: the schema is that of each. */
export const events = (description: string) => ({
  description,
  content: {
    "text/event-stream": {
      schema: z
        .object({ event: z.string(), data: z.string(), id: z.string().optional() })
        .openapi("ServerSentEvent"),
    },
  },
});

/** The errors that any route behind a token may answer, and those of its own. */
export const errors = (...statuses: readonly number[]): Record<number, Content & { description: string }> =>
  Object.fromEntries(
    [401, 403, 413, 415, 422, 429, 503, 507, ...statuses].map((status) => [
      status,
      { content: content(ErrorBody), description: REASONS[status] ?? "The request was refused" },
    ]),
  );

const REASONS: Readonly<Record<number, string>> = {
  401: "No token, or one that is not known",
  403: "This user may not do that",
  404: "There is no such thing, or this user must not know of it",
  409: "There is one already, or it was changed meanwhile",
  413: "The body is too large",
  415: "The body has a media type that is not taken here",
  422: "An argument is wrong; or a UDF raised",
  429: "Too many requests: see Retry-After",
  503: "Nothing was done: send it again after Retry-After",
  504: "A service behind the server cannot be reached, or did not answer as it should",
  507: "There is no room left",
};

/** For `refine`: whether JSON is nested so deep at most. What goes on by calling itself must not meet more. */
export const nestedWithin = (levels: number) => (value: unknown) => {
  let layer: unknown[] = [value];
  for (let depth = 0; layer.length > 0; depth++) {
    if (depth > levels) return false;
    layer = layer.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return true;
};
