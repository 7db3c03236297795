import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Decision } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import { netBinding } from "./binding.ts";
import { get, Names, openRun, serve, type TestServer, until } from "./fixtures/servers.ts";
import { Guard } from "./guard.ts";
import type { NetLimits } from "./limits.ts";
import { openTransport } from "./transport.node.ts";
import type { Transport } from "./transport.ts";

interface Answer {
  url: string;
  status: number;
  headers: [string, string][];
  redirected: boolean;
  body: Uint8Array;
  handle: number | null;
}

let names: Names;
let transport: Transport;
let server: TestServer;
/** What the server does with a request; by default it says where it was asked, by whom and how. */
let respond: Parameters<typeof serve>[0];

beforeEach(async () => {
  names = new Names();
  transport = openTransport({ resolve: names.resolve });
  respond = async (request, response) => {
    const body: Buffer[] = [];
    for await (const part of request) body.push(part);
    response.end(
      JSON.stringify({
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: `${Buffer.concat(body)}`,
      }),
    );
  };
  server = await serve((request, response) => respond(request, response));
});
afterEach(async () => {
  await transport.close();
  await server[Symbol.asyncDispose]();
});

const binding = (limits: Partial<NetLimits> = {}) => netBinding(new Guard(transport, limits));
const fetchWith = async (
  permissions: Permissions,
  url: string,
  more: Record<string, unknown> = {},
): Promise<Answer> => (await binding().fetch([get(url, more)], openRun(permissions).call)) as Answer;
const echo = ({ body }: Answer) => JSON.parse(`${Buffer.from(body)}`);
const portOf = (url: string) => url.replace("PORT", String(server.port));

describe("a request is asked for first", () => {
  test.each([
    ["http://a.example/", "a.example:80"],
    ["https://a.example/", "a.example:443"],
    ["https://A.Example.:8443/x", "a.example:8443"],
    ["http://bücher.example/", "xn--bcher-kva.example:80"],
    ["http://[2001:DB8::1]/", "[2001:db8::1]:80"],
  ])("%s as %s; a denial looks nothing up", async (url, value) => {
    await expect(fetchWith({ net: ["b.example"] }, url)).rejects.toMatchObject({
      name: "PermissionDeniedError",
      permission: "net",
      value,
    });
    expect(names.lookups).toEqual([]);
  });

  test.each([
    "http://127.0.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.1:PORT/",
    "http://017700000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://１２７.０.０.１:PORT/",
    "http://127。0。0。1:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:7f00:1]:PORT/",
  ])("%s is 127.0.0.1, for rules, for the connection and for the server", async (url) => {
    const value = `127.0.0.1:${server.port}`;
    await expect(fetchWith({ net: ["a.example"] }, portOf(url))).rejects.toMatchObject({ value });
    await expect(fetchWith({ net: true, deny: { net: ["127.0.0.0/8"] } }, portOf(url))).rejects.toMatchObject(
      { value },
    );
    expect(server.connections).toBe(0);
    const answer = await fetchWith({ net: ["127.0.0.1"] }, portOf(url));
    expect(answer.url).toBe(`http://${value}/`);
    expect(echo(answer).headers.host).toBe(value);
    expect(names.lookups).toEqual([]);
  });

  test.each(["http://a.example:0/", "http://*.example/", "http://a..example/", "http://a_b%2fc.example/"])(
    "%s cannot be granted, or is no URL",
    async (url) => {
      await expect(fetchWith({ net: true }, url)).rejects.toMatchObject({
        name: expect.stringMatching(/^(PermissionDeniedError|NetError)$/),
      });
      expect(names.lookups).toEqual([]);
    },
  );
});

