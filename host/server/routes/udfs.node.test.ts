import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { openVault } from "../../secrets/vault.node.ts";
import { openStore } from "../../store/store.node.ts";
import { openCrew } from "../fixtures/crew.ts";
import { ADMIN } from "../fixtures/server.ts";
import { readAs } from "../records.ts";
import type { Schedule } from "../schedule-records.ts";

const { server, ada, bob, eve, statuses } = await openCrew();
afterAll(() => server.close());
afterEach(() => void vi.useRealTimers());

const bodyOf = (value: number, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    name: "n",
    code: `@fused.udf\ndef udf():\n    return ${value}\n`,
    entrypoint: "udf",
    ...more,
  });

/** Saves one of ada's. */
async function save(slug: string, more: Record<string, unknown> = {}) {
  const saved = await server.ask(ada.token, "POST", "udf/new", { slug, udf_body: bodyOf(1), ...more });
  expect(saved.status, JSON.stringify(saved.body)).toBe(200);
  return saved.body;
}

describe("who may see a UDF", () => {
  const by = (slug: string, id: string) => [
    `udf/by-id/${id}`,
    `udf/by-id/${id}/versions`,
    `udf/by-id/${id}/versions/1`,
    `udf/by-user-email/${ada.email}/by-collection/default/by-slug/${slug}`,
    `udf/by-user-handle/ada/by-collection/default/by-slug/${slug}`,
  ];

  test.each([
    ["private", { allow_team_read: false }, [200, 404, 404, 401]],
    ["teams", {}, [200, 200, 404, 401]],
    ["public", { allow_public_read: true }, [200, 200, 200, 401]],
  ])("a %s one", async (slug, settings, expected) => {
    const { id } = await save(slug, settings);
    for (const path of by(slug, id)) expect([path, await statuses("GET", path)]).toEqual([path, expected]);
    const others = expected[2] === 200 ? 200 : 404;
    expect(await statuses("GET", `udf/public/by-collection/default/by-slug/${slug}`)).toEqual([
      others,
      others,
      others,
      401,
    ]);
    const own = slug === "private" ? 404 : 200;
    expect(await statuses("GET", `udf/exec-env/self/by-collection/default/by-slug/${slug}`)).toEqual([
      200,
      own,
      404,
      401,
    ]);
    expect((await server.ask(ADMIN, "GET", `udf/by-id/${id}`)).status).toBe(200);
  });

  test("nobody but its owner may write it: who may read it is told so, who may not is told that there is none", async () => {
    const { id } = await save("written");
    const change = { udf_body: bodyOf(2) };
    expect(await statuses("POST", `udf/by-id/${id}`, change)).toEqual([200, 403, 404, 401]);
    expect((await server.ask(ADMIN, "POST", `udf/by-id/${id}`, change)).status).toBe(403);
    expect((await server.ask(bob.token, "DELETE", `udf/by-id/${id}`)).status).toBe(403);
    expect((await server.ask(eve.token, "DELETE", `udf/by-id/${id}`)).status).toBe(404);
    expect((await server.ask(ada.token, "DELETE", `udf/by-id/${id}`)).status).toBe(200);
    expect((await server.ask(ada.token, "GET", `udf/by-id/${id}`)).status).toBe(404);
  });

  test("lists have what may be listed", async () => {
    await save("listed", { allow_public_read: true, allow_public_list: true });
    await save("listed only", { allow_public_list: true, allow_team_read: false });
    await save("an app", { udf_type: "app" });
    const slugs = async (token: string, path: string) =>
      (await server.ask(token, "GET", path)).body.map((udf: { slug: string }) => udf.slug);
    expect(await slugs(eve.token, "udf/public")).toEqual(["listed"]);
    expect(await slugs(eve.token, "udf/exec-env/self")).toEqual([]);
    expect(await slugs(bob.token, "udf/exec-env/self?udf_type=udf")).toEqual(["listed", "public", "teams"]);
    expect(await slugs(bob.token, "udf/exec-env/self?udf_type=app")).toEqual(["an app"]);
    expect(await slugs(ada.token, "udf/self?limit=300")).toContain("private");
    const all = await slugs(ada.token, "udf/self");
    expect([
      ...(await slugs(ada.token, "udf/self?limit=2")),
      ...(await slugs(ada.token, "udf/self?skip=2")),
    ]).toEqual(all);
    expect(await slugs(ada.token, "udf/self?skip=1000")).toEqual([]);
    expect((await server.ask(ada.token, "GET", "udf/self?limit=0")).status).toBe(422);
  });

  test("a name alone is one's own UDF or the team's, never what a stranger has published", async () => {
    const { id } = await save("common", { allow_public_read: true });
    const tokenFor = (user: typeof ada, fields: Record<string, unknown>) =>
      server.ask(user.token, "POST", "udf-access-token/new", fields);
    // To make a token asks what the name means.
    expect((await tokenFor(eve, { udf_slug: "common" })).status).toBe(404);
    expect((await tokenFor(eve, { udf_email: "ada", udf_slug: "common" })).status).toBe(403);
    expect((await tokenFor(eve, { udf_id: id })).status).toBe(403);
    expect((await tokenFor(bob, { udf_slug: "common" })).status).toBe(403);
    expect((await tokenFor(ada, { udf_slug: "common" })).body.udf_id).toBe(id);
  });
});

