import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openCrew } from "../fixtures/crew.ts";
import { type FileRequest, query, send } from "../fixtures/files.ts";

const QUOTA = 3_000_000;
const {
  server: site,
  ada,
  bob,
  eve,
} = await openCrew({
  storage: { quota: { bytes: QUOTA } },
  permissions: { read: ["s3://bucket"], deny: { read: ["fd://secret"], write: ["/mount/locked"] } },
});
afterAll(() => site.close());

const as = (
  user: typeof ada,
  method: string,
  route: string,
  values: Record<string, string | number>,
  more: FileRequest = {},
) => send(site.server, method, `files/${route}?${query(values)}`, { token: user.token, ...more });
const put = (path: string, body: FileRequest["body"], more: FileRequest = {}) =>
  as(ada, "PUT", "upload", { path }, { ...more, ...(body === undefined ? {} : { body }) });
const get = (path: string, headers: Record<string, string> = {}, user = ada) =>
  as(user, "GET", "get", { path }, { headers });
const list = async (path: string, user = ada) => (await as(user, "GET", "list", { path })).json();
const ownFolder = () => join(site.folder, "files", ada.id);

async function* failing(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1000);
  throw new Error("the connection broke");
}

describe("a file", () => {
  test("is written, listed, read and deleted", async () => {
    expect(await (await put("fd://r/a.txt", "hello")).json()).toEqual({ url: "fd://r/a.txt", size: 5 });
    expect(await list("fd://")).toContain("fd://r/");
    const [entry] = await (await as(ada, "GET", "list-details", { path: "fd://r" })).json();
    expect(entry).toEqual({
      url: "fd://r/a.txt",
      file_name: "a.txt",
      is_directory: false,
      size: 5,
      last_modified: expect.stringMatching(/^20\d\d-.*Z$/),
    });
    // By which the published client tells a file from a folder.
    expect(await list("fd://r/a.txt")).toEqual(["fd://r/a.txt"]);
    expect((await as(ada, "GET", "list", { path: "fd://r/a.txt/" })).status).toBe(404);
    expect(await (await get("fd://r/a.txt")).text()).toBe("hello");
    expect(await (await as(ada, "DELETE", "delete", { path: "fd://r/a.txt" })).json()).toBe(true);
    expect(await (await as(ada, "DELETE", "delete", { path: "fd://r/a.txt" })).json()).toBe(false);
    expect((await get("fd://r/a.txt")).status).toBe(404);
  });

  test("comes in parts, and with headers that keep it from being a page of the server", async () => {
    await put("fd://part.svg", "0123456789");
    const whole = await get("fd://part.svg");
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-length": "10",
      "accept-ranges": "bytes",
      "content-disposition": "attachment; filename*=UTF-8''part.svg",
      "content-security-policy": expect.stringContaining("sandbox"),
      "x-content-type-options": "nosniff",
    });
    const part = await get("fd://part.svg", { range: "bytes=2-4" });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
      206,
      "bytes 2-4/10",
      "234",
    ]);
    const beyond = await get("fd://part.svg", { range: "bytes=10-" });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    const etag = whole.headers.get("etag")!;
    for (const known of [etag, `"other", ${etag}`, `W/${etag}`, "*"])
      expect((await get("fd://part.svg", { "if-none-match": known })).status, known).toBe(304);
    expect((await get("fd://part.svg", { "if-none-match": '"other"' })).status).toBe(200);
    const changed = await get("fd://part.svg", { range: "bytes=2-4", "if-range": '"other"' });
    expect([changed.status, await changed.text()]).toEqual([200, "0123456789"]);
    const head = await as(ada, "HEAD", "get", { path: "fd://part.svg" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
  });

  test("with escapes in its name, as the published client's download writes it", async () => {
    await put("fd://a b.txt", "spaced");
    expect(await (await get("fd://a%20b.txt")).text()).toBe("spaced");
    await put("fd://5% \u00e4.txt", "percent");
    expect(await (await get("fd://5%%20%C3%A4.txt")).text()).toBe("percent");
  });

  test("is there as a whole or not at all", async () => {
    await put("fd://whole.txt", "before");
    expect((await put("fd://whole.txt", failing())).status).toBe(400);
    expect((await put("fd://whole.txt", "short", { headers: { "content-length": "9" } })).status).toBe(400);
    const gone = AbortSignal.abort();
    expect((await put("fd://whole.txt", "after", { gone })).status).toBe(400);
    expect(await (await get("fd://whole.txt")).text()).toBe("before");
    expect(readdirSync(ownFolder()).filter((name) => name.endsWith(".part"))).toEqual([]);
    expect(readdirSync(join(site.folder, "parts"))).toEqual([]);
  });

  test("has a limit, and all of a user's have one", async () => {
    const large = { headers: { "content-length": String(6 * 1024 ** 3) } };
    expect((await put("fd://large", "x", large)).status).toBe(413);
    const full = await put("fd://full", new Uint8Array(QUOTA + 1));
    expect([full.status, (await full.json()).message]).toEqual([
      507,
      expect.stringContaining("one principal may hold"),
    ]);
    expect((await get("fd://full")).status).toBe(404);
    expect((await get("fd://large")).status).toBe(404);
  });

  test("that a client stops sending leaves nothing", async () => {
    const { url } = await site.server.listen({ port: 0, host: "127.0.0.1" });
    const { port } = new URL(url);
    const socket = connect(Number(port), "127.0.0.1");
    const head = `PUT /server/v1/files/upload?path=fd://stopped HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${ada.token}\r\ncontent-length: 1000000\r\n\r\n`;
    socket.write(head + "x".repeat(100_000));
    const parts = () => readdirSync(ownFolder()).filter((name) => name.endsWith(".part")).length;
    await expect.poll(parts).toBe(1);
    socket.destroy();
    await expect.poll(parts).toBe(0);
    expect((await get("fd://stopped")).status).toBe(404);
  });
});