describe("an address is checked before it is connected to", () => {
  test.each([
    ["127.0.0.1"],
    ["10.0.0.1"],
    ["169.254.169.254"],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["64:ff9b::7f00:1"],
  ])("a name does not grant %s", async (address) => {
    names.set("a.example", [address]);
    const error = await fetchWith({ net: ["a.example"] }, portOf("http://a.example:PORT/")).catch((e) => e);
    expect(error).toMatchObject({ name: "PermissionDeniedError", permission: "net" });
    expect(error.message).toContain("an address of a.example");
    expect(error.grant).toContain("--allow-net=");
    expect(server.connections).toBe(0);
  });

  test.each<[string, Permissions]>([
    ["its own rule", { net: ["a.example", "127.0.0.1"] }],
    ["a network", { net: ["a.example", "127.0.0.0/8"] }],
    ["all of net", { net: true }],
  ])("%s grants it", async (_, permissions) => {
    names.set("a.example", ["127.0.0.1"]);
    const answer = await fetchWith(permissions, portOf("http://a.example:PORT/"));
    expect(echo(answer).headers.host).toBe(portOf("a.example:PORT"));
    expect(names.lookups).toEqual(["a.example"]);
  });

  test("a deny rule wins over all", async () => {
    names.set("a.example", ["127.0.0.1"]);
    const denied = { net: true, deny: { net: ["127.0.0.0/8", "[::1]"] } } as const;
    for (const url of ["http://a.example:PORT/", "http://localhost:PORT/", "http://127.0.0.1:PORT/"]) {
      await expect(fetchWith(denied, portOf(url))).rejects.toThrow("without --deny-net=127.0.0.0/8");
    }
    expect(server.connections).toBe(0);
  });

  test("of several, only those that are allowed are tried", async () => {
    names.set("a.example", ["10.0.0.1", "169.254.169.254", "127.0.0.1"]);
    await fetchWith({ net: ["a.example", "127.0.0.1"] }, portOf("http://a.example:PORT/"));
    expect(server.connections).toBe(1);
  });

  test("the address that was checked is the one that is connected to, however the name changes", async () => {
    // Nothing listens at 127.0.0.2: had the name been looked up again, the request would have come through.
    names.set("a.example", ["127.0.0.2"], ["127.0.0.1"]);
    const permissions = { net: ["a.example", "127.0.0.2"] };
    const limits = { connectMs: 500 };
    const { call } = openRun(permissions);
    const url = portOf("http://a.example:PORT/");
    await expect(binding(limits).fetch([get(url)], call)).rejects.toMatchObject({ name: "NetError" });
    expect(names.lookups).toHaveLength(1);
    await expect(binding(limits).fetch([get(url)], call)).rejects.toMatchObject({
      name: "PermissionDeniedError",
      value: portOf("127.0.0.1:PORT"),
    });
    expect(server.connections).toBe(0);
  });

  test("localhost is this machine, by whatever name below it, and is not looked up", async () => {
    names.set("localhost", ["10.0.0.1"]);
    await fetchWith({ net: ["localhost"] }, portOf("http://localhost:PORT/"));
    await fetchWith({ net: ["*.localhost"] }, portOf("http://app.localhost:PORT/"));
    expect(names.lookups).toEqual([]);
    await expect(fetchWith({ net: ["localhost"] }, portOf("http://127.0.0.1:PORT/"))).rejects.toThrow(
      "Requires net",
    );
    names.set("localhost.example", ["127.0.0.1"]);
    await expect(
      fetchWith({ net: ["localhost.example"] }, portOf("http://localhost.example:PORT/")),
    ).rejects.toThrow("loopback");
  });

  test("the broker hears of a refusal, and whoever it asks may grant the address", async () => {
    names.set("a.example", ["127.0.0.1"]);
    const url = portOf("http://a.example:PORT/");
    const value = portOf("127.0.0.1:PORT");
    const decisions: Decision[] = [];
    const onDecision = (decision: Decision) => decisions.push(decision);
    const refused = openRun({ net: ["a.example"] }, { onDecision });
    await expect(binding().fetch([get(url)], refused.call)).rejects.toThrow(
      "an address of a.example (loopback)",
    );
    expect(decisions.map((one) => [one.value, one.allowed])).toEqual([
      [portOf("a.example:PORT"), true],
      [value, false],
    ]);
    const asked: string[] = [];
    const onUngranted = async (request: { value: string }) => {
      asked.push(request.value);
      return { allowed: true, how: "prompt once" } as const;
    };
    const granted = openRun({ net: ["a.example"] }, { onUngranted });
    expect(await binding().fetch([get(url)], granted.call)).toMatchObject({ status: 200 });
    expect(asked).toEqual([value]);
  });
});

