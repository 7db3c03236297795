import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Permissions } from "../permissions/descriptor.ts";
import { netBinding } from "./binding.ts";
import { AUTHORITY, KEY, SELF_SIGNED, SIGNED } from "./fixtures/certificates.ts";
import { get, Names, openRun, serve, until } from "./fixtures/servers.ts";
import { Guard } from "./guard.ts";
import type { NetLimits } from "./limits.ts";
import { type NodeTransportOptions, openTransport } from "./transport.node.ts";
import type { Transport } from "./transport.ts";

interface Answer {
  status: number;
  headers: [string, string][];
  body: Uint8Array;
  handle: number | null;
}

let names: Names;
const open: Transport[] = [];
const openWith = (options: NodeTransportOptions = {}): Transport => {
  const transport = openTransport({ resolve: names.resolve, ...options });
  open.push(transport);
  return transport;
};

let transport: Transport;
beforeEach(() => {
  names = new Names();
  transport = openWith();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const each of open.splice(0)) await each.close();
});

interface Asking {
  permissions?: Permissions;
  principal?: string;
  by?: Transport;
  limits?: Partial<NetLimits>;
  request?: Record<string, unknown>;
}
const ask = async (
  url: string,
  { permissions = { net: true }, principal = "me", by = transport, limits = {}, request = {} }: Asking = {},
): Promise<Answer> => {
  const { call } = openRun(permissions, { principal });
  return (await netBinding(new Guard(by, limits)).fetch([get(url, request)], call)) as Answer;
};
const text = ({ body }: Answer) => `${Buffer.from(body)}`;

/** A server that speaks no HTTP of its own: it sends `bytes` to whoever sends something. */
async function serveBytes(bytes: string | Buffer, { isEnded = true } = {}) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => (isEnded ? socket.end(bytes) : socket.write(bytes)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("connections", () => {
  test("are kept for the next request", async () => {
    await using server = await serve((_, response) => response.end("hello"));
    for (let i = 0; i < 5; i++) expect(text(await ask(server.url))).toBe("hello");
    expect(server.connections).toBe(1);
  });

  test("are not shared between principals, nor where other addresses are allowed", async () => {
    await using server = await serve((_, response) => response.end("hello"));
    names.set("a.example", ["127.0.0.1"]);
    const url = server.url.replace("127.0.0.1", "a.example");
    const wide = { net: ["a.example", "127.0.0.1"] };
    await ask(url, { permissions: wide });
    await ask(url, { permissions: { net: ["a.example", "127.0.0.1"] } });
    expect(server.connections).toBe(1);
    await ask(url, { permissions: wide, principal: "you" });
    expect(server.connections).toBe(2);
    await ask(url, { permissions: { net: ["a.example", "127.0.0.0/8"] } });
    expect(server.connections).toBe(3);
    // The first connection is open and idle; a run that may not connect there does not get it.
    await expect(ask(url, { permissions: { net: ["a.example"] } })).rejects.toThrow("loopback");
    await expect(ask(url, { permissions: { ...wide, deny: { net: ["127.0.0.1"] } } })).rejects.toThrow(
      "denied",
    );
    expect(server.requests).toHaveLength(4);
  });

  test("are closed with the transport", async () => {
    await using server = await serve((_, response) => response.end("hello"));
    await ask(server.url);
    expect(server.sockets.size).toBe(1);
    await transport.close();
    await until(() => server.sockets.size === 0, "the idle connection is closed");
    await expect(ask(server.url)).rejects.toMatchObject({ code: "closed" });
  });

  test("that the server closes while they are idle cost a safe request nothing", async () => {
    let isClosing = false;
    await using server = await serve((request, response) => {
      if (!isClosing) return response.end("hello");
      isClosing = false;
      // As a server whose time for idle connections is over just as the request comes.
      request.socket.destroy();
    });
    await ask(server.url);
    isClosing = true;
    expect(text(await ask(server.url))).toBe("hello");
    expect(server.connections).toBe(2);
    isClosing = true;
    const request = { method: "POST", body: Buffer.from("order") };
    await expect(ask(server.url, { request })).rejects.toMatchObject({ code: "protocol" });
    expect(server.requests).toEqual(["GET /", "GET /", "GET /", "POST /"]);
  });

  test("are made to IPv6 addresses, too", async () => {
    await using server = await serve((_, response) => response.end("six"), { address: "::1" });
    expect(text(await ask(server.url, { permissions: { net: ["[::1]"] } }))).toBe("six");
    expect(text(await ask(`http://localhost:${server.port}`, { permissions: { net: ["localhost"] } }))).toBe(
      "six",
    );
  });

  test("go on to the next address where one does not answer", async () => {
    await using server = await serve((_, response) => response.end("four"));
    names.set("a.example", ["::1", "127.0.0.1"]);
    expect(text(await ask(`http://a.example:${server.port}`))).toBe("four");
  });

  test("that nobody takes are errors that say so", async () => {
    const server = await serve(() => {});
    await server[Symbol.asyncDispose]();
    await expect(ask(server.url)).rejects.toMatchObject({
      code: "connect",
      message: `Cannot connect to 127.0.0.1:${server.port} (ECONNREFUSED)`,
    });
    await expect(ask("http://unknown.example/")).rejects.toMatchObject({
      code: "dns",
      message: "Cannot find an address of unknown.example:80 (ENOTFOUND)",
    });
    names.set("empty.example", []);
    await expect(ask("http://empty.example/")).rejects.toMatchObject({ code: "dns" });
  });

  test("that are not made in time are errors, and so are names that are not found in time", async () => {
    const silent: NodeTransportOptions = { resolve: () => new Promise(() => {}) };
    await expect(
      ask("http://slow.example/", { by: openWith(silent), limits: { connectMs: 50 } }),
    ).rejects.toMatchObject({
      code: "timeout",
      message: "Cannot connect to slow.example:80 within 50 ms",
    });
  });

  test("that are not made when the run ends are given up", async () => {
    // It takes the connection, and says nothing: the handshake does not end.
    const sockets = new Set<Socket>();
    const silent = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.resume();
    }).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { call, end } = openRun({ net: true });
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const asking = netBinding(new Guard(transport)).fetch([get(url)], call);
    await until(() => sockets.size === 1, "it connects");
    end();
    await expect(asking).rejects.toMatchObject({ code: "closed" });
    await until(() => sockets.size === 0, "the connection is closed");
    silent.close();
  });

  test("take no proxy from the environment", async () => {
    await using proxy = await serve((_, response) => response.writeHead(500).end("proxy"));
    await using server = await serve((_, response) => response.end("direct"));
    names.set("a.example", ["127.0.0.1"]);
    for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
      vi.stubEnv(name, proxy.url);
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    expect(text(await ask(`http://a.example:${server.port}/`))).toBe("direct");
    expect(proxy.connections).toBe(0);
  });
});

