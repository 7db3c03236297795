/** Node's fetch stands for a page's: it has the same interface, but no CORS, and it shows redirects. test/browser has real pages. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Permissions } from "../permissions/descriptor.ts";
import { netBinding } from "./binding.ts";
import { get, openRun, sendFlood, serve, type TestServer, until } from "./fixtures/servers.ts";
import { Guard } from "./guard.ts";
import type { NetLimits } from "./limits.ts";
import { type BrowserTransportOptions, openTransport } from "./transport.browser.ts";

interface Answer {
  url: string;
  status: number;
  headers: [string, string][];
  redirected: boolean;
  body: Uint8Array;
  handle: number | null;
}

let server: TestServer;
let respond: Parameters<typeof serve>[0];
beforeEach(async () => {
  respond = (_, response) => response.end("hello");
  server = await serve((request, response) => respond(request, response));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server[Symbol.asyncDispose]();
});

function open(
  permissions: Permissions,
  options: BrowserTransportOptions = {},
  limits: Partial<NetLimits> = {},
) {
  const transport = openTransport(options);
  const net = netBinding(new Guard(transport, limits));
  const { call, end } = openRun(permissions);
  return {
    transport,
    end,
    fetch: (url: string, more: Record<string, unknown> = {}) =>
      net.fetch([get(url, more)], call) as Promise<Answer>,
    read: (handle: number | null) => net.read([handle], call) as Promise<Uint8Array | null>,
    close: (handle: number | null) => net.close([handle], call),
  };
}
const text = ({ body }: Answer) => `${Buffer.from(body)}`;

describe("a page's request", () => {
  test("gives nothing of the page away", async () => {
    const asked = vi.fn(fetch);
    vi.stubGlobal("fetch", asked);
    const body = Buffer.from("data");
    const headers = [
      ["X-A", "1"],
      ["Accept-Encoding", "br"],
    ];
    const { fetch: ask } = open({ net: ["127.0.0.1"] });
    expect(text(await ask(server.url, { method: "POST", headers, body }))).toBe("hello");
    expect(asked.mock.calls[0]?.[1]).toMatchObject({
      method: "POST",
      headers: [["x-a", "1"]],
      body,
      redirect: "manual",
      mode: "cors",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
    });
  });

  test("is asked for first, and an address in its URL is checked", async () => {
    await expect(open({ net: ["a.example"] }).fetch(server.url)).rejects.toThrow("Requires net access");
    const denied = { net: true, deny: { net: ["10.0.0.0/8"] } } as const;
    await expect(open(denied).fetch("http://[64:ff9b::10.0.0.1]/")).rejects.toThrow("denied");
    for (const loopback of ["127.0.0.0/8", "[::1]"]) {
      const { fetch: ask } = open({ net: true, deny: { net: [loopback] } });
      for (const host of ["localhost", "a.localhost", "LOCALHOST.", "0.0.0.0", "[::]"])
        await expect(ask(`http://${host}:${server.port}/`)).rejects.toThrow("denied");
    }
    expect(server.connections).toBe(0);
  });

  test.each(["Cookie", "Origin", "Referer", "Date", "Sec-Fetch-Site", "Access-Control-Request-Method"])(
    "cannot have the header %s",
    async (name) => {
      const { fetch: ask } = open({ net: true });
      await expect(ask(server.url, { headers: [[name, "x"]] })).rejects.toMatchObject({
        code: "protocol",
        message: expect.stringContaining("from a page"),
      });
      expect(server.connections).toBe(0);
    },
  );

  test("does not follow a redirect that it does not see", async () => {
    // As pages see a redirect (Fetch standard, opaque-redirect filtered response); Node shows it as it is.
    const opaque = {
      type: "opaqueredirect",
      status: 0,
      headers: new Headers(),
      body: null,
      redirected: false,
    };
    vi.stubGlobal("fetch", async () => opaque);
    const limited = open({ net: ["127.0.0.1"] });
    for (const redirect of ["follow", "manual", "error"]) {
      await expect(limited.fetch(server.url, { redirect })).rejects.toMatchObject({
        code: "redirect",
        message: expect.stringContaining("a page does not see where to"),
      });
    }
  });

  test("follows redirects where nothing is out of bounds", async () => {
    respond = (request, response) =>
      request.url === "/a" ? response.writeHead(302, { location: "/b" }).end() : response.end(request.url);
    const answer = await open({ net: true }).fetch(`${server.url}/a`);
    expect(answer).toMatchObject({ url: `${server.url}/b`, redirected: true, status: 200 });
    const asked = vi.fn(fetch);
    vi.stubGlobal("fetch", asked);
    await open({ net: true, deny: { net: ["b.example"] } }).fetch(`${server.url}/b`);
    await open({ net: true }).fetch(`${server.url}/b`, { redirect: "manual" });
    expect(asked.mock.calls.map(([, init]) => init?.redirect)).toEqual(["manual", "manual"]);
  });

  test("that fails says what a page can reach", async () => {
    const unused = await serve(() => {});
    await unused[Symbol.asyncDispose]();
    await expect(open({ net: true }).fetch(unused.url)).rejects.toMatchObject({
      code: "connect",
      message: expect.stringContaining("CORS"),
    });
  });
});

describe("a page's answer", () => {
  test("comes no faster than it is read", async () => {
    const flood = sendFlood();
    respond = flood.listener;
    const { fetch: ask, read } = open({ net: true });
    const { handle } = await ask(server.url);
    const before = await flood.settled();
    expect(before).toBeLessThan(50 * 1024 * 1024);
    for (let i = 0; i < 20; i++) await read(handle);
    await until(() => flood.sent > before, "it goes on when somebody reads");
  });

  test("comes in pieces, and is bounded", async () => {
    const bytes = 5 * 1024 * 1024;
    respond = (_, response) => response.end(Buffer.alloc(bytes, "abc"));
    const { fetch: ask, read } = open({ net: true });
    const { body, handle } = await ask(server.url);
    const parts = [body];
    for (let part = await read(handle); part; part = await read(handle)) parts.push(part);
    expect(Buffer.concat(parts).equals(Buffer.alloc(bytes, "abc"))).toBe(true);

    const small = open({ net: true }, {}, { responseBytes: 1024 * 1024 });
    const begun = await small.fetch(server.url);
    const readAll = async () => {
      while (await small.read(begun.handle));
    };
    await expect(readAll()).rejects.toMatchObject({ code: "size" });
  });

  test("is closed when nobody wants it, at the end of the run, and with the transport", async () => {
    respond = (_, response) => {
      const timer = setInterval(() => response.write("x".repeat(1000)), 1);
      response.on("close", () => clearInterval(timer));
    };
    const one = open({ net: true });
    one.close((await one.fetch(server.url)).handle);
    await until(() => server.sockets.size === 0, "the connection is closed");
    await one.fetch(server.url);
    one.end();
    await until(() => server.sockets.size === 0, "the connection is closed");
    const other = open({ net: true });
    const { handle } = await other.fetch(server.url);
    await other.transport.close();
    await until(() => server.sockets.size === 0, "the connection is closed");
    await expect(other.read(handle)).rejects.toMatchObject({ code: "closed" });
    await expect(other.fetch(server.url)).rejects.toMatchObject({ code: "closed" });
  });

  test("that does not come in time is given up", async () => {
    respond = () => {};
    await expect(open({ net: true }, {}, { headersMs: 500 }).fetch(server.url)).rejects.toMatchObject({
      code: "timeout",
    });
    await until(() => server.sockets.size === 0, "the connection is closed");
  });

  test("that was decoded has no header that says otherwise", async () => {
    respond = async (_, response) => {
      const { gzipSync } = await import("node:zlib");
      response.writeHead(200, { "content-encoding": "gzip", "x-own": "1" }).end(gzipSync("plain"));
    };
    const answer = await open({ net: true }).fetch(server.url);
    expect(text(answer)).toBe("plain");
    const names = answer.headers.map(([name]) => name);
    expect(names).toContain("x-own");
    expect(names).not.toContain("content-encoding");
    expect(names).not.toContain("content-length");
  });
});

describe("a proxy", () => {
  test("carries whole requests and answers, and redirects are asked for", async () => {
    const asked: unknown[] = [];
    respond = (request, response) => {
      const target = request.headers["fuselet-target"];
      asked.push([request.method, target, JSON.parse(String(request.headers["fuselet-headers"]))]);
      const [status, headers] =
        target === "http://a.example/"
          ? [302, [["Location", "/next"]]]
          : target === "http://a.example/next"
            ? [302, [["location", "http://b.example/"]]]
            : [204, []];
      response.writeHead(200, { "fuselet-status": status, "fuselet-headers": JSON.stringify(headers) }).end();
    };
    const page = open({ net: ["a.example"] }, { proxy: server.url });
    const headers = [["Cookie", "a=é"]];
    await expect(page.fetch("http://a.example/", { headers })).rejects.toMatchObject({
      name: "PermissionDeniedError",
      value: "b.example:80",
    });
    expect(asked).toEqual([
      ["GET", "http://a.example/", [["cookie", "a=é"]]],
      ["GET", "http://a.example/next", [["cookie", "a=é"]]],
    ]);
    const wide = open({ net: true }, { proxy: server.url });
    expect(await wide.fetch("http://a.example/")).toMatchObject({ status: 204, url: "http://b.example/" });
  });

  test.each([
    [200, {}],
    [200, { "fuselet-status": "200" }],
    [200, { "fuselet-status": "999", "fuselet-headers": "[]" }],
    [200, { "fuselet-status": "200", "fuselet-headers": '{"a":"b"}' }],
    [200, { "fuselet-status": "200", "fuselet-headers": '[["a"]]' }],
    [502, { "fuselet-status": "200", "fuselet-headers": "[]" }],
  ])("that answers otherwise (%i %j) is an error", async (status, headers) => {
    respond = (_, response) => response.writeHead(status, headers).end();
    await expect(open({ net: true }, { proxy: server.url }).fetch("http://a.example/")).rejects.toMatchObject(
      {
        code: "protocol",
        message: expect.stringContaining("proxy"),
      },
    );
  });
});
