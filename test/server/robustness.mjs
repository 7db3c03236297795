/** What it takes to bring the server down: wrong, endless and slow input, many connections, and `kill -9`. Linux only: it reads /proc. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { Pool } from "undici";
import { eventually, residentBytes } from "../soak/processes.mjs";
import { Fuzz, randomFrom } from "./fuzz.mjs";
import { share, startServer, TOKEN } from "./harness.mjs";
import { killOften } from "./kill.mjs";

const ECHO = "export default (given: Record<string, unknown>) => Object.keys(given).length;";
const MiB = 2 ** 20;
const BIG = 100 * MiB;
/** Sockets of this process beside those of a case, with room. */
const OWN_FILES = 500;
/** Until the server lets go of who sends no headers, and how often it looks. */
const HEADERS_MS = 15_000 + 5000;
/** Until it lets go of who sends no body, at most. */
const BODY_MS = 2 * 60_000;

const say = (bytes) => `${Math.round(bytes / MiB)} MB`;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A connection of its own. `answers` is all that came back; `closed` resolves when the other end is gone. */
function open(server, localAddress) {
  const { hostname: host, port } = new URL(server.url);
  const socket = connect({ host, port: Number(port), localAddress, allowHalfOpen: true });
  const one = { socket, answers: "", isClosed: false };
  socket.setEncoding("latin1").on("data", (text) => {
    one.answers += text;
  });
  socket.on("error", () => {});
  one.closed = new Promise((resolve) => {
    const end = () => {
      one.isClosed = true;
      socket.destroy();
      resolve();
    };
    socket.on("end", end).on("close", end);
  });
  return one;
}

/** Sends bytes as they are. @returns what came back until the server closed, or nothing more came for some time */
async function send(server, bytes, { isHalfClosed = false } = {}) {
  const one = open(server);
  one.socket.write(bytes);
  if (isHalfClosed) one.socket.end();
  let length = -1;
  while (!one.isClosed && (length < one.answers.length || one.answers === "")) {
    length = one.answers.length;
    await Promise.race([one.closed, wait(one.answers === "" ? 20 : 300)]);
  }
  one.socket.destroy();
  return one.answers;
}