describe("saving", () => {
  test("keeps what was before as a version, and saved again it is so again", async () => {
    const { id, version } = await save("kept");
    expect(version).toBe(1);
    const path = `udf/by-id/${id}`;
    for (const value of [2, 3]) await server.ask(ada.token, "POST", path, { udf_body: bodyOf(value) });
    const versions = (await server.ask(ada.token, "GET", `${path}/versions`)).body;
    expect(versions.map((entry: { version: number }) => entry.version)).toEqual([3, 2, 1]);
    const first = (await server.ask(ada.token, "GET", `${path}/versions/1`)).body;
    expect(first.udf_body).toBe(bodyOf(1));
    expect((await server.ask(ada.token, "GET", `${path}/versions/4`)).status).toBe(404);
    const again = await server.ask(ada.token, "POST", path, { udf_body: first.udf_body });
    expect(again.body).toMatchObject({ version: 4, udf_body: bodyOf(1), slug: "kept" });
  });

  test("for more people does not show them what was saved for fewer", async () => {
    const { id } = await save("grown", { allow_team_read: false });
    const path = `udf/by-id/${id}`;
    const saveAs = (more: object) => server.ask(ada.token, "POST", path, { udf_body: bodyOf(2), ...more });
    await saveAs({ allow_team_read: true });
    await saveAs({ allow_public_read: true });
    const seen = async (token: string) =>
      (await server.ask(token, "GET", `${path}/versions`)).body.map(
        (entry: { version: number }) => entry.version,
      );
    expect([await seen(ada.token), await seen(bob.token), await seen(eve.token)]).toEqual([
      [3, 2, 1],
      [3, 2],
      [3],
    ]);
    expect(await statuses("GET", `${path}/versions/1`)).toEqual([200, 404, 404, 401]);
    expect(await statuses("GET", `${path}/versions/2`)).toEqual([200, 200, 404, 401]);
    expect(await statuses("GET", `${path}/versions/3`)).toEqual([200, 200, 200, 401]);
  });

  test("is refused where the last version is another one", async () => {
    const { id } = await save("raced");
    const path = `udf/by-id/${id}`;
    const at = (version: number) =>
      server.ask(ada.token, "POST", path, { udf_body: bodyOf(version), version });
    expect((await at(1)).status).toBe(200);
    const late = await at(1);
    expect(late.status).toBe(409);
    expect(late.body.message).toContain("its version is 2");
    const both = await Promise.all([at(2), at(2)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test("of one new name at once makes one UDF", async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, () =>
        server.ask(ada.token, "POST", "udf/new", { slug: "at once", udf_body: bodyOf(1) }),
      ),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
    expect(all.find(({ status }) => status === 409)?.body.message).toContain('a UDF "at once" already');
  });

  test("under another name frees the one before, in lists too", async () => {
    const { id } = await save("before", { allow_public_read: true, allow_public_list: true });
    await save("taken");
    const path = `udf/by-id/${id}`;
    expect((await server.ask(ada.token, "POST", path, { slug: "taken", udf_body: bodyOf(1) })).status).toBe(
      409,
    );
    const renamed = await server.ask(ada.token, "POST", path, { slug: "after", udf_body: bodyOf(1) });
    expect(renamed.body).toMatchObject({ slug: "after", allow_public_list: true });
    const listed = (await server.ask(eve.token, "GET", "udf/public")).body.map(
      (udf: { slug: string }) => udf.slug,
    );
    expect(listed).toContain("after");
    expect(listed).not.toContain("before");
    await save("before");
  });

  test.each([
    ["no JSON", { udf_body: "{" }, 422],
    ["a list", { udf_body: "[]" }, 422],
    ["no code", { udf_body: "{}" }, 422],
    ["empty code", { udf_body: bodyOf(1, { code: "" }) }, 422],
    [
      "a header of this machine",
      { udf_body: bodyOf(1, { headers: [{ module_name: "m", source_file: "/etc/hostname" }] }) },
      422,
    ],
    ["a slash in its name", { slug: "a/b" }, 422],
    ["a line break in its name", { slug: "a\nb" }, 422],
    ["half a character in its name", { slug: "\ud800" }, 422],
    ["half a character in its body", { udf_body: "\ud800" }, 422],
    ["no name at all", { slug: null, udf_body: bodyOf(1, { name: null }) }, 422],
    ["an unknown field", { allow_everything: true }, 422],
    ["a collection that is not there", { collection_id: "c" }, 404],
    ["a large body", { udf_body: bodyOf(1, { more: "x".repeat(17 * 2 ** 20) }) }, 413],
  ])("%s is refused", async (_what, fields, status) => {
    const saved = await server.ask(ada.token, "POST", "udf/new", {
      slug: "bad",
      udf_body: bodyOf(1),
      ...fields,
    });
    expect([saved.status, typeof saved.body.message]).toEqual([status, "string"]);
  });

  test.each([
    ["leads elsewhere", "../../user/self"],
    ["is no text", "%00"],
    ["has the last character", "\u{10ffff}"],
    ["is long", "x".repeat(200)],
  ])("an id that %s is none", async (_what, id) => {
    const path = `udf/by-id/${encodeURIComponent(id)}`;
    expect([404, 422]).toContain((await server.ask(ada.token, "GET", path)).status);
    expect([404, 422]).toContain((await server.ask(ada.token, "DELETE", path)).status);
  });

  test("the name comes from the body where no slug is given", async () => {
    const saved = await server.ask(ada.token, "POST", "udf/new", {
      udf_body: bodyOf(1, { name: "in its body" }),
    });
    expect(saved.body.slug).toBe("in its body");
  });
});

describe("a user who is deleted", () => {
  test("takes UDFs and tokens along", async () => {
    const gone = await server.user("gone");
    const saved = await server.ask(gone.token, "POST", "udf/new", {
      slug: "public of somebody",
      udf_body: bodyOf(1),
      allow_public_read: true,
      allow_public_list: true,
    });
    const made = await server.ask(gone.token, "POST", "udf-access-token/new", {
      udf_id: saved.body.id,
      public_read: true,
    });
    expect((await server.ask(ADMIN, "DELETE", `user/by-id/${gone.id}`)).status).toBe(200);
    expect((await server.ask(eve.token, "GET", `udf/by-id/${saved.body.id}`)).status).toBe(404);
    expect((await server.ask(undefined, "GET", `udf/shared/by-token/${made.body.token}`)).status).toBe(404);
  });

  test("runs nothing any more, and leaves no secrets", async () => {
    const gone = await server.user("busy");
    const ask = async (method: string, path: string, body: unknown) => {
      const found = await server.ask(gone.token, method, path, body);
      expect(found.status, JSON.stringify(found.body)).toBe(200);
      return found.body;
    };
    const { id } = await ask("POST", "udf/new", { slug: "often", udf_body: bodyOf(1) });
    const times = { minute: [0], hour: [0], day_of_month: [1], month: [1], day_of_week: [1] };
    await ask("POST", "cronjob/create", { name: "often", udf: id, ...times });
    await ask("POST", "run", { config: { steps: [{ type: "udf", udf: { code: "def udf(): 1" } }] } });
    await ask("PUT", "secrets/self/user/KEY", { value: "x" });
    const store = openStore({ path: join(server.folder, "server.db") });
    const { vault, close } = openVault(join(server.folder, "secrets"), undefined);
    const left = async () => [
      (await store.list("server.schedules")).filter((one) => readAs<Schedule>(one).ownerId === gone.id)
        .length,
      (await store.list("server.job-queue", { prefix: `${gone.id}/` })).length,
      (await vault.list(gone.id)).length,
    ];
    try {
      expect(await left()).toEqual([1, 1, 1]);
      expect((await server.ask(ADMIN, "DELETE", `user/by-id/${gone.id}`)).status).toBe(200);
      expect(await left()).toEqual([0, 0, 0]);
    } finally {
      await store.close();
      await close();
    }
  });
});
