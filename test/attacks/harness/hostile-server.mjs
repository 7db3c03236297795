/**
 * A web server that means no good, and notes what it is sent: as raw bytes, read as carelessly as some servers do (a bare line feed
 * ends a line, what follows a request is the next one). Its paths:
 *
 *     /hello                        `hello`
 *     /seen                         the requests so far, as JSON: `[{ line, headers: [line, …], body }]`
 *     /most                         how many connections there were at once
 *     /redirect?to=URL&status=307   a redirect, by default 302, to anything
 *     /loop?n=1                     a redirect to the next number
 *     all else                      an attack on whoever reads the answer (ANSWERS)
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

const CORS = [
  "access-control-allow-origin: *",
  "access-control-allow-headers: *, authorization",
  "access-control-allow-methods: *",
  "access-control-expose-headers: *",
];

const MiB = 1024 * 1024;
/** What it looks at of a head, and about keeps of a body. */
const MOST_KEPT = 64 * 1024;
const HEAD = "HTTP/1.1 200 OK\r\n";
let bombs;

/** 512 MiB of nothing, made when first wanted; `twice` is coded again. */
function bomb(kind) {
  bombs ??= (() => {
    // Members one after the other are one gzip file.
    const part = gzipSync(Buffer.alloc(32 * MiB), { level: 9 });
    const whole = Buffer.concat(Array(16).fill(part));
    return { gzip: whole, twice: gzipSync(whole) };
  })();
  return bombs[kind];
}

/** Writes without end, no faster than it is read. */
async function flood(socket, part) {
  while (!socket.destroyed) if (!socket.write(part)) await once(socket, "drain").catch(() => {});
}

async function drip(socket, part, ms) {
  for (; !socket.destroyed; await sleep(ms)) socket.write(part);
}

const coded = (coding, kind) => (socket) => {
  const body = bomb(kind);
  socket.write(`${HEAD}content-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n\r\n`);
  socket.write(body);
};

/** What it answers with, by path. */
const ANSWERS = {
  "/gzip-bomb": coded("gzip", "gzip"),
  "/gzip-bomb-twice": coded("gzip, gzip", "twice"),
  "/endless-body": (socket) => {
    socket.write(`${HEAD}\r\n`);
    return flood(socket, Buffer.alloc(64 * 1024, "x"));
  },
  "/endless-headers": (socket) => {
    socket.write(HEAD);
    return flood(socket, `x-more: ${"y".repeat(4000)}\r\n`.repeat(16));
  },
  "/endless-header": (socket) => {
    socket.write(`${HEAD}x-more: `);
    return flood(socket, "y".repeat(64 * 1024));
  },
  "/endless-status": (socket) => flood(socket, `HTTP/1.1 200 ${"O".repeat(64 * 1024)}`),
  "/endless-trailers": (socket) => {
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`);
    return flood(socket, `x-more: ${"y".repeat(4000)}\r\n`.repeat(16));
  },
  "/endless-extension": (socket) => {
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n5;x=`);
    return flood(socket, "y".repeat(64 * 1024));
  },
  "/informational": (socket) => flood(socket, "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(200)),
  "/slow-body": (socket) => {
    socket.write(`${HEAD}\r\n`);
    return drip(socket, "x", 20);
  },
  "/slow-head": (socket) => {
    socket.write(HEAD);
    return drip(socket, "x-more: y\r\n", 20);
  },
  "/silent": () => {},
  "/huge-length": (socket) => {
    socket.write(`${HEAD}content-length: 9007199254740991\r\n\r\nhello`);
    socket.end();
  },
  "/two-lengths": (socket) => socket.end(`${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`),
  "/negative-length": (socket) => socket.end(`${HEAD}content-length: -5\r\n\r\nhello`),
  "/bad-chunk": (socket) => socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n`),
  "/huge-chunk": (socket) =>
    socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n0\r\n\r\n`),
  "/length-and-chunks": (socket) =>
    socket.end(`${HEAD}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`),
  "/not-http": (socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"),
  "/bad-gzip": (socket) => socket.end(`${HEAD}content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello`),
  "/many-codings": (socket) =>
    socket.end(
      `${HEAD}content-encoding: ${Array(50).fill("gzip").join(", ")}\r\ncontent-length: 5\r\n\r\nhello`,
    ),
};

export class HostileServer {
  /** What came since `forget`, and how many connections there were at once. */
  requests = [];
  most = 0;
  #server = createServer((socket) => this.#serve(socket));
  #sockets = new Set();

  /** @param name what `/hello` answers */
  static async open(address = "127.0.0.1", name = "hello") {
    const server = new HostileServer();
    server.name = name;
    server.#server.listen(0, address);
    await once(server.#server, "listening");
    return server;
  }

  get port() {
    return this.#server.address().port;
  }

  forget() {
    this.requests = [];
    this.most = 0;
    for (const socket of this.#sockets) socket.destroy();
  }

  close() {
    this.forget();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket) {
    this.#sockets.add(socket);
    this.most = Math.max(this.most, this.#sockets.size);
    socket.on("close", () => this.#sockets.delete(socket)).on("error", () => socket.destroy());
    let waiting = Buffer.alloc(0);
    let request;
    /** Bytes of the body that are still to come. */
    let missing = 0;
    socket.on("data", (bytes) => {
      waiting = Buffer.concat([waiting, bytes]);
      for (;;) {
        if (!request) {
          const head = /^(.*?)\r?\n\r?\n/s.exec(waiting.toString("latin1", 0, MOST_KEPT));
          if (!head) return;
          const [line, ...headers] = head[1].split(/\r?\n/);
          request = { line, headers, body: "" };
          missing = Number(/^content-length:\s*(\d+)/im.exec(head[1])?.[1] ?? 0);
          waiting = waiting.subarray(head[0].length);
        }
        const part = waiting.subarray(0, missing);
        missing -= part.length;
        waiting = waiting.subarray(part.length);
        if (request.body.length < MOST_KEPT) request.body += part.toString("latin1");
        if (missing > 0) return;
        const complete = request;
        request = undefined;
        Promise.resolve(this.#answer(socket, complete)).catch(() => {});
        if (waiting.length === 0) return;
      }
    });
  }

  #answer(socket, request) {
    const [method, target = "/"] = request.line.split(" ");
    const url = new URL(target, "http://server.test");
    const send = (status, headers, body = "") => {
      const lines = [
        `HTTP/1.1 ${status} X`,
        ...CORS,
        ...headers,
        `content-length: ${Buffer.byteLength(body)}`,
      ];
      socket.write(`${lines.join("\r\n")}\r\n\r\n${method === "HEAD" ? "" : body}`);
    };
    if (method === "OPTIONS" && /^access-control-request-method:/im.test(request.headers.join("\n")))
      return send(204, []);
    if (url.pathname === "/seen") return send(200, [], JSON.stringify(this.requests));
    if (url.pathname === "/most") return send(200, [], String(this.most));
    if (this.requests.length < 10_000) this.requests.push(request);
    if (Object.hasOwn(ANSWERS, url.pathname)) {
      return ANSWERS[url.pathname](socket);
    }
    if (url.pathname === "/redirect")
      return send(url.searchParams.get("status") ?? 302, [`location: ${url.searchParams.get("to")}`], "gone");
    if (url.pathname === "/loop")
      return send(302, [`location: /loop?n=${Number(url.searchParams.get("n")) + 1}`], "gone");
    return send(200, [], this.name);
  }
}
