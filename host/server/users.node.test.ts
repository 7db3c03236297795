import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../cache/blobs.ts";
import { openStore, type SqliteStore } from "../store/store.node.ts";
import { openUsers, type Users } from "./users.ts";

let folder: string;
let store: SqliteStore;
let users: Users;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fuselet-users-"));
  store = openStore({ path: join(folder, "server.db") });
  users = openUsers(store);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("users", () => {
  test("are found by id, email and handle, in any case, and have a team of their own", async () => {
    const ada = await users.add({ email: "Ada@Example.com" });
    expect(ada).toMatchObject({ email: "ada@example.com", handle: "ada", name: "ada", isAdmin: false });
    expect(ada.team).toBe(ada.id);
    expect(await users.byEmail("ADA@example.com")).toEqual(ada);
    expect(await users.byHandle("Ada")).toEqual(ada);
    expect(await users.byId(ada.id)).toEqual(ada);
    expect(await users.byId("\u0000")).toBeNull();
  });

  test("share no email and no handle, and nothing is left of one that was refused", async () => {
    await users.add({ email: "ada@example.com" });
    await expect(users.add({ email: "ada@example.com", handle: "other" })).rejects.toMatchObject({
      status: 409,
    });
    await expect(users.add({ email: "ada@example.org" })).rejects.toMatchObject({ status: 409 });
    expect(await users.byHandle("other")).toBeNull();
    expect(await users.list()).toHaveLength(1);
  });

  test.each([
    "",
    "ada",
    "a@b@c",
    "a b@c",
    "a/b@c",
    `${"a".repeat(70)}@c`,
    "a\u0000@c",
    "a@\ud800",
    "a\u202e@c",
  ])("%j is no email", async (email) => {
    await expect(users.add({ email })).rejects.toMatchObject({ status: 422 });
  });

  test("that are deleted take their tokens with them, and free their names", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    const { token } = await users.addToken(ada.id, "laptop", null);
    expect(await users.delete(ada.id)).toBe(true);
    expect(await users.delete(ada.id)).toBe(false);
    expect(await users.byToken(token)).toBeNull();
    expect((await users.add({ email: "ada@example.com" })).id).not.toBe(ada.id);
  });
});

describe("tokens", () => {
  test("open their user's account until they expire or are deleted, and only their hash is kept", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    const bob = await users.add({ email: "bob@example.com" });
    const first = await users.addToken(ada.id, "laptop", null);
    const expired = await users.addToken(ada.id, "old", Date.now() - 1);
    expect(await users.byToken(first.token)).toEqual(ada);
    expect(await users.byToken(expired.token)).toBeNull();
    expect(await users.byToken(`${first.token}x`)).toBeNull();
    expect(await users.byToken(await sha256(first.token))).toBeNull();
    expect((await users.tokens(ada.id)).map(({ name }) => name).sort()).toEqual(["laptop", "old"]);
    expect(await users.tokens(bob.id)).toEqual([]);
    expect(await users.deleteToken(bob.id, first.id)).toBe(false);
    expect(await users.deleteToken(ada.id, first.id)).toBe(true);
    expect(await users.byToken(first.token)).toBeNull();
    await store.close();
    for (const file of ["server.db", "server.db-wal"]) {
      const bytes = await readFile(join(folder, file)).catch(() => Buffer.alloc(0));
      expect(bytes.includes(first.token)).toBe(false);
    }
  });

  test("that the server was started with open the first user's account, and are kept nowhere", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    const fixed = openUsers(store, { tokenHash: await sha256("a token of my own"), userId: ada.id });
    expect(await fixed.byToken("a token of my own")).toEqual(ada);
    expect(await users.byToken("a token of my own")).toBeNull();
  });
});
