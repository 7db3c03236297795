import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { openCrew } from "../fixtures/crew.ts";

const { server, ada, bob, statuses } = await openCrew();
afterAll(() => server.close());
afterEach(() => void vi.useRealTimers());

/** Saves one of ada's. */
async function save(slug: string, more: Record<string, unknown> = {}) {
  const udf_body = JSON.stringify({ code: "@fused.udf\ndef udf():\n    return 1\n", entrypoint: "udf" });
  const saved = await server.ask(ada.token, "POST", "udf/new", { slug, udf_body, ...more });
  expect(saved.status, JSON.stringify(saved.body)).toBe(200);
  return saved.body;
}

/** Makes one of ada's. */
const make = async (fields: Record<string, unknown>) =>
  (await server.ask(ada.token, "POST", "udf-access-token/new", fields)).body;
const read = (token: string, as?: string, headers?: Record<string, string>) =>
  server.ask(as, "GET", `udf/shared/by-token/${token}`, undefined, headers);

test("shared tokens show code to whom may read it anyway, and to others where they say so", async () => {
  const { id } = await save("shown");
  const closed = await make({ udf_id: id });
  const open = await make({ udf_id: id, public_read: true });
  for (const [token, expected] of [
    [closed.token, [200, 200, 403, 403]],
    [open.token, [200, 200, 200, 200]],
  ] as const)
    expect(await statuses("GET", `udf/shared/by-token/${token}`)).toEqual(expected);
  expect((await read(open.token)).body.slug).toBe("shown");
  // A wrong token of a user is one, even where none is needed.
  expect((await read(open.token, "wrong")).status).toBe(401);
  expect(await statuses("GET", `udf-access-token/by-token/${closed.token}`)).toEqual([200, 404, 404, 404]);
  expect(await statuses("GET", `udf-access-token/by-token/${open.token}`)).toEqual([200, 200, 200, 200]);
});

test("shared tokens that are disabled, expired, deleted, rotated or unknown are all the same", async () => {
  const { id } = await save("ended");
  const fields = { udf_id: id, public_read: true };
  const [disabled, expired, deleted, rotated] = [
    await make(fields),
    await make(fields),
    await make(fields),
    await make(fields),
  ];
  const at = (token: { token: string }) => `udf-access-token/by-token/${token.token}`;
  for (const token of [disabled, expired, deleted, rotated])
    expect((await read(token.token)).status).toBe(200);
  expect((await server.ask(ada.token, "POST", at(disabled), { enabled: false })).body.enabled).toBe(false);
  await server.ask(ada.token, "POST", at(expired), { expires_in: 1 });
  expect((await server.ask(ada.token, "DELETE", at(deleted))).body.token).toBe(deleted.token);
  const { body: renewed } = await server.ask(ada.token, "POST", `${at(rotated)}/rotate`);
  expect(renewed).toMatchObject({ udf_id: id, public_read: true });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2000 });
  const answers = [];
  for (const { token } of [disabled, expired, deleted, rotated, { token: `fsh_${"x".repeat(43)}` }])
    answers.push(await read(token));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.message}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(404);
  expect((await read(renewed.token)).status).toBe(200);
  expect((await server.ask(ada.token, "POST", at(disabled), { enabled: true })).status).toBe(200);
  expect((await read(disabled.token)).status).toBe(200);
  expect((await server.ask(ada.token, "POST", at(expired), { expires_in: 0 })).body.expires).toBeNull();
  expect((await read(expired.token)).status).toBe(200);
});

test("shared tokens that are rotated twice at once are one token then", async () => {
  const { id } = await save("turned");
  const { token } = await make({ udf_id: id, public_read: true });
  const rotate = () => server.ask(ada.token, "POST", `udf-access-token/by-token/${token}/rotate`);
  const both = await Promise.all([rotate(), rotate()]);
  expect(both.map(({ status }) => status).sort()).toEqual([
    200,
    expect.toSatisfy((s) => s === 404 || s === 409),
  ]);
  const listed = (await server.ask(ada.token, "GET", "udf-access-token/self?limit=1000")).body;
  expect(listed.filter((one: { udf_id: string }) => one.udf_id === id)).toHaveLength(1);
});

test("shared tokens belong to whom made them", async () => {
  const { id } = await save("owned");
  const { token } = await make({ udf_id: id, metadata_json: { a: [1] }, cache: false, client_id: "c" });
  const path = `udf-access-token/by-token/${token}`;
  expect(await statuses("POST", path, {})).toEqual([200, 404, 404, 401]);
  expect(await statuses("POST", `${path}/rotate`)).toEqual([200, 404, 404, 401]);
  const listed = (await server.ask(ada.token, "GET", "udf-access-token/self?limit=1000")).body;
  const mine = listed.find((entry: { udf_slug: string }) => entry.udf_slug === "owned");
  expect(mine).toMatchObject({
    udf_email: ada.email,
    metadata_json: { a: [1] },
    cache: false,
    client_id: "c",
  });
  expect(mine.token).not.toBe(token);
  expect((await server.ask(bob.token, "GET", "udf-access-token/self")).body).toEqual([]);
  expect(await statuses("DELETE", `udf-access-token/by-token/${mine.token}`)).toEqual([200, 404, 404, 401]);
  expect((await server.ask(ada.token, "GET", "udf-access-token/self?limit=1&skip=1")).body).toHaveLength(1);
});

test("shared tokens for the team want somebody of it", async () => {
  const { id } = await save("of the team");
  const { token } = await make({ udf_id: id, public_read: true, access_scope: "team" });
  expect(await statuses("GET", `udf/shared/by-token/${token}`)).toEqual([200, 200, 403, 403]);
});

test("shared tokens end with their UDF", async () => {
  const { id } = await save("short");
  const { token } = await make({ udf_id: id, public_read: true });
  await server.ask(ada.token, "DELETE", `udf/by-id/${id}`);
  expect((await read(token)).status).toBe(404);
  expect((await server.ask(ada.token, "GET", `udf-access-token/by-token/${token}`)).status).toBe(404);
});

test("shared tokens are nowhere on the disk, and not in the log", async () => {
  const { id } = await save("hidden");
  const { token } = await make({ udf_id: id });
  await read(token);
  expect((await server.ask(ada.token, "GET", "udf-access-token/self?limit=1000")).body.at(-1).token).toBe(
    token,
  );
  for (const file of ["server.db", "server.db-wal", "secrets/secrets.db", "secrets/secrets.db-wal"])
    expect([file, readFileSync(join(server.folder, file)).includes(token)]).toEqual([file, false]);
  expect(server.log.join("")).toContain("/by-token/fsh_***");
  expect(server.log.join("")).not.toContain(token);
});

test.each([
  ["nothing", {}, 422],
  ["an id that is not there", { udf_id: "x" }, 404],
  ["a name that is not there", { udf_slug: "nothing" }, 404],
  ["no name", { udf_slug: "a/b" }, 404],
  ["an unknown scope", { udf_slug: "shown", access_scope: "everybody" }, 422],
  ["large metadata", { udf_slug: "shown", metadata_json: { a: "x".repeat(70_000) } }, 422],
  [
    "deep metadata",
    { udf_slug: "shown", metadata_json: JSON.parse(`{"a":${"[".repeat(100)}${"]".repeat(100)}}`) },
    422,
  ],
  ["an end in the past", { udf_slug: "shown", expires_in: -1 }, 422],
])("shared tokens are not made of %s", async (_what, fields, status) => {
  expect((await server.ask(ada.token, "POST", "udf-access-token/new", fields)).status).toBe(status);
});
