import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openRuns, pattern, type Runs, text, textOf } from "../../test/host/storage-run.ts";
import { Guard } from "../net/guard.ts";
import { netLimits } from "../net/limits.ts";
import { openTransport } from "../net/transport.node.ts";
import { httpDriver } from "./http.ts";

const transport = openTransport();
const driver = httpDriver({ guard: new Guard(transport, netLimits()) });
const bytes = pattern(5 * 1024 * 1024);

let origin: string;
let run: Runs;
let requests: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  requests.push(`${request.method} ${request.url}`);
  answer(request, response);
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  requests = [];
  answer = ranged();
  run = openRuns({ http: driver, https: driver });
});
afterEach(() => run.end());
afterAll(async () => {
  await transport.close();
  server.closeAllConnections();
  server.close();
});

/** A server that sends parts. */
const ranged =
  (headers: Record<string, string> = { etag: '"1"' }) =>
  (request: IncomingMessage, response: ServerResponse) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1);
    const range = { "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}` };
    if (from !== undefined && part.length === 0) return response.writeHead(416).end();
    response.writeHead(from === undefined ? 200 : 206, {
      ...headers,
      ...(from === undefined ? {} : range),
      "content-length": part.length,
      "last-modified": "Wed, 21 Oct 2015 07:28:00 GMT",
    });
    return response.end(request.method === "HEAD" ? undefined : part);
  };

const failure = (code: string) => expect.objectContaining({ name: "StorageError", code });
const denial = (permission: string, value: string) =>
  expect.objectContaining({ name: "PermissionDeniedError", permission, value });

test("details, parts, and whole files", async () => {
  const storage = run();
  expect(await storage.details(`${origin}/f/a%20b.bin`)).toEqual({
    url: `${origin}/f/a b.bin`,
    name: "a b.bin",
    isDirectory: false,
    size: bytes.length,
    modifiedMs: Date.UTC(2015, 9, 21, 7, 28),
    etag: '"1"',
  });
  expect(await storage.get(`${origin}/a`)).toEqual(bytes);
  expect(await storage.get(`${origin}/a`, { offset: 100, length: 50 })).toEqual(bytes.subarray(100, 150));
  expect(await storage.get(`${origin}/a`, { offset: bytes.length, length: 50 })).toEqual(new Uint8Array(0));
  expect(requests[0]).toBe("HEAD /f/a%20b.bin");
});

test("a file is opened, and read in parts", async () => {
  const storage = run();
  const { file, size } = await storage.open(`${origin}/a`);
  expect(size).toBe(bytes.length);
  expect(await storage.read(file, 4_000_000, 2_000_000)).toEqual(bytes.subarray(4_000_000));
  answer = ranged({ etag: '"2"' });
  await expect(storage.read(file, 0, 10)).rejects.toEqual(failure("request"));
});

test("a server without parts sends all, and what was asked for is cut out", async () => {
  answer = (request, response) => response.end(request.method === "HEAD" ? undefined : bytes);
  const storage = run();
  expect(await storage.get(`${origin}/a`, { offset: 100_000, length: 50_000 })).toEqual(
    bytes.subarray(100_000, 150_000),
  );
  const { file, size } = await storage.open(`${origin}/a`);
  expect([size, await storage.read(file, 7, 9)]).toEqual([bytes.length, bytes.subarray(7, 16)]);
});

test("sizes are those of the file, also where a server would compress it", async () => {
  answer = (request, response) => {
    const accepted = request.headers["accept-encoding"];
    const body = accepted?.includes("gzip") ? gzipSync(bytes) : bytes;
    response.writeHead(200, { "content-length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  expect((await run().details(`${origin}/a`)).size).toBe(bytes.length);
});

test.each([
  [404, "not found"],
  [410, "not found"],
  [401, "access"],
  [403, "access"],
  [500, "network"],
  [204, "network"],
])("status %d is %j", async (status, code) => {
  answer = (_request, response) => response.writeHead(status).end();
  const storage = run();
  await expect(storage.get(`${origin}/a`)).rejects.toEqual(failure(code));
  await expect(storage.details(`${origin}/a`)).rejects.toEqual(failure(code));
  await expect(storage.open(`${origin}/a`)).rejects.toEqual(failure(code));
});

test("it is asked for read and for net, and without one of them nothing is requested", async () => {
  const host = origin.slice("http://".length);
  const noRead = run({ permissions: { net: [host] } });
  await expect(noRead.get(`${origin}/a`)).rejects.toEqual(denial("read", `${origin}/a`));
  const noNet = run({ permissions: { read: [origin] } });
  await expect(noNet.get(`${origin}/a`)).rejects.toEqual(denial("net", host));
  expect(requests).toEqual([]);
  const both = run({ permissions: { read: [`${origin}/f`], net: [host] } });
  expect((await both.get(`${origin}/f/a`)).length).toBe(bytes.length);
  await expect(both.get(`${origin}/fa`)).rejects.toEqual(denial("read", `${origin}/fa`));
  expect(both.decisions.map(({ permission, value }) => [permission, value])).toEqual([
    ["read", `${origin}/f/a`],
    ["net", host],
    ["read", `${origin}/fa`],
  ]);
});

test("a redirect leads only where net leads", async () => {
  answer = (_request, response) => response.writeHead(302, { location: "http://127.0.0.2:1/a" }).end();
  const storage = run({ permissions: { read: true, net: [origin.slice("http://".length)] } });
  await expect(storage.get(`${origin}/a`)).rejects.toEqual(denial("net", "127.0.0.2:1"));
});

test("a path that is written in another way is the same place for rules", async () => {
  const storage = run({ permissions: { read: true, net: true, deny: { read: [`${origin}/secret`] } } });
  for (const path of ["secret", "%73ecret", "secre%74/a", "SECRET"])
    await expect(storage.get(`${origin}/${path}`)).rejects.toThrow(/is denied/);
  await expect(storage.get(`${origin}/a/%2e%2e/secret`)).rejects.toEqual(failure("request"));
  await expect(storage.get(`${origin}//secret`)).rejects.toEqual(failure("request"));
  expect(requests).toEqual([]);
});

test("web servers are only read", async () => {
  const storage = run();
  for (const attempt of [
    () => storage.list(`${origin}/`),
    () => storage.put(`${origin}/a`, text("1")),
    () => storage.openWrite(`${origin}/a`),
    () => storage.delete(`${origin}/a`),
    () => storage.sign(`${origin}/a`),
    () => storage.signPrefix(`${origin}/f/`),
  ])
    await expect(attempt()).rejects.toEqual(failure("request"));
  expect(requests).toEqual([]);
});

test("an answer that breaks off is a failure of the network", async () => {
  answer = (request, response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write("half", () => request.socket.destroy());
  };
  await expect(run().get(`${origin}/a`)).rejects.toEqual(failure("network"));
});

test("a file that is too large to be given at once is not read to its end", async () => {
  let isClosed = false;
  answer = (_request, response) => {
    response.on("close", () => (isClosed = true));
    const more = () => {
      while (!isClosed && response.write(bytes));
    };
    response.on("drain", more);
    response.writeHead(200);
    more();
  };
  await expect(run().get(`${origin}/a`)).rejects.toEqual(failure("full"));
  await expect.poll(() => isClosed).toBe(true);
  expect(textOf(text("end"))).toBe("end");
});
