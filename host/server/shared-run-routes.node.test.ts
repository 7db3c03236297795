import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openStore } from "../store/store.node.ts";
import { RunServer } from "./fixtures/run-server.ts";
import { ADMIN } from "./fixtures/server.ts";

let server: RunServer;
beforeEach(async () => {
  server = await RunServer.open();
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

let token: string;
let id: string;
async function save(code: string, more: object = {}) {
  const body = {
    slug: code,
    udf_body: JSON.stringify({ name: code, code, entrypoint: "udf", ...more }),
    udf_type: "auto",
  };
  const saved = (await (await server.ask("POST", "/server/v1/udf/new", { body })).json()) as { id: string };
  id = saved.id;
  const made = await server.ask("POST", "/server/v1/udf-access-token/new", { body: { udf_id: id } });
  token = ((await made.json()) as { token: string }).token;
}
const get = (path: string, headers: Record<string, string> = {}) =>
  server.ask("GET", path, { token: null, headers });

test("run a UDF with the parameters of the query or of a body", async () => {
  await save("parameters");
  const query = "?a=1&b=x&b=y&format=json&cache_max_age=0&profile=False";
  for (const prefix of ["", "/server/v1/realtime-shared"]) {
    expect(await (await get(`${prefix}/${token}/run/file${query}`)).json()).toEqual({ a: "1", b: "y" });
    expect(await (await get(`${prefix}/${token}/run${query}`)).json()).toEqual({ a: "1", b: "y" });
  }
  const posted = await server.ask("POST", `/${token}/run?b=2`, { token: null, body: { a: [1] } });
  expect(await posted.json()).toEqual({ a: [1], b: "2" });
  // All digits of an id of H3.
  const cell = JSON.rawJSON("617700169958293503");
  const exact = await server.ask("POST", `/${token}/run?cache_max_age=1h`, { token: null, body: { cell } });
  expect(await exact.text()).toBe('{"cell":617700169958293503}');
  const form = await server.ask("POST", `/${token}/run`, {
    token: null,
    body: new URLSearchParams({ a: "1" }),
  });
  expect(await form.json()).toEqual({ a: "1" });
  expect(server.ran[0]?.principal).toMatch(/^[\w-]+\/share\/[0-9a-f]{32}$/);
  expect(server.ran[0]?.principal).toContain(server.ran[0]?.owner);
});

test("drop names of caches on the way, unless the UDF has them", async () => {
  await save("parameters");
  expect(await (await get(`/${token}/run?a=1&_=17&_v=2&_b=x&c=3`)).json()).toEqual({
    a: "1",
    _b: "x",
    c: "3",
  });
});

test("do not mind slashes that are too many", async () => {
  await save("parameters");
  for (const path of ["T/", "T/run/", "T/run/file/", "/T//run", "server/v1//realtime-shared/T/run/file/"])
    expect([path, (await get(`/${path.replace("T", token)}?a=1`)).status]).toEqual([path, 200]);
  expect((await get("/server/v1//user/self/")).status).toBe(401);
  expect((await server.ask("GET", "/server/v1//user/self/")).status).toBe(200);
});

test("give parts of a result, of one run where nobody says how old it may be", async () => {
  await save("seven");
  const part = await get(`/${token}.json`, { range: "bytes=0-0" });
  expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
    206,
    "bytes 0-0/1",
    "7",
  ]);
  expect((await get(`/${token}.json`, { range: "bytes=1-" })).status).toBe(416);
  const head = await server.ask("HEAD", `/${token}.json`, { token: null, headers: { range: "bytes=0-0" } });
  expect([head.status, head.headers.get("content-length")]).toEqual([200, "1"]);
  expect(server.ran.map(({ cacheMaxAge }) => cacheMaxAge)).toEqual([60, 60, 60]);
  await get(`/${token}.json?cache_max_age=0`, { range: "bytes=0-0" });
  await get(`/${token}.json`);
  for (const ran of server.ran.slice(3)) expect(ran).not.toHaveProperty("cacheMaxAge");
  server.kept = { atMs: Date.now() - 10_000, fields: [] };
  await get(`/${token}.json`, { range: "bytes=0-0" });
  expect((await get(`/${token}.json`, { range: "bytes=0-0" })).headers.get("x-cache")).toBe("hit");
  expect((await get(`/${token}.json`)).headers.get("x-cache")).toBeNull();
});

