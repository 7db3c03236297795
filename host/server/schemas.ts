/** Schemas that several routes use. What the wire sends and takes is written once: OpenAPI is made of these. */
import { z } from "@hono/zod-openapi";

/** The body of every error. */
export const ErrorBody = z.looseObject({ message: z.string(), detail: z.unknown() }).openapi("Error");

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

/** `skip` and `limit` of lists. Texts, as queries are. */
export const PageQuery = z.object({
  skip: z.coerce.number().int().min(0).default(0).openapi({ description: "Entries to leave out" }),
  limit: z.coerce.number().int().min(1).max(1000).default(100).openapi({ description: "The most entries" }),
});

/** A flag in a query. Python writes `True`. */
export const Flag = z
  .enum(["true", "false", "True", "False"])
  .transform((text) => text.toLowerCase() === "true");

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
    [401, 403, 413, 415, 422, 429, ...statuses].map((status) => [
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
