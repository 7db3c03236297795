import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStorage } from "../storage/storage.node.ts";
import { userOf } from "./fixtures/store.ts";
import type { OwnFiles } from "./job-results.ts";
import { openOwnFiles } from "./own-files.ts";

const ada = userOf("ada");
const bob = userOf("bob");
let folder: string;
let storage: ReturnType<typeof openStorage>;
let files: OwnFiles;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fuselet-own-files-"));
  storage = openStorage({ dataFolder: folder });
  files = openOwnFiles(storage.drivers);
});
afterEach(async () => {
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The files of all users. */
const all = () =>
  readdirSync(join(folder, "files"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

test("a folder is removed with its files, and nobody else's of that name", async () => {
  for (const owner of [ada, bob])
    for (const name of ["0.json", "0.json.metadata"])
      await files.write(owner, `fd://jobs/1/${name}`, new Uint8Array(3));
  await files.write(ada, "fd://jobs/2/0.json", new Uint8Array(3));
  expect(all()).toHaveLength(5);
  await files.removeFolder(ada, "fd://jobs/1/");
  await files.removeFolder(ada, "fd://jobs/1/");
  await files.removeFolder(ada, "fd://jobs/never/");
  expect(all()).toHaveLength(3);
});

test("a folder in which its owner has made another one stays", async () => {
  await files.write(ada, "fd://jobs/1/0.json", new Uint8Array(3));
  const [file] = all() as [string];
  const own = join(dirname(file), "mine");
  mkdirSync(own);
  writeFileSync(join(own, "notes"), "x");
  await expect(files.removeFolder(ada, "fd://jobs/1/")).rejects.toMatchObject({ name: "StorageError" });
  expect([existsSync(file), existsSync(join(own, "notes"))]).toEqual([true, true]);
});
