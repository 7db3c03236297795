/** What holds for all routes: hosts, pages of other origins, sizes, clients that leave. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ADMIN, openTestServer, type TestServer } from "./fixtures/server.ts";

/** Nobody's. */
const LINK = "/fsh_0123456789abcdef/run";
/** Somebody's, which is disabled. */
let knownLink: string;

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer({
    allowedHosts: ["udfs.example.org"],
    corsOrigins: ["https://maps.example"],
  });
  const udf_body = JSON.stringify({ code: "@fused.udf\ndef udf():\n    return 1\n", entrypoint: "udf" });
  const { id: udf_id } = (await server.ask(ADMIN, "POST", "udf/new", { slug: "linked", udf_body })).body;
  const made = await server.ask(ADMIN, "POST", "udf-access-token/new", { udf_id, enabled: false });
  knownLink = `/${made.body.token}/run`;
});
afterAll(() => server.close());

const statusOf = async (path: string, headers: Record<string, string>, method = "GET") =>
  (await server.ask(ADMIN, method, path, undefined, headers)).status;

describe("a request comes for", () => {
  test.each([
    "localhost",
    "LOCALHOST:8000",
    "127.0.0.1",
    "127.1.2.3:1",
    "[::1]",
    "[::1]:80",
    "UDFS.example.org:443",
  ])("the host %s", async (host) => {
    expect(await statusOf("user/self", { host })).toBe(200);
  });

  test.each([
    "",
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "a.udfs.example.org",
    "10.0.0.1",
  ])("no host %s, which may be anybody's name for it", async (host) => {
    for (const path of ["user/self", "/healthz", "/metrics", LINK])
      expect([path, await statusOf(path, { host })]).toEqual([path, 403]);
  });

  test.each(["http://evil.example", "https://evil.example"])(
    "no target at %s, whatever its header says",
    async (origin) => {
      const request = new Request(`${origin}/healthz`, { headers: { host: "127.0.0.1" } });
      const gone = new AbortController().signal;
      expect((await server.server.handler(request, { address: "192.0.2.7", gone })).status).toBe(403);
    },
  );
});

describe("a page of another origin", () => {
  test.each(["null", "https://evil.example", "http://127.0.0.1:1", "https://maps.example.evil.example"])(
    "%s may use links only",
    async (origin) => {
      for (const path of ["user/self", "/healthz", "/openapi.json"]) {
        expect([path, await statusOf(path, { origin })]).toEqual([path, 403]);
        const asked = { origin, "access-control-request-method": "POST" };
        expect([path, await statusOf(path, asked, "OPTIONS")]).toEqual([path, 403]);
      }
      const link = await server.ask(undefined, "GET", LINK, undefined, { origin });
      expect([link.status, link.headers.get("access-control-allow-origin")]).toEqual([404, "*"]);
    },
  );

  test.each(["https://maps.example", "http://127.0.0.1"])(
    "%s may use all that its token opens",
    async (origin) => {
      const found = await server.ask(ADMIN, "GET", "user/self", undefined, { origin });
      expect([found.status, found.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
      expect(found.headers.get("access-control-allow-credentials")).toBeNull();
      expect((await server.ask(undefined, "GET", "user/self", undefined, { origin })).status).toBe(401);
    },
  );
});

/** Sends bytes as they are asked for. @returns the status, and how many were taken */
async function send(path: string, token: string | null, bytes: number) {
  let left = bytes;
  const part = new TextEncoder().encode(" ".repeat(65_536));
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        left -= part.length;
        if (left < 0) controller.close();
        else controller.enqueue(part);
      },
    },
    { highWaterMark: 0 },
  );
  const request = new Request(`http://127.0.0.1${path}`, {
    method: "POST",
    headers: {
      host: "127.0.0.1",
      "content-type": "application/json",
      "transfer-encoding": "chunked",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body,
    duplex: "half",
  } as RequestInit);
  const gone = new AbortController().signal;
  const { status } = await server.server.handler(request, { address: "192.0.2.7", gone });
  return { status, taken: bytes - left };
}

