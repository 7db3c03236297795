/** The servers of the suite: one that a secret is granted for and that gives back what it gets, in many ways; one that it is not granted for. */
import { once } from "node:events";
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";

/** What stands behind `Bearer`, in the password, in `x-api-key`, in a cookie or in the query: what the granted server was told. */
function secretOf({ url, headers }) {
  const { authorization = "", cookie = "" } = headers;
  const [scheme, rest = ""] = authorization.split(" ");
  if (scheme === "Bearer") return rest;
  if (scheme === "Basic") return Buffer.from(rest, "base64").toString().split(":")[1];
  return (
    headers["x-api-key"] ??
    /k=([^;]*)/.exec(cookie)?.[1] ??
    new URL(url, "http://x").searchParams.get("k") ??
    ""
  );
}

/** By path. Each gets the answer to write, the secret, and the text of the whole request. */
const ECHOES = {
  "/echo": (response, _, all) => response.setHeader("content-length", Buffer.byteLength(all)).end(all),
  "/status": (response, _, all) => response.writeHead(500, { "content-type": "text/plain" }).end(all),
  "/headers": (response, secret) =>
    response
      .writeHead(200, secret, { "x-echo": secret, "set-cookie": [`a=${secret}`, "b=1"], etag: `"${secret}"` })
      .end("ok"),
  "/auth": (response, secret) =>
    response.writeHead(401, { "www-authenticate": `Basic realm="${secret}"` }).end(secret),
  "/bytes": async (response, _, all) => {
    for (const character of all) {
      response.write(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  },
  "/gzip": (response, _, all) => response.setHeader("content-encoding", "gzip").end(gzipSync(all)),
  "/encoded": (response, secret) =>
    response.end(
      ["", "a", "ab"]
        .flatMap((before) => [
          Buffer.from(before + secret).toString("base64"),
          Buffer.from(before + secret).toString("base64url"),
        ])
        .concat(
          Buffer.from(secret).toString("hex"),
          encodeURIComponent(secret),
          secret.toLowerCase(),
          JSON.stringify({ secret }),
        )
        .join("\n"),
    ),
  "/events": async (response, secret) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let i = 0; i < 5; i++) {
      response.write(`data: ${secret.slice(0, 10)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      response.write(`${secret.slice(10)}\n\n`);
    }
    response.end();
  },
  "/broken": (response, secret) => {
    response.writeHead(200, { "content-length": "100000" });
    response.write(secret);
    setTimeout(() => response.destroy(), 20);
  },
  "/large": (response, secret) =>
    response.end(`${"x".repeat(700_000)}${secret}${"y".repeat(700_000)}${secret}`),
};

/** @param onWait called when somebody asks for `/wait`; the answer waits for it */
export async function openServers(onWait) {
  const granted = await listen((request, response, all) => {
    const { pathname, searchParams } = new URL(request.url, "http://x");
    const secret = secretOf(request);
    if (pathname === "/wait")
      return void onWait().then(
        () => response.end("waited"),
        (error) => response.end(String(error)),
      );
    if (pathname === "/redirect") {
      const to = searchParams.get("to") === "elsewhere" ? other.url : granted.url;
      return void response
        .writeHead(307, { location: `${to}/echo?k=${encodeURIComponent(secret)}` })
        .end(secret);
    }
    return void ECHOES[pathname]?.(response, secret, all);
  });
  const other = await listen((_request, response) => response.end("other"));
  return { granted, other, close: () => Promise.all([granted.close(), other.close()]) };
}

/** Pages may read all answers. */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, x-api-key",
  "access-control-expose-headers": "*",
};

/** A server on loopback that keeps the text of all that it gets. */
async function listen(answer) {
  const got = [];
  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries(CORS)) response.setHeader(name, value);
    if (request.method === "OPTIONS") return void response.end();
    const parts = [];
    for await (const part of request) parts.push(part);
    const all = JSON.stringify([
      request.method,
      request.url,
      request.rawHeaders,
      Buffer.concat(parts).toString(),
    ]);
    got.push(all);
    answer(request, response, all);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${server.address().port}`;
  return {
    got,
    host,
    url: `http://${host}`,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
