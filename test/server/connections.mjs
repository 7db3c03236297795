/** Connections as no client makes them: bytes as they are, slow, half closed, garbage. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { TOKEN } from "../setup/serve.mjs";

/** Waits for some time. */
export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A connection of its own. `answers` is all that came back; `closed` resolves when the other end is gone. */
export function open(server, localAddress) {
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
  for (let round = 0; round < 50 && !one.isClosed && length < one.answers.length; round++) {
    if (one.answers !== "") length = one.answers.length;
    await Promise.race([one.closed, wait(one.answers === "" ? 20 : 300)]);
  }
  one.socket.destroy();
  return one.answers;
}

/** The statuses of the answers that came back. */
export const statuses = (answers) =>
  [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Connections that send a byte a second, while the cases go on: 200, or 1000. */
export function openSlow(server, link, isLong) {
  const head = `host: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\n`;
  const length = "content-type: application/json\r\ncontent-length: 1000000\r\n\r\n{";
  const many = (count, start) =>
    Array.from({ length: isLong ? 5 * count : count }, (_, i) => {
      const one = open(server, `127.0.0.${1 + (i % 5)}`);
      one.socket.write(start);
      return one;
    });
  const headers = many(150, "GET /healthz HTTP/1.1\r\nx: ");
  const bodies = [
    ...many(15, `POST /server/v1/udf/new HTTP/1.1\r\n${head}${length}`),
    ...many(15, `PUT /server/v1/files/upload?path=fd://slow HTTP/1.1\r\n${head}${length}`),
    ...many(10, `POST /${link}/run HTTP/1.1\r\n${head}${length}`),
  ];
  const strangers = many(10, `POST /server/v1/udf/new HTTP/1.1\r\nhost: 127.0.0.1\r\n${length}`);
  const timer = setInterval(() => {
    for (const { socket } of [...headers, ...bodies]) if (socket.writable) socket.write("x");
  }, 1000);
  return {
    openedAt: performance.now(),
    headers,
    bodies,
    strangers,
    close() {
      clearInterval(timer);
      for (const { socket } of [...headers, ...bodies, ...strangers]) socket.destroy();
    },
  };
}

/** What may come over a connection that is no good request, each as a function that sends it and looks at the answers. */
export function connectionChecks(server, { random, count }) {
  const head = "host: 127.0.0.1\r\n";
  const good = `GET /healthz HTTP/1.1\r\n${head}\r\n`;
  const is = (wanted, bytes) => async () => {
    const answers = await send(server, bytes);
    assert.deepEqual(statuses(answers), wanted, `${bytes.slice(0, 200)}: ${answers.slice(0, 500)}`);
  };
  const checks = [
    is(Array(50).fill(200), good.repeat(50)),
    // Node drops answers that are not ready when it meets what is no request.
    async () => assert.equal(statuses(await send(server, `${good}garbage\r\n\r\n`)).at(-1), 400),
    is([400], "GET / HTTP/9.9\r\n\r\n"),
    // The host of a whole URL counts, whatever the header says.
    is([200], `GET http://localhost/healthz HTTP/1.1\r\n${head}\r\n`),
    is([403], `GET http://evil.example/healthz HTTP/1.1\r\n${head}\r\n`),
    is([403], `GET https://127.0.0.1@evil.example/healthz HTTP/1.1\r\n${head}\r\n`),
    is([400], "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    is([400], "GET / HTTP/1.1\r\n\r\n"),
    is([400], "GET /healthz HTTP/1.1\r\nhost: \r\n\r\n"),
    is([400], `POST / HTTP/1.1\r\n${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
    is([400], `POST / HTTP/1.1\r\n${head}content-length: 5\r\ncontent-length: 6\r\n\r\nxxxxx`),
    is([400], `POST / HTTP/1.1\r\n${head}content-length: -5\r\n\r\n`),
    is([400], `GET /healthz HTTP/1.1\r\n${head}x: a\nb\r\n\x00: c\r\n\r\n`),
    is([431], `GET /healthz HTTP/1.1\r\n${head}x: ${"a".repeat(200_000)}\r\n\r\n`),
    is([431], `GET /${"a".repeat(200_000)} HTTP/1.1\r\n${head}\r\n`),
    is([200], `GET /healthz?${"&a=%".repeat(5000)} HTTP/1.1\r\n${head}\r\n`),
    // What is half closed is answered or let go, never kept.
    ...Array.from({ length: 20 }, (_, i) => async () => {
      const bytes = good.slice(0, i === 0 ? undefined : Math.floor(random() * good.length));
      const found = statuses(await send(server, bytes, { isHalfClosed: true }));
      assert.ok(
        found.every((status) => status === 200 || status === 400),
        String(found),
      );
    }),
    ...Array.from({ length: count }, () => async () => {
      const length = 1 + Math.floor(random() * 3000);
      const garbage = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      assert.ok(statuses(await send(server, garbage)).every((status) => status === 400));
    }),
  ];
  const lines = [
    "GET http://evil.example/healthz",
    "GET //evil.example/healthz",
    "GET http://[::/",
    "GET *",
    "OPTIONS *",
    "GET /%00%ff%zz",
    "GET /server/v1/files/get?path=%00",
    "GET /embed/../../../etc/passwd",
    "GET /embed/%2e%2e/%2e%2e/package.json",
    "GET /embed/..%2fcli.js",
    "CONNECT evil.example:443",
    "GET /healthz",
  ];
  const more = [
    "",
    "upgrade: websocket\r\nconnection: upgrade\r\n",
    "expect: 100-continue\r\n",
    "expect: x\r\n",
  ];
  const hosts = ["a b", "127.0.0.1:99999", "[::1", "127.0.0.1/x", "\xff", "u@127.0.0.1"];
  const heads = [...more.map((extra) => head + extra), ...hosts.map((host) => `host: ${host}\r\n`)];
  for (const line of lines) {
    for (const each of heads) {
      checks.push(async () => {
        const request = `${line} HTTP/1.1\r\n${each}authorization: Bearer ${TOKEN}\r\nconnection: close\r\n\r\n`;
        const answers = await send(server, Buffer.from(request, "latin1"));
        assert.ok(
          statuses(answers).every((status) => status < 500),
          request + answers,
        );
        assert.doesNotMatch(answers, /root:x:0|"dependencies"|#!\/usr/);
      });
    }
  }
  return checks;
}
