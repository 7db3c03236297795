import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AskOptions, RunServer } from "./fixtures/run-server.ts";
import { ADMIN } from "./fixtures/server.ts";

let server: RunServer;
beforeEach(async () => {
  server = await RunServer.open();
});
afterEach(() => server.close());

const REALTIME = "/server/v1/realtime/fuselet/api/v1/run/udf";
/** What a proxy or a browser says of who asks. */
const PRIVATE = [
  "cookie",
  "x-api-key",
  "x-forwarded-for",
  "cf-access-jwt-assertion",
  "x-amzn-oidc-data",
  "x-auth-request-access-token",
  "x-goog-iap-jwt-assertion",
  "x-ms-token-aad-access-token",
  "remote-user",
  "tailscale-user-login",
];
const FORMATS = "npy,tiff,parquet,json";

const stepOf = (code: string, more: object = {}) =>
  JSON.stringify({ type: "udf", udf: { code, entrypoint: "udf", parameters: {}, ...more } });
const post = (code: string, path = "", more: object = {}, options: AskOptions = {}) =>
  server.ask("POST", `${REALTIME}${path}`, {
    body: { step_config: stepOf(code, more), format: FORMATS },
    ...options,
  });
const metadataOf = (response: Response) => JSON.parse(response.headers.get("x-fused-metadata") ?? "null");

describe("runs of one's own", () => {
  test.each(["", "/start"])("…/run/udf%s gives the result, what it printed, and its number", async (path) => {
    const response = await post("seven", path, {}, { headers: { "fused-run-id": "abc" } });
    expect([response.status, await response.json()]).toEqual([200, 7]);
    expect(metadataOf(response)).toEqual({ stdout: "said\n", stderr: "", has_exception: false });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "fused-run-id": "abc",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("sandbox"),
    });
  });

  test("have the owner, the parameters, the tile and the context of their request", async () => {
    const parameters = { x: "3", y: 1.5 };
    const response = await post(
      "context",
      "/tiles/3/1/2?cache_max_age=60",
      { parameters },
      {
        headers: {
          "fused-recursion": "2",
          "x-mine": "1",
          ...Object.fromEntries(PRIVATE.map((name) => [name, "x"])),
        },
      },
    );
    const context = (await response.json()) as Record<string, unknown>;
    expect(context).toMatchObject({
      userEmail: "owner@localhost",
      clientId: "fuselet",
      kind: "realtime",
      recursionFactor: 2,
      shareToken: null,
    });
    expect(context.headers).toHaveProperty("x-mine", "1");
    for (const name of ["authorization", ...PRIVATE]) expect(context.headers).not.toHaveProperty(name);
    expect(server.ran[0]).toMatchObject({ parameters, tile: { z: 3, x: 1, y: 2 }, cacheMaxAge: 60 });
    expect(server.ran[0]?.principal).toBe(server.ran[0]?.owner);
    expect(server.ran[0]).not.toHaveProperty("permissions");
  });

  test("that fail are 422, and say how", async () => {
    const response = await post("raise");
    expect(response.status).toBe(422);
    expect(metadataOf(response)).toMatchObject({
      exception_class: "ValueError",
      errormsg: "ValueError: bad",
      lineno: 2,
      has_exception: true,
    });
    expect(await response.json()).toMatchObject({ message: "ValueError: bad" });
  });

  test("whose result has no such format are 422 as well", async () => {
    const response = await server.ask("POST", REALTIME, {
      body: { step_config: stepOf("seven"), format: "csv" },
    });
    expect(response.status).toBe(422);
    expect(metadataOf(response)).toMatchObject({ error_type: "serialization_error", stdout: "said\n" });
  });

  test.each<[string, object, number]>([
    ["no body", {}, 422],
    ["no step", { body: { step_config: "{" } }, 422],
    ["a format that is none", { body: { step_config: stepOf("seven"), format: "doc" } }, 422],
    ["too deep", { headers: { "fused-recursion": "7" }, body: { step_config: stepOf("seven") } }, 422],
    ["a bad number", { headers: { "fused-run-id": "a/b" }, body: { step_config: stepOf("seven") } }, 422],
    ["no token", { token: null, body: { step_config: stepOf("seven") } }, 401],
  ])("with %s are refused before anything runs", async (_what, options, status) => {
    expect((await server.ask("POST", REALTIME, options)).status).toBe(status);
    expect(server.ran).toEqual([]);
  });

  test.each(["/tiles/1/2/0", "/tiles/31/0/0", "/tiles/a/0/0", "/tiles/1/0/-1"])(
    "%s is no tile",
    async (path) => {
      expect([404, 422]).toContain((await post("seven", path)).status);
      expect(server.ran).toEqual([]);
    },
  );

  test("get less than the server may give where the user or the UDF says so", async () => {
    const limit = (net: string[]) => ({ metadata: { "fuselet:permissions": { net } } });
    await post("seven", "", limit(["a.org", "b.org"]));
    expect(server.ran[0]?.permissions).toMatchObject({ net: ["a.org", "b.org"] });
    const made = await server.ask("POST", "/server/v1/user/new", {
      body: { email: "bob@example.org", permissions: { net: ["b.org", "c.org"], write: true } },
    });
    const { token } = (await made.json()) as { token: string };
    const body = { step_config: stepOf("seven", limit(["a.org", "b.org"])) };
    await server.ask("POST", REALTIME, { body, token });
    expect(server.ran[1]?.permissions).toEqual({ net: ["b.org"] });
    expect(server.ran[1]?.principal).not.toBe(server.ran[0]?.principal);
    const wrong = await post("seven", "", { metadata: { "fuselet:permissions": { all: true } } });
    expect(wrong.status).toBe(422);
  });

  test("end when their client goes away", async () => {
    const gone = new AbortController();
    const response = post("wait", "", {}, { signal: gone.signal });
    while (server.ran.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    gone.abort();
    expect((await response).status).toBe(422);
  });
});