describe("folders", () => {
  test("are deleted up to a depth", async () => {
    await put("fd://deep/a/b/c/d.txt", "x");
    const remove = (depth: string | number) =>
      as(ada, "DELETE", "delete", { path: "fd://deep/", max_deletion_depth: depth });
    expect((await as(ada, "DELETE", "delete", { path: "fd://deep/" })).status).toBe(422);
    for (const depth of ["1001", "-1", "1e9", "99999999999999999999", "Infinity", "0x10", ""])
      expect((await remove(depth)).status, depth).toBe(422);
    expect(await (await remove("unlimited")).json()).toBe(true);
    expect((await as(ada, "DELETE", "delete", { path: "fd://" })).status).toBe(422);
  });

  test("are no files", async () => {
    await put("fd://folder/a.txt", "x");
    for (const path of ["fd://folder", "fd://folder/"]) {
      expect((await get(path)).status).toBe(422);
      expect((await as(ada, "HEAD", "get", { path })).status).toBe(422);
    }
    expect((await put("fd://folder/", "x")).status).toBe(422);
    expect((await as(ada, "GET", "sign-upload", { path: "fd://folder/", content_length: 1 })).status).toBe(
      422,
    );
  });
});

describe("what is asked for", () => {
  test.each([
    ["", 422],
    ["a.txt", 422],
    ["fd://a/../b", 422],
    ["fd://a/./b", 422],
    ["fd://a//b", 422],
    ["fd://a%2f..%2fb", 422],
    ["fd://%2e%2e/b", 422],
    ["fd://a\\b", 422],
    ["fd://a\u0000b", 422],
    ["fd://a\ud800b", 404],
    ["fd:///a", 422],
    [`fd://${"a".repeat(5000)}`, 422],
    ["file:///etc/passwd", 403],
    ["file:///proc/self/environ", 403],
    ["/etc/passwd", 403],
    ["file:///mount/../etc/passwd", 422],
    ["file:///mount/..%2fetc/passwd", 422],
    ["file:///MOUNT/a", 403],
    ["s3://bucket2/a", 403],
    ["gs://bucket/a", 403],
    ["http://127.0.0.1/", 403],
    ["gdrive://a", 422],
    ["javascript:alert(1)", 422],
    ["data:text/html,x", 422],
  ])("%j is answered with %d", async (path, status) => {
    expect((await get(path)).status).toBe(status);
    const upload = (await put(path, "x")).status;
    expect(upload, "upload").toBe(status === 404 ? 200 : status);
  });

  test("is not there with a name that the system cannot have; the published client's spelling of names is longer", async () => {
    const long = `fd://${"a".repeat(300)}`;
    expect([(await get(long)).status, (await put(long, "x")).status]).toEqual([404, 422]);
    const path = `fd://${"\u65e5".repeat(80)}`;
    await put(path, "x");
    expect(await (await get(path.replace(/[^\x00-\x7f]+/, encodeURIComponent))).text()).toBe("x");
  });

  test("may be denied, and then is not shown", async () => {
    await put("fd://secret/a.txt", "x");
    expect((await get("fd://secret/a.txt")).status).toBe(403);
    expect((await as(ada, "GET", "sign", { path: "fd://secret/a.txt" })).status).toBe(403);
    expect(await list("fd://")).not.toContain("fd://secret/");
    expect((await put("file:///mount/locked/a.txt", "x")).status).toBe(403);
  });

  test("never leads out of the user's folder by a link", async () => {
    mkdirSync(ownFolder(), { recursive: true });
    writeFileSync(join(site.folder, "outside.txt"), "outside");
    symlinkSync(join(site.folder, "outside.txt"), join(ownFolder(), "link.txt"));
    symlinkSync(site.folder, join(ownFolder(), "link"));
    expect((await get("fd://link.txt")).status).toBe(403);
    expect((await get("fd://link/server.db")).status).toBe(403);
    expect((await put("fd://link/new.txt", "x")).status).toBe(403);
    expect(await list("fd://")).not.toContain("fd://link.txt");
  });

  test("is the user's own, and the team's below /mount", async () => {
    await put("fd://mine.txt", "ada's");
    await put("file:///mount/ours.txt", "crew's");
    expect((await get("fd://mine.txt", {}, bob)).status).toBe(404);
    expect((await get("fd://../mine.txt", {}, bob)).status).toBe(422);
    expect(await (await get("file:///mount/ours.txt", {}, bob)).text()).toBe("crew's");
    expect((await get("file:///mount/ours.txt", {}, eve)).status).toBe(404);
    expect(await list("file:///mount", eve)).toEqual([]);
    expect((await send(site.server, "GET", "files/list?path=fd://")).status).toBe(401);
  });
});

