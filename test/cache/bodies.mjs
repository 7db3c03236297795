/** What the tests of downloads fetch, and a server that sends it slowly, as ranges too. */
import { createServer } from "node:http";

/** Sizes below and above what is sent at once. */
const SIZES = [1000, 70_000, 300_000, 900_000];
export const NAMES = Array.from({ length: 40 }, (_, i) => `file-${i}.bin`);

/** Each byte depends on the name and its place. */
export function bodyOf(name) {
  const number = Number(/\d+/.exec(name)[0]);
  const body = new Uint8Array(SIZES[number % SIZES.length]);
  for (let i = 0; i < body.length; i++) body[i] = (i * 7 + number * 13 + (i >> 8)) % 251;
  return body;
}

const PART = 40_000;

/** @returns {Promise<{ origin: string, requests: Map<string, number>, close: () => Promise<void> }>} */
export async function serveBodies() {
  const requests = new Map();
  const server = createServer(async (request, response) => {
    const name = request.url.slice(1);
    requests.set(name, (requests.get(name) ?? 0) + 1);
    const body = Buffer.from(bodyOf(name));
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const headers = { etag: `"${name}"`, "accept-ranges": "bytes", "content-length": body.length - from };
    if (from > 0) headers["content-range"] = `bytes ${from}-${body.length - 1}/${body.length}`;
    response.writeHead(from > 0 ? 206 : 200, headers);
    for (let at = from; at < body.length && !response.destroyed; at += PART) {
      response.write(body.subarray(at, at + PART));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    requests,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
