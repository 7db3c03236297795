/**
 * Runs of UDFs that come with the request, for whoever is signed in:
 *
 *     POST …/run/udf/start[/tiles/{z}/{x}/{y}]   starts one; its answer where it ends soon, else 202
 *     GET  …/run/udf/get/{run_id}[/logs]         its answer, or 202; what it prints, as it goes on
 *     DELETE …/run/udf/get/{run_id}              cancels it
 *     POST …/run/udf[/tiles/{z}/{x}/{y}]         runs one; the answer is that of the run
 *     GET  …/run/udf/saved/{owner}/{slug}[/tiles/{z}/{x}/{y}]   runs a saved one, with the parameters of the query
 */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Tile } from "../../../runtime/udf.ts";
import type { Wish } from "../../formats/negotiate.ts";
import { HttpError, notFound } from "../errors.ts";
import type { App, ServerEnv, ServerParts, ServerRun } from "../parts.ts";
import { failureAnswer, type RunAnswer, refusalAnswer, resultAnswer, toResponse } from "../run-answer.ts";
import {
  checkTile,
  queryParameters,
  RunQuery,
  readAge,
  readContext,
  readQueryWish,
  readRunId,
  readTileFile,
  readWish,
  TileFileParams,
  TileParams,
  UdfQuery,
} from "../run-request.ts";
import { answer, anyResult, errors, events, json } from "../schemas.ts";
import { type StartedRun, StartedRuns } from "../started-runs.ts";
import { stepReader } from "../udf-reader.ts";
import { BASE, REALTIME } from "./base.ts";

/** How long a request waits for a run that goes on. Clients wait 5 seconds for an answer. */
const SOON_MS = 2000;
/** The same where the client would rather follow what the run prints (`Prefer: respond-async`, RFC 7240). */
const SOON_ASYNC_MS = 100;

const StartBody = z
  .object({
    step_config: z.string().openapi({
      description:
        'The JSON text of {"type": "udf", "udf": {"name", "code", "headers", "entrypoint", "parameters", "metadata", "cache_max_age"}}',
    }),
    format: z.string().max(200).nullish().openapi({ description: "As in the query" }),
    profile: z.boolean().nullish().openapi({ description: "Taken, and not used" }),
  })
  .openapi("RunRequest");

const Client = { client: z.string().max(255) };
const RunId = z.object({ ...Client, run_id: z.string().max(64) });

const going = { description: "It goes on: ask …/run/udf/get/{run_id}, by the header Fused-Run-Id" };
const failures = errors(404, 500);

