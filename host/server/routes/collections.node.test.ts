import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openCrew } from "../fixtures/crew.ts";
import { ADMIN } from "../fixtures/server.ts";

const { server, ada, bob, eve, statuses } = await openCrew();
afterAll(() => server.close());
afterEach(() => void vi.useRealTimers());

const body = JSON.stringify({ code: "@fused.udf\ndef udf():\n    return 1\n", entrypoint: "udf" });

async function make(name: string, more: Record<string, unknown> = {}) {
  const made = await server.ask(ada.token, "POST", "collection/new", { name, ...more });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  return made.body;
}

/** Saves one of ada's. */
async function save(slug: string, collection_id?: string) {
  const saved = await server.ask(ada.token, "POST", "udf/new", { slug, udf_body: body, collection_id });
  expect(saved.status, JSON.stringify(saved.body)).toBe(200);
  return saved.body;
}

test("everybody has a default one, which is made when it is first wanted, once", async () => {
  const fresh = await server.user("fresh");
  expect((await server.ask(fresh.token, "GET", "collection/self")).body).toEqual([]);
  const found = await Promise.all(
    Array.from({ length: 5 }, () => server.ask(fresh.token, "GET", "collection/by-name/default")),
  );
  expect(new Set(found.map(({ body }) => body.id)).size).toBe(1);
  const { id } = found[0]!.body;
  expect((await server.ask(fresh.token, "POST", `collection/by-id/${id}`, { name: "other" })).status).toBe(
    409,
  );
});

test("one is seen by its team, changed by its owner, and not there for others", async () => {
  const { id } = await make("seen", { dashboard_body: "{}" });
  const path = `collection/by-id/${id}`;
  expect(await statuses("GET", path)).toEqual([200, 200, 404, 401]);
  expect(await statuses("POST", path, { access_scope: "team" })).toEqual([200, 403, 404, 401]);
  expect(await statuses("POST", `collection/share?collection_id=${id}`)).toEqual([200, 403, 404, 401]);
  expect(await statuses("POST", `collection/unshare?collection_id=${id}`)).toEqual([200, 403, 404, 401]);
  expect(await statuses("GET", "collection/by-name/seen")).toEqual([200, 404, 404, 401]);
  // The published client takes what it finds here for one that it must not change.
  expect(await statuses("GET", "collection/exec-env/by-slug/seen")).toEqual([404, 200, 404, 401]);
  const names = async (token: string, path: string) =>
    (await server.ask(token, "GET", path)).body.map(({ name }: { name: string }) => name);
  expect(await names(bob.token, "collection/exec-env")).toContain("seen");
  expect(await names(ada.token, "collection/exec-env")).not.toContain("seen");
  expect(await names(eve.token, "collection/exec-env/lite")).toEqual([]);
  const lite = (await server.ask(ada.token, "GET", "collection/self/lite")).body;
  expect(lite.find(({ name }: { name: string }) => name === "seen")).toMatchObject({
    id,
    dashboard_body: null,
  });
  expect(await statuses("DELETE", path)).toEqual([200, 404, 404, 401]);
});

test("names are one's own and taken once; a UDF of one name may be in several", async () => {
  const { id } = await make("one");
  await make("two");
  expect((await server.ask(ada.token, "POST", "collection/new", { name: "one" })).status).toBe(409);
  expect((await server.ask(ada.token, "POST", `collection/by-id/${id}`, { name: "two" })).status).toBe(409);
  expect((await server.ask(bob.token, "POST", "collection/new", { name: "one" })).status).toBe(200);
  await save("same");
  const inOne = await save("same", id);
  expect((await server.ask(ada.token, "POST", `collection/by-id/${id}`, { name: "uno" })).body.name).toBe(
    "uno",
  );
  const at = (name: string) =>
    server.ask(ada.token, "GET", `udf/by-user-handle/ada/by-collection/${name}/by-slug/same`);
  expect((await at("uno")).body).toMatchObject({ id: inOne.id, collection_name: "uno" });
  expect((await at("one")).status).toBe(404);
  expect((await at("default")).body.id).not.toBe(inOne.id);
  const moved = {
    udf_body: body,
    slug: "moved",
    collection_id: (await server.ask(ada.token, "GET", "collection/by-name/two")).body.id,
  };
  expect((await server.ask(ada.token, "POST", `udf/by-id/${inOne.id}`, moved)).body.collection_name).toBe(
    "two",
  );
  expect((await at("uno")).status).toBe(404);
  const notOwn = { slug: "same", udf_body: body, collection_id: id };
  expect((await server.ask(bob.token, "POST", "udf/new", notOwn)).status).toBe(404);
});

