import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../cache/blobs.ts";
import { openTestStore, type TestStore } from "./fixtures/store.ts";
import { openUsers, type Users } from "./users.ts";

let db: TestStore;
let users: Users;
beforeEach(() => {
  db = openTestStore();
  users = openUsers(db.store);
});
afterEach(() => db.close());

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

describe("changes", () => {
  test("of name, team, grants: what is not given stays, and null takes grants away", async () => {
    const ada = await users.add({ email: "ada@example.com", permissions: { net: ["example.org"] } });
    const moved = await users.update(ada.id, { name: "Ada L.", team: "maps" });
    expect(moved).toEqual({ ...ada, name: "Ada L.", team: "maps" });
    expect(await users.byId(ada.id)).toEqual(moved);
    expect((await users.update(ada.id, { permissions: { run: true } })).permissions).toEqual({ run: true });
    expect(await users.update(ada.id, { permissions: null })).not.toHaveProperty("permissions");
    await expect(users.update(ada.id, { team: "a b" })).rejects.toMatchObject({ status: 422 });
    await expect(users.update(ada.id, { permissions: { nte: true } as never })).rejects.toThrow("nte");
    for (const id of ["nobody", "", "\u0000"])
      await expect(users.update(id, { name: "x" })).rejects.toMatchObject({ status: 404 });
    expect(await users.byEmail("ada@example.com")).toEqual({ ...moved, permissions: undefined });
  });

  test("who is disabled has no token that opens anything, and is there for what is theirs", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    const { token } = await users.addToken(ada.id, "laptop", null);
    await users.update(ada.id, { isEnabled: false });
    expect([await users.byToken(token), await users.active(ada.id)]).toEqual([null, null]);
    expect(await users.byId(ada.id)).toMatchObject({ isEnabled: false, handle: "ada" });
    await users.update(ada.id, { isEnabled: true });
    expect(await users.byToken(token)).toEqual(ada);
    expect(await users.active(ada.id)).toEqual(ada);
  });

  test("the last admin stays one, whoever is disabled beside", async () => {
    const ada = await users.add({ email: "ada@example.com", isAdmin: true });
    const bob = await users.add({ email: "bob@example.com", isAdmin: true });
    await users.add({ email: "eve@example.com" });
    await users.update(bob.id, { isEnabled: false });
    for (const changes of [{ isAdmin: false }, { isEnabled: false }])
      await expect(users.update(ada.id, changes)).rejects.toMatchObject({ status: 409 });
    await expect(users.delete(ada.id)).rejects.toMatchObject({ status: 409 });
    expect(await users.active(ada.id)).toMatchObject({ isAdmin: true });
    expect(await users.update(ada.id, { name: "still", isAdmin: true })).toMatchObject({ name: "still" });
    // Of two that go at once, one stays.
    await users.update(bob.id, { isEnabled: true });
    const ends = await Promise.allSettled([ada, bob].map(({ id }) => users.update(id, { isAdmin: false })));
    expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("tokens", () => {
  test("do not outlive the one that they are made with", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    const soon = Date.now() + 60_000;
    const first = await users.addToken(ada.id, "short", soon);
    const expires = new Date(soon).toISOString();
    for (const wanted of [null, soon + 1_000_000])
      expect(await users.addToken(ada.id, "child", wanted, first.token)).toMatchObject({ expires });
    const shorter = await users.addToken(ada.id, "child", soon - 1000, first.token);
    expect(shorter.expires).toBe(new Date(soon - 1000).toISOString());
    const { token } = await users.addToken(ada.id, "lasting", null);
    expect(await users.addToken(ada.id, "child", null, token)).toMatchObject({ expires: null });
  });

  test("that have expired take no room of those that have not", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    for (let count = 0; count < 99; count++) await users.addToken(ada.id, "short", Date.now());
    await users.addToken(ada.id, "lasting", null);
    await users.addToken(ada.id, "another", null);
    expect((await users.tokens(ada.id)).map(({ name }) => name).sort()).toEqual(["another", "lasting"]);
    for (let count = 2; count < 100; count++) await users.addToken(ada.id, "more", null);
    await expect(users.addToken(ada.id, "too many", null)).rejects.toMatchObject({ status: 409 });
  });

  test("all of a user's go at once", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    const bob = await users.add({ email: "bob@example.com" });
    const own = [await users.addToken(ada.id, "a", null), await users.addToken(ada.id, "b", null)];
    const other = await users.addToken(bob.id, "c", null);
    await users.deleteTokens(ada.id);
    await users.deleteTokens(ada.id);
    expect(await Promise.all(own.map(({ token }) => users.byToken(token)))).toEqual([null, null]);
    expect([await users.tokens(ada.id), await users.byToken(other.token)]).toEqual([[], bob]);
  });

  test("all go, also those that are made at that moment", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    const many = await Promise.all(
      Array.from({ length: 250 }, async () => (await users.addToken(ada.id, "many", null)).token),
    );
    const [, late] = await Promise.allSettled([
      users.deleteTokens(ada.id),
      users.addToken(ada.id, "late", null, many[0]),
    ]);
    if (late.status === "fulfilled") many.push(late.value.token);
    expect((await Promise.all(many.map((token) => users.byToken(token)))).filter(Boolean)).toEqual([]);
    await expect(users.addToken(ada.id, "late", null, many[0])).rejects.toMatchObject({ status: 401 });
  });

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
    await db.store.close();
    for (const file of ["server.db", "server.db-wal"]) {
      const bytes = await readFile(join(db.folder, file)).catch(() => Buffer.alloc(0));
      expect(bytes.includes(first.token)).toBe(false);
    }
  });

  test("that the server was started with open the first user's account, and are kept nowhere", async () => {
    const ada = await users.add({ email: "ada@example.com" });
    const fixed = openUsers(db.store, { tokenHash: await sha256("a token of my own"), userId: ada.id });
    expect(await fixed.byToken("a token of my own")).toEqual(ada);
    expect(await users.byToken("a token of my own")).toBeNull();
  });
});