describe("a body", () => {
  const MiB = 1024 * 1024;

  test("is not read before its sender is known", async () => {
    for (const token of [null, "wrong"])
      expect(await send("/server/v1/udf/new", token, MiB)).toEqual({ status: 401, taken: 0 });
    for (const path of [LINK, `/server/v1/realtime-shared${LINK}`, "/nothing", "/a/b/run"])
      expect([path, await send(path, null, MiB)]).toEqual([path, { status: 404, taken: 0 }]);
  });

  test("that comes with a link, which anybody may have, is small", async () => {
    for (const path of [knownLink, `/server/v1/realtime-shared${knownLink}`]) {
      const { status, taken } = await send(path, null, 64 * MiB);
      expect([path, status]).toEqual([path, 413]);
      expect(taken).toBeLessThan(5 * MiB);
    }
  });

  test("has not millions of values, however small it is", async () => {
    const many = await server.ask(ADMIN, "POST", "udf/new", {
      slug: "x",
      udf_body: "",
      more: Array(2e6).fill(0),
    });
    expect([many.status, many.body.message]).toEqual([
      422,
      expect.stringContaining("more than 2000000 values"),
    ]);
  });

  test("has not thousands of fields", async () => {
    const statusWith = async (type: string, body: string) => {
      const headers = { host: "127.0.0.1", "content-type": type };
      const request = new Request(`http://127.0.0.1${knownLink}`, { method: "POST", headers, body });
      const gone = new AbortController().signal;
      return (await server.server.handler(request, { address: "192.0.2.7", gone })).status;
    };
    const form = (fields: number) => "a=1&".repeat(fields - 1);
    const json = (fields: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: fields }, (_, n) => [n, 1])));
    for (const [type, write] of [
      ["application/x-www-form-urlencoded", form],
      ["application/json", json],
    ] as const)
      expect([await statusWith(type, write(10_000)), await statusWith(type, write(10_001))]).toEqual([
        404, 422,
      ]);
  });

  test("is UTF-8", async () => {
    const statusWith = async (type: string, body: Uint8Array<ArrayBuffer>) => {
      const headers = { host: "127.0.0.1", "content-type": type };
      const request = new Request(`http://127.0.0.1${knownLink}`, { method: "POST", headers, body });
      const gone = new AbortController().signal;
      return (await server.server.handler(request, { address: "192.0.2.7", gone })).status;
    };
    for (const [type, text] of [
      ["application/json", '{"a":"ü"}'],
      ["application/x-www-form-urlencoded", "a=ü"],
    ] as const) {
      const latin1 = Uint8Array.from(text, (one) => one.charCodeAt(0));
      const statuses = [
        await statusWith(type, new TextEncoder().encode(text)),
        await statusWith(type, latin1),
      ];
      expect(statuses).toEqual([404, 422]);
    }
  });

  test("whose client leaves is no failure of the server", async () => {
    const gone = new AbortController();
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        gone.abort();
        controller.error(Object.assign(new Error("aborted"), { code: "ECONNRESET" }));
      },
    });
    const headers = {
      host: "127.0.0.1",
      authorization: `Bearer ${ADMIN}`,
      "content-type": "application/json",
    };
    const request = new Request("http://127.0.0.1/server/v1/udf/new", {
      ...{ method: "POST", headers, body, duplex: "half" },
    } as RequestInit);
    const before = server.log.filter((line) => line.includes('"error"')).length;
    const { status } = await server.server.handler(request, { address: "192.0.2.7", gone: gone.signal });
    expect(status).toBe(400);
    expect(server.log.filter((line) => line.includes('"error"'))).toHaveLength(before);
  });
});

test("the document of the API has defaults that are of their types, as validators and generators want them", async () => {
  const request = new Request("http://127.0.0.1/openapi.json", { headers: { host: "127.0.0.1" } });
  const answer = await server.server.handler(request, {
    address: "192.0.2.7",
    gone: new AbortController().signal,
  });
  const { paths } = (await answer.json()) as {
    paths: Record<
      string,
      Record<string, { parameters?: { schema: { type?: string; default?: unknown } }[] }>
    >;
  };
  const schemas = Object.values(paths)
    .flatMap((path) => Object.values(path))
    .flatMap(({ parameters = [] }) => parameters.map(({ schema }) => schema))
    .filter((schema) => schema.default !== undefined);
  expect(schemas).not.toHaveLength(0);
  for (const { type, default: value } of schemas)
    expect(type === "integer" ? "number" : type).toBe(typeof value);
});

test("the document of the API is made once: it takes long, and anybody may ask for it", async () => {
  const texts: string[] = [];
  const write = vi.spyOn(JSON, "stringify");
  try {
    for (let i = 0; i < 3; i++) {
      const request = new Request("http://127.0.0.1/openapi.json", { headers: { host: "127.0.0.1" } });
      const peer = { address: "192.0.2.7", gone: new AbortController().signal };
      texts.push(await (await server.server.handler(request, peer)).text());
    }
    const documents = write.mock.calls.filter(([value]) => "openapi" in Object(value));
    expect(documents.length).toBeLessThan(2);
  } finally {
    write.mockRestore();
  }
  expect(new Set(texts).size).toBe(1);
});
