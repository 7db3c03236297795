import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { decodeValue, encodeValue } from "../../runtime/value.ts";
import { openHost } from "../host.ts";
import { createBroker } from "../permissions/broker.ts";
import { checkPermissions } from "../permissions/descriptor.ts";
import { netBinding } from "./binding.ts";
import { get, openRun, sendFlood, serve, type TestServer, until } from "./fixtures/servers.ts";
import { Guard } from "./guard.ts";
import type { NetLimits } from "./limits.ts";
import { openTransport } from "./transport.node.ts";
import type { Transport } from "./transport.ts";

interface Answer {
  status: number;
  body: Uint8Array;
  handle: number | null;
}

const MiB = 1024 * 1024;
let transport: Transport;
let server: TestServer;
let respond: Parameters<typeof serve>[0];

beforeEach(async () => {
  transport = openTransport();
  respond = (_, response) => response.end("hello");
  server = await serve((request, response) => respond(request, response));
});
afterEach(async () => {
  await transport.close();
  await server[Symbol.asyncDispose]();
});

/** A binding and a run that may do all. */
function open(limits: Partial<NetLimits> = {}, shared = netBinding(new Guard(transport, limits))) {
  const { call, end } = openRun({ net: true });
  return {
    net: shared,
    call,
    end,
    fetch: (more: Record<string, unknown> = {}, path = "/") =>
      shared.fetch([get(server.url + path, more)], call) as Promise<Answer>,
    read: (handle: unknown) => shared.read([handle], call) as Promise<Uint8Array | null>,
    close: (handle: unknown) => shared.close([handle], call),
  };
}

/** Sends `bytes` bytes whose value is their place, in parts as large as the socket takes. */
const sendBytes = (bytes: number) => {
  respond = (_, response) =>
    response.writeHead(200, { "content-length": bytes }).end(Buffer.alloc(bytes, "0123456789"));
};
/** Begins an answer and never ends it. */
const sendForever = () => {
  respond = (_, response) => {
    const timer = setInterval(() => response.write("x".repeat(1000)), 1);
    response.on("close", () => clearInterval(timer));
  };
};

describe("net.fetch", () => {
  test("gives small answers whole", async () => {
    const { fetch } = open();
    for (const bytes of [0, 1, 1000, 256 * 1024]) {
      sendBytes(bytes);
      const { body, handle } = await fetch();
      expect(body).toHaveLength(bytes);
      expect(handle).toBeNull();
    }
  });

  test("waits for the rest of a small answer, but not long", async () => {
    respond = (_, response) => {
      response.write("one ");
      setTimeout(() => response.end("two"), 20);
    };
    const { fetch } = open();
    const whole = await fetch();
    expect(`${Buffer.from(whole.body)}`).toBe("one two");
    expect(whole.handle).toBeNull();
    respond = (_, response) => void response.write("one ");
    const begun = await fetch();
    expect(`${Buffer.from(begun.body)}`).toBe("one ");
    expect(begun.handle).toBeTypeOf("number");
  });

  test.each([[null], [5], [{}], [{ url: 5 }], [undefined]])("refuses %j as a request", async (request) => {
    const { net, call } = open();
    await expect(net.fetch([request], call)).rejects.toThrow(UsageError);
    expect(server.connections).toBe(0);
  });
});

