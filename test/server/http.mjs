/** Plain HTTP on the shared server: which formats are refused, what is kept, how failures look, and what stands in logs and metrics. */
import assert from "node:assert/strict";
import { ask, TOKEN } from "./server.mjs";

const TABLE = `export default () => [{ a: 1, b: "x" }, { a: 2, b: "y" }];\n`;
const RANDOM = "export default () => Math.random();\n";

/** @param {Awaited<ReturnType<typeof import("./server.mjs").startServer>>} server */
export function httpCases(server) {
  const typescript = { language: "typescript" };
  let count = 0;
  const link = (code, options = {}) => server.link(`http_${++count}`, code, { ...typescript, ...options });
  const run = (token, rest = "", options) => fetch(`${server.url}/${token}/run${rest}`, options);

  return {
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
