/** What it takes to bring the server down: wrong, endless and slow input, many connections, and `kill -9`. Linux only: it reads /proc. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { Pool } from "undici";
import { closingAfter } from "../setup/cases.mjs";
import { startServer, TOKEN } from "../setup/serve.mjs";
import { eventually, residentBytes } from "../soak/processes.mjs";
import { connectionChecks, open, openSlow, statuses, wait } from "./connections.mjs";
import { Bodies, randomFrom } from "./fuzz.mjs";
import { killOften } from "./kill.mjs";

const ECHO = "export default (given: Record<string, unknown>) => Object.keys(given).length;";
const MiB = 2 ** 20;
const BIG = 100 * MiB;
/** Files of this process beside the sockets of a case, with room. */
const OWN_FILES = 500;
/** Until the server lets go of who sends no headers: its time, and how often it looks. */
const HEADERS_MS = 15_000 + 5000;
/** Until it lets go of who sends no body, at most. */
const BODY_MS = 2 * 60_000;

const say = (bytes) => `${Math.round(bytes / MiB)} MB`;

/** Others are served meanwhile. */
async function assertServes(server, link) {
  for (let i = 0; i < 10; i++) {
    for (const ask of [
      () => server.ask("GET", "/healthz"),
      () => server.ask("GET", "user/self"),
      () => server.ask("GET", `/${link}/run?a=${i}`, undefined, { token: null }),
    ]) {
      const answer = await ask();
      await answer.arrayBuffer();
      assert.equal(answer.status, 200);
    }
  }
}

