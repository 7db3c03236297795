/** The host's storage in pages of a real Chromium: the store's cases on IndexedDB, and the cache in several tabs. */
import assert from "node:assert/strict";
import { openBundledPages } from "../browser/bundled-pages.mjs";

const { openPage, run } = await openBundledPages(import.meta.dirname, "host");

/** A page with a cache of this name. */
async function openCachePage(name, maxBytes) {
  const page = await openPage();
  const on = (method, ...args) =>
    page.evaluate(([method, args]) => globalThis.cache[method](...args), [method, args]);
  await page.evaluate(
    ([name, maxBytes]) => void (globalThis.cache = host.openCache(name, maxBytes)),
    [name, maxBytes],
  );
  return {
    page,
    begin: (key) => on("begin", key),
    commit: (key, n, size) => on("commit", key, n, size),
    statistics: () => on("statistics"),
    close: () => on("close"),
  };
}

const plain = await openPage();
const titles = await plain.evaluate(() => host.titles);

const cases = {
  ...Object.fromEntries(
    titles.map((title) => [
      `IndexedDB: ${title}`,
      () => plain.evaluate((title) => host.runStoreCase(title), title),
    ]),
  ),
  "IndexedDB: of updates in two tabs at once none is lost": async () => {
    const pages = [plain, await openPage()];
    const add = (page) =>
      page.evaluate(async () => {
        const store = host.openStore({ name: "tabs" });
        for (let i = 0; i < 50; i++)
          await store.update("a", "n", (old) => ({ value: (old?.value ?? 0) + 1 }));
        return (await store.get("a", "n")).value;
      });
    const last = await Promise.all(pages.map(add));
    assert.equal(Math.max(...last), 100);
    await pages[1].close();
  },
  "IndexedDB: a database that was deleted under it is opened anew": async () => {
    const value = await plain.evaluate(async () => {
      const store = host.openStore({ name: "deleted" });
      await store.put("a", "key", 1);
      await new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase("deleted");
        request.onsuccess = resolve;
        request.onerror = reject;
      });
      const gone = await store.get("a", "key");
      await store.put("a", "key", 2);
      return [gone, (await store.get("a", "key")).value];
    });
    assert.deepEqual(value, [undefined, 2]);
  },
  "IndexedDB: a newer database is refused": async () => {
    const code = await plain.evaluate(async () => {
      await new Promise((resolve) => {
        const request = indexedDB.open("newer", 99);
        request.onsuccess = () => resolve(request.result.close());
      });
      return host
        .openStore({ name: "newer" })
        .get("a", "key")
        .catch((error) => error.code);
    });
    assert.equal(code, "version");
  },
  "bodies in the page's file system": () => plain.evaluate(() => host.runBlobs("files")),
  "bodies in IndexedDB, where there is no such file system": async () => {
    const page = await openPage();
    await page.evaluate(async () => {
      delete FileSystemFileHandle.prototype.createWritable;
      await host.runBlobs("database");
    });
    await page.close();
  },
  "cache: one tab computes, the other waits and gets the value": async () => {
    const [first, second] = [await openCachePage("two"), await openCachePage("two")];
    for (const [key, size] of [
      ["small", 100],
      ["large", 100_000],
    ]) {
      assert.equal(await first.begin(key), "compute");
      const waiting = second.begin(key);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await first.commit(key, 7, size);
      assert.equal(await waiting, 7);
      assert.equal(await first.begin(key), 7);
    }
    assert.deepEqual(
      (({ hits, waits, entries, bytes }) => ({ hits, waits, entries, bytes }))(await second.statistics()),
      { hits: 2, waits: 2, entries: 2, bytes: 100_100 },
    );
    await Promise.all([first.page.close(), second.page.close()]);
  },
  "cache: a tab that was closed does not keep others waiting": async () => {
    const [first, second] = [await openCachePage("closed"), await openCachePage("closed")];
    assert.equal(await first.begin("key"), "compute");
    const waiting = second.begin("key");
    await new Promise((resolve) => setTimeout(resolve, 500));
    await first.page.close();
    assert.equal(await waiting, "compute");
    assert.equal(await second.commit("key", 3, 10), true);
    await second.page.close();
  },
  "cache: a damaged body is computed again": async () => {
    const { page, ...cache } = await openCachePage("damaged");
    await cache.begin("key");
    await cache.commit("key", 1, 50_000);
    await page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("damaged-bodies");
      for await (const handle of folder.values()) {
        const stream = await handle.createWritable({ keepExistingData: true });
        await stream.write({ type: "write", position: 40_000, data: new Uint8Array([99]) });
        await stream.close();
      }
    });
    assert.equal(await cache.begin("key"), "compute");
    assert.match((await page.evaluate(() => globalThis.cache.problems))[0], /key is damaged/);
    await cache.commit("key", 2, 50_000);
    assert.equal(await cache.begin("key"), 2);
    await page.close();
  },
  "cache: tabs that evict keep within the bound": async () => {
    const tabs = [await openCachePage("bound", 300_000), await openCachePage("bound", 300_000)];
    const fill = async (tab, from) => {
      let most = 0;
      for (let n = from; n < from + 25; n++) {
        assert.equal(await tab.begin(`key ${n}`), "compute");
        await tab.commit(`key ${n}`, n, n % 2 ? 10_000 : 40_000);
        most = Math.max(most, (await tab.statistics()).bytes);
      }
      return most;
    };
    for (const most of await Promise.all([fill(tabs[0], 100), fill(tabs[1], 200)])) {
      assert.ok(most <= 300_000, `there were ${most} bytes`);
      assert.ok(most > 150_000, `there were only ${most} bytes`);
    }
    await Promise.all(tabs.map(({ page }) => page.close()));
  },
  "cache: a closed one gives its leases back": async () => {
    const { page, ...cache } = await openCachePage("given");
    await cache.begin("key");
    await cache.close();
    const other = await openCachePage("given");
    assert.equal(await other.begin("key"), "compute");
    await Promise.all([page.close(), other.page.close()]);
  },
};

await run(cases);