test("one that is deleted takes along what is in it", async () => {
  const { id } = await make("doomed");
  const udf = await save("inside", id);
  const token = (
    await server.ask(ada.token, "POST", "udf-access-token/new", { udf_id: udf.id, public_read: true })
  ).body;
  const shared = (await server.ask(ada.token, "POST", `collection/share?collection_id=${id}`)).body
    .share_token;
  expect((await server.ask(ada.token, "DELETE", `collection/by-id/${id}`)).body.name).toBe("doomed");
  for (const path of [
    `collection/by-id/${id}`,
    `udf/by-id/${udf.id}`,
    `udf/shared/by-token/${token.token}`,
    `udf/shared/by-token/${shared}/inside`,
  ])
    expect([path, (await server.ask(ada.token, "GET", path)).status]).toEqual([path, 404]);
  await make("doomed");
});

describe("the token of a collection", () => {
  let id: string;
  let token: string;
  const share = async (query = "") =>
    (await server.ask(ada.token, "POST", `collection/share?collection_id=${id}${query}`)).body.share_token;
  const change = (fields: Record<string, unknown>) =>
    server.ask(ada.token, "POST", `collection/by-id/${id}`, fields);
  const read = async (path: string, as?: string, headers?: Record<string, string>) =>
    (await server.ask(as, "GET", `udf/shared/by-token/${path}`, undefined, headers)).status;
  beforeAll(async () => {
    id = (await make("shared", { access_scope: "public", allow_public_read: true })).id;
    await save("first", id);
    await save("sec-ond", id);
    token = await share("&client_id=c");
  });

  test("opens each of its UDFs by name, and nothing else", async () => {
    for (const path of [
      `${token}/first`,
      `${token}-first`,
      `${token}-sec-ond`,
      encodeURIComponent(`${token}/first`),
    ])
      expect([path, await read(path)]).toEqual([path, 200]);
    for (const path of [token, `${token}/none`, `${token}/`, `${token}-`, `fc_${"0".repeat(64)}/first`])
      expect([path, await read(path)]).toEqual([path, 404]);
  });

  test("is the same when it is shared again, and another one when that is asked for", async () => {
    expect(await share()).toBe(token);
    const other = await share("&new_token=True");
    expect(other).not.toBe(token);
    expect(await read(`${token}/first`)).toBe(404);
    expect(await read(`${other}/first`)).toBe(200);
    token = other;
    expect((await server.ask(bob.token, "GET", `collection/by-id/${id}`)).body.share_token).toBeNull();
  });

  test("is no token of a UDF", async () => {
    const listed = (await server.ask(ada.token, "GET", "udf-access-token/self")).body;
    expect(listed.filter((entry: { token: string }) => entry.token.startsWith("fc_"))).toEqual([]);
    expect((await server.ask(ada.token, "DELETE", `udf-access-token/by-token/${token}`)).status).toBe(409);
    expect(
      (await server.ask(ada.token, "GET", `udf-access-token/by-token/${token}`)).body.collection_id,
    ).toBe(id);
  });

  test("does not show code where the collection does not", async () => {
    await change({ allow_public_read: false });
    expect(await read(`${token}/first`)).toBe(403);
    expect(await read(`${token}/first`, bob.token)).toBe(200);
    const about = () => server.ask(undefined, "GET", `udf-access-token/by-token/${token}-first`);
    expect((await about()).status).toBe(404);
    await change({ allow_public_read: true });
    expect((await about()).status).toBe(200);
  });

  test("for the team wants somebody of it, or whom it let in for a while", async () => {
    await change({ access_scope: "team" });
    const path = `${token}/first`;
    expect([await read(path), await read(path, eve.token), await read(path, bob.token)]).toEqual([
      403, 403, 200,
    ]);
    const session = (as: string, ttl = 60) =>
      server.ask(as, "POST", `session-token/by-access-token/${token}`, { ttl });
    expect((await session(eve.token)).status).toBe(404);
    const { session_token: letIn, expires_at: end } = (await session(bob.token)).body;
    expect(Number(letIn.split(":")[1]) * 1000).toBe(Date.parse(end));
    const within = (text: string) => read(`${path}?fused_session_token=${encodeURIComponent(text)}`);
    expect(await within(letIn)).toBe(200);
    const [maker, seconds, signature] = letIn.split(":");
    for (const forged of [
      `${maker}:${Number(seconds) + 1}:${signature}`,
      `${maker}:${seconds}:${signature.replace(/^./, (c: string) => (c === "0" ? "1" : "0"))}`,
      `${ada.id}:${seconds}:${signature}`,
      signature,
      "",
    ])
      expect([forged, await within(forged)]).toEqual([forged, 403]);
    // It ends with what its maker may do.
    const user = (change: object) => server.ask(ADMIN, "POST", `user/by-id/${bob.id}`, change);
    const { execution_environment_id: team } = (await server.ask(bob.token, "GET", "user/self")).body;
    for (const [gone, back] of [
      [{ is_enabled: false }, { is_enabled: true }],
      [{ team: "elsewhere" }, { team }],
    ] as const) {
      await user(gone);
      expect(await within(letIn)).toBe(403);
      await user(back);
      expect(await within(letIn)).toBe(200);
    }
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    expect(await within(letIn)).toBe(403);
    vi.useRealTimers();
    expect((await session(bob.token, 0)).status).toBe(422);
    token = await share("&new_token=true");
    expect(await read(`${token}/first?fused_session_token=${encodeURIComponent(letIn)}`)).toBe(403);
    await change({ access_scope: "public" });
  });

  test("with a passcode wants that, and takes not too many wrong ones", async () => {
    const changed = await change({ passcode: "open sesame" });
    expect(changed.body.passcode).toBe("open sesame");
    expect((await server.ask(bob.token, "GET", `collection/by-id/${id}`)).body.passcode).toBeNull();
    const path = `${token}/first`;
    const withCode = (code: string) =>
      read(path, undefined, { authorization: `Fused-Canvas-Passcode ${code}` });
    expect([await read(path), await withCode("wrong"), await withCode("open sesame")]).toEqual([
      403, 403, 200,
    ]);
    expect(await read(path, bob.token)).toBe(200);
    for (let tries = 1; tries < 30; tries++) await withCode("wrong");
    expect([await withCode("wrong"), await withCode("open sesame")]).toEqual([429, 429]);
    expect(await read(path, bob.token)).toBe(200);
    // Who guesses keeps out nobody elsewhere.
    const elsewhere = await server.server.handler(
      new Request(`http://127.0.0.1/server/v1/udf/shared/by-token/${path}`, {
        headers: { host: "127.0.0.1", authorization: "Fused-Canvas-Passcode open sesame" },
      }),
      { address: "192.0.2.1", gone: new AbortController().signal },
    );
    expect(elsewhere.status).toBe(200);
    expect((await change({ passcode: "" })).body.passcode).toBeNull();
    expect(await read(path)).toBe(200);
  });

  test("is one, whoever shares it anew at once", async () => {
    const asked = Array.from({ length: 8 }, () =>
      server.ask(ada.token, "POST", `collection/share?collection_id=${id}&new_token=true`),
    );
    const made = (await Promise.all(asked)).map(({ status, body }) =>
      status === 200 ? body.share_token : status,
    );
    token = await share();
    const tokens = made.filter((one) => typeof one === "string");
    expect(made.filter((one) => typeof one !== "string" && one !== 409)).toEqual([]);
    for (const one of tokens)
      expect([one, await read(`${one}/first`)]).toEqual([one, one === token ? 200 : 404]);
  });

  test("ends when it is not shared any more", async () => {
    const unshared = await server.ask(ada.token, "POST", `collection/unshare?collection_id=${id}`);
    expect(unshared.body.share_token).toBeNull();
    expect(await read(`${token}/first`)).toBe(404);
    expect((await server.ask(ada.token, "POST", `collection/unshare?collection_id=${id}`)).status).toBe(200);
  });
});

