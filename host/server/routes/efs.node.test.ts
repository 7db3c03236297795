import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openCrew } from "../fixtures/crew.ts";
import { formOf, query, send } from "../fixtures/files.ts";

const { server: site, ada, bob, eve } = await openCrew();
afterAll(() => site.close());

const upload = async (dir: string, fileName: string, content: string, user = ada) =>
  send(site.server, "POST", "efs/any/upload", {
    token: user.token,
    ...(await formOf({ dir }, fileName, content)),
  });
const download = (file: string, user = ada) =>
  send(site.server, "GET", `efs/any/download?${query({ file_name: file })}`, { token: user.token });
const list = async (item: string, user = ada) =>
  (await site.ask(user.token, "POST", "efs/any/list?limit=-1", { item })).body.items;
const remove = (what: "file" | "dir", item: string, user = ada) =>
  site.ask(user.token, "DELETE", `efs/any/delete-${what}`, { item });

describe("the team's disk", () => {
  test("is written, listed, read and deleted as the published client does", async () => {
    expect((await upload("/", "r.txt", "root")).status).toBe(200);
    expect((await upload("/a", "b c.txt", "below")).status).toBe(200);
    expect(await list("")).toMatchObject([
      { url: "a/", file_name: "a", is_directory: true },
      { url: "r.txt", file_name: "r.txt", is_directory: false, size: 4 },
    ]);
    expect(await list("/a", bob)).toMatchObject([{ url: "a/b c.txt" }]);
    for (const file of ["/a/b c.txt", "//a/b c.txt", "a/b c.txt"])
      expect(await (await download(file, bob)).text()).toBe("below");
    expect(await list("", eve)).toEqual([]);
    expect((await download("/r.txt", eve)).status).toBe(404);
    expect((await remove("file", "//a/b c.txt")).body).toBe(true);
    expect((await remove("dir", "/a")).body).toBe(true);
    expect((await remove("dir", "/a")).body).toBe(false);
    expect((await remove("file", "r.txt")).body).toBe(true);
    expect((await remove("file", "r.txt")).status).toBe(404);
  });

  test("is not deleted as a whole, and a folder not as a file", async () => {
    await upload("/keep", "a.txt", "x");
    for (const item of ["", "/", "//"]) expect((await remove("dir", item)).status, item).toBe(422);
    expect((await remove("file", "/keep")).status).toBe(422);
    expect((await remove("file", "")).status).toBe(422);
    // A team of the name that the disk has in URLs: its folder lies beside.
    await upload("/", "e.txt", "eve's", eve);
    expect((await remove("dir", "/")).status).toBe(422);
    expect(await (await download("e.txt", eve)).text()).toBe("eve's");
  });

  test.each(["../x", "a/../../x", "a/..", "..%2fx", "a\\b", "a\u0000b", "%2e%2e/x"])(
    "does not take %j",
    async (path) => {
      expect((await download(path)).status).toBe(422);
      expect((await upload(path, "x.txt", "x")).status).toBe(422);
      expect((await remove("dir", path)).status).toBe(422);
      expect((await remove("file", path)).status).toBe(422);
      expect((await site.ask(ada.token, "POST", "efs/any/list", { item: path })).status).toBe(422);
    },
  );

  test("takes no file without a name, or with a path as its name", async () => {
    for (const name of ["../x", "a/b", "..", "."]) {
      // `FormData` has no such files: it is written by hand.
      const field = 'content-disposition: form-data; name="dir"\r\n\r\n/';
      const file = `content-disposition: form-data; name="file"; filename="${name}"\r\n\r\nx`;
      const body = `--b\r\n${field}\r\n--b\r\n${file}\r\n--b--\r\n`;
      const headers = { "content-type": "multipart/form-data; boundary=b" };
      const answer = await send(site.server, "POST", "efs/any/upload", { token: ada.token, body, headers });
      expect(answer.status, name).toBe(422);
    }
  });

  test("takes no file whose folder comes behind it, or not at all", async () => {
    const file = 'content-disposition: form-data; name="file"; filename="late.txt"\r\n\r\nx';
    const field = 'content-disposition: form-data; name="dir"\r\n\r\n/late';
    for (const fields of [[file, field], [file]]) {
      const body = `${fields.map((each) => `--b\r\n${each}\r\n`).join("")}--b--\r\n`;
      const headers = { "content-type": "multipart/form-data; boundary=b" };
      const answer = await send(site.server, "POST", "efs/any/upload", { token: ada.token, body, headers });
      expect(answer.status).toBe(422);
      expect((await answer.json()).message).toContain('"dir", the folder, must be before the field "file"');
    }
    expect((await download("late.txt")).status).toBe(404);
  });

  test("has no way out by links, and none to another team's", async () => {
    const folder = join(site.folder, "mount", "crew");
    mkdirSync(join(site.folder, "elsewhere"));
    writeFileSync(join(site.folder, "elsewhere", "a.txt"), "outside");
    symlinkSync(join(site.folder, "elsewhere"), join(folder, "out"));
    symlinkSync(join(site.folder, "mount", "others"), join(folder, "eves"));
    await upload("/", "e.txt", "eve's", eve);
    for (const file of ["out/a.txt", "eves/e.txt"]) expect((await download(file)).status).toBe(403);
    expect((await upload("/out", "new.txt", "x")).status).toBe(403);
    expect((await list("")).map(({ url }: { url: string }) => url)).not.toContain("out/");
    // Of a link, the link is deleted.
    expect((await remove("dir", "/out")).body).toBe(true);
    expect(existsSync(join(site.folder, "elsewhere", "a.txt"))).toBe(true);
  });
});
