import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openNpmFolder } from "./npm-folder.node.ts";

const folder = mkdtempSync(join(tmpdir(), "fuselet-npm-"));
afterAll(() => rmSync(folder, { recursive: true }));

const put = (path: string, text: string) => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
};
put("package.json", "{}");
put("udf.ts", "");
put("node_modules/foo/package.json", "{}");
put("node_modules/foo/lib/a.js", "a");
put("node_modules/foo/node_modules/bar/index.js", "bar");
symlinkSync("node_modules/bar", join(folder, "node_modules/foo/linked"));

describe("openNpmFolder()", () => {
  it("reads no package inside of another one", async () => {
    const foo = await openNpmFolder(join(folder, "udf.ts")).find("foo", null);
    expect(await foo?.read("lib/a.js")).toBe("a");
    expect(await foo?.read("node_modules/bar/index.js")).toBeNull();
    expect(await foo?.read("lib/../node_modules/bar/index.js")).toBeNull();
    expect(await foo?.read("linked/index.js")).toBeNull();
  });
});
