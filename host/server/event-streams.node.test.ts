import { afterEach, beforeEach, expect, test } from "vitest";
import { RunServer } from "./fixtures/run-server.ts";

const RUN = "/server/v1/realtime/fuselet/api/v1/run/udf";
const MOST = 64;

let server: RunServer;
let isClosed: boolean;
beforeEach(async () => {
  server = await RunServer.open();
  isClosed = false;
  const step = JSON.stringify({ type: "udf", udf: { code: "wait", entrypoint: "udf", parameters: {} } });
  void server.ask("POST", `${RUN}/start`, {
    body: { step_config: step },
    headers: { "fused-run-id": "r1" },
  });
  await expect.poll(() => server.ran.length).toBe(1);
});
afterEach(async () => {
  if (!isClosed) await server.close();
});

const open = () => server.ask("GET", `${RUN}/get/r1/logs`);
const count = async () =>
  /^fuselet_streams (\d+)$/m.exec(await (await server.ask("GET", "/metrics")).text())?.[1];

test("a user has so many streams at once, and may open another one for each that is closed", async () => {
  const streams = await Promise.all(Array.from({ length: MOST }, open));
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
  const refused = await open();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
  expect(await count()).toBe(String(MOST));
  await streams[0]!.body!.cancel();
  await expect.poll(count).toBe(String(MOST - 1));
  expect((await open()).status).toBe(200);
});

test("who asks for the headers of a stream alone takes no place", async () => {
  for (let i = 0; i < 2 * MOST; i++)
    expect((await server.ask("HEAD", `${RUN}/get/r1/logs`)).headers.get("content-type")).toBe(
      "text/event-stream",
    );
  expect(await count()).toBe("0");
});

test("streams end with the server", async () => {
  const stream = await open();
  isClosed = true;
  const [text] = await Promise.all([stream.text(), server.close()]);
  expect(text).toBe("");
});