test("give tiles, in the format that their address ends with", async () => {
  await save("tile");
  expect(await (await get(`/${token}/run/tiles/3/1/2`)).json()).toEqual({ z: 3, x: 1, y: 2 });
  const text = await get(`/${token}/run/tiles/3/1/2.txt`);
  expect(text.headers.get("content-type")).toContain("text/plain");
  const nameless = await get(`/${token}/run/tiles/3/1/2?=text`);
  expect(nameless.headers.get("content-type")).toContain("text/plain");
  expect((await get(`/${token}/run/tiles/3/1/2.doc`)).status).toBe(422);
  expect((await get(`/${token}/run/tiles/3/9/2`)).status).toBe(404);
  expect((await get(`/${token}/run/other`)).status).toBe(422);
});

test("have a short form, which ends with the format", async () => {
  await save("parameters");
  for (const prefix of ["", "/server/v1/realtime-shared"]) {
    expect(await (await get(`${prefix}/${token}?a=1&cache_max_age=0`)).json()).toEqual({ a: "1" });
    const page = await get(`${prefix}/${token}.txt?a=1`, { origin: "https://elsewhere.example.org" });
    expect(page.headers.get("content-type")).toContain("text/plain");
    expect(page.headers.get("access-control-allow-origin")).toBe("*");
  }
  expect((await get(`/${token}.doc`)).status).toBe(422);
  expect((await get(`/${token}/other`)).status).toBe(404);
  expect((await get("/fsh_nothing.json")).status).toBe(404);
  expect((await get("/other.json")).status).toBe(404);
});

test("take no body that keeps the server busy: anybody may send one", async () => {
  await save("parameters");
  const post = async (values: number, path = `/${token}/run`) =>
    (await server.ask("POST", path, { token: null, body: { a: Array(values).fill({}) } })).status;
  expect(await post(1000)).toBe(200);
  expect(await post(60_000)).toBe(422);
  expect(await post(60_000, `/server/v1/realtime-shared/${token}/run/file`)).toBe(422);
});

test("are not found where there is no such token", async () => {
  expect((await get("/fsh_nothing/run")).status).toBe(404);
  expect((await get("/server/v1/realtime-shared/fsh_nothing/run/file")).status).toBe(404);
});

test("are kept as long as the UDF says, until they are forgotten", async () => {
  await save("array", { cache_max_age: 60 });
  server.kept = { atMs: Date.now() - 10_000, fields: [] };
  const first = await get(`/${token}/run`);
  const etag = first.headers.get("etag") as string;
  expect(first.headers.get("vary")).toBe("Accept, Origin");
  const page = await get(`/${token}/run`, { origin: "https://example.org" });
  expect(page.headers.get("vary")).toBe("Accept, Origin");
  expect(page.headers.get("access-control-allow-origin")).toBe("*");
  expect(first.headers.get("cache-control")).toBe("public, max-age=49");
  expect(server.ran[0]).toMatchObject({ cacheMaxAge: 60, cacheEpoch: "default/0" });
  const second = await get(`/${token}/run`);
  expect([second.headers.get("x-cache"), second.headers.get("etag")]).toEqual(["hit", etag]);
  expect(await second.arrayBuffer()).toEqual(await first.arrayBuffer());
  const third = await get(`/${token}/run`, { "if-none-match": `W/"x", ${etag}` });
  expect([third.status, await third.text()]).toEqual([304, ""]);
  expect(server.ran).toHaveLength(1);
  await get(`/${token}/run?a=1`);
  await get(`/${token}/run?cache_max_age=5s`);
  expect(server.ran).toHaveLength(3);

  const forget = (query = "") =>
    server.ask("DELETE", `/server/v1/realtime-shared/fuselet/udf-cache/by-id/${id}/delete${query}`);
  await get(`/${token}/run/tiles/1/0/0`);
  await get(`/${token}/run/tiles/1/0/1`);
  expect((await forget("?z=1&x=0&y=1")).status).toBe(200);
  await get(`/${token}/run/tiles/1/0/0`);
  expect(server.ran).toHaveLength(5);
  await get(`/${token}/run/tiles/1/0/1`);
  expect(server.ran.at(-1)).toMatchObject({
    cacheEpoch: expect.stringMatching(/^default\/0\.[\da-f-]{36}$/),
  });
  expect((await forget()).status).toBe(200);
  await get(`/${token}/run`);
  expect(server.ran.at(-1)).toMatchObject({ cacheEpoch: expect.stringMatching(/^default\/[\da-f-]{36}$/) });
  expect((await forget("?z=1")).status).toBe(422);
  expect((await server.ask("POST", "/server/v1/udf-cache/by-id/nothing/delete")).status).toBe(404);
});