describe("uploads to a place that the server chooses", () => {
  const temp = (extension: string) => as(ada, "POST", "upload-temp", { extension }, { body: "input" });

  test("are read at the URL that it says, and go after a week", async () => {
    const url = await (await temp("parquet")).json();
    expect(url).toMatch(/^fd:\/\/\.fuselet-uploads\/[0-9a-f-]{36}\.parquet$/);
    expect(await (await get(url)).text()).toBe("input");
    const path = join(ownFolder(), url.slice("fd://".length));
    utimesSync(path, 0, Date.now() / 1000 - 8 * 24 * 3600);
    await temp("parquet");
    expect((await get(url)).status).toBe(404);
  });

  test.each([
    ["", /uploads\/[0-9a-f-]{36}$/],
    ["../../x", /uploads\/[0-9a-f-]{36}\.x$/],
    ["a name", /uploads\/[0-9a-f-]{36}\.aname$/],
  ])("have an extension like %j", async (extension, expected) => {
    expect(await (await temp(extension)).json()).toMatch(expected);
  });
});

test("resolve says the one spelling of a path", async () => {
  const resolve = async (path: string) => (await as(ada, "POST", "resolve", { path })).json();
  expect(await resolve("fd://a/b.txt")).toBe("fd://a/b.txt");
  expect(await resolve("/mount/a")).toBe("file:///mount/a");
  expect((await as(ada, "POST", "resolve", { path: "fd://a/../b" })).status).toBe(422);
});
