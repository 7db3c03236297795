import { afterAll, expect, test } from "vitest";
import { RunServer } from "../fixtures/run-server.ts";

const server = await RunServer.open();
const zone = process.env.TZ;
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
  return server.close();
});

const RUN = "/server/v1/realtime/fuselet/api/v1/run/udf";
const log = (query: object) => server.ask("GET", `/server/v1/log/self?${new URLSearchParams({ ...query })}`);
const at = (ms: number, length: number) => new Date(Date.now() + ms).toISOString().slice(0, length);

test("a time without an offset is UTC, wherever the server stands", async () => {
  process.env.TZ = "Asia/Tokyo";
  await server.ask("POST", RUN, {
    body: { step_config: JSON.stringify({ type: "udf", udf: { code: "seven" } }) },
  });
  for (const [start, end, found] of [
    [at(-60_000, 19), at(60_000, 19), 1],
    [at(-60_000, 24), at(60_000, 16), 1],
    [at(-86_400_000, 10), at(86_400_000, 10), 1],
    [at(60_000, 19), at(120_000, 19), 0],
  ] as const) {
    const answer = await log({ start_timestamp: start, end_timestamp: end });
    expect((await answer.json()).items, `${start} to ${end}`).toHaveLength(found);
  }
  for (const start of ["2026-13-40", "2026-01-31T12", "12:00"])
    expect((await log({ start_timestamp: start })).status, start).toBe(422);
});