test.each([
  ["no name", { name: "" }],
  ["a slash in its name", { name: "a/b" }],
  ["a long name", { name: "x".repeat(201) }],
  ["an unknown scope", { name: "ok", access_scope: "private" }],
  ["a passcode that no header can have", { name: "ok", passcode: "line\nbreak" }],
  ["an unknown field", { name: "ok", udfs: [] }],
])("no collection is made of %s", async (_what, fields) => {
  expect((await server.ask(ada.token, "POST", "collection/new", fields)).status).toBe(422);
});

test("what clients ask before anything else", async () => {
  expect((await server.ask(undefined, "GET", "health")).body).toBe(true);
  expect((await server.ask(ada.token, "GET", "realtime-instance/available")).body).toMatchObject([
    { client_id: "fuselet" },
  ]);
  expect((await server.ask(ada.token, "GET", "execution-env/token")).body).toBe(ada.token);
  expect(await statuses("GET", "log/self")).toEqual([200, 200, 200, 401]);
  expect((await server.ask(ada.token, "GET", "log/self?limit=5&scan_forward=False")).body).toEqual({
    items: [],
    limit: 5,
    next_page_token: null,
  });
  expect((await server.ask(ada.token, "GET", "log/self?start_timestamp=yesterday")).status).toBe(422);
});

