/** What every store must do. The cases run on node:sqlite (host/store/store.node.test.ts) and on IndexedDB in Chromium (suite.mjs). */
import type { Json, Store } from "../../host/store/store.ts";
import { equal, fails } from "./check.ts";

/** Opens a store on the case's own database; each call as another process or tab would. */
export type OpenStore = () => Store;

const bytes = (...values: number[]) => new Uint8Array(values);

export const storeCases: Readonly<Record<string, (open: OpenStore) => Promise<void>>> = {
  "gives back what was put, to others too": async (open) => {
    const store = open();
    const value: Json = {
      text: "ä\u2028 \u{1f600}",
      lone: "\ud800",
      list: [1, -0.5, null, true],
      deep: { "": {} },
    };
    const version = await store.put("a", "key", value, { bytes: bytes(1, 2, 3) });
    for (const reader of [store, open()])
      equal(await reader.get("a", "key"), { key: "key", version, value, bytes: bytes(1, 2, 3) });
    equal(await store.get("a", "other"), undefined);
    equal(await store.get("b", "key"), undefined);
  },
  "tells no bytes from none": async (open) => {
    const store = open();
    await store.put("a", "none", null);
    await store.put("a", "empty", null, { bytes: bytes() });
    equal((await store.get("a", "none"))?.bytes, undefined);
    equal((await store.get("a", "empty"))?.bytes, bytes());
    // A view of a larger buffer.
    await store.put("a", "view", null, { bytes: bytes(1, 2, 3, 4).subarray(1, 3) });
    equal((await store.get("a", "view"))?.bytes, bytes(2, 3));
    await store.put("a", "view", null);
    equal((await store.get("a", "view"))?.bytes, undefined);
  },
  "keeps an object's own __proto__ as data": async (open) => {
    const store = open();
    await store.put("a", "key", JSON.parse('{"__proto__":{"x":1}}'));
    equal(JSON.stringify((await store.get("a", "key"))?.value), '{"__proto__":{"x":1}}');
  },
  "a record has another version after each write, also when it comes back": async (open) => {
    const store = open();
    const versions = [await store.put("a", "key", 1), await store.put("a", "key", 1)];
    await store.put("a", "other", 1);
    await store.delete("a", "key");
    versions.push(await store.put("a", "key", 1));
    equal(new Set(versions).size, 3);
    equal((await store.get("a", "key"))?.version, versions[2]);
  },
  "put and delete with a version refuse when it is another": async (open) => {
    const store = open();
    const first = await store.put("a", "key", 1, { ifVersion: 0 });
    await fails(store.put("a", "key", 2, { ifVersion: 0 }), { code: "conflict", message: /"key".*version/ });
    const second = await store.put("a", "key", 2, { ifVersion: first });
    await fails(store.put("a", "key", 3, { ifVersion: first }), { code: "conflict" });
    await fails(store.delete("a", "key", { ifVersion: first }), { code: "conflict" });
    equal((await store.get("a", "key"))?.value, 2);
    equal(await store.delete("a", "key", { ifVersion: second }), true);
    await fails(store.put("a", "key", 3, { ifVersion: second }), {
      code: "conflict",
      message: /is not there/,
    });
  },
  "delete says whether there was one": async (open) => {
    const store = open();
    await store.put("a", "key", 1);
    equal([await store.delete("a", "key"), await store.delete("a", "key")], [true, false]);
    equal(await store.get("a", "key"), undefined);
  },
  "lists by key in the order of code points, in pages": async (open) => {
    const store = open();
    // In UTF-16 the last one would come before U+FFFD.
    const keys = ["B", "a", "a/", "a/1", "a/2", "ab", "\ufffd", "\u{1f600}"];
    for (const key of keys.toReversed()) await store.put("a", key, key, { bytes: bytes(1) });
    await store.put("b", "a/3", null);
    const found = await store.list("a");
    equal(
      found.map(({ key, value, bytes }) => [key, value, bytes]),
      keys.map((key) => [key, key, undefined]),
    );
    const list = async (options: object) => (await store.list("a", options)).map(({ key }) => key);
    equal(await list({ prefix: "a" }), ["a", "a/", "a/1", "a/2", "ab"]);
    equal(await list({ prefix: "a/", limit: 2 }), ["a/", "a/1"]);
    equal(await list({ prefix: "a/", limit: 2, after: "a/1" }), ["a/2"]);
    equal(await list({ prefix: "a/", after: "B" }), ["a/", "a/1", "a/2"]);
    equal(await list({ prefix: "a/", after: "ab" }), []);
    equal(await list({ after: "\ufffd" }), ["\u{1f600}"]);
    equal(await store.list("none"), []);
  },
  "update sees the record, and changes, deletes or leaves it": async (open) => {
    const store = open();
    const count = (n: number) =>
      store.update("a", "n", (old) => ({ value: Number(old?.value ?? 0) + n, bytes: bytes(n) }));
    equal((await count(1))?.value, 1);
    const two = await count(2);
    equal(two, await store.get("a", "n"));
    equal(await store.update("a", "n", () => undefined), two);
    equal(await store.update("a", "n", () => null), undefined);
    equal(await store.get("a", "n"), undefined);
    equal(await store.update("a", "n", () => undefined), undefined);
  },
  "of many updates at once, from several handles, none is lost": async (open) => {
    const stores = [open(), open(), open()];
    const add = (store: Store) => store.update("a", "n", (old) => ({ value: Number(old?.value ?? 0) + 1 }));
    await Promise.all(Array.from({ length: 60 }, (_, i) => add(stores[i % 3] as Store)));
    equal((await stores[0]!.get("a", "n"))?.value, 60);
  },
  "a transaction changes all records or none": async (open) => {
    const store = open();
    await store.put("a", "x", 1);
    await store.put("b", "y", 2);
    const names = [
      { collection: "a", key: "x" },
      { collection: "b", key: "y" },
      { collection: "b", key: "z" },
    ];
    const swapped = await store.transact(names, ([x, y]) => [
      { value: y!.value },
      { value: x!.value },
      { value: 3 },
    ]);
    equal(
      swapped.map((record) => record?.value),
      [2, 1, 3],
    );
    const failing = store.transact(names, () => [{ value: 9 }, null, { value: Number.NaN }]);
    await fails(failing, { code: "value" });
    const raised = store.transact(names, () => {
      throw Object.assign(new Error("mine"), { code: "mine" });
    });
    await fails(raised, { code: "mine" });
    equal(
      await Promise.all(names.map(async ({ collection, key }) => (await store.get(collection, key))?.value)),
      [2, 1, 3],
    );
    equal(await store.transact(names, () => [null, undefined]), [
      undefined,
      await store.get("b", "y"),
      await store.get("b", "z"),
    ]);
    await fails(
      store.transact([names[0]!, names[0]!], () => []),
      { code: "value" },
    );
  },
  "refuses names, keys, values and limits that break a rule": async (open) => {
    const store = open();
    for (const collection of ["", "A", "a b", "../a", "a".repeat(65)])
      await fails(store.get(collection, "key"), { code: "value", message: /collection/ });
    const keys = ["", "a\u0000b", "a\nb", "\ud800", "\u{10ffff}", "a".repeat(1025), "ä".repeat(513), 1, null];
    for (const key of keys as string[])
      await fails(store.put("a", key, 1), { code: "value", message: /key/ });
    const cycle: Record<string, unknown> = {};
    cycle.own = cycle;
    const values = [undefined, Number.NaN, Infinity, 1n, () => 1, new Date(0), new Map(), [undefined], cycle];
    for (const value of values as Json[])
      await fails(store.put("a", "key", value), { code: "value", message: /value/ });
    await fails(store.put("a", "key", { a: [{ b: new Date(0) }] } as unknown as Json), {
      code: "value",
      message: /value\.a\[0\]\.b/,
    });
    await fails(store.put("a", "key", "x".repeat(17 * 2 ** 20)), { code: "value" });
    await fails(store.put("a", "key", 1, { bytes: [1] as unknown as Uint8Array }), { code: "value" });
    for (const limit of [0, -1, 1.5, 1001, Number.NaN])
      await fails(store.list("a", { limit }), { code: "value", message: /limit/ });
    equal(await store.list("a"), []);
  },
  "says so when it is closed": async (open) => {
    const store = open();
    await store.put("a", "key", 1);
    await store.close();
    await store.close();
    await fails(store.get("a", "key"), { code: "closed" });
    equal((await open().get("a", "key"))?.value, 1);
  },
  "large values and bytes": async (open) => {
    const store = open();
    const large = new Uint8Array(2 ** 20).fill(7);
    const value = "x".repeat(2 ** 20);
    await store.put("a", "key", value, { bytes: large });
    const found = await open().get("a", "key");
    equal([found?.value === value, found?.bytes?.length, found?.bytes?.at(-1)], [true, 2 ** 20, 7]);
  },
};