describe("net.read", () => {
  test("gives a large answer in pieces, in order and to the end", async () => {
    sendBytes(5 * MiB);
    const { fetch, read } = open();
    const { body, handle } = await fetch();
    expect(body.length).toBe(256 * 1024);
    const parts = [body];
    for (;;) {
      const part = await read(handle);
      if (part === null) break;
      expect(part.length).toBeGreaterThan(0);
      expect(part.length).toBeLessThanOrEqual(MiB);
      parts.push(part);
    }
    expect(Buffer.concat(parts).equals(Buffer.alloc(5 * MiB, "0123456789"))).toBe(true);
    await expect(read(handle)).rejects.toMatchObject({ code: "closed" });
  });

  test("gathers what came in small parts", async () => {
    respond = async (_, response) => {
      response.write("x".repeat(256 * 1024));
      for (let i = 0; i < 2000; i++) response.write("12345");
      response.end();
    };
    const { fetch, read } = open();
    const { handle } = await fetch();
    await until(() => server.sockets.size === 1, "it is sent");
    let reads = 0;
    let bytes = 0;
    for (let part = await read(handle); part; part = await read(handle)) {
      reads++;
      bytes += part.length;
    }
    expect(bytes).toBe(10_000);
    expect(reads).toBeLessThan(50);
  });

  test("holds back a server whose answer nobody reads", async () => {
    const flood = sendFlood();
    respond = flood.listener;
    const { fetch, read } = open();
    const { handle } = await fetch();
    const before = await flood.settled();
    expect(before).toBeLessThan(50 * MiB);
    for (let i = 0; i < 20; i++) await read(handle);
    await until(() => flood.sent > before, "it goes on when somebody reads");
  });

  test("says why an answer broke off", async () => {
    respond = (_, response) => {
      response.writeHead(200, { "content-length": 10 * MiB });
      response.write(Buffer.alloc(300 * 1024));
      setTimeout(() => response.destroy(), 150);
    };
    const { fetch, read } = open();
    const { handle } = await fetch();
    const readAll = async () => {
      while (await read(handle));
    };
    await expect(readAll()).rejects.toMatchObject({ name: "NetError", code: "protocol" });
    await expect(read(handle)).rejects.toMatchObject({ code: "protocol" });
  });

  test("knows no handles of other runs, and none that are none", async () => {
    sendForever();
    const one = open();
    const other = open({}, one.net);
    const { handle } = await one.fetch();
    await expect(other.read(handle)).rejects.toMatchObject({ code: "closed" });
    expect(other.close(handle)).toBeNull();
    expect(await one.read(handle)).not.toBeNull();
    for (const wrong of [handle! + 1, 0, -1, 0.5, Number.NaN])
      await expect(one.read(wrong)).rejects.toMatchObject({ code: "closed" });
    for (const wrong of [null, "1", {}, undefined]) await expect(one.read(wrong)).rejects.toThrow(UsageError);
  });
});

describe("net.close", () => {
  test("closes the connection of an answer that is not read to its end", async () => {
    sendForever();
    const { fetch, read, close } = open();
    const { handle } = await fetch();
    expect(server.sockets.size).toBe(1);
    expect(close(handle)).toBeNull();
    expect(close(handle)).toBeNull();
    await until(() => server.sockets.size === 0, "the connection is closed");
    await expect(read(handle)).rejects.toMatchObject({ code: "closed" });
  });

  test("wakes whoever reads", async () => {
    respond = (_, response) => void response.write("x");
    const { fetch, read, close } = open();
    const { handle } = await fetch();
    const reading = read(handle);
    close(handle);
    await expect(reading).rejects.toMatchObject({ code: "closed" });
  });
});

describe("the end of a run", () => {
  test("closes what is not read", async () => {
    sendForever();
    const { fetch, end } = open();
    await Promise.all([fetch(), fetch(), fetch()]);
    expect(server.sockets.size).toBe(3);
    end();
    await until(() => server.sockets.size === 0, "all connections are closed");
  });

  test("ends what waits: for an answer, for a body, for a place, for a connection", async () => {
    respond = (request, response) => (request.url === "/head" ? undefined : void response.write("x"));
    const { fetch, read, end } = open({ openPerRun: 3 });
    const body = await fetch();
    const waiting = [
      read(body.handle),
      fetch({}, "/head"),
      fetch({ timeoutMs: 60_000 }, "/head"),
      fetch({}, "/place"),
    ];
    await until(() => server.requests.length === 3, "three requests are there");
    end();
    for (const each of waiting)
      await expect(each).rejects.toMatchObject({ name: "NetError", code: "closed" });
    await until(() => server.sockets.size === 0, "all connections are closed");
    expect(server.requests).not.toContain("GET /place");
    await expect(fetch()).rejects.toMatchObject({ code: "closed" });
  });

  test("leaves other runs alone", async () => {
    sendForever();
    const one = open();
    const other = open({}, one.net);
    await one.fetch();
    const { handle } = await other.fetch();
    one.end();
    await until(() => server.sockets.size === 1, "one connection is closed");
    expect(await other.read(handle)).not.toBeNull();
  });
});

