/** A server of one file, with ranges, for pages of any origin; it notes what it is asked for. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";

/**
 * @param {string} path of the file
 * @returns {Promise<{ url: string, requests: string[], stallAt: number, close: () => Promise<void> }>} `stallAt`: bytes of the file
 *   after which answers do not go on
 */
export async function serveFile(path) {
  const { size, mtimeMs } = statSync(path);
  const state = { requests: [], stallAt: Number.POSITIVE_INFINITY };
  const server = createServer((request, response) => {
    state.requests.push(`${request.method} ${request.headers.range ?? "all"}`);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(Number(range?.[2] || size - 1), size - 1);
    response.writeHead(range ? 206 : 200, {
      "accept-ranges": "bytes",
      etag: `"${size}-${mtimeMs}"`,
      "content-length": end - start + 1,
      ...(range ? { "content-range": `bytes ${start}-${end}/${size}` } : {}),
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "content-range, accept-ranges, etag",
      "cross-origin-resource-policy": "cross-origin",
    });
    if (request.method === "HEAD") return response.end();
    const isStalled = end >= state.stallAt;
    const body = createReadStream(path, { start, end: isStalled ? state.stallAt - 1 : end });
    response.on("close", () => body.destroy());
    body.pipe(response, { end: !isStalled });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${server.address().port}/file`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
}
