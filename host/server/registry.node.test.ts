import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openVault } from "../secrets/vault.node.ts";
import { openStore, type SqliteStore } from "../store/store.node.ts";
import { type Collections, openCollections } from "./collections.ts";
import { deleteCollection } from "./forget.ts";
import { makeLog } from "./log.ts";
import type { User } from "./parts.ts";
import { openRegistry, type Registry } from "./registry.ts";
import { openSharedTokens } from "./shared-tokens.ts";
import { udfEpochs } from "./udf-epochs.ts";
import { openUsers, type Users } from "./users.ts";

let folder: string;
let store: SqliteStore;
let users: Users;
let collections: Collections;
let registry: Registry;
let ada: User;
const open = () => {
  store = openStore({ path: join(folder, "server.db") });
  users = openUsers(store);
  collections = openCollections(store);
  registry = openRegistry(store, users, collections);
};
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fuselet-registry-"));
  open();
  ada = await users.add({ email: "ada@example.com" });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const body = (value: unknown) => JSON.stringify({ code: `@fused.udf\ndef udf():\n    return ${value}\n` });

test("all that was saved is there when the folder is opened again", async () => {
  const saved = await registry.save(ada, { slug: "kept", body: body(1) });
  await store.close();
  open();
  expect(await registry.byId(saved.id)).toEqual(saved);
  expect(await registry.bySlug(ada.id, "kept")).toEqual(saved);
  expect(registry.sourceOf(saved)).toMatchObject({ name: "kept", language: "python" });
});

test("of long versions fewer are kept", async () => {
  const long = (n: number) => body(`${n}  # ${"x".repeat(7_900_000)}`);
  const { id } = await registry.save(ada, { slug: "long", body: long(1) });
  for (let n = 2; n <= 10; n++) await registry.save(ada, { id, body: long(n) });
  const udf = (await registry.byId(id))!;
  const numbers = async () => (await registry.versions(ada, udf)).map(({ version }) => version);
  expect(await numbers()).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2]);
  expect((await registry.version(ada, udf, 2))?.body).toBe(long(2));
  expect(await registry.version(ada, udf, 1)).toBeNull();
});

test("the last hundred versions are kept beside the one that counts", async () => {
  let { id } = await registry.save(ada, { slug: "many", body: body(1) });
  for (let value = 2; value <= 103; value++) ({ id } = await registry.save(ada, { id, body: body(value) }));
  const udf = await registry.toRead(ada, id);
  const versions = (await registry.versions(ada, udf)).map(({ version }) => version);
  expect([versions[0], versions.at(-1), versions.length]).toEqual([103, 3, 101]);
  expect((await registry.version(ada, udf, 3))?.body).toBe(body(3));
  expect(await registry.version(ada, udf, 2)).toBeNull();
  await registry.delete(udf);
  for (const collection of ["server.udfs", "server.udf-versions", "server.udf-slugs", "server.udf-public"])
    expect([collection, await store.list(collection)]).toEqual([collection, []]);
});

test("a page of large UDFs is cut, and whoever asks on gets all", async () => {
  for (const slug of ["a", "b", "c"])
    await registry.save(ada, {
      slug,
      body: JSON.stringify({ code: "pass", more: "x".repeat(15 * 2 ** 20) }),
    });
  const first = await registry.listOf(ada, { skip: 0, limit: 300 });
  expect(first.map(({ slug }) => slug)).toEqual(["a", "b"]);
  expect((await registry.listOf(ada, { skip: 2, limit: 300 })).map(({ slug }) => slug)).toEqual(["c"]);
});

test("a copy has no id of what it is a copy of", async () => {
  const first = await registry.save(ada, { slug: "first", body: body(1) });
  const text = (id: string) =>
    `{"code": "pass", "parameters": {"hex": 617700169958293503, "a": 1.0}, "metadata": {"fused:id": "${id}", "b": 2}}`;
  const copy = await registry.save(ada, { slug: "copy", body: text(first.id) });
  const kept = '{"code":"pass","parameters":{"hex":617700169958293503,"a":1.0},"metadata":{"b":2}}';
  expect([copy.body, (await registry.byId(copy.id))?.body]).toEqual([kept, kept]);
  const own = await registry.save(ada, { id: copy.id, body: text(copy.id) });
  expect(own.body).toBe(text(copy.id));
});

