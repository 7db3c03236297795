import { describe, expect, test } from "vitest";
import { parseExact } from "../../../host/server/exact-json.ts";
import { CancelledError, LimitExceededError, UdfTimeoutError } from "../../../runtime/errors.ts";
import {
  type Asked,
  about,
  asked,
  bytes,
  json,
  open,
  origin,
  replies,
  START,
  source,
} from "./fixtures/wire-server.ts";

const bigints = (_name: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

describe("a run", () => {
  test("goes to the first client in rank, with the code and the parameters as text", async () => {
    replies[START] = [json(42)];
    const server = open();
    const result = await server.run(source(), {
      parameters: { n: 1, list: [1], on: true, at: new Date(0), no: null },
    });
    expect([result.value, result.cached, result.stdout]).toEqual([42, false, ""]);
    await server.run(source());
    expect(asked.map(({ path }) => path)).toEqual([
      "realtime-instance/available",
      "realtime/rt/api/v1/run/udf/start",
      "realtime/rt/api/v1/run/udf/start",
    ]);
    const body = JSON.parse(asked[1]?.body as string);
    expect(body).toMatchObject({ format: "npy,tiff,parquet,json", profile: false });
    expect(JSON.parse(body.step_config)).toMatchObject({
      type: "udf",
      udf: {
        name: "one",
        code: "export default () => 1",
        metadata: { "fuselet:language": "typescript" },
        parameters: { n: 1, list: "[1]", on: "true", at: "1970-01-01T00:00:00.000Z", no: null },
      },
    });
    expect(asked[1]?.headers).toMatchObject({ "fused-recursion": "1", authorization: "Bearer secret" });
    await expect(server.run(source(), { parameters: { b: Uint8Array.of(1) } })).rejects.toMatchObject({
      parameter: "b",
    });
  });

  test("on a server of our own kind is asked for in our own formats, and its parameters stay what they are", async () => {
    replies["GET realtime-instance/available"] = [json([{ client_id: "fuselet", preference_rank: 1 }])];
    replies["POST realtime/fuselet/api/v1/run/udf/start/tiles/3/1/2"] = [json(1)];
    await open().run(source(), {
      tile: { x: 1, y: 2, z: 3 },
      parameters: { list: [1, { a: 2n }], cell: 617700169958293503n, cells: [617700169958293503n] },
      cacheMaxAge: 60,
      onOutput() {},
    });
    const [, start] = asked as [Asked, Asked];
    expect(start.headers.accept).toContain("application/vnd.apache.arrow.stream");
    expect(start.headers.prefer).toBe("respond-async");
    expect(start.query).toMatchObject({ cache_max_age: "60" });
    const body = JSON.parse(start.body);
    expect(body.format).toBeUndefined();
    expect(JSON.stringify(parseExact(body.step_config), bigints)).toContain(
      '"parameters":{"list":[1,{"a":2}],"cell":"617700169958293503","cells":["617700169958293503"]}',
    );
  });

  test("refuses parameters that a run here refuses, and sends the others as one here takes them", async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    for (const v of [circle, { f: () => 1 }, new Map([[1, 2]]), [Uint8Array.of(1)], new ArrayBuffer(1)])
      await expect(open().run(source(), { parameters: { v } })).rejects.toMatchObject({
        name: "ParameterError",
      });
    replies[START] = [json(1)];
    await open().run(source(), { parameters: { v: [new Set([1]), new Map([["a", 1]]), new Date(0)] } });
    const { step_config } = JSON.parse(asked.at(-1)?.body as string);
    expect(JSON.parse(step_config).udf.parameters.v).toBe('[[1],{"a":1},"1970-01-01T00:00:00.000+00:00"]');
  });

  test("is asked for again and again until it has ended; its output is shown", async () => {
    replies[START] = [json(null, 202)];
    replies["GET realtime/rt/api/v1/run/udf/get/r1"] = [
      json(null, 202),
      json({ a: 1 }, 200, about({ stdout: "out\n", stderr: "err\n" })),
    ];
    const seen: string[] = [];
    const result = await open().run(source(), {
      runId: "r1",
      onOutput: (name, text) => seen.push(`${name} ${text}`),
    });
    expect([result.value, result.stdout, result.stderr]).toEqual([{ a: 1 }, "out\n", "err\n"]);
    expect(seen).toEqual(["stdout out\n", "stderr err\n"]);
  });

  test("shows its output while it runs, where the server has it", async () => {
    replies[START] = [json(null, 202)];
    const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    replies["GET realtime/rt/api/v1/run/udf/get/r1/logs"] = [
      bytes(
        `: here\n\n${event("stdout", "a\n")}${event("stderr", "é")}${event("end", 200)}`,
        "text/event-stream",
      ),
    ];
    replies["GET realtime/rt/api/v1/run/udf/get/r1"] = [
      json(1, 200, about({ stdout: "… (cut: 9 characters in all)", stderr: "" })),
    ];
    const seen: string[] = [];
    const result = await open().run(source(), { runId: "r1", onOutput: (_, text) => seen.push(text) });
    expect(seen).toEqual(["a\n", "é"]);
    expect([result.stdout, result.stderr]).toEqual(["a\n", "é"]);
  });

  test("shows what the server has in full where the answer has it cut", async () => {
    replies[START] = [json(1, 200, about({ stdout: "a… (cut: 9 characters in all)", stderr: "" }))];
    replies["POST efs/rt/udf-logs"] = [json({ stdout: "all of it", stderr: "" })];
    expect((await open().run(source(), { runId: "r1" })).stdout).toBe("all of it");
    expect(JSON.parse(asked.at(-1)?.body as string)).toEqual({ log_dir: "r1" });
  });

  test("that nobody waits for any more is cancelled", async () => {
    replies[START] = [json(null, 202)];
    replies["GET realtime/rt/api/v1/run/udf/get/r1"] = [json(null, 202)];
    const stop = new AbortController();
    const run = open().run(source(), { runId: "r1", signal: stop.signal });
    setTimeout(() => stop.abort(), 60);
    await expect(run).rejects.toBeInstanceOf(CancelledError);
    // The program may end right after.
    expect(asked.at(-1)).toMatchObject({ method: "DELETE", path: "realtime/rt/api/v1/run/udf/get/r1" });
    const late = open().run(source(), { runId: "r1", timeoutMs: 80 });
    await expect(late).rejects.toBeInstanceOf(UdfTimeoutError);
    await expect(late).rejects.toMatchObject({ limit: "timeMs", allowed: 80, exitCode: 124 });
    await expect(late).rejects.toBeInstanceOf(LimitExceededError);
  });

  test("whose body lies elsewhere is read there, and nobody there learns who we are", async () => {
    replies[START] = [json(null, 200, { "x-fused-redirect": `${origin}/place`, "x-fused-cached": "true" })];
    replies["GET /place"] = [json([1, 2])];
    const result = await open().run(source());
    expect([result.value, result.cached]).toEqual([[1, 2], true]);
    expect(asked.at(-1)?.headers.authorization).toBeUndefined();
  });

  test("by a shared token has its parameters in the query", async () => {
    replies["GET /fsh_abc/run/file"] = [json("x")];
    replies["GET /fsh_abc/run/tiles/1/0/1"] = [json("tile")];
    const server = open();
    expect((await server.runSharedFile("fsh_abc", { parameters: { n: 1, list: [1], no: null } })).value).toBe(
      "x",
    );
    expect(asked[0]?.query).toEqual({ n: "1", list: "[1]", format: "npy,tiff,parquet,json" });
    expect((await server.run("fsh_abc", { tile: { x: 0, y: 1, z: 1 } })).value).toBe("tile");
    expect((await server.runSharedTile("fsh_abc", { x: 0, y: 1, z: 1 })).value).toBe("tile");
  });

  test("by a name runs what is saved under it", async () => {
    const saved = (code: string) => ({ id: "7", slug: "s", udf_body: JSON.stringify({ name: "s", code }) });
    replies["GET user/self"] = [json({ email: "ada@example.org" })];
    replies["GET udf/by-user-email/ada@example.org/by-collection/default/by-slug/s"] = [
      json(saved("def udf(): pass")),
    ];
    replies["GET udf/by-user-handle/bob/by-collection/default/by-slug/s"] = [json(saved("def udf(): 1"))];
    replies["GET udf/exec-env/self/by-collection/default/by-slug/s"] = [json(saved("def udf(): 2"))];
    replies[START] = [json(1)];
    replies[`${START}/tiles/0/0/0`] = [json(2)];
    const server = open();
    const sent = () => JSON.parse(JSON.parse(asked.at(-1)?.body as string).step_config).udf;
    await server.run("s");
    expect(sent()).toMatchObject({ code: "def udf(): pass", metadata: { "fused:id": "7" } });
    await server.runFile("bob", "s");
    expect(sent().code).toBe("def udf(): 1");
    expect((await server.runTile("team", "s", { x: 0, y: 0, z: 0 })).value).toBe(2);
    expect(sent().code).toBe("def udf(): 2");
  });
});