export function addRunRoutes(
  app: App,
  {
    runs,
    writeResult,
    registry,
    log,
    streams,
  }: Pick<ServerParts, "runs" | "writeResult" | "registry" | "log" | "streams">,
): void {
  const tags = ["runs"];
  const started = new StartedRuns();
  const readStep = stepReader();

  type Asked = Pick<
    ServerRun,
    "as" | "source" | "parameters" | "bytes" | "tile" | "context" | "cacheMaxAge" | "savedId"
  > & {
    wish: Wish;
  };
  const read = (
    c: Context<ServerEnv>,
    body: z.infer<typeof StartBody>,
    query: { format?: string | undefined; cache_max_age?: string | undefined },
    tile?: Tile,
  ): Asked => {
    if (tile) checkTile(tile);
    const user = c.get("user");
    const format = body.format ?? query.format;
    return {
      as: { owner: user },
      ...readStep(body.step_config),
      bytes: body.step_config.length,
      tile,
      context: readContext(c, { user }),
      cacheMaxAge: readAge(query.cache_max_age),
      wish: {
        ...readWish({ format, accept: c.req.header("accept"), agent: c.req.header("user-agent") }),
        tile,
      },
    };
  };

  /** Runs it to an answer, whatever comes of it. @throws HttpError and what is no failure of a run */
  const run = async (
    { wish, ...asked }: Asked,
    runId: string,
    rest: Pick<ServerRun, "signal" | "onOutput">,
  ): Promise<RunAnswer> => {
    let printed: { stdout: string; stderr: string } | undefined;
    try {
      let answer: RunAnswer | undefined;
      await runs.run({
        ...asked,
        ...rest,
        async finish(result) {
          printed = { stdout: result.stdout, stderr: result.stderr };
          const by = { owner: asked.as.owner, signal: rest.signal };
          answer = resultAnswer(result, await writeResult(result, wish, by), runId);
        },
      });
      return answer!;
    } catch (error) {
      const failed = failureAnswer(error, runId, printed);
      if (failed) return failed;
      throw error;
    }
  };

  /** The same for later: whatever goes wrong is an answer. */
  const runLater = async (...asked: Parameters<typeof run>): Promise<RunAnswer> => {
    try {
      return await run(...asked);
    } catch (error) {
      if (error instanceof HttpError) return refusalAnswer(error, asked[1]);
      log.error("run", error, { run: asked[1] });
      return refusalAnswer(new HttpError(500, "The server failed. Its log has more"), asked[1]);
    }
  };

  const start = async (c: Context<ServerEnv>, asked: Asked): Promise<Response> => {
    const runId = readRunId(c.req.header("fused-run-id"));
    const userId = c.get("user").id;
    const begun = started.start(userId, runId, (onOutput, signal) =>
      runLater(asked, runId, { signal, onOutput }),
    );
    const isAsync = /\brespond-async\b/i.test(c.req.header("prefer") ?? "");
    const done = await begun.within(isAsync ? SOON_ASYNC_MS : SOON_MS, c.env.gone);
    if (!done) return goesOn(runId);
    if (!done.isCut && !c.env.gone.aborted) started.forget(userId, runId);
    return toResponse(done);
  };

  for (const isTile of [false, true]) {
    const path = isTile ? "/tiles/{z}/{x}/{y}" : "";
    const what = isTile ? "a UDF for a tile" : "a UDF";
    const request = {
      params: isTile ? TileParams.extend(Client) : z.object(Client),
      query: z.object(RunQuery),
      body: json(StartBody),
    };
    const tileOf = (params: object) => {
      const { z, x, y } = params as Tile;
      return isTile ? { z, x, y } : undefined;
    };
    app.openapi(
      createRoute({
        method: "post",
        path: `${REALTIME}/run/udf/start${path}`,
        tags,
        summary: `Start ${what}`,
        description:
          "The header Fused-Run-Id names the run, for later; sent twice, it is one run. Failed runs are 422, with x-fused-metadata.",
        request,
        responses: { 200: anyResult, 202: going, ...failures },
      }),
      async (c) => start(c, read(c, c.req.valid("json"), c.req.valid("query"), tileOf(c.req.valid("param")))),
    );
    app.openapi(
      createRoute({
        method: "post",
        path: `${REALTIME}/run/udf${path}`,
        tags,
        summary: `Run ${what}`,
        description: "A client that goes away cancels the run. Failed runs are 422, with x-fused-metadata.",
        request,
        responses: { 200: anyResult, ...failures },
      }),
      async (c) => {
        const asked = read(c, c.req.valid("json"), c.req.valid("query"), tileOf(c.req.valid("param")));
        const runId = readRunId(c.req.header("fused-run-id"));
        return toResponse(await run(asked, runId, { signal: c.env.gone }));
      },
    );
  }

  const Saved = z.object({ ...Client, owner: z.string().max(255), slug: z.string().max(255) });
  for (const isTile of [false, true]) {
    app.openapi(
      createRoute({
        method: "get",
        path: `${REALTIME}/run/udf/saved/{owner}/{slug}${isTile ? "/tiles/{z}/{x}/{y}" : ""}`,
        tags,
        summary: isTile ? "Run a saved UDF for a tile" : "Run a saved UDF",
        description:
          "The owner is an email address, a handle or `team`. What else stands in the query are parameters of the UDF. Failed runs are 422, with x-fused-metadata.",
        request: { params: isTile ? Saved.extend(TileFileParams.shape) : Saved, query: UdfQuery },
        responses: { 200: anyResult, ...failures },
      }),
      async (c) => {
        const user = c.get("user");
        const query = c.req.valid("query");
        const { owner, slug, ...rest } = c.req.valid("param") as z.infer<typeof Saved>;
        const { tile, extension } = isTile
          ? readTileFile(rest as unknown as z.infer<typeof TileFileParams>)
          : { tile: undefined, extension: undefined };
        const wish = { ...readQueryWish(c, query, extension), tile };
        const udf = await registry.find(user, `${owner}/${slug}`);
        if (udf?.kind !== "udf") throw notFound(`The UDF ${JSON.stringify(`${owner}/${slug}`)}`);
        const asked: Asked = {
          as: { owner: user },
          source: registry.sourceOf(udf),
          parameters: queryParameters(query),
          tile,
          context: readContext(c, { user }),
          cacheMaxAge: readAge(query.cache_max_age),
          savedId: udf.id,
          wish,
        };
        return toResponse(await run(asked, readRunId(c.req.header("fused-run-id")), { signal: c.env.gone }));
      },
    );
  }

  const find = (c: Context<ServerEnv>, runId: string): StartedRun => {
    const found = started.get(c.get("user").id, runId);
    if (!found) throw notFound(`The run ${JSON.stringify(runId)}`);
    return found;
  };

  app.openapi(
    createRoute({
      method: "get",
      path: `${REALTIME}/run/udf/get/{run_id}`,
      tags,
      summary: "The answer of a run that was started",
      request: { params: RunId },
      responses: { 200: anyResult, 202: going, ...failures },
    }),
    async (c) => {
      const { run_id: runId } = c.req.valid("param");
      const done = await find(c, runId).within(SOON_MS, c.env.gone);
      return done
        ? toResponse(done)
        : new Response(null, { status: 202, headers: { "fused-run-id": runId } });
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: `${REALTIME}/run/udf/get/{run_id}`,
      tags,
      summary: "Cancel a run that was started",
      request: { params: RunId },
      responses: { 204: { description: "It ends, or has ended" }, ...errors(404) },
    }),
    async (c) => {
      const { run_id: runId } = c.req.valid("param");
      find(c, runId).cancel();
      return new Response(null, { status: 204 });
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: `${REALTIME}/run/udf/get/{run_id}/logs`,
      tags,
      summary: "What a run that was started prints",
      description:
        "Server-sent events: `stdout` and `stderr`, whose data is a JSON text, and at last `end`, whose data is the status of its answer.",
      request: { params: RunId },
      responses: {
        200: events("From its begin on"),
        ...errors(404),
      },
    }),
    async (c) => {
      const { run_id: runId } = c.req.valid("param");
      const run = find(c, runId);
      return streams.answer(c, async (stream, signal) => {
        for await (const piece of run.events(signal)) {
          const data = piece.event === "end" ? String(piece.status) : JSON.stringify(piece.text);
          await stream.writeSSE({ event: piece.event, data });
        }
      });
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: `${BASE}/efs/{client}/udf-logs`,
      tags,
      summary: "What a run that was started has printed so far",
      request: { params: z.object(Client), body: json(z.object({ log_dir: z.string().max(64) })) },
      responses: {
        200: answer(z.object({ stdout: z.string(), stderr: z.string() }), "All of it"),
        ...errors(404),
      },
    }),
    (c) => c.json(find(c, c.req.valid("json").log_dir).output(), 200),
  );
}

/** The answer of a run that has not ended. What it prints can be asked for by `log_dir`. */
const goesOn = (runId: string) =>
  new Response(null, {
    status: 202,
    headers: { "fused-run-id": runId, "x-fused-metadata": JSON.stringify({ log_dir: runId }) },
  });