describe("a proxy of the host's choice", () => {
  /** Connects whatever it is asked for to `port`. */
  async function serveProxy(port: () => number) {
    const asked: string[] = [];
    const sockets = new Set<Socket>();
    const proxy = await serve((_, response) => response.writeHead(500).end());
    const raw = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", (head) => {
        asked.push(`${head}`.split("\r\n")[0] as string);
        const target = connect(port(), "127.0.0.1");
        target.on("error", () => socket.destroy());
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        socket.pipe(target).pipe(socket);
        sockets.add(target);
      });
    }).listen(0, "127.0.0.1");
    await once(raw, "listening");
    await proxy[Symbol.asyncDispose]();
    return {
      asked,
      url: `http://127.0.0.1:${(raw.address() as AddressInfo).port}`,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        raw.close();
        await once(raw, "close");
      },
    };
  }

  test("is asked for names, which it looks up itself", async () => {
    await using server = await serve((request, response) => response.end(JSON.stringify(request.headers)));
    await using proxy = await serveProxy(() => server.port);
    const by = openWith({ proxy: proxy.url });
    const permissions = { net: ["a.example"] };
    const answer = await ask("http://a.example/", { by, permissions, request: { headers: [["X-A", "1"]] } });
    expect(JSON.parse(text(answer))).toMatchObject({ host: "a.example", "x-a": "1" });
    expect(proxy.asked).toEqual(["CONNECT a.example:80 HTTP/1.1"]);
    expect(names.lookups).toEqual([]);
    await expect(ask("http://b.example/", { by, permissions })).rejects.toThrow("Requires net access");
    expect(proxy.asked).toHaveLength(1);
  });

  test("does not keep certificates from being checked", async () => {
    const tls = { key: KEY, cert: SELF_SIGNED };
    await using server = await serve((_, response) => response.end("secret"), { tls });
    await using proxy = await serveProxy(() => server.port);
    await expect(
      ask("https://secure.example/", { by: openWith({ proxy: proxy.url }) }),
    ).rejects.toMatchObject({
      code: "tls",
    });
    expect(server.requests).toEqual([]);
  });

  test("is not asked for this machine, nor for addresses that are denied", async () => {
    await using server = await serve((_, response) => response.end("direct"));
    await using proxy = await serveProxy(() => server.port);
    const by = openWith({ proxy: proxy.url });
    expect(text(await ask(server.url, { by }))).toBe("direct");
    expect(text(await ask(`http://localhost:${server.port}`, { by }))).toBe("direct");
    const permissions = { net: true, deny: { net: ["10.0.0.0/8"] } } as const;
    await expect(ask("http://[64:ff9b::10.0.0.1]/", { by, permissions })).rejects.toThrow("denied");
    expect(proxy.asked).toEqual([]);
  });
});

