import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RunServer } from "../fixtures/run-server.ts";
import { ADMIN, openTestServer, type TestServer } from "../fixtures/server.ts";

type Person = { id: string; token: string; email: string };

const BODY = JSON.stringify({ name: "u", code: "def udf(): ...", headers: [] });

describe("an admin", () => {
  let server: TestServer;
  let ada: Person;
  let bob: Person;
  beforeEach(async () => {
    server = await openTestServer();
    ada = await server.user("ada", { team: "maps" });
    bob = await server.user("bob", { team: "maps" });
  });
  afterEach(() => server.close());
  const change = (id: string, changes: object, token = ADMIN) =>
    server.ask(token, "POST", `user/by-id/${id}`, changes);
  const status = async (...asked: Parameters<TestServer["ask"]>) => (await server.ask(...asked)).status;
  const save = async (token: string, slug: string, more: object = {}) =>
    (await server.ask(token, "POST", "udf/new", { slug, udf_body: BODY, udf_type: "auto", ...more })).body;

  test("sees and changes users, and nobody else does", async () => {
    const changed = await change(ada.id, {
      name: "Ada L.",
      team: "tides",
      permissions: { net: ["a.example:443"] },
    });
    expect([changed.status, changed.body]).toEqual([
      200,
      {
        id: ada.id,
        email: ada.email,
        handle: "ada",
        name: "Ada L.",
        execution_environment_id: "tides",
        is_admin: false,
        is_enabled: true,
        permissions: { net: ["a.example:443"] },
      },
    ]);
    expect((await server.ask(ADMIN, "GET", `user/by-id/${ada.id}`)).body).toEqual(changed.body);
    expect((await server.ask(ADMIN, "GET", "user/all")).body).toContainEqual(changed.body);
    expect((await change(ada.id, { permissions: null })).body.permissions).toBeNull();
    expect((await server.ask(ada.token, "GET", "user/self")).body).toMatchObject({ name: "Ada L." });
    for (const token of [ada.token, bob.token]) {
      expect(await status(token, "GET", `user/by-id/${ada.id}`)).toBe(403);
      expect((await change(ada.id, { is_admin: true }, token)).status).toBe(403);
      expect(await status(token, "POST", `user/by-id/${bob.id}/tokens`, { name: "x" })).toBe(403);
    }
  });

  test.each([
    [{ permissions: { nets: true } }, "nets"],
    [{ permissions: { net: ["a b"] } }, "net"],
    [{ permissions: [] }, "permissions"],
    [{ team: "a b" }, "team"],
    [{ name: "" }, "name"],
    [{ is_enabled: "no" }, "is_enabled"],
    [{ email: "x@y" }, "email"],
  ])("%j changes nothing", async (changes, said) => {
    const before = (await server.ask(ADMIN, "GET", `user/by-id/${ada.id}`)).body;
    const answered = await change(ada.id, changes);
    expect([answered.status, answered.body.message]).toEqual([422, expect.stringContaining(said)]);
    expect((await server.ask(ADMIN, "GET", `user/by-id/${ada.id}`)).body).toEqual(before);
  });

  test("makes another admin, and cannot take away the last one", async () => {
    const { body: self } = await server.ask(ADMIN, "GET", "user/self");
    for (const changes of [{ is_admin: false }, { is_enabled: false }]) {
      const { status, body } = await change(self.id, changes);
      expect([status, body.message]).toEqual([409, expect.stringContaining("last admin")]);
    }
    await change(ada.id, { is_admin: true });
    expect(await status(ada.token, "GET", "user/all")).toBe(200);
    expect((await change(self.id, { is_admin: false }, ada.token)).status).toBe(200);
    expect(await status(ADMIN, "GET", "user/all")).toBe(403);
    expect(await status(ada.token, "DELETE", `user/by-id/${self.id}`)).toBe(200);
    expect((await change(ada.id, { is_enabled: false }, ada.token)).status).toBe(409);
  });

  test("disables a user: tokens, links and signed addresses open nothing until the user is enabled", async () => {
    const udf = await save(ada.token, "shared");
    const { token: link } = (await server.ask(ada.token, "POST", "udf-access-token/new", { udf_id: udf.id }))
      .body;
    await server.ask(ada.token, "PUT", "files/upload?path=fd://a.txt", "text");
    const { body: signed } = await server.ask(ada.token, "GET", "files/sign?path=fd://a.txt");
    const { pathname, search } = new URL(signed);
    const opened = async () => [
      await status(ada.token, "GET", "user/self"),
      await status(undefined, "GET", `/${link}/run`),
      await status(undefined, "GET", `${pathname}${search}`),
    ];
    // The runner of this server runs nothing: what a link opens fails behind it.
    expect(await opened()).toEqual([200, 500, 200]);
    expect((await change(ada.id, { is_enabled: false })).body.is_enabled).toBe(false);
    expect(await opened()).toEqual([401, 404, 403]);
    // What the team may read, it still may.
    expect(await status(bob.token, "GET", `udf/by-id/${udf.id}`)).toBe(200);
    await change(ada.id, { is_enabled: true });
    expect(await opened()).toEqual([200, 500, 200]);
  });

  test("gives a user another token in place of all that there were, and not oneself", async () => {
    const { body: made } = await server.ask(ADMIN, "POST", `user/by-id/${ada.id}/tokens`, { name: "anew" });
    expect(made).toEqual({ id: expect.any(String), token: expect.stringMatching(/^fst_/), expires: null });
    expect([
      await status(ada.token, "GET", "user/self"),
      await status(made.token, "GET", "user/self"),
    ]).toEqual([401, 200]);
    expect((await server.ask(made.token, "GET", "user/self/tokens")).body).toHaveLength(1);
    const { body: self } = await server.ask(ADMIN, "GET", "user/self");
    expect(await status(ADMIN, "POST", `user/by-id/${self.id}/tokens`, { name: "x" })).toBe(409);
    expect(await status(ADMIN, "POST", "user/by-id/nobody/tokens", { name: "x" })).toBe(404);
  });

  test("with a token that ends makes none that outlives it", async () => {
    const make = (token: string, body: object) => server.ask(token, "POST", "user/self/tokens", body);
    const short = (await make(ADMIN, { name: "short", expires_in: 3600 })).body;
    const child = (await make(short.token, { name: "child" })).body;
    expect(child.expires).toBe(short.expires);
    expect((await make(child.token, { name: "child", expires_in: 7200 })).body.expires).toBe(short.expires);
    const eve = await server.ask(short.token, "POST", "user/new", { email: "eve@example.com" });
    const [kept] = (await server.ask(eve.body.token, "GET", "user/self/tokens")).body;
    expect(kept.expires).toBe(short.expires);
    const anew = await server.ask(short.token, "POST", `user/by-id/${ada.id}/tokens`, { name: "anew" });
    expect(anew.body.expires).toBe(short.expires);
  });

  test("moves a user: what was saved before is the user's alone until it is saved again", async () => {
    const eve = await server.user("eve", { team: "tides" });
    const udf = await save(ada.token, "mine");
    const { id } = (await server.ask(ada.token, "POST", "collection/new", { name: "atlas" })).body;
    const seen = async () => [
      await status(bob.token, "GET", `udf/by-id/${udf.id}`),
      await status(bob.token, "GET", `collection/by-id/${id}`),
      await status(eve.token, "GET", `udf/by-id/${udf.id}`),
      await status(eve.token, "GET", `collection/by-id/${id}`),
    ];
    const listed = async ({ token }: Person, path: string) =>
      (await server.ask(token, "GET", path)).body.length;
    expect(await seen()).toEqual([200, 200, 404, 404]);
    await change(ada.id, { team: "tides" });
    expect(await seen()).toEqual([404, 404, 404, 404]);
    expect([await listed(eve, "udf/exec-env/self"), await listed(eve, "collection/exec-env")]).toEqual([
      0, 0,
    ]);
    expect(await status(ada.token, "GET", `udf/by-id/${udf.id}`)).toBe(200);
    await server.ask(ada.token, "POST", `udf/by-id/${udf.id}`, {
      slug: "mine",
      udf_body: BODY,
      udf_type: "auto",
    });
    await server.ask(ada.token, "POST", `collection/by-id/${id}`, {});
    expect(await seen()).toEqual([404, 404, 200, 200]);
    expect(await listed(eve, "udf/exec-env/self")).toBe(1);
    expect((await server.ask(eve.token, "GET", `udf/by-id/${udf.id}/versions`)).body).toHaveLength(1);
  });

  test("deletes a user with all but the files, and a new one of the same name has none of it", async () => {
    const udf = await save(ada.token, "mine");
    await save(ada.token, "shown", { allow_public_read: true });
    await server.ask(ada.token, "POST", "secrets/self/user/KEY", { value: "the secret" });
    await server.ask(ada.token, "PUT", "files/upload?path=fd://data/a.parquet", "text");
    await server.ask(ada.token, "POST", "datasets/register-from-url?url=fd://data/");
    const times = { minute: [1], hour: [1], day_of_month: [1], month: [1], day_of_week: [1] };
    const schedule = { name: "s", description: null, enabled: true, udf: udf.id, udf_args: null, ...times };
    expect(await status(ada.token, "POST", "cronjob/create", schedule)).toBe(200);
    expect(await status(ADMIN, "DELETE", `user/by-id/${ada.id}`)).toBe(200);
    expect(await status(ADMIN, "DELETE", `user/by-id/${ada.id}`)).toBe(404);
    expect(await status(ada.token, "GET", "user/self")).toBe(401);
    for (const token of [bob.token, ADMIN])
      expect(await status(token, "GET", `udf/by-id/${udf.id}`)).toBe(404);
    const anew = await server.user("ada", { team: "maps" });
    expect(anew.id).not.toBe(ada.id);
    for (const path of [
      "udf/self",
      "cronjob/get-self",
      "datasets/self",
      "files/list?path=fd://",
      "udf/public",
    ])
      expect([path, (await server.ask(anew.token, "GET", path)).body]).toEqual([path, []]);
    expect((await server.ask(anew.token, "GET", "secrets/self/user")).body).toEqual({ secrets: [] });
    expect(await status(anew.token, "GET", "secrets/self/user/KEY")).toBe(404);
    const left = await readdir(join(server.folder, "files"), { recursive: true });
    expect(left.some((name) => name.endsWith("a.parquet"))).toBe(true);
    expect(existsSync(join(server.folder, "secrets"))).toBe(true);
  });
});