describe("limits", () => {
  test("of time: until the answer begins, until it ends, and while it stands still", async () => {
    respond = () => {};
    await expect(open({ headersMs: 50 }).fetch()).rejects.toMatchObject({
      code: "timeout",
      message: `127.0.0.1:${server.port} did not begin to answer within 50 ms`,
    });
    await expect(open().fetch({ timeoutMs: 60 })).rejects.toMatchObject({
      code: "timeout",
      message: `127.0.0.1:${server.port} did not begin to answer within 60 ms`,
    });
    // Headers that trickle are headers that do not come.
    respond = (request) => {
      const timer = setInterval(() => request.socket.write("x"), 5);
      request.socket.on("close", () => clearInterval(timer));
      request.socket.write("HTTP/1.1 200 OK\r\nx-a: ");
    };
    await expect(open({ headersMs: 50 }).fetch()).rejects.toMatchObject({ code: "timeout" });

    sendForever();
    const { fetch, read } = open();
    const { handle } = await fetch({ timeoutMs: 250 });
    const readAll = async () => {
      while (await read(handle));
    };
    await expect(readAll()).rejects.toMatchObject({
      code: "timeout",
      message: `127.0.0.1:${server.port} did not answer to the end within 250 ms`,
    });

    respond = (_, response) => void response.write("x");
    const idle = open({ idleMs: 50 });
    const stuck = await idle.fetch();
    await expect(idle.read(stuck.handle)).rejects.toMatchObject({ code: "timeout" });
    await until(() => server.sockets.size === 0, "all connections are closed");
  });

  test("of time may be for each step: an answer may take longer than any of its parts", async () => {
    respond = (_, response) => {
      response.write("x");
      let parts = 0;
      const timer = setInterval(() => {
        response.write("x");
        if (++parts < 4) return;
        clearInterval(timer);
        response.end();
      }, 60);
    };
    const { fetch, read } = open();
    const slow = await fetch({ timeoutMs: 150, timeoutFor: "step" });
    let bytes = slow.body.length;
    for (let part = await read(slow.handle); part; part = await read(slow.handle)) bytes += part.length;
    expect(bytes).toBe(5);

    respond = () => {};
    await expect(open().fetch({ timeoutMs: 60, timeoutFor: "step" })).rejects.toMatchObject({
      code: "timeout",
      message: `127.0.0.1:${server.port} did not begin to answer within 60 ms`,
    });
    respond = (_, response) => void response.write("x");
    const stuck = await fetch({ timeoutMs: 60, timeoutFor: "step" });
    await expect(read(stuck.handle)).rejects.toMatchObject({
      code: "timeout",
      message: "The answer did not go on within 60 ms",
    });
  });

  test("of time are for servers: what has come is read whenever it is", async () => {
    sendBytes(700 * 1024);
    const { fetch, read } = open({ headersMs: 100, idleMs: 50, wholeMs: 150 });
    const { handle } = await fetch();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await read(handle)).toHaveLength(444 * 1024);
    expect(await read(handle)).toBeNull();
  });

  test("of time are one for all redirects, and a guest cannot widen them", async () => {
    respond = (_, response) => setTimeout(() => response.writeHead(302, { location: "/" }).end(), 30);
    await expect(open({ wholeMs: 100 }).fetch({ timeoutMs: 1e9 })).rejects.toMatchObject({ code: "timeout" });
  });

  test("of size: of requests, and of answers with and without a length", async () => {
    const body = Buffer.alloc(2000);
    const post = { method: "POST", body };
    await expect(open({ requestBytes: 1000 }).fetch(post)).rejects.toMatchObject({ code: "size" });
    await expect(open({ openRequestBytes: 1000 }).fetch(post)).rejects.toMatchObject({ code: "busy" });
    expect(server.connections).toBe(0);
    const enough = open({ requestBytes: 2000, openRequestBytes: 2000 });
    for (let i = 0; i < 3; i++) expect((await enough.fetch(post)).status).toBe(200);
    sendBytes(2000);
    await expect(open({ responseBytes: 1999 }).fetch()).rejects.toMatchObject({ code: "size" });
    expect((await open({ responseBytes: 2000 }).fetch()).body).toHaveLength(2000);
    sendForever();
    const { fetch, read } = open({ responseBytes: MiB });
    const { handle } = await fetch();
    const readAll = async () => {
      while (await read(handle));
    };
    await expect(readAll()).rejects.toMatchObject({ code: "size" });
    await until(() => server.sockets.size === 0, "all connections are closed");
  });

  test("of number: more wait for their turn, 200 at once are no matter", async () => {
    let open_ = 0;
    let most = 0;
    respond = (request, response) => {
      most = Math.max(most, ++open_);
      setTimeout(() => {
        open_--;
        response.end(request.url);
      }, 5);
    };
    const { fetch } = open({ openPerRun: 10 });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => fetch({}, `/${i}`)));
    expect(answers.map(({ body }) => `${Buffer.from(body)}`)).toEqual(
      Array.from({ length: 200 }, (_, i) => `/${i}`),
    );
    expect(most).toBe(10);
    expect(server.connections).toBe(10);
  });

  test("of number, of all runs together", async () => {
    let open_ = 0;
    let most = 0;
    respond = (_, response) => {
      most = Math.max(most, ++open_);
      setTimeout(() => {
        open_--;
        response.end();
      }, 5);
    };
    const first = open({ openPerRuntime: 6 });
    const runs = [first, open({}, first.net), open({}, first.net)];
    await Promise.all(runs.flatMap(({ fetch }) => Array.from({ length: 20 }, () => fetch())));
    expect(most).toBe(6);
  });

  test("of number: what is too much, and what waits in vain, is told to read or close", async () => {
    sendForever();
    const { fetch, close } = open({ openPerRun: 2, waitingPerRun: 1 });
    const { handle } = await fetch();
    await fetch();
    const waiting = fetch({ timeoutMs: 100 });
    await expect(fetch()).rejects.toMatchObject({
      code: "busy",
      message: expect.stringContaining("close them"),
    });
    await expect(waiting).rejects.toMatchObject({
      code: "busy",
      message: expect.stringContaining("close them"),
    });
    const next = fetch();
    close(handle);
    expect((await next).status).toBe(200);
  });

  test("that are none are refused", () => {
    for (const limits of [
      { wholeMs: 0 },
      { wholeMs: 2 ** 31 },
      { openPerRun: 1.5 },
      { openPerRun: "5" },
      { other: 1 },
    ])
      expect(() => new Guard(transport, limits as Partial<NetLimits>)).toThrow(UsageError);
  });
});