export function robustnessCases({ isLong }) {
  const given = process.argv.find((argument) => argument.startsWith("--seed="));
  const seed = given ? Number(given.slice("--seed=".length)) : Math.floor(Math.random() * 2 ** 32);
  let opened;
  const shared = () =>
    (opened ??= (async () => {
      console.log(`       --seed=${seed} does the same again`);
      const server = await startServer();
      const { token } = await server.share("echo", ECHO, { language: "typescript" });
      await assertServes(server, token);
      return { server, link: token, slow: openSlow(server, token, isLong) };
    })());
  const memoryOf = ({ child }) => residentBytes(child.pid);

  const cases = {
    "random, wrong and truncated bodies to every POST and PUT route": async () => {
      const { server, link } = await shared();
      // What the bodies change, disable and rename.
      const { id, token } = await server.share("target", ECHO, { language: "typescript" });
      const api = await server.call("GET", "/openapi.json");
      const bodies = new Bodies(randomFrom(seed), api.components.schemas);
      const routes = Object.entries(api.paths).flatMap(([path, item]) =>
        ["post", "put"]
          .filter((method) => item[method])
          .map((method) => ({ method: method.toUpperCase(), path, ...item[method] })),
      );
      assert.ok(routes.length > 40, `${routes.length} routes`);
      const pool = new Pool(server.url, { connections: 8 });
      const known = { token, id, client: "fuselet", file: "file.json", z: "1", x: "0", y: "1" };
      const counts = {};
      const sendOne = async ({ method, path, requestBody, parameters = [] }) => {
        const { type, bytes } = bodies.body(Object.values(requestBody?.content ?? {})[0]?.schema);
        const isRight = bodies.pick([true, true, true, false]);
        const place = path.replace(/\{(\w+)\}/g, (_, name) =>
          encodeURIComponent(isRight ? (known[name] ?? "text") : bodies.pick([id, "x", "../a", "ü"])),
        );
        const query = parameters
          .filter((one) => one.in === "query" && (one.required || bodies.pick([true, false])))
          .map(({ name, schema }) => {
            const value = bodies.pick([true, true, false]) ? bodies.value(schema) : bodies.wrong(0);
            const text = typeof value === "object" ? JSON.stringify(value) : String(value);
            return [name, text.slice(0, 500).toWellFormed()];
          });
        const asked = `${place}?${new URLSearchParams(query)}`;
        const headers = {
          authorization: `Bearer ${TOKEN}`,
          ...(type === "" ? {} : { "content-type": type }),
        };
        const { statusCode, body } = await pool.request({ method, path: asked, headers, body: bytes });
        const text = await body.text();
        counts[statusCode] = (counts[statusCode] ?? 0) + 1;
        const what = `${method} ${asked} ${type} ${bytes.subarray(0, 500)}`;
        assert.ok(statusCode < 500, `${what}: ${statusCode} ${text.slice(0, 300)}\n${server.errors()}`);
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
      assert.equal(server.errors(), "");
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
        return { status: statuses(one.answers)[0], sent };
      };
      const paths = ["/server/v1/udf/new", `/${link}/run`, "/server/v1/realtime/fuselet/api/v1/run/udf"];
      try {
        for (const path of paths) {
          const { status, sent } = await post(path, false);
          assert.equal(status, 413, path);
          assert.ok(sent < 20 * MiB, `${path}: ${say(sent)} were taken`);
        }
        // Nobody may say in advance how much comes.
        for (const { status, sent } of await Promise.all(
          Array.from({ length: 6 }, () => post(`/${link}/run`, true)),
        )) {
          assert.equal(status, 413);
          assert.ok(sent < 30 * MiB, `${say(sent)} were taken`);
        }
        assert.ok(most < before + 150 * MiB, `memory rose from ${say(before)} to ${say(most)}`);
        assert.equal((await post("/server/v1/udf/new", true)).status, 413);
        // As a file they are welcome, and go through memory in parts.
        const start = memoryOf(server);
        most = start;
        assert.equal((await post("/server/v1/files/upload?path=fd://big", false, "PUT")).status, 200);
        assert.ok(most < start + 100 * MiB, `an upload took ${say(most - start)}`);
      } finally {
        clearInterval(watch);
      }
      await assertServes(server, link);
      assert.equal(server.errors(), "");
    },

    "garbage, pipelined and huge requests, and half-closed sockets": async () => {
      const { server, link } = await shared();
      const checks = connectionChecks(server, { random: randomFrom(seed + 1), count: isLong ? 500 : 30 });
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (let check = checks.shift(); check; check = checks.shift()) await check();
        }),
      );
      await assertServes(server, link);
      assert.equal(server.errors(), "");
    },

    [`${isLong ? 5000 : 500} idle connections: others are served, and they cost little`]: async () => {
      const { server, link } = await shared();
      const limit = Number(execFileSync("sh", ["-c", "ulimit -n"])) || Number.POSITIVE_INFINITY;
      const count = Math.min(isLong ? 5000 : 500, limit - OWN_FILES);
      const before = memoryOf(server);
      const idle = [];
      try {
        for (let i = 0; i < count; i++) {
          const one = open(server, `127.0.0.${1 + (i % 5)}`);
          idle.push(one);
          await once(one.socket, "connect");
          // Half of them have asked for something before.
          if (i % 2) one.socket.write("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        }
        await assertServes(server, link);
        const perOne = (memoryOf(server) - before) / count;
        console.log(`       ${count} connections, ${Math.round(perOne / 1024)} kB each`);
        assert.ok(perOne < 200 * 1024, `${perOne} bytes each`);
      } finally {
        for (const { socket } of idle) socket.destroy();
      }
      await assertServes(server, link);
      assert.equal(server.errors(), "");
    },

    [`kill -9, ${isLong ? 200 : 8} times: what was acknowledged is there, and nothing by halves`]: () =>
      killOften(isLong ? 200 : 8, randomFrom(seed + 2)),

    "slow headers and slow bodies: others are served, and the slow are let go": async () => {
      const { server, link, slow } = await shared();
      await assertServes(server, link);
      // Those that this process made late come late.
      const left = (ms) => slow.openedAt + ms + 10_000 - performance.now();
      const areGone = (many) => () => many.every(({ isClosed }) => isClosed);
      await eventually("all that sent no headers are let go", areGone(slow.headers), left(HEADERS_MS));
      // Without a token nobody waits for a body.
      for (const one of slow.strangers) assert.deepEqual(statuses(one.answers), [401]);
      if (isLong) await eventually("all that sent no body are let go", areGone(slow.bodies), left(BODY_MS));
      slow.close();
      await assertServes(server, link);
      assert.equal(server.errors(), "");
    },
  };

  return closingAfter(cases, async () => {
    if (opened === undefined) return;
    const { server, slow } = await opened;
    slow.close();
    assert.equal(await server.close(), 0);
    assert.equal(server.errors(), "");
  });
}