test("of tiles are kept though nobody says for how long, and caches on the way ask each time", async () => {
  await save("array", {});
  server.kept = { atMs: Date.now() - 10_000, fields: [] };
  const tile = `/${token}/run/tiles/1/0/0`;
  const first = await get(tile);
  const etag = first.headers.get("etag") as string;
  expect(first.headers.get("cache-control")).toBe("public, no-cache");
  expect(server.ran[0]).toMatchObject({ cacheMaxAge: 7_776_000 });
  expect((await get(tile, { "if-none-match": etag })).status).toBe(304);
  expect(first.headers.get("accept-ranges")).toBe("bytes");
  for (const [condition, status] of [
    [etag, 206],
    ['"other"', 200],
  ] as const)
    expect((await get(tile, { range: "bytes=0-1", "if-range": condition })).status).toBe(status);
  const aged = await get(`${tile}?cache_max_age=1h`);
  expect([aged.headers.get("x-cache"), aged.headers.get("cache-control")]).toEqual([
    "hit",
    "public, max-age=3589",
  ]);
  const again = await get(tile);
  expect([again.headers.get("x-cache"), again.headers.get("cache-control")]).toEqual([
    "hit",
    "public, no-cache",
  ]);
  expect(server.ran).toHaveLength(1);
  for (const path of [`${tile}?cache_max_age=0`, `/${token}/run`]) {
    expect((await get(path)).headers.get("cache-control")).toBe("no-store");
    expect(server.ran.at(-1)).not.toHaveProperty("cacheMaxAge");
  }
  await save("seven", { cache_max_age: 0 });
  expect((await get(`/${token}/run/tiles/1/0/0`)).headers.get("cache-control")).toBe("no-store");
});

test("whose result depends on who asks, or on what nobody knows, are kept by nobody", async () => {
  await save("array", { cache_max_age: 60 });
  for (server.kept of [{ atMs: Date.now(), fields: ["headers.accept"] }, null]) {
    const response = await get(`/${token}/run`);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("etag")).toBeNull();
  }
  expect(server.ran).toHaveLength(2);
});

test("of a collection name the UDF, and caches on the way keep nothing that a link alone does not open", async () => {
  await save("array", { cache_max_age: 60 });
  server.kept = { atMs: Date.now(), fields: [] };
  const lists = await server.ask("GET", "/server/v1/collection/by-name/default");
  const { id: collection } = (await lists.json()) as { id: string };
  const share = await server.ask("POST", `/server/v1/collection/share?collection_id=${collection}`);
  const { share_token: shared } = (await share.json()) as { share_token: string };
  const scope = (access_scope: string) =>
    server.ask("POST", `/server/v1/collection/by-id/${collection}`, { body: { access_scope } });
  await scope("public");
  for (const path of [`/${shared}/array/run`, `/${shared}/array/run/file.npy`, `/${shared}-array/run`]) {
    expect((await get(path)).headers.get("content-type")).toBe("application/x-numpy-data");
  }
  // However the token is written, it is one.
  expect((await get(`/${shared}-whatever/array/run?b=1`)).status).toBe(200);
  expect(new Set(server.ran.map(({ principal }) => principal)).size).toBe(1);
  expect((await get(`/${shared}/other/run`)).status).toBe(404);
  expect((await get(`/${shared}/run`)).status).toBe(404);
  await scope("team");
  expect((await get(`/${shared}/array/run`)).status).toBe(403);
  for (const _ of ["first", "again"]) {
    const own = await server.ask("GET", `/${shared}/array/run?a=1`);
    expect([own.status, own.headers.get("cache-control")]).toEqual([
      200,
      expect.stringMatching(/^private, /),
    ]);
  }
});

