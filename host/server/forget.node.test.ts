import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestServer, type TestServer } from "./fixtures/server.ts";

let server: TestServer;
let token: string;
beforeEach(async () => {
  server = await openTestServer();
  ({ token } = await server.user("ada"));
});
afterEach(() => server.close());

const ask = (method: string, path: string, body?: unknown) => server.ask(token, method, path, body);
const call = async (method: string, path: string, body?: unknown) => {
  const answer = await ask(method, path, body);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBe(200);
  return answer.body;
};

/** A UDF in a collection, with a link and a schedule. */
async function make() {
  const collection = await call("POST", "collection/new", { name: "canvas" });
  const code = "def udf():\n    return 1\n";
  const udf = await call("POST", "udf/new", {
    slug: "u",
    udf_body: JSON.stringify({ name: "u", code }),
    udf_type: "auto",
    collection_id: collection.id,
  });
  const link = await call("POST", "udf-access-token/new", { udf_id: udf.id });
  const times = { minute: [0], hour: [0], day_of_month: [1], month: [1], day_of_week: [0] };
  const schedule = await call("POST", "cronjob/create", { name: "s", ...times, udf: udf.id });
  expect(schedule).toMatchObject({ enabled: true, disabled_reason: null });
  return { collection, udf, link, schedule };
}

test.for(["the UDF", "its collection"])("a schedule and a link end with %s", async (what) => {
  const { collection, udf, link, schedule } = await make();
  await call("DELETE", what === "the UDF" ? `udf/by-id/${udf.id}` : `collection/by-id/${collection.id}`);
  expect((await ask("GET", `udf/by-id/${udf.id}`)).status).toBe(404);
  expect(await call("GET", `cronjob/by-id/${schedule.id}`)).toMatchObject({
    enabled: false,
    next_run: null,
    disabled_reason: "its UDF was deleted",
  });
  expect(await call("GET", `cronjob/by-id/${schedule.id}/history`)).toMatchObject([
    { status: "skipped", note: "its UDF was deleted: the schedule is off" },
  ]);
  expect((await ask("POST", `cronjob/user-run/by-id/${schedule.id}`)).status).toBe(404);
  expect((await server.ask(undefined, "GET", `/${link.token}/run`)).status).toBe(404);
  expect(await call("GET", "udf-access-token/self")).toEqual([]);
});
