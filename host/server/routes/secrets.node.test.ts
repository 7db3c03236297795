import { afterAll, expect, test } from "vitest";
import { openCrew } from "../fixtures/crew.ts";

const { server, ada, bob } = await openCrew();
afterAll(() => server.close());

const REALTIME = "realtime/any/api/v1/secrets";
const OWN = "secrets/self/user";
const VALUE = "a-value-that-nobody-else-has";

test("a secret is set, read, listed and deleted by its user, on both ways, and by nobody else", async () => {
  expect(await server.ask(ada.token, "PUT", `${REALTIME}/API_KEY`, { value: VALUE })).toMatchObject({
    status: 200,
    body: "API_KEY",
  });
  expect((await server.ask(ada.token, "POST", `${OWN}/OTHER`, { value: "other" })).status).toBe(200);
  const found = await server.ask(ada.token, "GET", `${REALTIME}/API_KEY`);
  expect([found.body, found.headers.get("cache-control")]).toEqual([VALUE, "no-store"]);
  expect((await server.ask(ada.token, "GET", `${OWN}/API_KEY`)).body).toEqual({ value: VALUE });
  expect((await server.ask(ada.token, "GET", REALTIME)).body).toEqual({ API_KEY: null, OTHER: null });
  expect((await server.ask(ada.token, "GET", OWN)).body).toEqual({ secrets: ["API_KEY", "OTHER"] });

  expect((await server.ask(bob.token, "GET", REALTIME)).body).toEqual({});
  expect((await server.ask(bob.token, "GET", `${REALTIME}/API_KEY`)).status).toBe(404);
  expect((await server.ask(bob.token, "DELETE", `${OWN}/API_KEY`)).status).toBe(404);
  expect((await server.ask(undefined, "GET", `${OWN}/API_KEY`)).status).toBe(401);

  expect((await server.ask(ada.token, "DELETE", `${REALTIME}/API_KEY`)).status).toBe(200);
  expect((await server.ask(ada.token, "GET", `${REALTIME}/API_KEY`)).status).toBe(404);
  expect((await server.ask(ada.token, "DELETE", `${OWN}/OTHER`)).body).toBe("OTHER");
});

test("what is no name or no value is refused, and no value is in an answer or the log", async () => {
  for (const name of ["a%20b", "1a", "%00", "a%2fb", "x".repeat(200), "..", "A@host"]) {
    const answer = await server.ask(ada.token, "PUT", `${REALTIME}/${name}`, { value: VALUE });
    expect([404, 405, 422], name).toContain(answer.status);
    expect(JSON.stringify(answer.body)).not.toContain(VALUE);
  }
  for (const body of [
    {},
    { value: 1 },
    { value: "" },
    { value: "x".repeat(70_000) },
    { value: `${VALUE}\ud800` },
    VALUE,
    [VALUE],
  ]) {
    const answer = await server.ask(ada.token, "PUT", `${REALTIME}/NAME`, body);
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).not.toContain(VALUE);
  }
  expect((await server.ask(ada.token, "GET", REALTIME)).body).toEqual({});
  expect(server.log.join("")).not.toContain(VALUE);
});