describe("a link for a team", () => {
  beforeEach(async () => {
    await save("array", { cache_max_age: 60 });
    server.kept = { atMs: Date.now(), fields: [] };
    await server.ask("POST", `/server/v1/udf-access-token/by-token/${token}`, {
      body: { access_scope: "team" },
    });
  });

  test("takes not too many wrong tokens of users, and still those that were right before", async () => {
    const by = (text: string) => server.ask("GET", `/${token}/run`, { token: text });
    expect((await server.ask("GET", `/${token}/run`)).status).toBe(200);
    for (let tries = 0; tries < 30; tries++) expect((await by(`wrong-${tries}`)).status).toBe(403);
    expect((await by("wrong")).status).toBe(429);
    expect((await get(`/${token}/run`)).status).toBe(403);
    expect((await server.ask("GET", `/${token}/run`)).status).toBe(200);
  });
});

test("for everybody do not ask for the token that comes along", async () => {
  await save("array");
  for (let tries = 0; tries < 40; tries++)
    expect((await server.ask("GET", `/${token}/run`, { token: `of-elsewhere-${tries}` })).status).toBe(200);
});

test("show lines of code to those who may read it", async () => {
  await save("raise");
  const said = async (as: string | null) => {
    const failed = await server.ask("GET", `/${token}/run`, { token: as });
    expect(failed.status).toBe(422);
    return JSON.parse(failed.headers.get("x-fused-metadata") ?? "null");
  };
  const about = {
    exception_class: "ValueError",
    errormsg: "ValueError: bad",
    lineno: 2,
    has_exception: true,
  };
  for (const as of [null, "wrong"])
    expect(await said(as)).toMatchObject({ ...about, stderr: "ValueError: bad\n" });
  expect((await said(ADMIN)).stderr).toContain("Traceback");
  await server.ask("POST", `/server/v1/udf-access-token/by-token/${token}`, { body: { public_read: true } });
  expect((await said(null)).stderr).toContain("Traceback");
  await save("unreadable");
  expect((await said(null)).errormsg).toBe("u.py, line 1: invalid syntax");
  expect((await said(ADMIN)).errormsg).toContain("the code");
});

test("with a passcode are kept by nobody on the way, whoever was let in how", async () => {
  await save("array", { cache_max_age: 60 });
  server.kept = { atMs: Date.now(), fields: [] };
  const ask = async (method: string, path: string, body?: object) =>
    (await (await server.ask(method, `/server/v1/${path}`, { body })).json()) as Record<string, string>;
  const { id: collection } = await ask("GET", "collection/by-name/default");
  await ask("POST", `collection/by-id/${collection}`, { access_scope: "public", passcode: "open sesame" });
  const { share_token: shared } = await ask("POST", `collection/share?collection_id=${collection}`);
  // An hour, where nobody says for how long.
  const made = await ask("POST", `session-token/by-access-token/${shared}`, {});
  expect(made.token).toBe(shared);
  expect(Date.parse(made.expires_at!) - Date.now()).toBeGreaterThan(3_500_000);
  const session = made.session_token;
  const path = `/${shared}/array/run`;
  const code = (passcode: string) => get(path, { authorization: `Fused-Canvas-Passcode ${passcode}` });
  expect([(await get(path)).status, (await code("sesame")).status]).toEqual([403, 403]);
  for (const found of [await code("open sesame"), await get(`${path}?fused_session_token=${session}`)])
    expect([found.status, found.headers.get("cache-control")]).toEqual([
      200,
      expect.stringMatching(/^private/),
    ]);
});