describe("redirects", () => {
  /** Redirects /N to /N+1 up to `last`, with a status. */
  const chain = (last: number, status = 302) => {
    const answer = respond;
    respond = (request, response) => {
      const at = Number(request.url?.slice(1));
      if (at < last) response.writeHead(status, { location: `/${at + 1}` }).end("moved");
      else void answer(request, response);
    };
  };

  test("are followed, over one connection", async () => {
    chain(3);
    const answer = await fetchWith({ net: ["127.0.0.1"] }, `${server.url}/0#part`);
    expect(answer).toMatchObject({ url: `${server.url}/3`, redirected: true, status: 200 });
    expect(server.requests).toEqual(["GET /0", "GET /1", "GET /2", "GET /3"]);
    expect(server.connections).toBe(1);
  });

  test("are followed 20 times, not more", async () => {
    chain(20);
    expect((await fetchWith({ net: ["127.0.0.1"] }, `${server.url}/0`)).status).toBe(200);
    chain(100);
    server.requests.length = 0;
    await expect(fetchWith({ net: ["127.0.0.1"] }, `${server.url}/0`)).rejects.toMatchObject({
      code: "redirect",
    });
    expect(server.requests).toHaveLength(21);
  });

  test("are errors or answers for who wants them so", async () => {
    chain(1, 307);
    const permissions = { net: ["127.0.0.1"] };
    await expect(fetchWith(permissions, `${server.url}/0`, { redirect: "error" })).rejects.toMatchObject({
      code: "redirect",
    });
    const answer = await fetchWith(permissions, `${server.url}/0`, { redirect: "manual" });
    expect(answer).toMatchObject({ status: 307, redirected: false, url: `${server.url}/0` });
    expect(answer.headers).toContainEqual(["location", "/1"]);
    expect(server.requests).toEqual(["GET /0", "GET /0"]);
  });

  test("are asked for like requests", async () => {
    await using other = await serve((_, response) => response.end("never"));
    names.set("inner.example", ["127.0.0.1"]);
    let location = "";
    respond = (_, response) => response.writeHead(302, { location }).end();
    for (const [to, value] of [
      [`http://localhost:${other.port}/`, `localhost:${other.port}`],
      [`http://2130706433:${other.port}/`, `127.0.0.1:${other.port}`],
      [`http://[::ffff:127.0.0.1]:${other.port}/`, `127.0.0.1:${other.port}`],
      [`//inner.example:${other.port}/`, `127.0.0.1:${other.port}`],
      ["http://169.254.169.254/latest/meta-data/", "169.254.169.254:80"],
      ["https://b.example/", "b.example:443"],
    ] as const) {
      location = to;
      const permissions = { net: [`127.0.0.1:${server.port}`, "inner.example"] };
      await expect(fetchWith(permissions, server.url)).rejects.toMatchObject({
        name: "PermissionDeniedError",
        value,
      });
    }
    expect(other.connections).toBe(0);
  });

  test.each(["file:///etc/passwd", "http://", "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/"])(
    "to %s are errors",
    async (location) => {
      respond = (_, response) => response.writeHead(302, { location }).end();
      await expect(fetchWith({ net: true }, server.url)).rejects.toMatchObject({ code: "redirect" });
    },
  );

  test("without a location are answers", async () => {
    respond = (_, response) => response.writeHead(302).end("here");
    expect(await fetchWith({ net: true }, server.url)).toMatchObject({ status: 302, redirected: false });
  });

  test("take the body along, or leave it, as their status says", async () => {
    const post = { method: "POST", body: Buffer.from("data"), headers: [["content-type", "text/plain"]] };
    chain(1, 302);
    expect(echo(await fetchWith({ net: true }, `${server.url}/0`, post))).toMatchObject({
      method: "GET",
      body: "",
    });
    respond = () => {};
    const permissions = { net: true };
    respond = (request, response) =>
      request.url === "/0"
        ? response.writeHead(307, { location: "/1" }).end()
        : request.pipe(response.writeHead(200, { "x-type": request.headers["content-type"] }));
    const answer = await fetchWith(permissions, `${server.url}/0`, post);
    expect(`${Buffer.from(answer.body)}`).toBe("data");
    expect(answer.headers).toContainEqual(["x-type", "text/plain"]);
  });

  test("do not take credentials to another origin", async () => {
    await using other = await serve((request, response) => response.end(JSON.stringify(request.headers)));
    respond = (_, response) => response.writeHead(307, { location: `${other.url}/` }).end();
    const headers = [
      ["Authorization", "Bearer a"],
      ["Cookie", "a=1"],
      ["X-Own", "1"],
    ];
    const answer = await fetchWith({ net: true }, server.url, { headers });
    const received = JSON.parse(`${Buffer.from(answer.body)}`);
    expect(received).toMatchObject({ "x-own": "1", host: `127.0.0.1:${other.port}` });
    expect(received).not.toHaveProperty("authorization");
    expect(received).not.toHaveProperty("cookie");
  });

  test("with an endless body are followed all the same, and that connection is closed", async () => {
    const answer = respond;
    respond = (request, response) => {
      if (request.url !== "/0") return void answer(request, response);
      response.writeHead(302, { location: "/1" });
      const timer = setInterval(() => response.write("x".repeat(1000)), 1);
      response.on("close", () => clearInterval(timer));
    };
    expect((await fetchWith({ net: true }, `${server.url}/0`)).status).toBe(200);
    await until(() => server.sockets.size === 1, "the first connection is closed");
  });
});

describe("what a server gets", () => {
  test("is what was asked, and the host's own headers", async () => {
    const answer = await fetchWith({ net: true }, `${server.url}/a?b=c`, {
      method: "PUT",
      headers: [
        ["X-A", "1"],
        ["x-a", "2"],
        ["X-Latin", "é"],
        ["Connection", "close"],
      ],
      body: Buffer.from("body"),
    });
    expect(echo(answer)).toEqual({
      method: "PUT",
      url: "/a?b=c",
      headers: {
        host: `127.0.0.1:${server.port}`,
        connection: "keep-alive",
        "x-a": "1, 2",
        "x-latin": "é",
        accept: "*/*",
        "user-agent": "fuselet",
        "accept-encoding": "gzip, deflate, br",
        "content-length": "4",
      },
      body: "body",
    });
  });

  test("leaves alone what the guest says about itself and what it takes", async () => {
    const headers = [
      ["Accept", "a/b"],
      ["User-Agent", "me"],
      ["Accept-Encoding", "br"],
    ];
    const own = echo(await fetchWith({ net: true }, server.url, { headers })).headers;
    expect(own).toMatchObject({ accept: "a/b", "user-agent": "me", "accept-encoding": "br" });
    const range = [["Range", "bytes=0-1"]];
    expect(echo(await fetchWith({ net: true }, server.url, { headers: range })).headers).toMatchObject({
      "accept-encoding": "identity",
    });
  });
});
