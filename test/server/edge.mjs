/** The server as curl, pages and proxies meet it: links, tiles in a browser, pages of other origins, caching, cancelling, ending. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join, relative, sep } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { readParquet } from "parquet-wasm";
import { PbfReader } from "pbf";
import { chromium as playwright } from "playwright-core";
import { serve } from "../browser/server.mjs";
import { CHROMIUM_ARGUMENTS, chromium } from "../setup/chromium.mjs";
import { closingAfter, dist, share, startServer, TOKEN, udfBody } from "./harness.mjs";

const ROWS = `import fused


@fused.udf
def udf(n: int = 2, name: str = "a"):
    return [{"n": i, "name": name} for i in range(n)]
`;
const PLACES = `import fused


@fused.udf
def udf(bounds: fused.types.Bounds = None):
    west, south, east, north = bounds or (0, 0, 20, 10)
    point = {"type": "Point", "coordinates": [(west + east) / 2, (south + north) / 2]}
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"kind": "middle"}, "geometry": point}]}
`;
/** A tile of one colour, which says which tile it is. */
const COLOURS = `import { ndarray } from "fuselet/udf";
export default ({ tile }: { tile: { x: number; y: number; z: number } }) => {
  const colour = [tile.x * 50, tile.y * 50, tile.z * 50];
  return ndarray(new Uint8Array(3 * 256 * 256).map((_, i) => colour[Math.floor(i / 65536)]!), [3, 256, 256]);
};
`;
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
const LOOP = "export default () => { for (;;); };";
const PRINTS = `export default ({ ms = 1500 }: { ms?: number }) => {
  console.log("begun");
  for (const until = Date.now() + ms; Date.now() < until; );
  console.log("done");
  return "the end";
};
`;
const KEPT = `import fused


@fused.udf(cache_max_age="1h")
def udf(n: int = 1):
    return {"n": n}
`;
const REALTIME = "/server/v1/realtime/fuselet/api/v1/run/udf";
/** The runs of one user that may wait. */
const MOST_WAITING = 200;

/** One request on a connection of its own, with all that fetch does not let one choose. */
function raw(url, { method = "GET", path = "/", headers = {}, localAddress, body } = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const options = { hostname, port, method, path, headers, localAddress, agent: false };
    const request = httpRequest(options, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() });
    });
    request.on("error", reject).end(body);
  });
}

/** The value of a metric without labels. */
async function metric(server, name) {
  const text = await (await server.ask("GET", "/metrics")).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)[1]);
}

async function eventually(what, holds, withinMs = 10_000) {
  const until = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The step of a run of a TypeScript UDF, as clients send it. */
function stepOf(name, code) {
  const { udf_body: udf } = udfBody(name, code, { language: "typescript" });
  return { step_config: JSON.stringify({ type: "udf", udf: JSON.parse(udf) }) };
}

/** Layers of a vector tile, by name: their features' types, points and texts (github.com/mapbox/vector-tile-spec). */
function readTile(bytes) {
  const layers = {};
  const zigzag = (n) => (n >> 1) ^ -(n & 1);
  const readText = (tag, value, pbf) => {
    if (tag === 1) value.text = pbf.readString();
  };
  const readFeature = (tag, feature, pbf) => {
    if (tag === 2) feature.tags = pbf.readPackedVarint();
    if (tag === 3) feature.type = pbf.readVarint();
    if (tag === 4) feature.point = pbf.readPackedVarint().slice(1, 3).map(zigzag);
  };
  const readLayer = (tag, layer, pbf) => {
    if (tag === 1) layer.name = pbf.readString();
    if (tag === 2) layer.features.push(pbf.readMessage(readFeature, {}));
    if (tag === 3) layer.keys.push(pbf.readString());
    if (tag === 4) layer.values.push(pbf.readMessage(readText, {}).text);
  };
  new PbfReader(bytes).readFields((tag, _, tile) => {
    if (tag !== 3) return;
    const { name, keys, values, features } = tile.readMessage(readLayer, {
      ...{ keys: [], values: [], features: [] },
    });
    layers[name] = features.map(({ tags, type, point }) => ({
      type,
      point,
      [keys[tags[0]]]: values[tags[1]],
    }));
  });
  return layers;
}

/** The events of a stream, each with the milliseconds since it was opened. */
async function* readEvents(answer) {
  const started = performance.now();
  let text = "";
  for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => line.split(/: (.*)/, 2)),
      );
      text = text.slice(end + 2);
      yield { event: fields.event, data: fields.data, ms: performance.now() - started };
    }
  }
}