test("at the host's door, failures carry their kind and their code", async () => {
  const permissions = checkPermissions({ net: ["127.0.0.1"] });
  const host = openHost({
    broker: createBroker({ permissions }),
    bindings: { net: netBinding(new Guard(transport)) },
  });
  const caller = {
    principal: "me",
    owner: "me",
    udf: { name: "test", hash: "0" },
    source: { name: "test", language: "python", code: "", file: "test.py", headers: [], metadata: {} },
    engine: "test",
    permissions,
    context: {},
    signal: new AbortController().signal,
    pauseTimeLimit: () => () => {},
    noteDenial: () => {},
    isNested: false,
    taken: () => Promise.resolve(),
    hold: () => () => {},
    run: () => Promise.reject(new Error("nobody runs another UDF here")),
  } as Parameters<typeof host>[2];
  const ask = async (request: unknown) => {
    const answer = await host("net.fetch", encodeValue([request]), caller);
    return decodeValue(answer) as Record<string, unknown>;
  };
  expect(await ask(get(server.url))).toMatchObject({
    ok: true,
    value: { status: 200, body: new Uint8Array(Buffer.from("hello")), handle: null },
  });
  expect(await ask(get("http://a.example/"))).toMatchObject({
    ok: false,
    error: { type: "PermissionDeniedError", kind: "permission", subject: "net", value: "a.example:80" },
  });
  expect(await ask(get("ftp://a.example/"))).toMatchObject({
    ok: false,
    error: { type: "NetError", subject: "url" },
  });
});
