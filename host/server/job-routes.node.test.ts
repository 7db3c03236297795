import { afterAll, beforeAll, expect, test } from "vitest";
import { UdfRuntimeError } from "../../runtime/errors.ts";
import { resultOf } from "./fixtures/results.ts";
import { ADMIN, openTestServer, type TestServer } from "./fixtures/server.ts";
import { makeLog } from "./log.ts";
import type { UdfRunner } from "./parts.ts";

/** What runs, instead of a runtime: the code of a UDF is the name of one of these. */
const runs: Record<string, (options: Parameters<UdfRunner["run"]>[1]) => unknown> = {
  double: ({ parameters, onOutput }) => {
    onOutput?.("stdout", `n is ${parameters?.n}\n`);
    return Number(parameters?.n) * 2;
  },
  show: ({ parameters }) =>
    JSON.stringify(parameters, (_, one) => (typeof one === "bigint" ? `${one}n` : one)),
  raise() {
    throw new UdfRuntimeError("ValueError: bad", {
      type: "ValueError",
      traceback: "Traceback\nValueError: bad\n",
    });
  },
  wait: ({ signal, onOutput }) => {
    onOutput?.("stdout", "waits\n");
    return new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true }),
    );
  },
};

/** What the server logs of its own failures. */
const failures: string[] = [];

let server: TestServer;
let url: string;

beforeAll(async () => {
  server = await openTestServer({
    runner: {
      run: async (source, options) => resultOf(await runs[source.code]!(options)),
      inspect: async () => ({ parameters: [{ name: "n" }], metadata: {} }) as never,
      isolates: { isolates: 0, spares: 0 },
    },
    secretsKey: "11".repeat(32),
    log: makeLog((line) => void failures.push(line), "warn"),
    tasksAtOnce: 2,
  });
  ({ url } = await server.server.listen({ port: 0, host: "127.0.0.1" }));
});
afterAll(async () => {
  await server.close();
  expect(failures).toEqual([]);
});