const statuses = (answers) =>
  [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Others are served meanwhile, and soon. */
async function assertServes(server, link) {
  const slowest = { ms: 0 };
  for (let i = 0; i < 10; i++) {
    for (const ask of [
      () => server.ask("GET", "/healthz"),
      () => server.ask("GET", "user/self"),
      () => server.ask("GET", `/${link}/run?a=${i}`, undefined, { token: null }),
    ]) {
      const started = performance.now();
      const answer = await ask();
      await answer.arrayBuffer();
      assert.equal(answer.status, 200);
      slowest.ms = Math.max(slowest.ms, performance.now() - started);
    }
  }
  assert.ok(slowest.ms < 3000, `somebody waited ${Math.round(slowest.ms)} ms`);
}

export function robustnessCases({ isLong }) {
  const given = process.argv.find((argument) => argument.startsWith("--seed="));
  const seed = given ? Number(given.slice("--seed=".length)) : Math.floor(Math.random() * 2 ** 32);
  let opened;
  const shared = () =>
    (opened ??= (async () => {
      console.log(`       --seed=${seed} does the same again`);
      const server = await startServer();
      const { token } = await share(server, "echo", ECHO, { language: "typescript" });
      await assertServes(server, token);
      return { server, link: token, slow: openSlow(server, token) };
    })());
  const memoryOf = ({ child }) => residentBytes(child.pid);

  const cases = {
    "random, wrong and truncated bodies to every POST and PUT route": async () => {
      const { server, link } = await shared();
      // What the bodies change, disable and rename.
      const { id, token } = await share(server, "target", ECHO, { language: "typescript" });
      const api = await (await server.ask("GET", "/openapi.json")).json();
      const fuzz = new Fuzz(randomFrom(seed), api.components.schemas);
      const routes = Object.entries(api.paths).flatMap(([path, item]) =>
        ["post", "put"].filter((method) => item[method]).map((method) => ({ method, path, ...item[method] })),
      );
      assert.ok(routes.length > 40, `${routes.length} routes`);
      const pool = new Pool(server.url, { connections: 8 });
      const known = { token, id, client: "fuselet", file: "file.json", z: "1", x: "0", y: "1" };
      const counts = {};
      const sendOne = async ({ method, path, requestBody, parameters = [] }) => {
        const content = requestBody?.content ?? {};
        const { type, bytes } = fuzz.body(Object.values(content)[0]?.schema);
        const isRight = fuzz.pick([true, true, true, false]);
        const place = path.replace(/\{(\w+)\}/g, (_, name) =>
          encodeURIComponent(isRight ? (known[name] ?? "text") : fuzz.pick([id, "x", "../a", "ü"])),
        );
        const query = parameters
          .filter((one) => one.in === "query" && (one.required || fuzz.pick([true, false])))
          .map(({ name, schema }) => [
            name,
            fuzz.pick([fuzz.value(schema), fuzz.value(schema), fuzz.wrong(0)]),
          ])
          .map(([name, value]) => [
            name,
            String(typeof value === "object" ? JSON.stringify(value) : value).slice(0, 500),
          ]);
        const headers = {
          authorization: `Bearer ${TOKEN}`,
          ...(type === "" ? {} : { "content-type": type }),
        };
        const asked = `${place}?${new URLSearchParams(query.map(([name, value]) => [name, value.toWellFormed()]))}`;
        const { statusCode, body } = await pool.request({
          method: method.toUpperCase(),
          path: asked,
          headers,
          body: bytes,
        });
        const text = await body.text();
        counts[statusCode] = (counts[statusCode] ?? 0) + 1;
        assert.ok(
          statusCode < 500,
          `${method} ${asked} ${type} ${bytes.subarray(0, 500)}: ${statusCode} ${text.slice(0, 300)}\n${server.stderr()}`,
        );
      };
      const queue = Array.from({ length: isLong ? 500 : 30 }, () => routes).flat();
      const left = [...queue];
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let route = left.pop(); route; route = left.pop()) await sendOne(route);
        }),
      );
      await pool.close();
      const found = Object.entries(counts).map(([status, count]) => `${count} x ${status}`);
      console.log(`       ${queue.length} bodies: ${found.join(", ")}`);
      await assertServes(server, link);
      assert.equal(server.stderr(), "");
    },

    "bodies of 100 MB: 413 at once where they are too large, and memory stays flat": async () => {
      const { server, link } = await shared();
      const part = Buffer.alloc(MiB, "x");
      const before = memoryOf(server);
      let most = before;
      const watch = setInterval(() => {
        most = Math.max(most, memoryOf(server));
      }, 10);
      const post = async (path, isChunked, method = "POST") => {
        const one = open(server);
        const started = performance.now();
        const length = isChunked ? "transfer-encoding: chunked" : `content-length: ${BIG}`;
        one.socket.write(
          `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\n${length}\r\n\r\n`,
        );
        let sent = 0;
        for (; sent < BIG && !one.isClosed && one.answers === ""; sent += part.length) {
          const isTaken = one.socket.write(isChunked ? `${part.length.toString(16)}\r\n${part}\r\n` : part);
          if (!isTaken) await Promise.race([once(one.socket, "drain"), one.closed]);
          else await new Promise((resolve) => setImmediate(resolve));
        }
        if (isChunked && !one.isClosed) one.socket.write("0\r\n\r\n");
        const until = performance.now() + 20_000;
        while (one.answers === "" && !one.isClosed && performance.now() < until) await wait(5);
        one.socket.destroy();
        return { status: statuses(one.answers)[0], sent, ms: performance.now() - started };
      };
      try {
        for (const path of [
          "/server/v1/udf/new",
          `/${link}/run`,
          "/server/v1/realtime/fuselet/api/v1/run/udf",
        ]) {
          const { status, sent, ms } = await post(path, false);
          assert.equal(status, 413, path);
          assert.ok(sent < 20 * MiB && ms < 2000, `${path}: ${say(sent)} were taken in ${Math.round(ms)} ms`);
        }
        // Nobody may say in advance how much comes.
        const open = await Promise.all(Array.from({ length: 6 }, () => post(`/${link}/run`, true)));
        for (const { status, sent } of open) {
          assert.equal(status, 413);
          assert.ok(sent < 30 * MiB, `${say(sent)} were taken`);
        }
        assert.ok(most < before + 150 * MiB, `memory rose from ${say(before)} to ${say(most)}`);
        assert.equal((await post("/server/v1/udf/new", true)).status, 413);
        // As a file they are welcome, and go through memory in parts.
        most = memoryOf(server);
        const start = most;
        const { status } = await post("/server/v1/files/upload?path=fd://big", false, "PUT");
        assert.equal(status, 200);
        assert.ok(most < start + 100 * MiB, `an upload took ${say(most - start)}`);
        const upload = await server.ask("GET", "files/list-details?path=fd://big");
        await upload.arrayBuffer();
      } finally {
        clearInterval(watch);
      }
      await assertServes(server, link);
      assert.equal(server.stderr(), "");
    },

    "garbage, pipelined and huge requests, and half-closed sockets": async () => {
      const { server, link } = await shared();
      const head = "host: 127.0.0.1\r\n";
      const good = `GET /healthz HTTP/1.1\r\n${head}\r\n`;
      const random = randomFrom(seed + 1);
      const garbage = (length) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      const is = async (wanted, bytes, options) => {
        const answers = await send(server, bytes, options);
        assert.deepEqual(
          statuses(answers),
          wanted,
          `${bytes.subarray?.(0, 100) ?? bytes.slice(0, 200)}: ${answers.slice(0, 500)}`,
        );
      };
      const checks = [
        () => is(Array(50).fill(200), good.repeat(50)),
        // Node drops answers that are not ready when it meets what is no request.
        async () => assert.equal(statuses(await send(server, `${good}garbage\r\n\r\n`)).at(-1), 400),
        () => is([400], "GET / HTTP/9.9\r\n\r\n"),
        () => is([400], "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        () => is([400], `GET / HTTP/1.1\r\n\r\n`),
        () =>
          is(
            [400],
            `POST / HTTP/1.1\r\n${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
          ),
        () => is([400], `POST / HTTP/1.1\r\n${head}content-length: 5\r\ncontent-length: 6\r\n\r\nxxxxx`),
        () => is([400], `POST / HTTP/1.1\r\n${head}content-length: -5\r\n\r\n`),
        () => is([400], `GET /healthz HTTP/1.1\r\n${head}x: a\nb\r\n\x00: c\r\n\r\n`),
        () => is([431], `GET /healthz HTTP/1.1\r\n${head}x: ${"a".repeat(200_000)}\r\n\r\n`),
        () => is([431], `GET /${"a".repeat(200_000)} HTTP/1.1\r\n${head}\r\n`),
        () => is([400], "GET /healthz HTTP/1.1\r\nhost: \r\n\r\n"),
        () => is([200], `GET /healthz?${"&a=%".repeat(5000)} HTTP/1.1\r\n${head}\r\n`),
        // What is half closed after a whole request is answered, or let go: never kept.
        ...Array.from({ length: 20 }, (_, i) => async () => {
          const bytes = good.slice(0, i === 0 ? undefined : Math.floor(random() * good.length));
          const found = statuses(await send(server, bytes, { isHalfClosed: true }));
          assert.ok(
            found.every((status) => status === 200 || status === 400),
            String(found),
          );
        }),
        ...Array.from({ length: isLong ? 500 : 30 }, () => async () => {
          const found = statuses(await send(server, garbage(1 + Math.floor(random() * 3000))));
          assert.ok(
            found.every((status) => status === 400),
            String(found),
          );
        }),
      ];
      const odd = [
        "GET http://evil.example/healthz HTTP/1.1",
        "GET //evil.example/healthz HTTP/1.1",
        "GET http://[::/ HTTP/1.1",
        "GET * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET /%00%ff%zz HTTP/1.1",
        "GET /server/v1/files/get?path=%00 HTTP/1.1",
        "GET /embed/../../../etc/passwd HTTP/1.1",
        "GET /embed/%2e%2e/%2e%2e/package.json HTTP/1.1",
        "GET /embed/..%2fcli.js HTTP/1.1",
        "CONNECT evil.example:443 HTTP/1.1",
      ];
      const more = [
        "",
        "upgrade: websocket\r\nconnection: upgrade\r\n",
        "expect: 100-continue\r\n",
        "expect: x\r\n",
      ];
      const hosts = [
        head,
        "host: a b\r\n",
        "host: 127.0.0.1:99999\r\n",
        "host: [::1\r\n",
        "host: 127.0.0.1/x\r\n",
        "host: \xff\r\n",
        "host: u@127.0.0.1\r\n",
      ];
      for (const line of [...odd, "GET /healthz HTTP/1.1"]) {
        for (const host of hosts) {
          for (const extra of host === head ? more : [""]) {
            checks.push(async () => {
              const request = `${line}\r\n${host}${extra}authorization: Bearer ${TOKEN}\r\nconnection: close\r\n\r\n`;
              const answers = await send(server, Buffer.from(request, "latin1"));
              assert.ok(
                statuses(answers).every((status) => status < 500),
                `${request}${answers}`,
              );
              assert.doesNotMatch(answers, /root:x:0|"version":"\d.*"dependencies"|#!\/usr/s);
            });
          }
        }
      }
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (let check = checks.shift(); check; check = checks.shift()) await check();
        }),
      );
      await assertServes(server, link);
      assert.equal(server.stderr(), "");
    },

    [`${isLong ? 5000 : 500} idle connections: others are served, and they cost little`]: async () => {
      const { server, link } = await shared();
      const limit = Number(execFileSync("sh", ["-c", "ulimit -n"])) || Number.POSITIVE_INFINITY;
      const count = Math.min(isLong ? 5000 : 500, limit - OWN_FILES);
      const before = memoryOf(server);
      const idle = [];
      for (let i = 0; i < count; i++) {
        const one = open(server, `127.0.0.${1 + (i % 5)}`);
        await once(one.socket, "connect");
        // Half of them have asked for something before.
        if (i % 2) one.socket.write("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        idle.push(one);
      }
      await assertServes(server, link);
      const perOne = (memoryOf(server) - before) / count;
      assert.ok(idle.every(({ isClosed }) => !isClosed));
      console.log(`       ${count} connections, ${Math.round(perOne / 1024)} kB each`);
      assert.ok(perOne < 200 * 1024, `${perOne} bytes each`);
      for (const { socket } of idle) socket.destroy();
      await assertServes(server, link);
      assert.equal(server.stderr(), "");
    },

    [`kill -9, ${isLong ? 200 : 8} times: what was acknowledged is there, and nothing by halves`]:
      async () => {
        await shared();
        await killOften(isLong ? 200 : 8, randomFrom(seed + 2));
      },

    "slow headers and slow bodies: others are served, and the slow are let go": async () => {
      const { server, link, slow } = await shared();
      await assertServes(server, link);
      await eventually(
        "all that sent no headers are let go",
        () => slow.headers.every(({ isClosed }) => isClosed),
        slow.openedAt + HEADERS_MS + 10_000 - performance.now(),
      );
      // Without a token nobody waits for a body.
      for (const one of slow.strangers) assert.deepEqual(statuses(one.answers), [401]);
      if (isLong) {
        await eventually(
          "all that sent no body are let go",
          () => slow.bodies.every(({ isClosed }) => isClosed),
          slow.openedAt + BODY_MS + 10_000 - performance.now(),
        );
      }
      slow.close();
      await assertServes(server, link);
      assert.equal(server.stderr(), "");
    },

    "after all of that it ends in good order": async () => {
      const { server, slow } = await shared();
      slow.close();
      assert.equal(await server.close(), 0);
      assert.equal(server.stderr(), "");
      rmSync(server.data, { recursive: true, force: true });
    },
  };

  /** Connections that send a byte a second, while the cases go on. */
  function openSlow(server, link) {
    const head = `host: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\n`;
    const many = (count, start) =>
      Array.from({ length: isLong ? 5 * count : count }, (_, i) => {
        const one = open(server, `127.0.0.${1 + (i % 5)}`);
        one.socket.write(start);
        return one;
      });
    const length = "content-type: application/json\r\ncontent-length: 1000000\r\n\r\n{";
    const slow = {
      openedAt: performance.now(),
      headers: many(150, "GET /healthz HTTP/1.1\r\nx: "),
      bodies: [
        ...many(20, `POST /server/v1/udf/new HTTP/1.1\r\n${head}${length}`),
        ...many(15, `PUT /server/v1/files/upload?path=fd://slow HTTP/1.1\r\n${head}${length}`),
        ...many(15, `POST /${link}/run HTTP/1.1\r\n${head}${length}`),
      ],
      strangers: many(10, `POST /server/v1/udf/new HTTP/1.1\r\nhost: 127.0.0.1\r\n${length}`),
      close() {
        clearInterval(timer);
        for (const { socket } of [...slow.headers, ...slow.bodies, ...slow.strangers]) socket.destroy();
      },
    };
    const timer = setInterval(() => {
      for (const { socket } of [...slow.headers, ...slow.bodies]) if (socket.writable) socket.write("x");
    }, 1000);
    timer.unref();
    return slow;
  }
  return cases;
}
