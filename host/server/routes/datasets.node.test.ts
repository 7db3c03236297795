import { afterAll, expect, test } from "vitest";
import { openCrew } from "../fixtures/crew.ts";
import { query, send } from "../fixtures/files.ts";
import { ADMIN } from "../fixtures/server.ts";

const { server, ada, bob, eve } = await openCrew();
afterAll(() => server.close());

const put = (path: string, user = ada) =>
  send(server.server, "PUT", `files/upload?${query({ path })}`, { token: user.token, body: "x" });
const register = (url: string, user = ada) =>
  server.ask(user.token, "POST", `datasets/register-from-url?${query({ url })}`);
const find = (location: string, user = ada) =>
  server.ask(user.token, "GET", `datasets/find-by-location?${query({ location })}`);

test("a folder is registered, looked at again, found by what lies in it, listed and forgotten", async () => {
  await put("file:///mount/data/year=1/a.parquet");
  await put("file:///mount/data/notes.txt");
  const first = await register("file:///mount/data");
  expect(first.body).toEqual({
    dataset_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    location: "file:///mount/data/",
    visit_status: "success",
    items_discovered: 1,
    new_items: 1,
  });
  const { dataset_id: id } = first.body;
  await put("file:///mount/data/year=2/b.parquet");
  expect((await register("/mount/data/", bob)).body).toMatchObject({
    dataset_id: id,
    items_discovered: 2,
    new_items: 1,
  });
  await register("file:///mount/data/year=2");

  expect((await find("file:///mount/data/year=1/a.parquet", bob)).body).toEqual({
    id,
    location: "file:///mount/data/",
    description: null,
    storage_type: "file",
    owner: "ada@example.com",
    execution_environment_id: "crew",
    public: false,
    items: 2,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  });
  expect((await find("file:///mount/data")).body.id).toBe(id);
  expect((await find("file:///mount/data/year=2/b.parquet")).body.location).toBe(
    "file:///mount/data/year=2/",
  );
  expect((await find("file:///mount/data/year=20/b.parquet")).body.id).toBe(id);
  expect((await find("file:///mount/data2/a.parquet")).status).toBe(404);
  expect((await find("file:///mount/data/year=1/a.parquet", eve)).status).toBe(404);

  expect((await server.ask(bob.token, "GET", "datasets/self")).body).toHaveLength(2);
  expect((await server.ask(bob.token, "GET", "datasets/self?skip=1&limit=5")).body).toHaveLength(1);
  expect((await server.ask(eve.token, "GET", "datasets/self")).body).toEqual([]);
  const statuses = async (method: string) => [
    (await server.ask(eve.token, method, `datasets/by-id/${id}`)).status,
    (await server.ask(bob.token, method, `datasets/by-id/${id}`)).status,
    (await server.ask(ada.token, method, `datasets/by-id/${id}`)).status,
  ];
  expect(await statuses("GET")).toEqual([404, 200, 200]);
  expect(await statuses("DELETE")).toEqual([404, 403, 200]);
  expect(await statuses("GET")).toEqual([404, 404, 404]);
  expect((await find("file:///mount/data/year=1/a.parquet")).status).toBe(404);
});

test("fd:// is another storage for each user", async () => {
  await put("fd://own/a.parquet");
  const mine = await register("fd://own/");
  expect((await find("fd://own/a.parquet", bob)).status).toBe(404);
  const bobs = await register("fd://own/", bob);
  expect(bobs.body).toMatchObject({ items_discovered: 0 });
  expect(bobs.body.dataset_id).not.toBe(mine.body.dataset_id);
  expect((await server.ask(bob.token, "GET", `datasets/by-id/${mine.body.dataset_id}`)).status).toBe(404);
});

test("what cannot be read is not registered", async () => {
  for (const [url, status] of [
    ["s3://bucket/data", 403],
    ["file:///etc", 403],
    ["fd://a/../b", 422],
    ["nothing", 422],
    ["", 422],
  ] as const) {
    expect((await register(url)).status, url).toBe(status);
  }
  for (const id of ["x", "..", "%00", "a".repeat(300)])
    expect([404, 422], id).toContain((await server.ask(ADMIN, "GET", `datasets/by-id/${id}`)).status);
});