/** What the cases share: a server with links, a Chromium, and pages of another origin. Each is opened by whom it needs first. */
function lazily() {
  const opened = new Map();
  const once = (name, open) => () => {
    if (!opened.has(name)) opened.set(name, open());
    return opened.get(name);
  };
  return {
    server: once("server", async () => {
      const server = await startServer({ args: ["--allow-cache"] });
      const links = {};
      const typescript = { language: "typescript" };
      for (const [name, code, options] of [
        ["rows", ROWS],
        ["places", PLACES],
        ["kept", KEPT],
        ["colours", COLOURS, typescript],
        ["curious", CURIOUS, typescript],
        ["loop", LOOP, typescript],
        ["prints", PRINTS, typescript],
      ])
        links[name] = (await share(server, name, code, options)).token;
      return { ...server, links, link: (path, options) => fetch(`${server.url}/${path}`, options) };
    }),
    browser: once("browser", () =>
      playwright.launch({
        executablePath: chromium(),
        args: CHROMIUM_ARGUMENTS.filter((argument) => argument !== "--headless"),
      }),
    ),
    pages: once("pages", () => serve(import.meta.dirname)),
    async close() {
      const { server, ...others } = Object.fromEntries(opened);
      for (const open of Object.values(others)) await (await open).close();
      if (server === undefined) return;
      const { close, data, stderr } = await server;
      assert.equal(await close(), 0);
      rmSync(data, { recursive: true, force: true });
      assert.equal(stderr(), "");
    },
  };
}

