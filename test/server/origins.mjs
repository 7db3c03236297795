/** What pages may: those that UDFs made, those of other origins, and those that reach the server by a name that is not its own. */
import assert from "node:assert/strict";
import { raw, startServer, TOKEN } from "../setup/serve.mjs";
import { ROWS } from "./udfs.mjs";

/** A page whose script reaches for all that the server's own pages could. */
const CURIOUS = `import { html } from "fuselet/udf";
export default () => html(\`<!doctype html><title>curious</title><body><script>
const tries = {
  user: () => fetch("/server/v1/user/self", { headers: { authorization: "Bearer ${TOKEN}" } }).then((r) => r.text()),
  metrics: () => fetch("/metrics").then((r) => r.text()),
  routes: () => fetch("/openapi.json").then((r) => r.text()),
  storage: async () => localStorage.getItem("secret"),
  session: async () => sessionStorage.length,
  cookie: async () => document.cookie,
  database: async () => indexedDB.open("x").name,
  worker: async () => navigator.serviceWorker.register("/embed/fuselet.js"),
  top: async () => { const other = window.open("/docs"); return other.document.title; },
};
(async () => {
  const got = { origin: self.origin };
  for (const [name, attempt] of Object.entries(tries))
    got[name] = await attempt().then((value) => "GOT " + value, (error) => "refused " + error.name);
  document.body.textContent = JSON.stringify(got);
})();
</script>\`);
`;

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function originCases({ server, link, pages, openPage }) {
  return {
    "a page that a UDF made reads nothing of the server's": async () => {
      const { url } = server;
      const curious = `${url}/${await link("curious", CURIOUS, "typescript")}`;
      const answer = await fetch(`${curious}/run/file.html`);
      assert.match(answer.headers.get("content-security-policy"), /^sandbox( |$)(?!.*allow-same-origin)/);
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      const { page, close } = await openPage(`${url}/docs`);
      await page.evaluate(() => {
        localStorage.setItem("secret", "of the server's origin");
        return cookieStore.set("secret", "1");
      });
      for (const path of ["run/file.html", "run?format=html", "run/file"]) {
        await page.goto(`${curious}/${path}`);
        await page.waitForFunction(() => document.body.textContent.startsWith("{"));
        const { origin, ...got } = JSON.parse(await page.textContent("body"));
        assert.deepEqual([origin, Object.keys(got).length], ["null", 9], path);
        for (const [name, outcome] of Object.entries(got))
          assert.match(outcome, /^refused /, `${path}: ${name}`);
      }
      await close();
    },

    "pages of other origins use links, and /server/v1 only where --cors-origin names them": async () => {
      const { url } = server;
      const rows = await link("rows", ROWS);
      const { origin } = await pages();
      const { page, close } = await openPage();
      const attempt = (url, options) =>
        page.evaluate(
          ([url, options]) =>
            fetch(url, options).then(
              async (answer) => [answer.status, await answer.text(), answer.headers.get("x-fused-metadata")],
              (error) => error.name,
            ),
          [url, options],
        );
      const [status, csv, metadata] = await attempt(`${url}/${rows}/run/file.csv`);
      assert.deepEqual([status, csv, JSON.parse(metadata).stdout], [200, "n,name\r\n0,a\r\n1,a\r\n", ""]);
      const json = { "content-type": "application/json" };
      const post = { method: "POST", headers: json, body: '{"n": 1}' };
      assert.equal((await attempt(`${url}/${rows}/run`, post))[1], '[{"n":0,"name":"a"}]');
      const headers = { authorization: `Bearer ${TOKEN}` };
      assert.equal(await attempt(`${url}/server/v1/user/self`, { headers }), "TypeError");
      assert.equal(await attempt(`${url}/server/v1/health`), "TypeError");
      assert.equal(await attempt(`${url}/openapi.json`), "TypeError");
      // What browsers send without asking first is refused before anything is done.
      const path = "/server/v1/udf/new";
      const simple = await raw(url, { method: "POST", path, headers: { origin, ...headers } });
      assert.deepEqual([simple.status, simple.headers["access-control-allow-origin"]], [403, undefined]);
      await using own = await startServer({ args: ["--cors-origin", origin] });
      const [there, text] = await attempt(`${own.url}/server/v1/user/self`, { headers });
      assert.deepEqual([there, JSON.parse(text).handle], [200, "owner"]);
      const evil = { origin: "https://evil.example" };
      assert.equal((await raw(own.url, { path: "/healthz", headers: evil })).status, 403);
      await close();
    },

    "preflights: 204 with what links take, and 403 elsewhere": async () => {
      const { url } = server;
      const rows = await link("rows", ROWS);
      const asks = (path, more = {}) =>
        raw(url, {
          method: "OPTIONS",
          path,
          headers: {
            origin: "https://page.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type, x-other",
            ...more,
          },
        });
      const open = await asks(`/${rows}/run`);
      assert.equal(open.status, 204);
      assert.equal(open.headers["access-control-allow-origin"], "*");
      assert.match(open.headers["access-control-allow-methods"], /POST/);
      assert.match(open.headers["access-control-allow-headers"], /content-type/);
      assert.equal(open.headers["access-control-allow-credentials"], undefined);
      for (const path of [
        "/server/v1/user/self",
        "/metrics",
        "/docs",
        "/server/v1/realtime/fuselet/api/v1/run/udf/start",
      ])
        assert.equal((await asks(path)).status, 403, path);
      for (const origin of ["null", "https://127.0.0.1.evil.example", `${url}.evil.example`])
        assert.equal((await asks("/server/v1/user/self", { origin })).status, 403, origin);
      assert.equal((await asks("/server/v1/user/self", { origin: url })).status, 204);
    },

    "a name that is not the server's own is refused: DNS rebinding": async () => {
      const { url } = server;
      const rows = await link("rows", ROWS);
      const { port } = new URL(url);
      const authorization = `Bearer ${TOKEN}`;
      const ask = async (host, path) => (await raw(url, { path, headers: { host, authorization } })).status;
      const evil = ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost.", "x"];
      const own = [`127.0.0.1:${port}`, "localhost", `LOCALHOST:${port}`, `[::1]:${port}`];
      for (const path of ["/server/v1/user/self", `/${rows}/run`, "/healthz", "/embed/fuselet.js"]) {
        for (const host of evil) assert.equal(await ask(host, path), 403, `${path} for ${host}`);
        for (const host of own) assert.equal(await ask(host, path), 200, `${path} for ${host}`);
      }
    },
  };
}