test("do not send what has headers of its own in it as what the UDF calls it", async () => {
  await save("parts");
  expect((await get(`/${token}/run`)).headers.get("content-type")).toBe("application/octet-stream");
});

describe("answered before, without a look into the request,", () => {
  const status = async (path: string, headers = {}) => (await get(path, headers)).status;
  /** Asks until the answer is one of memory. */
  const answered = async (path: string) => {
    await get(path);
    expect((await get(path)).headers.get("x-cache")).toBe("hit");
  };
  const change = (path: string, body: object) =>
    server.ask("POST", `/server/v1/${path}`, { body }).then((response) => response.json());
  beforeEach(async () => {
    await save("array", { cache_max_age: 60 });
    server.kept = { atMs: Date.now(), fields: [] };
    await answered(`/${token}/run`);
  });

  test.each([
    ["is disabled", { enabled: false }, 404],
    ["is for a team now", { access_scope: "team" }, 403],
  ])("end with a token that %s", async (_what, body, expected) => {
    await change(`udf-access-token/by-token/${token}`, body);
    expect(await status(`/${token}/run`)).toBe(expected);
  });

  test("end with a token at its time, in caches on the way too", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    await change(`udf-access-token/by-token/${token}`, { expires_in: 30 });
    expect((await get(`/${token}/run?cache_max_age=1d`)).headers.get("cache-control")).toBe(
      "public, max-age=30",
    );
    await answered(`/${token}/run`);
    vi.setSystemTime(Date.now() + 30_000);
    expect(await status(`/${token}/run`)).toBe(404);
  });

  test("end with the team of their owner: runs read its files", async () => {
    const { id: user } = (await (await server.ask("GET", "/server/v1/user/self")).json()) as { id: string };
    await change(`user/by-id/${user}`, { team: "elsewhere" });
    expect((await get(`/${token}/run`)).headers.get("x-cache")).toBeNull();
    expect(server.ran.at(-1)).toMatchObject({ cacheEpoch: "elsewhere/0" });
  });

  test("end with the UDF, and by what another process writes", async () => {
    const other = openStore({ path: join(server.folder, "server.db") });
    await other.update("server.udf-epochs", id, () => ({ value: 7 }));
    await other.close();
    await get(`/${token}/run`);
    expect(server.ran.at(-1)).toMatchObject({ cacheEpoch: "default/7" });
    await answered(`/${token}/run`);
    await server.ask("DELETE", `/server/v1/udf/by-id/${id}`);
    expect(await status(`/${token}/run`)).toBe(404);
  });

  test("end with a passcode that their collection gets", async () => {
    const lists = await server.ask("GET", "/server/v1/collection/by-name/default");
    const { id: collection } = (await lists.json()) as { id: string };
    await change(`collection/by-id/${collection}`, { access_scope: "public" });
    const { share_token: shared } = await change(`collection/share?collection_id=${collection}`, {});
    await answered(`/${shared}/array/run`);
    await change(`collection/by-id/${collection}`, { passcode: "open sesame" });
    expect(await status(`/${shared}/array/run`)).toBe(403);
  });

  test("differ by what they ask for, and are checked as others are", async () => {
    const npy = await get(`/${token}/run`, { accept: "application/x-numpy-data" });
    expect(npy.headers.get("content-type")).toBe("application/x-numpy-data");
    // By which client asks for several, NaN is written in another way.
    expect((await get(`/${token}/run?format=npy,json`)).headers.get("vary")).toBe(
      "Accept, Origin, User-Agent",
    );
    const json = await get(`/${token}/run`, { accept: "application/json" });
    expect(json.headers.get("content-type")).toBe("application/json");
    expect(await status(`/${token}/run`, { host: "evil.example" })).toBe(403);
    expect(await status(`/${token}/run`, { "fused-run-id": "not an id" })).toBe(422);
    const again = await get(`/${token}/run`, { "fused-run-id": "00000000-0000-4000-8000-000000000001" });
    expect(again.headers.get("fused-run-id")).toBe("00000000-0000-4000-8000-000000000001");
    expect(again.headers.get("x-content-type-options")).toBe("nosniff");
  });
});
