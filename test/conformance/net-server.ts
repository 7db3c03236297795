/** The server that the cases of `net` talk to, on loopback; pages of any origin may read it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*",
  "access-control-allow-methods": "*",
  "access-control-expose-headers": "*",
};

/** Byte n is n modulo 251. */
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** By the first part of the path; the rest comes along. */
const ROUTES: Record<
  string,
  (response: ServerResponse, rest: string, request: IncomingMessage) => void | Promise<void>
> = {
  text: (response) =>
    void response.writeHead(200, { ...CORS, "content-type": "text/plain; charset=utf-8" }).end("héllo\n"),
  json: (response) =>
    void response
      .writeHead(200, { ...CORS, "content-type": "application/json" })
      .end('{"a": [1, null, "ü"]}'),
  csv: (response) =>
    void response.writeHead(200, { ...CORS, "content-type": "text/csv" }).end("n,name\n1,one\n2,two\n"),
  gzip: (response) =>
    void response
      .writeHead(200, { ...CORS, "content-type": "text/plain", "content-encoding": "gzip" })
      .end(gzipSync("packed ".repeat(1000))),
  bytes: (response, rest) =>
    void response
      .writeHead(200, { ...CORS, "content-type": "application/octet-stream" })
      .end(bytesOf(Number(rest))),
  status: (response, rest) =>
    void response.writeHead(Number(rest), { ...CORS, "content-type": "text/plain" }).end(`status ${rest}`),
  /** Goes through so many redirects to /text. */
  redirect: (response, rest) =>
    void response
      .writeHead(302, { ...CORS, location: Number(rest) > 1 ? `/redirect/${Number(rest) - 1}` : "/text" })
      .end(),
  headers: (response) =>
    void response
      .writeHead(200, { ...CORS, "x-one": "1", "x-two": ["a", "b"], "set-cookie": "c=1; Path=/" })
      .end(),
  async stream(response) {
    response.writeHead(200, { ...CORS, "content-type": "text/plain" });
    for (let i = 0; i < 4; i++) {
      response.write(`part ${i};`);
      await pause(30);
    }
    response.end();
  },
  /** Answers after so many milliseconds. */
  async slow(response, rest) {
    await pause(Number(rest));
    response.writeHead(200, CORS).end("late");
  },
  /** Tells what was sent. */
  async echo(response, _rest, request) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const { method, url, headers } = request;
    const names = Object.keys(headers).filter((name) => /^(x-|content-type$|cookie$)/.test(name));
    response.writeHead(200, { ...CORS, "content-type": "application/json" }).end(
      JSON.stringify({
        method,
        url,
        headers: Object.fromEntries(names.sort().map((name) => [name, headers[name]])),
        body: Buffer.concat(chunks).toString("latin1"),
      }),
    );
  },
};

/** Starts it. */
export async function openNetServer() {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://server");
    const [, name = "", rest = ""] = pathname.split("/");
    if (request.method === "OPTIONS") return void response.writeHead(204, CORS).end();
    const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
    if (!route) return void response.writeHead(404, CORS).end();
    await route(response, rest, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    /** `127.0.0.1:PORT` */
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