export function httpCases({ isLong }) {
  const shared = lazily();
  /** A page of another origin, or of an address. */
  const openPage = async (url) => {
    const context = await (await shared.browser()).newContext();
    const page = await context.newPage();
    const problems = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(url ?? `${(await shared.pages()).origin}/page/plain`);
    return { page, problems, close: () => context.close() };
  };

  const linkCases = {
    "curl: a link gives its result in every format, by extension and by ?format=": async () => {
      const { links, link } = await shared.server();
      const of = async (path) => {
        const answer = await link(path);
        const bytes = new Uint8Array(await answer.arrayBuffer());
        const text = new TextDecoder().decode(bytes);
        assert.equal(answer.status, 200, `${path}: ${text.slice(0, 300)}`);
        return { type: answer.headers.get("content-type"), bytes, text };
      };
      const wanted = [0, 1, 2].map((n) => ({ n, name: "b" }));
      const rowsOf = (table) => table.toArray().map(({ n, name }) => ({ n: Number(n), name }));
      const read = {
        csv: ({ type, text }) => {
          assert.match(type, /^text\/csv/);
          assert.equal(text, "n,name\r\n0,b\r\n1,b\r\n2,b\r\n");
        },
        json: ({ type, text }) => {
          assert.equal(type, "application/json");
          assert.deepEqual(JSON.parse(text), wanted);
        },
        html: ({ type, text }) => {
          assert.match(type, /^text\/html/);
          assert.match(text, /<td[^>]*>b<\/td>/);
        },
        arrow: ({ type, bytes }) => {
          assert.equal(type, "application/vnd.apache.arrow.stream");
          assert.deepEqual(rowsOf(tableFromIPC(bytes)), wanted);
        },
        parquet: ({ type, bytes }) => {
          assert.equal(type, "application/vnd.apache.parquet");
          assert.deepEqual(rowsOf(tableFromIPC(readParquet(bytes).intoIPCStream())), wanted);
        },
      };
      for (const [format, check] of Object.entries(read)) {
        check(await of(`${links.rows}/run/file.${format}?n=3&name=b`));
        check(await of(`${links.rows}/run/file?format=${format}&n=3&name=b`));
        check(await of(`${links.rows}/run?format=${format}&n=3&name=b`));
        check(await of(`server/v1/realtime-shared/${links.rows}/run/file.${format}?n=3&name=b`));
      }
      read.csv(await of(`${links.rows}/run/file?dtype_out_vector=csv&n=3&name=b`));
      const places = await of(`${links.places}/run/file.geojson`);
      assert.equal(places.type, "application/geo+json");
      assert.deepEqual(JSON.parse(places.text).features[0].geometry.coordinates, [10, 5]);
    },

    "curl: parameters come in the query, as a form and as JSON, and wrong ones are 422 that says which":
      async () => {
        const { links, link } = await shared.server();
        const first = async (options, query = "") =>
          (await (await link(`${links.rows}/run/file.json${query}`, options)).json())[0].name;
        const headers = { "content-type": "application/json" };
        const form = (fields) => ({ method: "POST", body: new URLSearchParams(fields) });
        assert.equal(await first({}, "?n=1&name=%C3%BC%26%3D"), "ü&=");
        assert.equal(await first({ method: "POST", headers, body: '{"n": 1, "name": "j"}' }), "j");
        assert.equal(await first(form({ n: "1", name: "f" })), "f");
        assert.equal(await first(form({ n: "1" }), "?name=q"), "q");
        const wrong = await link(`${links.rows}/run/file.json?n=many`);
        assert.equal(wrong.status, 422);
        assert.match((await wrong.json()).message, /"n".*'many'/);
        const status = async (path, options) => (await link(path, options)).status;
        assert.equal(await status(`${links.rows}/run`, { method: "POST", body: "n=1" }), 415);
        assert.equal(await status(`${links.rows}/run`, { method: "POST", headers, body: '{"n":' }), 422);
        assert.equal(await status(`${links.rows}/run/file.docx`), 422);
        assert.equal(await status("fsh_nothing/run/file.csv"), 404);
      },

    "<img> of a tile shows its pixels in a page of another origin": async () => {
      const { url, links } = await shared.server();
      const { page, problems, close } = await openPage();
      const colours = await page.evaluate(
        async (tiles) => {
          const load = async (src) => {
            const image = new Image();
            image.crossOrigin = "anonymous";
            image.src = src;
            document.body.append(image);
            await image.decode();
            const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
            canvas.drawImage(image, 0, 0);
            return [image.naturalWidth, ...canvas.getImageData(200, 10, 1, 1).data];
          };
          // Without CORS as well: what a plain <img> shows.
          const plain = new Image();
          plain.src = tiles[0];
          await plain.decode();
          return [...(await Promise.all(tiles.map(load))), plain.naturalHeight];
        },
        [`${url}/${links.colours}/run/tiles/2/1/3.png`, `${url}/${links.colours}/run/tiles/3/4/2.png`],
      );
      assert.deepEqual(colours, [[256, 50, 150, 100, 255], [256, 200, 100, 150, 255], 256]);
      assert.deepEqual(problems, []);
      await close();
    },

    ".mvt tiles decode, and hold what lies in the tile": async () => {
      const { links, link } = await shared.server();
      for (const tile of ["0/0/0", "5/17/11"]) {
        const answer = await link(`${links.places}/run/tiles/${tile}.mvt`);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get("content-type"), "application/vnd.mapbox-vector-tile");
        const { udf, ...others } = readTile(new Uint8Array(await answer.arrayBuffer()));
        assert.deepEqual(others, {});
        assert.deepEqual([udf.length, udf[0].type, udf[0].kind], [1, 1, "middle"]);
        // Mercator is not linear in latitude: the middle is a little off.
        for (const place of udf[0].point) assert.ok(Math.abs(place - 2048) < 100, `${tile}: ${udf[0].point}`);
      }
      assert.equal((await link(`${links.places}/run/tiles/1/2/0.mvt`)).status, 404);
      assert.equal((await link(`${links.places}/run/tiles/x/0/0.mvt`)).status, 422);
    },

    "kept results have an ETag: 304 to whoever has them, and the time that is left": async () => {
      const { links, link } = await shared.server();
      const path = `${links.kept}/run/file.json?n=5`;
      const first = await link(path);
      const etag = first.headers.get("etag");
      assert.match(etag, /^"[0-9a-f]{32}"$/);
      assert.match(first.headers.get("cache-control"), /^public, max-age=3\d\d\d$/);
      const body = await first.text();
      for (const names of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const again = await link(path, { headers: { "if-none-match": names } });
        assert.deepEqual([again.status, await again.text(), again.headers.get("etag")], [304, "", etag]);
      }
      const other = await link(path, { headers: { "if-none-match": '"other"' } });
      assert.deepEqual([other.status, await other.text(), other.headers.get("x-cache")], [200, body, "hit"]);
      const { headers } = await link(`${path}&cache_max_age=0`);
      assert.deepEqual([headers.get("cache-control"), headers.get("etag")], ["no-store", null]);
    },

    "HEAD has the headers of GET and no body; OPTIONS and unknown methods run nothing": async () => {
      const { url, links } = await shared.server();
      const headers = { authorization: `Bearer ${TOKEN}` };
      const paths = [`/${links.rows}/run/file.csv`, "/server/v1/user/self", "/healthz", "/embed/fuselet.js"];
      for (const path of paths) {
        const get = await raw(url, { path, headers });
        const head = await raw(url, { method: "HEAD", path, headers });
        assert.deepEqual([head.status, head.text], [200, ""], path);
        assert.equal(head.headers["content-type"], get.headers["content-type"], path);
        for (const method of ["OPTIONS", "PATCH", "TRACE", "PROPFIND"]) {
          const { status } = await raw(url, { method, path, headers });
          assert.ok(status === 404 || status === 405, `${method} ${path}: ${status}`);
        }
      }
    },

    "files: parts by Range, 304, HEAD, and nothing in them acts as a page": async () => {
      const { ask } = await shared.server();
      const text = "0123456789".repeat(100);
      const bytes = new TextEncoder().encode(text);
      const name = "fd://ranges/a.html";
      assert.equal((await ask("PUT", `files/upload?path=${name}`, bytes)).status, 200);
      const get = (headers, method = "GET") => ask(method, `files/get?path=${name}`, undefined, { headers });
      const whole = await get({});
      assert.equal(await whole.text(), text);
      const about = Object.fromEntries(whole.headers);
      assert.match(about["content-security-policy"], /^sandbox;/);
      assert.match(about["content-disposition"], /^attachment/);
      assert.equal(about["x-content-type-options"], "nosniff");
      for (const [range, start, end] of [
        ["bytes=0-0", 0, 0],
        ["bytes=2-5", 2, 5],
        ["bytes=990-", 990, 999],
        ["bytes=-3", 997, 999],
        ["bytes=995-99999", 995, 999],
      ]) {
        const part = await get({ range });
        assert.equal(part.status, 206, range);
        assert.equal(part.headers.get("content-range"), `bytes ${start}-${end}/1000`);
        assert.equal(await part.text(), text.slice(start, end + 1));
      }
      for (const range of ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=x"]) {
        const all = await get({ range });
        assert.deepEqual([all.status, await all.text()], [200, text], range);
      }
      const beyond = await get({ range: "bytes=1000-" });
      assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */1000"]);
      const { etag } = about;
      assert.equal((await get({ "if-none-match": etag })).status, 304);
      assert.equal((await get({ range: "bytes=0-1", "if-range": etag })).status, 206);
      assert.equal((await get({ range: "bytes=0-1", "if-range": '"old"' })).status, 200);
      const head = await get({}, "HEAD");
      assert.deepEqual([head.status, head.headers.get("content-length")], [200, "1000"]);
      const signed = await (await ask("GET", `files/sign?path=${name}`)).json();
      const bySign = await fetch(signed, { headers: { range: "bytes=2-5" } });
      assert.deepEqual([bySign.status, await bySign.text()], [206, "2345"]);
      assert.match(bySign.headers.get("content-security-policy"), /^sandbox;/);
    },
  };

  const pageCases = {
    "a page that a UDF made reads nothing of the server's": async () => {
      const { url, links } = await shared.server();
      const answer = await fetch(`${url}/${links.curious}/run/file.html`);
      assert.match(answer.headers.get("content-security-policy"), /^sandbox( |$)(?!.*allow-same-origin)/);
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      const { page, close } = await openPage(`${url}/docs`);
      await page.evaluate(() => {
        localStorage.setItem("secret", "of the server's origin");
        return cookieStore.set("secret", "1");
      });
      for (const path of ["run/file.html", "run?format=html", "run/file"]) {
        await page.goto(`${url}/${links.curious}/${path}`);
        await page.waitForFunction(() => document.body.textContent.startsWith("{"));
        const { origin, ...got } = JSON.parse(await page.textContent("body"));
        assert.deepEqual([origin, Object.keys(got).length], ["null", 9], path);
        for (const [name, outcome] of Object.entries(got))
          assert.match(outcome, /^refused /, `${path}: ${name}`);
      }
      await close();
    },

    "pages of other origins use links, and /server/v1 only where --cors-origin names them": async () => {
      const { url, links } = await shared.server();
      const { origin } = await shared.pages();
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
      const [status, csv, metadata] = await attempt(`${url}/${links.rows}/run/file.csv`);
      assert.deepEqual([status, csv, JSON.parse(metadata).stdout], [200, "n,name\r\n0,a\r\n1,a\r\n", ""]);
      const json = { "content-type": "application/json" };
      const post = { method: "POST", headers: json, body: '{"n": 1}' };
      assert.equal((await attempt(`${url}/${links.rows}/run`, post))[1], '[{"n":0,"name":"a"}]');
      const headers = { authorization: `Bearer ${TOKEN}` };
      assert.equal(await attempt(`${url}/server/v1/user/self`, { headers }), "TypeError");
      assert.equal(await attempt(`${url}/server/v1/health`), "TypeError");
      assert.equal(await attempt(`${url}/openapi.json`), "TypeError");
      // What browsers send without asking first is refused before anything is done.
      const path = "/server/v1/udf/new";
      const simple = await raw(url, { method: "POST", path, headers: { origin, ...headers } });
      assert.deepEqual([simple.status, simple.headers["access-control-allow-origin"]], [403, undefined]);
      const own = await startServer({ args: ["--cors-origin", origin] });
      try {
        const [status, text] = await attempt(`${own.url}/server/v1/user/self`, { headers });
        assert.deepEqual([status, JSON.parse(text).handle], [200, "owner"]);
        const evil = { origin: "https://evil.example" };
        assert.equal((await raw(own.url, { path: "/healthz", headers: evil })).status, 403);
      } finally {
        await own.close();
        rmSync(own.data, { recursive: true, force: true });
      }
      await close();
    },

    "preflights: 204 with what links take, and 403 elsewhere": async () => {
      const { url, links } = await shared.server();
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
      const open = await asks(`/${links.rows}/run`);
      assert.equal(open.status, 204);
      assert.equal(open.headers["access-control-allow-origin"], "*");
      assert.match(open.headers["access-control-allow-methods"], /POST/);
      assert.match(open.headers["access-control-allow-headers"], /content-type/);
      assert.equal(open.headers["access-control-allow-credentials"], undefined);
      for (const path of ["/server/v1/user/self", "/metrics", "/docs", `${REALTIME}/start`])
        assert.equal((await asks(path)).status, 403, path);
      for (const origin of ["null", "https://127.0.0.1.evil.example", `${url}.evil.example`])
        assert.equal((await asks("/server/v1/user/self", { origin })).status, 403, origin);
      assert.equal((await asks("/server/v1/user/self", { origin: url })).status, 204);
    },

    "a name that is not the server's own is refused: DNS rebinding": async () => {
      const { url, links } = await shared.server();
      const { port } = new URL(url);
      const authorization = `Bearer ${TOKEN}`;
      const ask = async (host, path) => (await raw(url, { path, headers: { host, authorization } })).status;
      const evil = ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost.", "x"];
      const own = [`127.0.0.1:${port}`, "localhost", `LOCALHOST:${port}`, `[::1]:${port}`];
      for (const path of ["/server/v1/user/self", `/${links.rows}/run`, "/healthz", "/embed/fuselet.js"]) {
        for (const host of evil) assert.equal(await ask(host, path), 403, `${path} for ${host}`);
        for (const host of own) assert.equal(await ask(host, path), 200, `${path} for ${host}`);
      }
    },

    "/docs lists the routes in Chromium, without an error": async () => {
      const { url } = await shared.server();
      const { page, problems, close } = await openPage(`${url}/docs`);
      await page.waitForFunction(() => document.querySelectorAll("section details").length > 50);
      assert.match(await page.textContent("#about"), /fuselet .* operations/);
      await page.fill("#filter", "udf/new");
      const isShort = () =>
        [...document.querySelectorAll("section > details summary")].filter((one) => one.checkVisibility())
          .length < 10;
      await page.waitForFunction(isShort);
      assert.deepEqual(problems, []);
      await close();
    },

    "/embed/fuselet.js runs UDFs in a page of another origin, and all beside it is served": async () => {
      const { url } = await shared.server();
      const folder = join(dist, "embed");
      const found = readdirSync(folder, { recursive: true, withFileTypes: true });
      const files = found.filter((one) => one.isFile());
      assert.ok(files.length > 10);
      for (const { parentPath, name } of files) {
        const path = `/embed/${relative(folder, join(parentPath, name)).replaceAll(sep, "/")}`;
        const { status, headers } = await raw(url, { method: "HEAD", path });
        assert.deepEqual([status, headers["access-control-allow-origin"]], [200, "*"], path);
      }
      const { page, problems, close } = await openPage();
      // Python's first start in a page takes seconds; the files that it takes are those above.
      const udfs = isLong ? [PRINTS, ROWS] : [PRINTS];
      const got = await page.evaluate(
        async ([url, udfs]) => {
          const { createRuntime } = await import(`${url}/embed/fuselet.js`);
          const runtime = await createRuntime({ pool: { spares: 0 } });
          const values = [];
          for (const code of udfs) values.push((await runtime.run(code)).value);
          await runtime.close();
          return values;
        },
        [url, udfs],
      );
      const rows = [0, 1].map((n) => ({ n, name: "a" }));
      assert.deepEqual(got, ["the end", rows].slice(0, udfs.length));
      assert.deepEqual(problems, []);
      await close();
    },
  };

  const runCases = {
    "what a run prints is streamed while it goes on": async () => {
      const { ask } = await shared.server();
      const headers = { "fused-run-id": "streamed" };
      const running = ask("POST", `${REALTIME}/start`, stepOf("prints", PRINTS), { headers });
      let stream;
      await eventually("the run can be asked for", async () => {
        stream = await ask("GET", `${REALTIME}/get/streamed/logs`);
        if (stream.status === 200) return true;
        await stream.text();
        return false;
      });
      assert.match(stream.headers.get("content-type"), /^text\/event-stream/);
      const events = [];
      for await (const event of readEvents(stream)) events.push(event);
      assert.deepEqual(
        events.map(({ event, data }) => [event, JSON.parse(data)]),
        [
          ["stdout", "begun\n"],
          ["stdout", "done\n"],
          ["end", 200],
        ],
      );
      assert.ok(events[1].ms - events[0].ms > 700, `${events[0].ms} and ${events[1].ms} ms`);
      const answer = await running;
      assert.deepEqual([answer.status, await answer.json()], [200, "the end"]);
    },

    "clients that go away cancel their runs: the isolates are free again": async () => {
      const server = await shared.server();
      const { links, link } = server;
      const gone = new AbortController();
      // More than there are isolates.
      const asked = Array.from({ length: 12 }, () =>
        link(`${links.loop}/run`, { signal: gone.signal }).catch((error) => error.name),
      );
      await eventually("all have arrived", async () => (await metric(server, "fuselet_runs")) === 12);
      gone.abort();
      assert.deepEqual(await Promise.all(asked), Array(12).fill("AbortError"));
      await eventually("no run is under way", async () => (await metric(server, "fuselet_runs")) === 0);
      assert.equal((await link(`${links.rows}/run/file.csv`)).status, 200);
    },

    "too many runs of one user's links are 429 with Retry-After; others, and the owner's own, go on":
      async () => {
        const server = await shared.server();
        const { links, link, ask } = server;
        const user = { email: "b@example.org", handle: "other", team: "b" };
        const other = await (await ask("POST", "user/new", user)).json();
        const gone = new AbortController();
        const count = MOST_WAITING + 30;
        const asked = Array.from({ length: count }, () =>
          link(`${links.loop}/run`, { signal: gone.signal }).then(
            async (answer) => [answer.status, answer.headers.get("retry-after"), await answer.text()],
            (error) => error.name,
          ),
        );
        const waiting = () => metric(server, "fuselet_runs_waiting");
        await eventually("as many wait as may", async () => (await waiting()) === MOST_WAITING);
        const refused = await Promise.race(asked);
        assert.deepEqual(refused.slice(0, 2), [429, "1"]);
        const [, underWay] = /Too many runs: (\d) are under way and 200 wait/.exec(refused[2]);
        const most = MOST_WAITING + Number(underWay);
        const body = stepOf("one", "export default () => 1;");
        const admitted = [TOKEN, other.token].map((token) =>
          ask("POST", `${REALTIME}/start`, body, { token }),
        );
        for (const answer of admitted) assert.ok([200, 202].includes((await answer).status));
        gone.abort();
        const ends = await Promise.all(asked);
        assert.equal(ends.filter((end) => end[0] === 429).length, count - most);
        assert.equal(ends.filter((end) => end === "AbortError").length, most);
        await eventually("no run is under way", async () => (await metric(server, "fuselet_runs")) === 0);
        assert.equal((await link(`${links.rows}/run`)).status, 200);
      },
  };

  const serverCases = {
    "wrong tokens are 429 after a while, from that address only": async () => {
      const { url } = await shared.server();
      const ask = (localAddress, token) =>
        raw(url, {
          path: "/server/v1/user/self",
          headers: { authorization: `Bearer ${token}` },
          localAddress,
        });
      assert.equal((await ask("127.0.0.2", TOKEN)).status, 200);
      const statuses = [];
      for (let i = 0; i < 40; i++) statuses.push((await ask("127.0.0.2", `wrong-${i}`)).status);
      assert.deepEqual(statuses, [...Array(30).fill(401), ...Array(10).fill(429)]);
      assert.match((await ask("127.0.0.2", "wrong")).headers["retry-after"], /^\d{1,2}$/);
      assert.equal((await ask("127.0.0.1", TOKEN)).status, 200);
      assert.equal((await ask("127.0.0.3", "wrong")).status, 401);
      // Whoever shares an address with them is still served.
      assert.equal((await ask("127.0.0.2", TOKEN)).status, 200);
    },

    "the first start shows a token once, which stays valid": async () => {
      const first = await startServer({ token: null });
      const token = /shown this once: (\S+)/.exec(first.stderr())?.[1];
      assert.ok(token, first.stderr());
      const statusOf = async (server, token) =>
        (await server.ask("GET", "user/self", undefined, { token })).status;
      assert.equal(await statusOf(first, token), 200);
      assert.equal(await first.close(), 0);
      const second = await startServer({ token: null, data: first.data });
      assert.equal(await statusOf(second, token), 200);
      assert.equal(await statusOf(second, `${token}x`), 401);
      assert.equal(await second.close(), 0);
      assert.equal(second.stderr(), "");
      rmSync(first.data, { recursive: true, force: true });
    },

    "SIGTERM: a run under way ends with 200, new connections are refused, and it exits with 0": async () => {
      const server = await startServer();
      const { token } = await share(server, "prints", PRINTS, { language: "typescript" });
      const running = fetch(`${server.url}/${token}/run?ms=2000`);
      await eventually("the run is under way", async () => (await metric(server, "fuselet_runs")) === 1);
      const exit = once(server.child, "exit");
      server.child.kill("SIGTERM");
      const isRefused = () =>
        raw(server.url, { path: "/healthz" }).then(
          () => false,
          ({ code }) => code === "ECONNREFUSED",
        );
      await eventually("new connections are refused", isRefused, 1500);
      const answer = await running;
      assert.deepEqual([answer.status, await answer.json()], [200, "the end"]);
      assert.deepEqual(await exit, [0, null]);
      assert.equal(server.stderr(), "");
      rmSync(server.data, { recursive: true, force: true });
    },
  };
  return closingAfter({ ...linkCases, ...pageCases, ...runCases, ...serverCases }, shared.close);
}