describe("TLS", () => {
  const refused = { name: "NetError", code: "tls" };

  test("needs a certificate that is trusted", async () => {
    await using server = await serve((_, response) => response.end("secret"), {
      tls: { key: KEY, cert: SELF_SIGNED },
    });
    names.set("secure.example", ["127.0.0.1"]);
    const urls = [server.url, server.url.replace("127.0.0.1", "secure.example")];
    for (const url of urls) await expect(ask(url)).rejects.toMatchObject(refused);
    // Node's own way to do without.
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    for (const url of urls) await expect(ask(url)).rejects.toMatchObject(refused);
    expect(server.requests).toEqual([]);
  });

  test("needs one for the host of the URL", async () => {
    await using server = await serve((_, response) => response.end("secret"), {
      tls: { key: KEY, cert: SIGNED },
    });
    names.set("secure.example", ["127.0.0.1"]);
    names.set("other.example", ["127.0.0.1"]);
    const by = openWith({ ca: AUTHORITY });
    const at = (host: string) => ask(`https://${host}:${server.port}`, { by });
    expect(text(await at("secure.example"))).toBe("secret");
    expect(text(await at("127.0.0.1"))).toBe("secret");
    await expect(at("other.example")).rejects.toMatchObject(refused);
    await expect(at("localhost")).rejects.toMatchObject(refused);
    await expect(ask(`https://secure.example:${server.port}`)).rejects.toMatchObject(refused);
    expect(server.requests).toHaveLength(2);
  });

  test("is what https means", async () => {
    await using server = await serve((_, response) => response.end("plain"));
    await expect(ask(server.url.replace("http:", "https:"))).rejects.toMatchObject(refused);
    expect(server.requests).toEqual([]);
  });
});

const quickBrotli = (bytes: Buffer) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });

