import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packTar } from "modern-tar";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openVault } from "../secrets/vault.node.ts";
import { openStore } from "../store/store.node.ts";
import { backup, restore } from "./backup.node.ts";

const folder = mkdtempSync(join(tmpdir(), "fuselet-backup-"));
const data = join(folder, "data");
const large = Buffer.alloc(3 * 1024 * 1024 + 7, "fuselet");

beforeAll(async () => {
  const store = openStore({ path: join(data, "server.db") });
  await store.put("server.users", "ada", { name: "Ada" });
  await store.close();
  const { vault, close } = openVault(join(data, "secrets"), undefined);
  await vault.write("ada", "KEY", "a secret value");
  await close();
  for (const [path, bytes] of [
    ["files/ada/large.bin", large],
    ["files/ada/empty", ""],
    [`files/ada/${"long/".repeat(40)}name with ö.txt`, "text"],
    ["files/ada/own.db", "no database"],
    ["mount/team/own.db", "no database"],
    ["mount/team/own.db-wal", "of theirs"],
    ["cache/results/cache.db", "made again"],
    ["parts/1", "an upload"],
    [`files/ada/.fuselet-${"0".repeat(32)}.part`, "what it has until now"],
    ["usage.db", "counts"],
  ] as const) {
    mkdirSync(join(data, path, ".."), { recursive: true });
    writeFileSync(join(data, path), bytes);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const filesBelow = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

test("a folder comes back as it was, without what is made again, and for its user only", async () => {
  const file = join(folder, "a.tar");
  // A server that has it open, and writes meanwhile.
  const running = openStore({ path: join(data, "server.db") });
  const writing = Promise.all([1, 2, 3].map((n) => running.put("server.test", String(n), n)));
  const written = await backup(data, file, "1.2.3");
  await writing;
  await running.close();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const target = join(folder, "restored");
  expect(await restore(file, target)).toEqual(written);
  expect(filesBelow(target)).toEqual(
    [
      "files/ada/empty",
      "files/ada/large.bin",
      `files/ada/${"long/".repeat(40)}name with ö.txt`,
      "files/ada/own.db",
      "mount/team/own.db",
      "mount/team/own.db-wal",
      "secrets/key",
      "secrets/secrets.db",
      "server.db",
    ].sort(),
  );
  expect(readFileSync(join(target, "files/ada/large.bin")).equals(large)).toBe(true);
  expect(statSync(target).mode & 0o777).toBe(0o700);
  expect(statSync(join(target, "secrets/key")).mode & 0o777).toBe(0o600);
  const store = openStore({ path: join(target, "server.db") });
  expect((await store.get("server.users", "ada"))?.value).toEqual({ name: "Ada" });
  await store.close();
  const { vault, close } = openVault(join(target, "secrets"), undefined);
  expect(await vault.read("ada", "KEY")).toBe("a secret value");
  await close();
  expect(readdirSync(folder).sort()).toEqual(["a.tar", "data", "restored"]);
});

test("nothing is replaced: neither a file by a backup nor a folder that has something", async () => {
  const file = join(folder, "there.tar");
  writeFileSync(file, "mine");
  await expect(backup(data, file, "1")).rejects.toThrow("it is there already");
  expect(readFileSync(file, "utf8")).toBe("mine");
  await backup(data, join(folder, "b.tar"), "1");
  await expect(restore(join(folder, "b.tar"), data)).rejects.toThrow("is not empty");
  await expect(backup(join(folder, "nowhere"), join(folder, "c.tar"), "1")).rejects.toThrow(
    "it is not a folder of fuselet serve",
  );
  await expect(backup(data, join(data, "c.tar"), "1")).rejects.toThrow("name a file elsewhere");
  await expect(backup(data, join(folder, "no/such/c.tar"), "1")).rejects.toMatchObject({
    name: "UsageError",
  });
});

describe("an archive that is not whole, or not ours, leaves nothing behind", () => {
  const manifest = { header: { name: "fuselet-backup.json", size: 12 }, body: '{"format":1}' };
  const entry = (name: string, more: object = {}) => ({ header: { name, size: 1, ...more }, body: "x" });
  const archives: Record<string, () => Promise<Uint8Array>> = {
    "cut off": async () => {
      await backup(data, join(folder, "cut.tar"), "1");
      truncateSync(join(folder, "cut.tar"), statSync(join(folder, "cut.tar")).size - 2_000_000);
      return readFileSync(join(folder, "cut.tar"));
    },
    "no archive": async () => new TextEncoder().encode("hello".repeat(500)),
    empty: async () => new Uint8Array(),
    "another archive": () => packTar([entry("server.db")]),
    "a newer format": () => packTar([{ ...manifest, body: '{"format":9}' }]),
    "a path out of the folder": () => packTar([manifest, entry("../evil")]),
    "an absolute path": () => packTar([manifest, entry("/tmp/evil")]),
    "a link": () =>
      packTar([manifest, { header: { name: "files", size: 0, type: "symlink", linkname: "/etc" } }]),
    "a file twice": () => packTar([manifest, entry("a"), entry("a")]),
    "no database": () => packTar([manifest, entry("a")]),
    "a database that is none": () => packTar([manifest, entry("server.db")]),
    "a database that is damaged": async () => {
      const bytes = readFileSync(join(data, "server.db"));
      bytes.fill(0xff, 100, 5000);
      return packTar([manifest, { header: { name: "server.db", size: bytes.length }, body: bytes }]);
    },
  };
  test.each(Object.entries(archives))("%s", async (_name, make) => {
    const file = join(folder, "bad.tar");
    writeFileSync(file, await make());
    const target = join(folder, "bad");
    await expect(restore(file, target)).rejects.toThrow(/Cannot/);
    expect(readdirSync(folder).filter((name) => name.startsWith("bad") || name === "evil")).toEqual([
      "bad.tar",
    ]);
  });
});
