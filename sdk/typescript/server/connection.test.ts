import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../runtime/errors.ts";
import { asked, bytes, json, open, replies } from "./fixtures/wire-server.ts";
import { makeServer, type ServerOptions } from "./server.ts";
import { ServerError } from "./server-error.ts";

describe("requests", () => {
  test("say who we are, and give the names of TypeScript to what the wire has", async () => {
    replies["GET user/self"] = [json({ id: "1", email: "ada@example.org", execution_environment_id: "e" })];
    expect(await open().whoami()).toEqual({ id: "1", email: "ada@example.org", executionEnvironmentId: "e" });
    expect(asked[0]?.headers.authorization).toBe("Bearer secret");
    await open({ token: "t", scheme: "Fused-Env-Bearer" }).whoami();
    expect(asked[1]?.headers.authorization).toBe("Fused-Env-Bearer t");
  });

  test("are sent again where the server puts them off, and only then", async () => {
    const off = json({ message: "later" }, 503, { "retry-after": "0" });
    replies["GET user/self"] = [off, json({}, 502), json({ email: "a" })];
    expect(await open().whoami()).toMatchObject({ email: "a" });
    expect(asked).toHaveLength(3);
    replies["GET user/self"] = [off];
    await expect(open({ maxRetries: 2 }).whoami()).rejects.toMatchObject({
      status: 503,
      message: "later (status 503)",
    });
    expect(asked).toHaveLength(6);
    replies["GET user/self"] = [json({ detail: "broken" }, 500)];
    await expect(open().whoami()).rejects.toMatchObject({ status: 500, message: "broken (status 500)" });
    expect(asked).toHaveLength(7);
  });

  test("name what went wrong", async () => {
    replies["GET user/self"] = [json({ message: "Not signed in" }, 401)];
    await expect(open().whoami()).rejects.toMatchObject({ name: "ServerError", status: 401, exitCode: 1 });
    await expect(open().whoami()).rejects.toHaveProperty("hint", expect.stringContaining("fuselet login"));
    replies["GET user/self"] = [bytes("<h1>hello</h1>", "text/html")];
    await expect(open().whoami()).rejects.toThrow(/gave no JSON; is it the address of a server\?/);
    replies["GET user/self"] = [() => {}];
    await expect(open({ requestTimeoutMs: 30 }).whoami()).rejects.toThrow(/did not answer within 30 ms/);
    // Nothing listens there any more.
    const closed = createServer();
    await new Promise<void>((done) => closed.listen(0, "127.0.0.1", done));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const offline = open({ baseUrl: `http://127.0.0.1:${port}` }).whoami();
    await expect(offline).rejects.toThrow(
      /^Cannot reach the server at http:\/\/127\.0\.0\.1:\d+\/server\/v1\/user\/self: /,
    );
    await expect(offline).rejects.toBeInstanceOf(ServerError);
  });

  test("a body that stops midway is an error, not a wait", async () => {
    replies["GET user/self"] = [
      (_, response) => response.writeHead(200, { "content-type": "application/json" }).write("{"),
    ];
    await expect(open({ requestTimeoutMs: 50 }).whoami()).rejects.toThrow(/did not answer within 50 ms/);
  });

  test.each([
    [{}, /There is no server/],
    [{ baseUrl: "ftp://x" }, /baseUrl must be an address.*received "ftp:\/\/x"/],
    [{ baseUrl: "http://x", token: "a b" }, /token must be characters of ASCII/],
    [{ baseUrl: "http://x", maxRetries: -1 }, /maxRetries must be a number from 0: received -1/],
    [{ baseUrl: "http://x", base: 1 }, /the option "base" is unknown/],
  ])("%j says why not", (options, message) => {
    expect(() => makeServer(options as ServerOptions, { fetch: fetch as never })).toThrow(message);
    expect(() => makeServer(options as ServerOptions, { fetch: fetch as never })).toThrow(UsageError);
  });

  test("after logout nobody knows who asks", async () => {
    replies["GET user/self"] = [json({})];
    const server = open();
    expect([await server.accessToken(), await server.authScheme()]).toEqual(["secret", "Bearer"]);
    await server.logout();
    await server.whoami();
    expect(asked[0]?.headers.authorization).toBeUndefined();
    await expect(server.accessToken()).rejects.toThrow(/There is no access token/);
  });
});