describe("codings", () => {
  const plain = Buffer.from("word ".repeat(10_000));
  const answers: [string, Buffer][] = [
    ["gzip", gzipSync(plain)],
    ["X-GZip", gzipSync(plain)],
    ["deflate", deflateSync(plain)],
    ["deflate", deflateRawSync(plain)],
    ["br", brotliCompressSync(plain)],
    ["gzip, br", brotliCompressSync(gzipSync(plain))],
    ["deflate,gzip,br", brotliCompressSync(gzipSync(deflateRawSync(plain)))],
    ["identity", plain],
    ["gzip,", gzipSync(plain)],
  ];
  test.each(answers)("%s is undone", async (coding, body) => {
    await using server = await serve((_, response) =>
      response
        .writeHead(200, { "content-encoding": coding, "content-length": body.length, "x-own": "1" })
        .end(body),
    );
    const answer = await ask(server.url);
    expect(Buffer.compare(answer.body, plain)).toBe(0);
    const names = answer.headers.map(([name]) => name);
    expect(names).toContain("x-own");
    expect(names.includes("content-length")).toBe(coding === "identity");
  });

  test.each(["zstd", "gzip, zstd", "compress"])("%s, which is not known, stays", async (coding) => {
    await using server = await serve((_, response) =>
      response.writeHead(200, { "content-encoding": coding }).end("as it is"),
    );
    const answer = await ask(server.url);
    expect(text(answer)).toBe("as it is");
    expect(answer.headers).toContainEqual(["content-encoding", coding]);
  });

  test("that are damaged, cut off or too many are errors", async () => {
    let coding = "gzip";
    let body = Buffer.alloc(0);
    await using server = await serve((_, response) =>
      response.writeHead(200, { "content-encoding": coding }).end(body),
    );
    expect(text(await ask(server.url))).toBe("");
    for (const [name, bytes] of [
      ["gzip", Buffer.from("not gzip at all")],
      ["gzip", gzipSync(plain).subarray(0, -20)],
      ["br", brotliCompressSync(plain).subarray(0, -5)],
      ["deflate", deflateSync(plain).subarray(0, -8)],
      ["gzip, br", brotliCompressSync(Buffer.from("not gzip"))],
      ["gzip, gzip, gzip, gzip", gzipSync(plain)],
    ] as const) {
      [coding, body] = [name, Buffer.from(bytes)];
      await expect(ask(server.url)).rejects.toMatchObject({ name: "NetError", code: "protocol" });
    }
  });

  test("of HEAD and 304 stay in their headers", async () => {
    await using server = await serve((request, response) =>
      response.writeHead(request.method === "HEAD" ? 200 : 304, { "content-encoding": "gzip" }).end(),
    );
    for (const method of ["HEAD", "GET"]) {
      const answer = await ask(server.url, { request: { method } });
      expect(answer).toMatchObject({ body: new Uint8Array(0), handle: null });
      expect(answer.headers).toContainEqual(["content-encoding", "gzip"]);
    }
  });

  test.each<[string, (bomb: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", quickBrotli],
    // Inside, it is small again: what is in between counts as well.
    ["gzip, gzip", (bomb) => gzipSync(gzipSync(bomb))],
  ])("that blow up (%s) end at the bound, and are not held in memory", async (coding, pack) => {
    const bomb = pack(Buffer.alloc(16 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(20_000);
    await using server = await serve((_, response) =>
      response.writeHead(200, { "content-encoding": coding }).end(bomb),
    );
    const { call } = openRun({ net: true });
    // Nobody reads: no more than a reader's store is decoded.
    const before = process.memoryUsage().arrayBuffers;
    await netBinding(new Guard(transport)).fetch([get(server.url)], call);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);

    const binding = netBinding(new Guard(transport, { responseBytes: 3 * 1024 * 1024 }));
    const answer = (await binding.fetch([get(server.url)], call)) as Answer;
    expect(answer.handle).not.toBeNull();
    let bytes = answer.body.length;
    const readAll = async () => {
      for (;;) bytes += ((await binding.read([answer.handle], call)) as Uint8Array).length;
    };
    await expect(readAll()).rejects.toMatchObject({ code: "size" });
    expect(bytes).toBeLessThanOrEqual(3 * 1024 * 1024);
  });

  test("on top of each other are bounded in between, too", async () => {
    // Small outside, eight megabytes in between, and nothing at the end.
    const nothing = gzipSync(Buffer.alloc(0));
    const bomb = gzipSync(Buffer.concat(Array.from({ length: 400_000 }, () => nothing)));
    await using server = await serve((_, response) =>
      response.writeHead(200, { "content-encoding": "gzip, gzip" }).end(bomb),
    );
    await expect(ask(server.url, { limits: { responseBytes: 1024 * 1024 } })).rejects.toMatchObject({
      code: "size",
    });
  });
});

describe("what is not HTTP", () => {
  test.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["HTTP/0.9", "hello"],
    ["a broken status line", "HTTP/1.1 OK\r\n\r\n"],
    ["a header with a space in its name", "HTTP/1.1 200 OK\r\nx a: 1\r\ncontent-length: 0\r\n\r\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\nx-a: 1\r\n 2\r\ncontent-length: 0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a short body", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"],
    ["a broken chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nab\r\n"],
    ["a chunked body that breaks off", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"],
    ["headers without an end", `HTTP/1.1 200 OK\r\nx-a: ${"a".repeat(100_000)}`],
    ["too many headers", `HTTP/1.1 200 OK\r\n${"x-a: aaaaaaaaaa\r\n".repeat(10_000)}\r\n`],
    [
      "an upgrade that nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ],
    ["nothing", ""],
  ])("%s is an error of code protocol", async (_, bytes) => {
    await using server = await serveBytes(bytes);
    await expect(ask(server.url)).rejects.toMatchObject({ name: "NetError", code: "protocol" });
  });

  test("informational answers come before the answer and are not it", async () => {
    await using server = await serveBytes(
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 Fine\r\ncontent-length: 2\r\n\r\nok",
    );
    expect(await ask(server.url)).toMatchObject({
      status: 200,
      statusText: "Fine",
      headers: [["content-length", "2"]],
    });
  });

  test("a body without a length lasts until the server closes", async () => {
    await using server = await serveBytes("HTTP/1.1 200 OK\r\n\r\nall there is");
    expect(text(await ask(server.url))).toBe("all there is");
  });

  test("headers keep their order, their repetitions and the bytes of their values", async () => {
    await using server = await serveBytes(
      Buffer.from(
        "HTTP/1.1 200 OK\r\nX-B: 1\r\nSet-Cookie: a=1\r\nX-A: \xe9\r\nset-cookie: b=2\r\ncontent-length: 0\r\n\r\n",
        "latin1",
      ),
    );
    expect((await ask(server.url)).headers).toEqual([
      ["x-b", "1"],
      ["set-cookie", "a=1"],
      ["x-a", "é"],
      ["set-cookie", "b=2"],
      ["content-length", "0"],
    ]);
  });
});