test("the token that a server is started with stays the first user's, whoever is an admin beside", async () => {
  const data = mkdtempSync(join(tmpdir(), "fuselet-users-"));
  const open = () => openTestServer({ data });
  try {
    let server = await open();
    const first = (await server.ask(ADMIN, "GET", "user/self")).body;
    // Of so many, one comes before the first by its id.
    const others = await Promise.all(
      Array.from({ length: 12 }, (_, i) => server.user(`admin-${i}`, { is_admin: true })),
    );
    await server.close();
    server = await open();
    expect((await server.ask(ADMIN, "GET", "user/self")).body).toEqual(first);
    const [next] = others as [Person];
    await server.ask(next.token, "POST", `user/by-id/${first.id}`, { is_enabled: false });
    expect((await server.ask(ADMIN, "GET", "user/self")).status).toBe(401);
    await server.close();
    server = await open();
    expect((await server.ask(ADMIN, "GET", "user/self")).body).toMatchObject({ is_admin: true });
    await server.close();
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

describe("what goes on", () => {
  let server: RunServer;
  let ada: Person;
  beforeEach(async () => {
    server = await RunServer.open();
    const made = await ask("POST", "user/new", { email: "ada@example.com" });
    ada = { id: made.user.id, token: made.token, email: made.user.email };
  });
  afterEach(() => server.close());
  const RUN = "realtime/fuselet/api/v1/run/udf";
  const step = { step_config: JSON.stringify({ type: "udf", udf: { code: "wait", entrypoint: "udf" } }) };
  const send = (method: string, path: string, body?: unknown, token = ADMIN, headers = {}) =>
    server.ask(method, `/server/v1/${path}`, { token, headers, ...(body === undefined ? {} : { body }) });
  const ask = async (...asked: Parameters<typeof send>) => (await send(...asked)).json();
  /** Until so many runs have begun. */
  const begun = (count: number) => expect.poll(() => server.ran.length).toBe(count);
  const disable = () => ask("POST", `user/by-id/${ada.id}`, { is_enabled: false });

  test("in the name of who is disabled is cancelled: runs, started ones, those by links, and jobs", async () => {
    const saved = { slug: "u", udf_body: JSON.stringify({ name: "u", code: "wait" }), udf_type: "auto" };
    const { id } = await ask("POST", "udf/new", saved, ada.token);
    const { token: link } = await ask("POST", "udf-access-token/new", { udf_id: id }, ada.token);
    const runs = [
      send("POST", RUN, step, ada.token),
      send("POST", `${RUN}/start`, step, ada.token),
      server.ask("GET", `/${link}/run`, { token: null }),
    ];
    await begun(3);
    const config = { steps: [{ type: "udf", udf: { name: "u", code: "wait" } }] };
    const { job_id: jobId } = await ask("POST", "run", { config }, ada.token);
    await disable();
    for (const run of runs) {
      const response = await run;
      expect([response.status, (await response.json()).message]).toEqual([
        403,
        expect.stringContaining("cancelled"),
      ]);
    }
    await ask("POST", `user/by-id/${ada.id}`, { is_enabled: true });
    expect(await ask("GET", `run/by-id/${jobId}`, undefined, ada.token)).toMatchObject({
      job_status: "Canceled",
    });
  });

  test("is not cancelled by the end of the token that it was asked for with, but its streams end", async () => {
    const other = await ask("POST", "user/self/tokens", { name: "other" }, ada.token);
    const [{ id }] = (await ask("GET", "user/self/tokens", undefined, ada.token)).filter(
      ({ name }: { name: string }) => name === "first",
    );
    const headers = { "fused-run-id": "r1" };
    const run = await send("POST", `${RUN}/start`, step, ada.token, headers);
    expect(run.status).toBe(202);
    const streams = [await send("GET", `${RUN}/get/r1/logs`, undefined, ada.token)];
    const config = { steps: [{ type: "udf", udf: { name: "u", code: "wait" } }] };
    const { job_id: jobId } = await ask("POST", "run", { config }, ada.token);
    streams.push(await send("GET", `logs/${jobId}/stream`, undefined, ada.token));
    expect((await send("DELETE", `user/self/tokens/${id}`, undefined, ada.token)).status).toBe(200);
    for (const stream of streams) expect(await stream.text()).not.toContain("event: end");
    expect((await send("GET", `${RUN}/get/r1`, undefined, ada.token)).status).toBe(401);
    expect((await send("GET", `${RUN}/get/r1`, undefined, other.token)).status).toBe(202);
    expect(await ask("GET", `run/by-id/${jobId}`, undefined, other.token)).toMatchObject({
      terminal_status: false,
    });
    await ask("POST", `run/by-id/${jobId}/cancel`, undefined, other.token);
    await send("DELETE", `${RUN}/get/r1`, undefined, other.token);
  });
});
