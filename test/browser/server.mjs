/** A static server on loopback for browser tests: any origin may read it, some pages are cross-origin isolated, and what was asked for is noted. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** The headers that make a page cross-origin isolated. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const PAGE = `<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,"><body></body>`;

/**
 * Serves `folder`, and beside it:
 *
 *     /page/plain       an empty page
 *     /page/isolated    the same, cross-origin isolated
 *     /page/strict      the same under a policy that allows scripts by their origin only
 *     /hit/…            noted in `hits`, answered with a script
 *
 * @param {string} folder
 * @returns {Promise<{ origin: string, hits: string[], connections: () => number, close: () => Promise<void> }>}
 */
export async function serve(folder) {
  const hits = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const headers = {
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
      "cache-control": "no-cache",
    };
    if (pathname.startsWith("/hit/")) {
      hits.push(pathname);
      response.writeHead(200, { ...headers, "content-type": "text/javascript" });
      return response.end("globalThis.HIT = 1");
    }
    if (pathname.startsWith("/page/")) {
      const kind = pathname.slice("/page/".length);
      Object.assign(headers, { "content-type": TYPES[".html"] });
      if (kind === "isolated") Object.assign(headers, ISOLATION);
      if (kind === "strict")
        headers["content-security-policy"] =
          "default-src 'self'; script-src 'self' http://127.0.0.1:*; connect-src http://127.0.0.1:*";
      response.writeHead(200, headers);
      return response.end(PAGE);
    }
    const path = join(folder, normalize(decodeURIComponent(pathname)));
    const found = await stat(path).catch(() => null);
    if (!found?.isFile()) {
      response.writeHead(404, headers);
      return response.end();
    }
    headers["content-type"] = TYPES[extname(path)] ?? "application/octet-stream";
    headers["content-length"] = found.size;
    if (pathname.endsWith("/isolate.html")) Object.assign(headers, ISOLATION);
    response.writeHead(200, headers);
    if (request.method === "HEAD") return response.end();
    createReadStream(path).pipe(response);
  });
  server.on("connection", () => connections++);
  server.on("upgrade", (request, socket) => {
    hits.push(`upgrade ${request.url}`);
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    hits,
    connections: () => connections,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
