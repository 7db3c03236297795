import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { readHeaders as readHeadersWith, readSource as readSourceWith } from "./source.node.ts";

const nothingFetched = () => Promise.reject(new Error("a path was fetched"));
const readSource = (path: string) => readSourceWith(path, nothingFetched);
const readHeaders = (path: string, names: string[]) => readHeadersWith(path, names, nothingFetched);

let root: string;
const PYTHON = "@fused.udf\ndef udf():\n    return 1\n";

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "fuselet-source-"));
  mkdirSync(join(root, "folder", "lib"), { recursive: true });
  mkdirSync(join(root, "folder", "env", "lib"), { recursive: true });
  writeFileSync(join(root, "outside.py"), "SECRET = 1\n");
  writeFileSync(join(root, "folder", "udf.py"), PYTHON);
  writeFileSync(join(root, "folder", "lib", "a.py"), "A = 1\n");
  writeFileSync(join(root, "folder", "env", "pyvenv.cfg"), "");
  writeFileSync(join(root, "folder", "env", "lib", "b.py"), "");
  symlinkSync("lib/a.py", join(root, "folder", "inside.py"));
  symlinkSync("../folder", join(root, "folder", "circle"));
  writeFileSync(join(root, "demo.zip"), zipSync({ "udf.py": new TextEncoder().encode(PYTHON) }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("readSource() reads a file without its siblings", async () => {
  const source = await readSource(join(root, "folder", "udf.py"));
  expect(source).toMatchObject({
    name: "udf",
    language: "python",
    code: PYTHON,
    file: "udf.py",
    headers: [],
  });
  expect(await readSource(pathToFileURL(join(root, "folder", "udf.py")).href)).toEqual(source);
});

test("readSource() reads a folder and a zip", async () => {
  const folder = await readSource(join(root, "folder"));
  expect(folder.name).toBe("folder");
  expect(folder.headers.map((header) => header.moduleName)).toEqual(["inside", "lib.a"]);
  expect(await readSource(join(root, "demo.zip"))).toMatchObject({ name: "demo", file: "udf.py" });
});

test("readSource() refuses a symbolic link that leaves the folder", async () => {
  const folder = join(root, "leaks");
  mkdirSync(folder);
  writeFileSync(join(folder, "udf.py"), PYTHON);
  symlinkSync("../outside.py", join(folder, "stolen.py"));
  await expect(readSource(folder)).rejects.toThrow("symbolic link that leaves the UDF's folder");
  rmSync(join(folder, "stolen.py"));
  symlinkSync("..", join(folder, "up"));
  await expect(readSource(folder)).rejects.toThrow("symbolic link that leaves the UDF's folder");
});

test("readSource() names the path and the reason", async () => {
  await expect(readSource(join(root, "none.py"))).rejects.toThrow(
    `Cannot read the UDF ${JSON.stringify(join(root, "none.py"))}: there is no such file or folder`,
  );
  await expect(readSource(join(root, "none.py"))).rejects.toBeInstanceOf(UsageError);
  await expect(readSource(join(root, "outside.py", "x"))).rejects.toThrow("a part of the path is no folder");
  await expect(readSource("")).rejects.toThrow("the path is empty");
  await expect(readSource("/dev/zero")).rejects.toThrow("larger than 32 MB");
});

test("a URL is fetched, by whatever fetches it; no other kind of URL is", async () => {
  const asked: string[] = [];
  const fetchBytes = async (url: URL) => {
    asked.push(url.href);
    return new TextEncoder().encode(PYTHON);
  };
  const source = await readSourceWith("https://example.org/folder/a.py?b=1", fetchBytes);
  expect(source).toMatchObject({ name: "a", file: "a.py", language: "python", code: PYTHON });
  const headers = await readHeadersWith("https://example.org/folder/a.py", ["lib/b", "c.py"], fetchBytes);
  expect(headers.map(({ moduleName, file }) => [moduleName, file])).toEqual([
    ["lib.b", "lib/b.py"],
    ["c", "c.py"],
  ]);
  expect(asked).toEqual([
    "https://example.org/folder/a.py?b=1",
    "https://example.org/folder/lib/b.py",
    "https://example.org/folder/c.py",
  ]);
  await expect(readHeadersWith("https://example.org/a.py", ["../b.py"], fetchBytes)).rejects.toThrow(
    "leaves the folder",
  );
  for (const url of ["ftp://example.org/a.py", "s3://bucket/a.py", "http://[/a.py"])
    await expect(readSourceWith(url, fetchBytes), url).rejects.toThrow(UsageError);
});

test("readHeaders() reads modules beside the file", async () => {
  const path = join(root, "folder", "udf.py");
  expect(await readHeaders(path, ["lib/a.py", "./inside"])).toEqual([
    { moduleName: "lib.a", code: "A = 1\n", file: "lib/a.py" },
    { moduleName: "inside", code: "A = 1\n", file: "inside.py" },
  ]);
});

test("readHeaders() stays inside the folder", async () => {
  const path = join(root, "folder", "udf.py");
  await expect(readHeaders(path, ["../outside.py"])).rejects.toThrow("leaves the folder");
  await expect(readHeaders(path, [join(root, "outside.py")])).rejects.toThrow("it is absolute");
  await expect(readHeaders(path, ["none.py"])).rejects.toThrow('Cannot read the header "none.py"');
  symlinkSync("../outside.py", join(root, "folder", "link.py"));
  await expect(readHeaders(path, ["link.py"])).rejects.toThrow("symbolic link that leaves");
  rmSync(join(root, "folder", "link.py"));
});
