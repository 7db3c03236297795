import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { serve, type TestServer as WebServer } from "../../net/fixtures/servers.ts";
import { ADMIN, openTestServer, type TestServer } from "../fixtures/server.ts";

/** What stands in for GitHub: a path to its answer. */
let github: WebServer;
let files: Map<string, { status?: number; body: string; headers?: Record<string, string> }>;
let server: TestServer;
let closed: TestServer;
beforeAll(async () => {
  github = await serve((request, response) => {
    const found = files.get(request.url ?? "") ?? { status: 404, body: "{}" };
    response.writeHead(found.status ?? 200, found.headers).end(found.body);
  });
  const hosts = { api: `${github.url}/api`, raw: `${github.url}/raw` };
  server = await openTestServer({ github: hosts, permissions: { net: [`127.0.0.1:${github.port}`] } });
  closed = await openTestServer({ github: hosts });
});
afterAll(async () => {
  await Promise.all([server.close(), closed.close()]);
  await github[Symbol.asyncDispose]();
});
beforeEach(() => {
  files = new Map();
  github.requests.length = 0;
});

const CODE = "import fused\n@fused.udf\ndef hello(a: int = 1):\n    return a\n";
const put = (path: string, body: unknown, more = {}) =>
  files.set(path, { body: typeof body === "string" ? body : JSON.stringify(body), ...more });

async function load(url: string) {
  const { status, body } = await server.ask(ADMIN, "GET", `code-proxy/by-url?url=${encodeURIComponent(url)}`);
  return {
    status,
    message: body.message,
    udf: status === 200 ? JSON.parse(body.udf_body) : undefined,
    slug: body.slug,
  };
}

test("a folder that Fused wrote is read by its meta.json, without a list, whatever its branch is called", async () => {
  const meta = {
    job_config: {
      steps: [
        {
          type: "udf",
          udf: {
            name: "Named",
            source: "Named.py",
            entrypoint: "udf",
            headers: [{ module_name: "utils", source_file: "utils.py" }],
            parameters: { a: 2 },
            metadata: { "fused:description": "# text" },
          },
        },
      ],
    },
  };
  put("/raw/o/r/feature/x/public/Some%20Folder/meta.json", meta);
  put("/raw/o/r/feature/x/public/Some%20Folder/Named.py", CODE);
  put("/raw/o/r/feature/x/public/Some%20Folder/utils.py", "x = 1\n");
  const { status, udf, slug } = await load("https://github.com/o/r/tree/feature/x/public/Some%20Folder");
  expect([status, slug]).toEqual([200, "Named"]);
  expect(udf).toEqual({
    name: "Named",
    type: "geopandas_v2",
    code: CODE,
    headers: [{ module_name: "utils", source_code: "x = 1\n", source_file: "utils.py" }],
    metadata: { "fused:description": "# text" },
    entrypoint: "udf",
    parameters: { a: 2 },
  });
  expect(github.requests).toHaveLength(3);
});

test("another folder is listed, and all its source files are read", async () => {
  const entry = (name: string, type = "file") => ({ name, type });
  put("/api/repos/o/r/contents/a?ref=main", [
    entry("udf.py"),
    entry("b.py"),
    entry("README.md"),
    entry("dir.py", "dir"),
  ]);
  put("/raw/o/r/main/a/udf.py", CODE);
  put("/raw/o/r/main/a/b.py", "y = 2\n");
  const { udf, slug } = await load("https://github.com/o/r/tree/main/a");
  expect(slug).toBe("a");
  expect(udf).toMatchObject({ entrypoint: "hello", headers: [{ module_name: "b", source_code: "y = 2\n" }] });
});

test("a branch with slashes is found, and a whole repository is a folder", async () => {
  put("/api/repos/o/r/contents/a?ref=feature%2Fx", [{ name: "udf.ts", type: "file" }]);
  put("/raw/o/r/feature/x/a/udf.ts", "export function main() { return 1; }");
  const { udf } = await load("https://github.com/o/r/tree/feature/x/a");
  expect(udf).toMatchObject({ entrypoint: "main", metadata: { "fuselet:language": "typescript" } });
  put("/api/repos/o/whole/contents/", [{ name: "udf.py", type: "file" }]);
  put("/raw/o/whole/HEAD/udf.py", CODE);
  expect((await load("https://github.com/o/whole")).slug).toBe("whole");
});

test("a file and a gist are UDFs", async () => {
  put("/raw/o/r/main/a/file.py", CODE);
  expect(await load("https://github.com/o/r/blob/main/a/file.py")).toMatchObject({
    slug: "file",
    udf: { code: CODE, entrypoint: "hello", headers: [] },
  });
  const id = "0123456789abcdef0123456789abcdef";
  put(`/api/gists/${id}`, {
    files: { "one.py": { content: CODE, truncated: false }, "notes.md": { content: "#" } },
  });
  expect(await load(`https://gist.github.com/ada/${id}`)).toMatchObject({ slug: id, udf: { code: CODE } });
});

test("what is not there, is no UDF or is refused by GitHub is said in its own words", async () => {
  expect(await load("https://github.com/o/r/tree/main/none")).toMatchObject({ status: 404 });
  expect(await load("https://example.org/x")).toMatchObject({ status: 422 });
  put("/api/repos/o/r/contents/docs?ref=main", [{ name: "a.md", type: "file" }]);
  expect(await load("https://github.com/o/r/tree/main/docs")).toMatchObject({ status: 422 });
  put("/api/repos/o/r/contents/file?ref=main", { name: "file", type: "file" });
  expect((await load("https://github.com/o/r/tree/main/file")).message).toContain("it is no folder");
  put("/api/repos/o/r/contents/bad?ref=main", "{");
  expect(await load("https://github.com/o/r/tree/main/bad")).toMatchObject({ status: 422 });
  put(
    "/api/repos/o/r/contents/many?ref=main",
    Array.from({ length: 101 }, (_, at) => ({ name: `${at}.py`, type: "file" })),
  );
  expect((await load("https://github.com/o/r/tree/main/many")).message).toContain("at most 100");
  put("/api/repos/o/r/contents/full?ref=main", "{}", {
    status: 403,
    headers: { "x-ratelimit-remaining": "0" },
  });
  expect(await load("https://github.com/o/r/tree/main/full")).toMatchObject({ status: 429 });
  put("/raw/o/r/main/down.py", "", { status: 500 });
  expect((await load("https://github.com/o/r/blob/main/down.py")).message).toContain("it answered 500");
  put("/raw/o/r/main/large.py", "#".repeat(33 * 2 ** 20));
  expect((await load("https://github.com/o/r/blob/main/large.py")).message).toContain("larger than 32 MB");
  put("/raw/o/r/main/there.py", "", { status: 302, headers: { location: "http://127.0.0.2:1/secret" } });
  expect(await load("https://github.com/o/r/blob/main/there.py")).toMatchObject({ status: 403 });
});

test("a server, or a user, that may not reach GitHub is told which flag is missing", async () => {
  const path = `code-proxy/by-url?url=${encodeURIComponent("https://github.com/o/r/blob/main/a.py")}`;
  const refused = await closed.ask(ADMIN, "GET", path);
  expect(refused.status).toBe(403);
  expect(refused.body.message).toContain(`--allow-net=127.0.0.1:${github.port}`);
  const { token } = await server.user("narrow", { permissions: { net: ["example.org"] } });
  expect((await server.ask(token, "GET", path)).status).toBe(403);
  expect((await server.ask(undefined, "GET", path)).status).toBe(401);
  expect(github.requests).toEqual([]);
});
