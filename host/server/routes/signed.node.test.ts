import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openCrew } from "../fixtures/crew.ts";
import { formOf, query, send } from "../fixtures/files.ts";
import { ADMIN } from "../fixtures/server.ts";

const { server: site, ada, bob, eve } = await openCrew();
beforeAll(async () => {
  for (const path of ["fd://a b/ü.txt", "fd://page.svg", "fd://other.txt", "file:///mount/m.txt"])
    await send(site.server, "PUT", `files/upload?${query({ path })}`, { token: ada.token, body: path });
});
afterAll(() => site.close());
afterEach(() => void vi.useRealTimers());

async function ask(route: string, values: Record<string, string | number>, user = ada) {
  const response = await send(site.server, "GET", `files/${route}?${query(values)}`, { token: user.token });
  expect(response.status).toBe(200);
  return response.json();
}
const sign = (path: string, user = ada): Promise<string> => ask("sign", { path }, user);
const open = (url: string, method = "GET", more: Parameters<typeof send>[3] = {}) =>
  send(site.server, method, url, more);

describe("a signed URL", () => {
  test("opens a file without a token, in parts too, to pages of any origin", async () => {
    const url = await sign("fd://a b/ü.txt");
    expect(await (await open(url)).text()).toBe("fd://a b/ü.txt");
    expect((await open(url, "HEAD")).headers.get("content-length")).toBe("15");
    const headers = { range: "bytes=0-1", origin: "https://elsewhere.example" };
    const part = await open(url, "GET", { headers });
    expect([part.status, await part.text()]).toEqual([206, "fd"]);
    expect(part.headers.get("access-control-allow-origin")).toBe("*");
    expect(part.headers.get("content-security-policy")).toContain("sandbox");
    expect((await open(await sign("fd://page.svg"))).headers.get("content-disposition")).toMatch(
      /^attachment/,
    );
    expect(await (await open(await sign("file:///mount/m.txt", bob))).text()).toBe("file:///mount/m.txt");
  });

  test("opens whole folders, file by file", async () => {
    const signed = await ask("sign_prefix", { path: "fd://a b/" });
    expect(Object.keys(signed)).toEqual(["a b/ü.txt"]);
    expect((await open(signed["a b/ü.txt"])).status).toBe(200);
  });

  test("names the server as the client reached it", async () => {
    expect(await sign("fd://other.txt")).toMatch(/^http:\/\/127\.0\.0\.1\/server\/v1\/signed\//);
  });

  test("opens nothing once anything of it was changed", async () => {
    const url = await sign("fd://other.txt");
    const changed = (name: string, value: string) => {
      const other = new URL(url);
      other.searchParams.set(name, value);
      return other.href;
    };
    const forged = [
      url.replace("other.txt", "page.svg"),
      url.replace("/other.txt", "/x/..%2fother.txt"),
      url.replace("/fd/", "/file/"),
      url.replace(ada.id, bob.id),
      url.replace(ada.id, "x"),
      url.replace(/signature=../, "signature=00"),
      url.replace(/&signature=.*/, ""),
      changed("signature", ""),
      changed("expires", "99999999999"),
      changed("expires", "1e99"),
      changed("most", "5"),
      changed("method", "PUT"),
      changed("method", "POST"),
      url.replace(/\?.*/, ""),
      url.replace("/signed/", "/signed/%/"),
      "signed/",
      "signed/x",
    ];
    for (const each of forged) {
      const answer = await open(each);
      expect(answer.status, each).toBe(403);
      expect((await answer.json()).message).toMatch(/^This address opens nothing/);
    }
    for (const method of ["PUT", "POST"])
      expect((await open(url, method, { body: "x" })).status, method).toBe(403);
    expect((await open(url, "DELETE")).status).toBe(405);
    expect((await open(url)).status).toBe(200);
  });

  test("opens nothing after its time, and after its owner's", async () => {
    const url = await sign("fd://other.txt");
    const eves = await sign("fd://none.txt", eve);
    expect((await open(eves)).status).toBe(404);
    await site.ask(ADMIN, "DELETE", `user/by-id/${eve.id}`);
    expect((await open(eves)).status).toBe(403);
    vi.useFakeTimers({ now: Date.now() + 3_601_000, toFake: ["Date"] });
    expect((await open(url)).status).toBe(403);
  });

  test("is in no log", async () => {
    const url = await sign("fd://other.txt");
    await open(url);
    expect(site.log.join("")).not.toContain(new URL(url).searchParams.get("signature"));
  });
});

describe("a signed upload", () => {
  const signUpload = (path: string, length: number) => ask("sign-upload", { path, content_length: length });
  const read = async (path: string) => {
    const response = await send(site.server, "GET", `files/get?${query({ path })}`, { token: ada.token });
    return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : response.status;
  };

  test("takes a form, of any size up to the one that was said", async () => {
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    const large = new Uint8Array(Array.from({ length: 20 }, () => [...content]).flat());
    const { url, fields } = await signUpload("fd://up/large.bin", large.length);
    expect((await open(url, "POST", await formOf(fields, "file", large))).status).toBe(204);
    expect(await read("fd://up/large.bin")).toEqual(large);
    expect(
      (await open(url, "POST", await formOf(fields, "file", new Uint8Array([...large, 1])))).status,
    ).toBe(413);
    expect(
      (await open(url, "POST", await formOf(fields, "file", new Uint8Array(2 * large.length)))).status,
    ).toBe(413);
    expect(await read("fd://up/large.bin")).toEqual(large);
    expect((await open(url)).status).toBe(403);
    expect((await open(url, "PUT", { body: "x" })).status).toBe(403);
  });

  test("takes nothing that is no such form", async () => {
    const { url } = await signUpload("fd://up/none.bin", 10);
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const noFile = '--b\r\ncontent-disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n';
    expect((await open(url, "POST", { body: noFile, headers })).status).toBe(422);
    expect((await open(url, "POST", { body: "x" })).status).toBe(415);
    const half = '--b\r\ncontent-disposition: form-data; name="file"\r\n\r\nhalf';
    expect((await open(url, "POST", { body: half, headers })).status).toBe(400);
    expect(await read("fd://up/none.bin")).toBe(404);
  });

  test("to a place that the server chooses", async () => {
    const { signed_post, storage_url } = await ask("sign-upload-temp", {
      extension: "csv",
      content_length: 3,
    });
    expect((await open(signed_post.url, "POST", await formOf(signed_post.fields, "f", "abc"))).status).toBe(
      204,
    );
    expect(await read(storage_url)).toEqual(new TextEncoder().encode("abc"));
  });

  test("is not signed where nothing may be written, or too much", async () => {
    const status = async (path: string, length: string | number) =>
      (
        await send(site.server, "GET", `files/sign-upload?${query({ path, content_length: length })}`, {
          token: ada.token,
        })
      ).status;
    expect(await status("s3://bucket/a", 1)).toBe(403);
    expect(await status("fd://../a", 1)).toBe(422);
    expect(await status("fd://a", 6 * 1024 ** 3)).toBe(413);
    for (const length of ["-1", "1.5", "x", "1e400"])
      expect(await status("fd://a", length), length).toBe(422);
  });
});

test("a UDF's storage signs a URL to write with PUT", async () => {
  const location = {
    scheme: "fd",
    authority: "",
    path: "put.txt",
    isFolder: false,
    value: "fd://put.txt",
  } as const;
  const signed = await site.server.served.sign(location, { method: "PUT", expiresSeconds: 60 }, ada.id);
  expect((await open(signed, "PUT", { body: "put" })).status).toBe(204);
  expect((await open(signed)).status).toBe(403);
  expect(await (await open(await sign("fd://put.txt"))).text()).toBe("put");
});
