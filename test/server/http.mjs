/** Plain HTTP, as curl and pages use it: formats, caching, ranges, CORS, what keeps UDF-made pages apart, logs, limits. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, TOKEN } from "./server.mjs";

const TABLE = `export default () => [{ a: 1, b: "x" }, { a: 2, b: "y" }];\n`;
const RANDOM = "export default () => Math.random();\n";
const SLOW = `export default (ms: number) => { const end = Date.now() + ms; while (Date.now() < end) { /* works */ } return ms; };\n`;

/** @param {Awaited<ReturnType<typeof import("./server.mjs").startServer>>} server */
export function httpCases(server) {
  const typescript = { language: "typescript" };
  let count = 0;
  const link = (code, options = {}) => server.link(`http_${++count}`, code, { ...typescript, ...options });
  const run = (token, rest = "", options) => fetch(`${server.url}/${token}/run${rest}`, options);
  const start = (code, { runId, ...options } = {}) => {
    const udf = {
      name: "sent",
      code,
      metadata: { "fuselet:language": "typescript" },
      parameters: options.parameters,
    };
    return server.ask("POST", "/realtime/fuselet/api/v1/run/udf", {
      body: { step_config: JSON.stringify({ type: "udf", udf }) },
      headers: runId ? { "fused-run-id": runId } : {},
      ...options,
    });
  };

  return {
    "a table by a link, in each format by its extension": async () => {
      const token = await link(TABLE);
      const [csv, json, html, parquet, arrow] = await Promise.all(
        ["csv", "json", "html", "parquet", "arrow"].map((name) => run(token, `/file.${name}`)),
      );
      assert.equal(await csv.text(), "a,b\r\n1,x\r\n2,y\r\n");
      assert.match(csv.headers.get("content-type"), /^text\/csv/);
      assert.deepEqual(await json.json(), [
        { a: 1, b: "x" },
        { a: 2, b: "y" },
      ]);
      assert.match(await html.text(), /<table/);
      assert.equal((await parquet.text()).slice(0, 4), "PAR1");
      assert.match(arrow.headers.get("content-type"), /^application\/vnd\.apache\.arrow\.stream/);
      assert.equal(Buffer.from(await arrow.arrayBuffer()).readInt32LE(0), -1);
    },
    "a format that there is none of, and one that does not suit": async () => {
      const token = await link("export default () => 1;\n");
      for (const rest of ["/file.exe", "/file.parquet", "?format=nope"]) {
        const response = await run(token, rest);
        assert.equal(response.status, 422, rest);
        assert.equal(typeof (await response.json()).message, "string");
      }
    },
    "dtype_out_vector and Accept choose a format, and never fail": async () => {
      const token = await link(TABLE);
      assert.equal(await (await run(token, "?dtype_out_vector=csv")).text(), "a,b\r\n1,x\r\n2,y\r\n");
      const accepted = await run(token, "", { headers: { accept: "text/csv" } });
      assert.equal(await accepted.text(), "a,b\r\n1,x\r\n2,y\r\n");
      assert.equal((await run(token, "", { headers: { accept: "image/webp" } })).status, 200);
    },
    "parameters in the query and in a body": async () => {
      const token = await link("export default (n: number, s: string, l: number[]) => ({ n, s, l });\n");
      const wanted = { n: 2, s: "ü &", l: [1, 2] };
      const query = new URLSearchParams({ n: "2", s: "ü &", l: "[1,2]" });
      assert.deepEqual(await (await run(token, `/file.json?${query}`)).json(), wanted);
      const body = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wanted),
      };
      assert.deepEqual(await (await run(token, "/file.json", body)).json(), wanted);
      assert.deepEqual(
        await (await run(token, "/file.json", { method: "POST", body: query })).json(),
        wanted,
      );
    },
    "an ETag saves sending a kept result again": async () => {
      const token = await link(RANDOM);
      const first = await run(token, "/file.json?cache_max_age=1h");
      const etag = first.headers.get("etag");
      assert.match(etag, /^"[0-9a-f]{32}"$/);
      assert.match(first.headers.get("cache-control"), /^public, max-age=\d+$/);
      const value = await first.json();
      const again = await run(token, "/file.json?cache_max_age=1h", {
        headers: { "if-none-match": `"other", ${etag}` },
      });
      assert.deepEqual([again.status, await again.text()], [304, ""]);
      const cached = await run(token, "/file.json?cache_max_age=1h");
      assert.deepEqual([await cached.json(), cached.headers.get("x-cache")], [value, "hit"]);
    },
    "what is not kept is not to be kept by others": async () => {
      const token = await link(RANDOM);
      const response = await run(token, "/file.json");
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.equal(response.headers.get("etag"), null);
    },
    "a failed run: 422, and what went wrong is in the header": async () => {
      const token = await link(`export default () => { throw new RangeError("bad\\nüber"); };\n`);
      const response = await run(token);
      assert.equal(response.status, 422);
      const metadata = JSON.parse(response.headers.get("x-fused-metadata"));
      assert.equal(metadata.has_exception, true);
      assert.equal(metadata.exception_class, "RangeError");
      assert.match(metadata.errormsg, /bad/);
    },
    "UDF-made pages are sandboxed and are what their type says": async () => {
      const token = await link(`export default () => "<!doctype html><script>1</script>";\n`);
      const { headers } = await run(token);
      assert.match(headers.get("content-type"), /^text\/html/);
      assert.match(headers.get("content-security-policy"), /(^|; ?)sandbox allow-scripts(;|$)/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
    },
    "a part of a file": async () => {
      const put = await server.ask("PUT", "/files/upload?path=fd://range.txt", { body: "0123456789" });
      assert.equal(put.status, 200);
      const part = await server.ask("GET", "/files/get?path=fd://range.txt", {
        headers: { range: "bytes=1-3" },
      });
      assert.deepEqual(
        [part.status, await part.text(), part.headers.get("content-range")],
        [206, "012", "bytes 1-3/12"],
      );
      const beyond = await server.ask("GET", "/files/get?path=fd://range.txt", {
        headers: { range: "bytes=99-" },
      });
      assert.equal(beyond.status, 416);
      const url = await server.call("GET", "/files/sign?path=fd://range.txt");
      const end = await fetch(url, { headers: { range: "bytes=-2" } });
      assert.deepEqual([end.status, await end.text()], [206, '9"']);
      assert.match(end.headers.get("content-security-policy"), /sandbox/);
    },
    "pages of any origin may use links, and nothing else": async () => {
      const token = await link("export default () => 1;\n");
      const headers = { origin: "https://page.example" };
      const opened = await run(token, "", { headers });
      assert.equal(opened.headers.get("access-control-allow-origin"), "*");
      const closed = await server.ask("GET", "/user/self", { headers });
      assert.deepEqual([closed.status, closed.headers.get("access-control-allow-origin")], [403, null]);
      const asked = { ...headers, "access-control-request-method": "GET" };
      const allowed = await ask(`${server.url}/${token}/run`, { method: "OPTIONS", headers: asked });
      assert.deepEqual([allowed.status, allowed.headers["access-control-allow-origin"]], [204, "*"]);
      assert.equal(allowed.headers["access-control-allow-credentials"], undefined);
      const refused = await ask(`${server.url}/server/v1/user/self`, { method: "OPTIONS", headers: asked });
      assert.deepEqual([refused.status, refused.headers["access-control-allow-origin"]], [403, undefined]);
    },
    "a name that this server does not have is refused: DNS rebinding": async () => {
      for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"]) {
        const { status } = await ask(`${server.url}/healthz`, { headers: { host } });
        assert.ok(status === 403 || status === 400, `${host}: ${status}`);
      }
      const { port } = new URL(server.url);
      assert.equal(
        (await ask(`${server.url}/healthz`, { headers: { host: `localhost:${port}` } })).status,
        200,
      );
    },
    "HEAD is GET without a body": async () => {
      const { status, body } = await ask(`${server.url}/healthz`, { method: "HEAD" });
      assert.deepEqual([status, body.length], [200, 0]);
    },
    "paths and methods that there are none of": async () => {
      for (const [method, path] of [
        ["GET", "/nothing/here"],
        ["PATCH", "/server/v1/user/self"],
        ["GET", "/server/v1/nothing"],
        ["TRACE", "/healthz"],
      ]) {
        const { status, body } = await ask(`${server.url}${path}`, {
          method,
          headers: { authorization: `Bearer ${TOKEN}` },
        });
        assert.ok([404, 405, 501].includes(status), `${method} ${path}: ${status}`);
        if (body.length) assert.doesNotMatch(String(body), /at .*\.js|node_modules/);
      }
    },
    "what a run prints comes while it runs": async () => {
      const code = `export default () => { for (let n = 0; n < 4; n++) { console.log("tick " + n); const end = Date.now() + 300; while (Date.now() < end) { /* works */ } } return "done"; };\n`;
      const runId = "http-logs-1";
      const udf = { name: "ticks", code, metadata: { "fuselet:language": "typescript" } };
      const begun = server.ask("POST", "/realtime/fuselet/api/v1/run/udf/start", {
        body: { step_config: JSON.stringify({ type: "udf", udf }) },
        headers: { "fused-run-id": runId },
      });
      let logs;
      do {
        await sleep(30);
        logs = await server.ask("GET", `/realtime/fuselet/api/v1/run/udf/get/${runId}/logs`);
      } while (logs.status === 404);
      assert.match(logs.headers.get("content-type"), /^text\/event-stream/);
      const times = [];
      let text = "";
      for await (const chunk of logs.body) {
        text += Buffer.from(chunk).toString();
        if (String(Buffer.from(chunk)).includes("tick")) times.push(performance.now());
      }
      for (let n = 0; n < 4; n++) assert.match(text, new RegExp(`tick ${n}`));
      assert.match(text, /event: end\ndata: 200/);
      assert.ok(times.length > 1, "all came at once");
      await (await begun).text();
    },
    "a client that goes away cancels its run": async () => {
      const gone = new AbortController();
      const running = start(SLOW, { parameters: { ms: 15_000 }, signal: gone.signal });
      running.catch(() => undefined);
      await waitFor(server, "fuselet_runs", (runs) => runs >= 1);
      gone.abort();
      await waitFor(server, "fuselet_runs", (runs) => runs === 0, 5000);
    },
    "too many runs of one user are refused before they begin, and others are served": async () => {
      const token = await server.addUser(`busy${++count}`, "busy");
      const gone = new AbortController();
      const answers = Array.from({ length: 230 }, () =>
        start(SLOW, { parameters: { ms: 10_000 }, token, signal: gone.signal }).then(
          (response) => response,
          () => undefined,
        ),
      );
      const first = await Promise.race(answers);
      assert.equal(first.status, 429);
      assert.match(first.headers.get("retry-after"), /^\d+$/);
      assert.equal((await server.ask("GET", "/user/self")).status, 200);
      gone.abort();
      await Promise.all(answers);
      await waitFor(server, "fuselet_runs", (runs) => runs === 0, 10_000);
      assert.equal((await start("export default () => 1;\n", { token })).status, 200);
    },
    "the same request at once by many is one run": async () => {
      const token = await link(RANDOM);
      const values = await Promise.all(
        Array.from({ length: 20 }, async () => (await run(token, "/file.json?cache_max_age=1h")).json()),
      );
      assert.equal(new Set(values).size, 1);
    },
    "metrics and health need no token, and show no secrets": async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      assert.match(metrics, /^fuselet_runs_total\{outcome="ok"\} [1-9]/m);
      assert.doesNotMatch(metrics, /fsh_|secret-token/);
      assert.equal((await (await fetch(`${server.url}/healthz`)).json()).status, "ok");
    },
    "the docs page shows the routes": async () => {
      const page = await fetch(`${server.url}/docs`);
      assert.equal(page.status, 200);
      assert.match(page.headers.get("content-type"), /^text\/html/);
    },
    "tokens stand in no log": async () => {
      const token = await link("export default () => 1;\n");
      await run(token);
      await run("fsh_wrong-token-in-the-path");
      await server.ask("GET", "/user/self", { token: "wrong-token-in-a-header" });
      assert.doesNotMatch(server.errors(), new RegExp(`${token}|wrong-token|${TOKEN}`));
      assert.match(server.errors(), /"status":200/);
    },
  };
}

/** Waits until a number of /metrics is as it should be. */
export async function waitFor(server, name, isRight, ms = 10_000) {
  const until = Date.now() + ms;
  for (;;) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const value = Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
    if (isRight(value)) return;
    if (Date.now() > until) throw new Error(`${name} is ${value}`);
    await sleep(20);
  }
}