async function ask(method: string, path: string, body?: unknown, token = ADMIN) {
  const response = await fetch(`${url}/server/v1${path}`, {
    method,
    redirect: "manual",
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
}

const step = (code: string, more: object = {}) => ({ type: "udf", udf: { name: "f", code }, ...more });
const start = async (code: string, more: object = {}): Promise<string> =>
  (await ask("POST", "/run", { config: { name: "j", steps: [step(code, more)] } })).body.job_id;
async function ended(id: string) {
  for (;;) {
    const { body } = await ask("GET", `/run/by-id/${id}`);
    if (body.terminal_status) return body;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a job is started, looked at, and leaves signed results, a log and its config", async () => {
  const body = {
    config: { name: "j", steps: [step("double", { input: [1, { n: 2 }] })], metadata: null },
    send_status_email: true,
    additional_env: ["FUSED_CREDENTIAL_PROVIDER=ec2", "KEY=secret"],
  };
  const started = await ask("POST", "/run?instance_type=m5.large&disk_size_gb=100", body);
  expect(started).toMatchObject({
    status: 200,
    body: { job_name: "j", instance_type: "m5.large", total_tasks: 2, finished_job_status: false },
  });
  const id = started.body.job_id;
  expect(await ended(id)).toMatchObject({
    status: "terminated",
    job_status: "Done",
    finished_job_status: true,
    finished_tasks: 2,
    error: null,
  });
  const results = await ask("GET", `/run/by-id/${id}/results`);
  expect(results.body.map(({ name }: { name: string }) => name)).toEqual([
    "0.json",
    "0.json.metadata",
    "1.json",
    "1.json.metadata",
  ]);
  // Whoever has the URL needs no token.
  const file = await fetch(results.body[2].url);
  expect([file.headers.get("content-type"), await file.text()]).toEqual(["application/json", "4"]);
  const log = await ask("GET", `/logs/${id}`);
  const text = log.body.map(({ message }: { message: string }) => message).join("");
  expect(text).toContain("No status email is sent");
  expect(text).toContain("Not used: the environment variables KEY\n");
  expect(text).not.toContain("secret");
  expect(text).toContain("[0] n is 1\n");
  const last = log.body.at(-1).timestamp;
  expect((await ask("GET", `/logs/${id}?since_ms=${last}`)).body).toEqual([]);
  const config = await ask("GET", `/job/by-id/${id}/config`);
  expect(config.status).toBe(307);
  expect(await (await fetch(config.headers.get("location")!)).json()).toEqual(body.config);
  expect((await ask("GET", "/job/self?skip=0&limit=1")).body).toMatchObject([{ id, job_status: "Done" }]);
});

test("numbers are what they were written as: all digits of a cell's id, and 2.0 is no integer", async () => {
  const cell = "617700169958293503";
  const body = `{"config":{"steps":[{"type":"udf","udf":{"name":"f","code":"show"},"n_processes":2.0,"input":[${cell},2.0,{"n":[${cell}]}]}]},"tries":2.0}`;
  const { job_id: id } = (await ask("POST", "/run", body)).body;
  expect(await ended(id)).toMatchObject({ job_status: "Done" });
  const results = (await ask("GET", `/run/by-id/${id}/results`)).body as { name: string; url: string }[];
  const files = results.filter(({ name }) => !name.endsWith(".metadata"));
  expect(await Promise.all(files.map(async ({ url }) => (await fetch(url)).json()))).toEqual([
    `{"n":"${cell}n"}`,
    '{"n":2.0}',
    `{"n":["${cell}n"]}`,
  ]);
  const config = await ask("GET", `/job/by-id/${id}/config`);
  expect(await (await fetch(config.headers.get("location")!)).text()).toContain(
    `"input":[${cell},2.0,{"n":[${cell}]}]`,
  );

  const udf_body = JSON.stringify({ name: "f", code: "show" });
  const { id: udf } = (await ask("POST", "/udf/new", { slug: "cells", udf_body })).body;
  const times = `"minute":[0],"hour":[0],"day_of_month":[1],"month":[1],"day_of_week":[0]`;
  const schedule = `{"name":"s",${times},"udf":"${udf}","udf_args":{"n":${cell},"m":1}}`;
  const made = (await ask("POST", "/cronjob/create", schedule)).body;
  expect(made.udf_args).toEqual({ n: cell, m: 1 });
  expect((await ask("DELETE", `/cronjob/by-id/${made.id}`)).status).toBe(200);
});

test("a job that a run asks for counts how deep it is nested", async () => {
  const body = { config: { name: "j", steps: [step("double", { input: [1] })] } };
  const deep = async (depth: string) => {
    const headers = {
      authorization: `Bearer ${ADMIN}`,
      "content-type": "application/json",
      "fused-recursion": depth,
    };
    return (await fetch(`${url}/server/v1/run`, { method: "POST", headers, body: JSON.stringify(body) }))
      .status;
  };
  expect([await deep("1"), await deep("6"), await deep("7")]).toEqual([200, 200, 422]);
});

test("a job that fails says why, in its status, its log and its results", async () => {
  const id = await start("raise");
  expect(await ended(id)).toMatchObject({ job_status: "Failed", error: "ValueError: bad", failed_tasks: 1 });
  const [, metadata] = (await ask("GET", `/run/by-id/${id}/results`)).body;
  expect(await (await fetch(metadata.url)).json()).toMatchObject({
    has_exception: true,
    exception_class: "ValueError",
    errormsg: "ValueError: bad",
    profile: null,
  });
});

test("a log is streamed until the job is cancelled", async () => {
  const id = await start("wait");
  const response = await fetch(`${url}/server/v1/logs/${id}/stream`, {
    headers: { authorization: `Bearer ${ADMIN}` },
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("waits") && !text.includes("cancelled")) await ask("POST", `/run/by-id/${id}/cancel`);
  }
  expect(text).toMatch(/event: log\ndata: .*waits/);
  expect(text).toMatch(/event: end\ndata: .*"job_status":"Canceled"/);
});

test("a schedule is made, changed, run, and deleted", async () => {
  const udf = { name: "f", code: "double", entrypoint: "f", parameters: {}, metadata: {}, headers: [] };
  const saved = await ask("POST", "/udf/new", { slug: "f", udf_body: JSON.stringify(udf), udf_type: "auto" });
  expect(saved.status).toBe(200);
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const fields = {
    id: null,
    name: "f",
    description: null,
    execution_environment_id: null,
    enabled: false,
    minute: [5],
    hour: [1],
    day_of_month: range(1, 31),
    month: range(1, 12),
    day_of_week: range(0, 6),
    udf: saved.body.id,
    udf_args: { n: 21 },
    last_run: null,
  };
  const made = await ask("POST", "/cronjob/create", fields);
  expect(made).toMatchObject({ status: 200, body: { enabled: false, next_run: null, timezone: "UTC" } });
  const path = `/cronjob/by-id/${made.body.id}`;
  const zone = await ask("PUT", path, { ...fields, enabled: true, timezone: "Asia/Tokyo" });
  expect(zone.body).toMatchObject({ timezone: "Asia/Tokyo", next_run: expect.stringMatching(/T16:05:00/) });
  expect((await ask("POST", path, fields)).body).toMatchObject({ timezone: "Asia/Tokyo", next_run: null });
  // What is left out stays, and no days are every day.
  expect((await ask("POST", path, { enabled: true })).body).toEqual({ ...zone.body });
  const daily = await ask("POST", path, { day_of_month: [], month: [], day_of_week: [], enabled: false });
  expect(daily.body.day_of_month).toHaveLength(31);
  expect(daily.body).toMatchObject({ minute: fields.minute, day_of_week: [0, 1, 2, 3, 4, 5, 6] });
  expect((await ask("GET", path)).body.id).toBe(made.body.id);
  expect((await ask("GET", `/cronjob/by-udf-id/${saved.body.id}`)).body).toHaveLength(1);
  expect((await ask("GET", "/cronjob/get-self")).body).toHaveLength(1);
  const ran = await ask("POST", `/cronjob/user-run/by-id/${made.body.id}`, {});
  expect(ran.body).toMatchObject({ run: { job_name: "f" }, cronjob: { last_run: expect.any(String) } });
  await ended(ran.body.run.job_id);
  const [file] = (await ask("GET", `/run/by-id/${ran.body.run.job_id}/results`)).body;
  expect(await (await fetch(file.url)).text()).toBe("42");
  expect((await ask("GET", `${path}/history`)).body).toMatchObject([
    { cause: "user", status: "succeeded", job_id: ran.body.run.job_id, duration_ms: expect.any(Number) },
  ]);
  expect((await ask("DELETE", path)).status).toBe(200);
  expect((await ask("GET", path)).status).toBe(404);
});

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
test.each([
  ["POST", "/run", { config: { steps: [] } }, 422],
  ["POST", "/run", { config: { steps: [{ type: "partition_geospatial" }] } }, 422],
  ["POST", "/run", { config: { steps: [{ type: "udf", udf: { code: "" } }] } }, 422],
  ["POST", "/run", { config: { name: "no spaces", steps: [step("double")] } }, 422],
  ["POST", "/run?instance_type=huge", { config: { steps: [step("double")] } }, 422],
  ["POST", "/run", '{"config":', 422],
  ["POST", "/run", `{"config":{"steps":[{"type":"udf","udf":{"code":"x"},"input":${deep(100_000)}}]}}`, 422],
  ["POST", "/run", { config: { steps: [step("double", { input: ["1".repeat(33 * 2 ** 20)] })] } }, 422],
  ["POST", "/cronjob/create", { name: "f" }, 422],
  ["GET", "/run/by-id/nope", undefined, 404],
  ["GET", "/run/by-id/%00", undefined, 404],
  ["GET", "/run/by-id/nope/results", undefined, 404],
  ["POST", "/run/by-id/nope/cancel", undefined, 404],
  ["GET", "/job/by-id/nope/config", undefined, 404],
  ["GET", "/logs/nope", undefined, 404],
  ["GET", "/logs/nope/stream", undefined, 404],
  ["GET", "/logs/nope?since_ms=-1", undefined, 422],
  ["GET", "/cronjob/by-id/%ff", undefined, 404],
  ["GET", "/cronjob/by-id/nope/history", undefined, 404],
  ["GET", "/job/self?limit=0", undefined, 422],
])("%s %s is refused", async (method, path, body, status) => {
  const { status: got, body: error } = await ask(method, path, body);
  expect([got, typeof error.message]).toEqual([status, "string"]);
});

test("the page of the operations runs its own script only", async () => {
  const page = await fetch(`${url}/docs`);
  const nonce = /script-src 'nonce-(\w+)'/.exec(page.headers.get("content-security-policy")!)![1];
  const html = await page.text();
  expect(html.match(/<(script|style)/g)).toHaveLength(2);
  expect(html.split(`nonce="${nonce}"`)).toHaveLength(3);
  const api = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(api.paths)).toContain("/server/v1/cronjob/create");
});

test("a step that ingests is refused by its type", async () => {
  const { body } = await ask("POST", "/run", {
    config: { steps: [{ type: "partition_geospatial", input: "s3://a/b" }] },
  });
  expect(body.message).toContain('steps are of type "udf"');
});