test("a list has as many dashboards as fit into a page, and whoever asks again gets the rest", async () => {
  const dash = await server.user("dash");
  const dashboard_body = "d".repeat(4_000_000);
  for (let i = 0; i < 12; i++)
    expect(
      (await server.ask(dash.token, "POST", "collection/new", { name: `c${i}`, dashboard_body })).status,
    ).toBe(200);
  const page = async (skip: number, kind = "") =>
    (await server.ask(dash.token, "GET", `collection/self${kind}?skip=${skip}`)).body as {
      dashboard_body: string;
    }[];
  const first = await page(0);
  expect(first).toHaveLength(8);
  const rest = await page(8);
  expect(rest).toHaveLength(4);
  for (const one of [...first, ...rest]) expect(one.dashboard_body).toBe(dashboard_body);
  expect(await page(0, "/lite")).toHaveLength(12);
});

test("a dashboard stays where something else is changed, whatever its text, and goes with its collection", async () => {
  const dashboard_body = 'a "\ud800\u0000 b';
  const { id } = await make("board", { dashboard_body });
  const path = `collection/by-id/${id}`;
  const change = (fields: object) => server.ask(ada.token, "POST", path, fields);
  expect((await change({ name: "board 2" })).body).toMatchObject({ name: "board 2", dashboard_body });
  expect((await change({ dashboard_body: "new" })).body).toMatchObject({
    name: "board 2",
    dashboard_body: "new",
  });
  expect((await server.ask(ada.token, "DELETE", path)).body.dashboard_body).toBe("new");
});