test("a name means what its owner says, and nothing of strangers alone", async () => {
  const bob = await users.add({ email: "bob@example.com", team: ada.team });
  const eve = await users.add({ email: "eve@example.com" });
  const theirs = await registry.save(ada, { slug: "x", body: body(1), publicRead: true });
  const hidden = await registry.save(ada, { slug: "hidden", body: body(1), teamRead: false });
  const found = async (user: User, name: string) => (await registry.find(user, name))?.id ?? null;
  for (const name of ["x", "ada/x", "ada@example.com/x", "team/x", theirs.id])
    expect([name, await found(bob, name)]).toEqual([name, theirs.id]);
  for (const name of ["x", "team/x"]) expect([name, await found(eve, name)]).toEqual([name, null]);
  for (const name of ["ada/x", theirs.id]) expect([name, await found(eve, name)]).toEqual([name, theirs.id]);
  for (const name of ["hidden", "ada/hidden", hidden.id])
    expect([name, await found(bob, name)]).toEqual([name, null]);
  const own = await registry.save(bob, { slug: "x", body: body(2) });
  expect([await found(bob, "x"), await found(bob, "team/x"), await found(ada, "x")]).toEqual([
    own.id,
    own.id,
    theirs.id,
  ]);
  for (const name of ["", "/", "ada/", "/x", "a/b/c", "..", "\u0000", "\u{10ffff}"])
    expect([name, await found(ada, name)]).toEqual([name, null]);
  const collection = await collections.add(ada, { name: "maps" });
  const inMaps = await registry.save(ada, { slug: "y", body: body(3), collectionId: collection.id });
  for (const name of ["y", "ada/y"]) {
    expect((await registry.find(bob, name, "maps"))?.id).toBe(inMaps.id);
    expect([await found(ada, name), await registry.find(eve, name, "maps")]).toEqual([null, null]);
  }
  expect([registry.sourceOf(inMaps).collection, registry.sourceOf(own).collection]).toEqual([
    "maps",
    undefined,
  ]);
});

test("a public name stays whose it was first", async () => {
  const eve = await users.add({ email: "eve@example.com" });
  const first = await registry.save(ada, { slug: "x", body: body(1), publicRead: true });
  await new Promise((resolve) => setTimeout(resolve, 2));
  await registry.save(eve, { slug: "x", body: body(2), publicRead: true });
  expect((await registry.publicBySlug("x"))?.id).toBe(first.id);
});

test("tokens that were made with another key open what they open, and are not shown", async () => {
  const log: string[] = [];
  const openTokens = (key: string) => {
    const { vault, close } = openVault(join(folder, "secrets"), key);
    const options = { store, vault, users, registry, collections, log: makeLog((line) => log.push(line)) };
    return { tokens: openSharedTokens(options), close };
  };
  const udf = await registry.save(ada, { slug: "x", body: body(1) });
  const schedules = { endOf: async () => undefined };
  const before = openTokens("a".repeat(64));
  const { token } = await before.tokens.add(ada, udf.id, {});
  await before.close();
  const after = openTokens("b".repeat(64));
  expect((await after.tokens.open(token)).udf.id).toBe(udf.id);
  expect(await after.tokens.listOf(ada, { skip: 0, limit: 10 })).toEqual([]);
  expect(log.join("")).toContain('"event":"token"');
  expect(log.join("")).not.toContain(token);
  for (const collection of await collections.listOf(ada.id))
    await deleteCollection(
      { collections, registry, sharedTokens: after.tokens, epochs: udfEpochs(store), schedules },
      collection,
    );
  expect(await after.tokens.byText(token)).toBeNull();
  await after.close();
});