test("saved ones run with the parameters of the query, for who may read them", async () => {
  const save = (code: string) =>
    server.ask("POST", "/server/v1/udf/new", {
      body: {
        slug: code,
        udf_body: JSON.stringify({ name: code, code, entrypoint: "udf" }),
        udf_type: "auto",
        allow_team_read: false,
      },
    });
  await Promise.all([save("parameters"), save("tile"), save("raise")]);
  const get = (path: string, token: string | null = ADMIN) =>
    server.ask("GET", `${REALTIME}/saved/${path}`, { token });
  for (const owner of ["owner", "owner@localhost", "team"])
    expect(await (await get(`${owner}/parameters?a=1&format=json`)).json()).toEqual({ a: "1" });
  expect(await (await get("owner/tile/tiles/3/1/2.json")).json()).toEqual({ z: 3, x: 1, y: 2 });
  expect((await get("owner/tile/tiles/3/9/2")).status).toBe(404);
  const failed = await get("owner/raise");
  expect([failed.status, metadataOf(failed)]).toMatchObject([422, { exception_class: "ValueError" }]);
  const made = await server.ask("POST", "/server/v1/user/new", { body: { email: "bob@example.org" } });
  const { token } = (await made.json()) as { token: string };
  expect([
    (await get("owner/parameters", token)).status,
    (await get("owner/parameters", null)).status,
  ]).toEqual([404, 401]);
});

test("POST /run/udf is short for a run of one's own", async () => {
  const body = { step_config: stepOf("seven"), format: "geojson,png" };
  const response = await server.ask("POST", "/run/udf", { body });
  expect([response.status, await response.json()]).toEqual([200, 7]);
  expect((await server.ask("POST", "/run/udf", { body, token: null })).status).toBe(401);
});

describe("runs that take longer", () => {
  test("are asked for later, and show what they print; only to who started them", async () => {
    const headers = { "fused-run-id": "r1" };
    const response = await post("slow", "/start", {}, { headers });
    expect([response.status, metadataOf(response)]).toEqual([202, { log_dir: "r1" }]);
    const logs = await server.ask("GET", `${REALTIME}/get/r1/logs`);
    expect(logs.headers.get("content-type")).toContain("text/event-stream");
    const printed = server.ask("POST", "/server/v1/efs/fuselet/udf-logs", { body: { log_dir: "r1" } });
    expect(await (await printed).json()).toEqual({ stdout: "begun\n", stderr: "" });
    // Sent again, it is the same run.
    const again = await post("slow", "/start", {}, { headers });
    expect(await again.json()).toBe("late");
    expect(server.ran).toHaveLength(1);
    expect(await logs.text()).toBe('event: stdout\ndata: "begun\\n"\n\nevent: end\ndata: 200\n\n');
    expect((await server.ask("GET", `${REALTIME}/get/other`)).status).toBe(404);
  });

  test("are told of at once to who would rather follow them", async () => {
    const start = async (id: string, headers = {}) => {
      const { status } = await post("wait", "/start", {}, { headers: { "fused-run-id": id, ...headers } });
      return [id, status];
    };
    const first = await Promise.race([start("r1"), start("r2", { prefer: "respond-async" })]);
    expect(first).toEqual(["r2", 202]);
  });

  test("are cancelled by who started them", async () => {
    const response = post("wait", "/start", {}, { headers: { "fused-run-id": "r1" } });
    while (server.ran.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await server.ask("DELETE", `${REALTIME}/get/r1`)).status).toBe(204);
    expect(metadataOf(await response)).toMatchObject({ exception_class: "CancelledError" });
    expect((await server.ask("DELETE", `${REALTIME}/get/other`)).status).toBe(404);
  });

  test("are cancelled when the server ends", async () => {
    const response = post("wait", "/start");
    while (server.ran.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const closing = server.close();
    expect((await response).status).toBe(422);
    await closing;
  });
});

test("too many runs of one user wait, and then are refused with a time to come again", async () => {
  const gone = new AbortController();
  const waiting = Array.from({ length: 208 }, () => post("wait", "", {}, { signal: gone.signal }));
  await expect.poll(() => server.ran.length).toBe(8);
  const refused = await post("seven");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  gone.abort();
  expect((await Promise.all(waiting)).every(({ status }) => status === 422)).toBe(true);
  expect((await post("seven")).status).toBe(200);
});
