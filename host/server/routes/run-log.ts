/** `/log`: which of one's UDFs ran lately. */
import { createRoute, z } from "@hono/zod-openapi";
import type { App, ServerParts, User } from "../parts.ts";
import type { LoggedRun } from "../run-log.ts";
import { answer, errors, Flag, wholeNumber } from "../schemas.ts";
import { tokenLabel } from "../token-hash.ts";
import { BASE } from "./base.ts";

const ItemBody = z
  .object({
    id: z.string(),
    timestamp: z.string(),
    udf_name: z.string(),
    udf_id: z.string().nullable(),
    shared: z.boolean().openapi({ description: "Whether it ran by a shared token" }),
    duration_ms: z.number(),
    status: z.enum(["success", "error"]),
    error: z.string().nullable(),
  })
  .openapi("LoggedRun");

const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), limit: z.int(), next_page_token: z.string().nullable() });

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/i;
const NO_TIME = "must be a time as 2026-01-31T12:00:00Z";
const Time = z
  .string()
  .max(64)
  .regex(TIME, NO_TIME)
  // Without an offset it is UTC, as all times of the server are; and not of where the server stands.
  .transform((text) => Date.parse(/^[^t]*$|(z|[+-]\d\d:\d\d)$/i.test(text) ? text : `${text}Z`))
  .refine((time) => !Number.isNaN(time), NO_TIME)
  .openapi({ type: "string", format: "date-time" });
const Between = {
  start_timestamp: Time.optional().openapi({ description: "ISO 8601, inclusive" }),
  end_timestamp: Time.optional().openapi({ description: "ISO 8601, inclusive" }),
};
const Query = z.object({
  ...Between,
  limit: wholeNumber(1, 300).default(100),
  scan_forward: Flag.default(true).openapi({ description: "The oldest first" }),
  page_token: z.string().max(64).optional().openapi({ description: "The answer's next_page_token" }),
});
const DistinctQuery = z.object({
  ...Between,
  max_records_to_scan: wholeNumber(1, 5000).default(1000),
});

const tags = ["runs"];
const text = (most: number) => z.string().max(most);

export function addRunLogRoutes(app: App, { users, runLog }: ServerParts): void {
  const ofTeam = async ({ team }: User) =>
    runLog.of(await users.ofTeam(team)).filter((run) => run.team === team);
  const lists: { path: string; of: (user: User, value: string) => Promise<LoggedRun[]> }[] = [
    { path: "self", of: async (user) => runLog.of([user]) },
    { path: "exec-env/self", of: ofTeam },
    { path: "by-id/{value}", of: async (user, id) => runLog.of([user]).filter((run) => run.id === id) },
    {
      path: "by-udf-id/{value}",
      of: async (user, id) => runLog.of([user]).filter(({ udfId }) => udfId === id),
    },
    {
      path: "by-udf-name/{value}",
      of: async (user, name) => runLog.of([user]).filter(({ udfName }) => udfName === name),
    },
    {
      path: "by-shared-token/{value}",
      async of(user, token) {
        const label = tokenLabel(token);
        return runLog.of([user]).filter(({ shareToken }) => shareToken === label);
      },
    },
  ];
  for (const { path, of } of lists) {
    app.openapi(
      createRoute({
        method: "get",
        path: `${BASE}/log/${path}`,
        tags,
        summary: "Runs since the server started, the last 1000 of each user",
        request: {
          query: Query,
          ...(path.includes("{") ? { params: z.object({ value: text(500) }) } : {}),
        },
        responses: { 200: answer(page(ItemBody), "The runs"), ...errors() },
      }),
      async (c) => {
        const { limit, scan_forward: isForward, page_token: after, ...times } = c.req.valid("query");
        const { value = "" } = c.req.param() as { value?: string };
        const found = between(await of(c.get("user"), value), times);
        if (!isForward) found.reverse();
        const start = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1;
        const items = found.slice(start, start + limit);
        const next = start + limit < found.length ? items.at(-1)!.id : null;
        return c.json({ items: items.map(itemBody), limit, next_page_token: next }, 200);
      },
    );
  }

  for (const what of ["names", "id"] as const) {
    for (const whose of ["self", "exec-env/self"]) {
      app.openapi(
        createRoute({
          method: "get",
          path: `${BASE}/log/distinct-udf-${what}/${whose}`,
          tags,
          summary: "Which UDFs ran since the server started, the last first",
          request: { query: DistinctQuery },
          responses: { 200: answer(page(z.string()), "Their names, or their ids"), ...errors() },
        }),
        async (c) => {
          const { max_records_to_scan: limit, ...times } = c.req.valid("query");
          const user = c.get("user");
          const runs = whose === "self" ? runLog.of([user]) : await ofTeam(user);
          const last = between(runs, times).reverse().slice(0, limit);
          const found = last.map(({ udfName, udfId }) => (what === "id" ? udfId : udfName));
          const items = [...new Set(found.filter((value) => value !== null))];
          return c.json({ items, limit, next_page_token: null }, 200);
        },
      );
    }
  }
}

function between(
  runs: readonly LoggedRun[],
  {
    start_timestamp: from = -Infinity,
    end_timestamp: to = Infinity,
  }: Partial<Record<string, number | undefined>>,
): LoggedRun[] {
  return runs.filter(({ timestamp }) => {
    const at = Date.parse(timestamp);
    return at >= from && at <= to;
  });
}

const itemBody = (run: LoggedRun) => ({
  id: run.id,
  timestamp: run.timestamp,
  udf_name: run.udfName,
  udf_id: run.udfId,
  shared: run.shareToken !== null,
  duration_ms: run.ms,
  status: run.error === null ? ("success" as const) : ("error" as const),
  error: run.error,
});
