/** The storage's cases on the file system of pages (OPFS), in a real Chromium. */
import assert from "node:assert/strict";
import { openBundledPages } from "../browser/bundled-pages.mjs";

const { openPage, run } = await openBundledPages(import.meta.dirname, "storage");

const plain = await openPage();
const titles = await plain.evaluate(() => storage.titles);

const cases = {
  ...Object.fromEntries(
    titles.map((title) => [title, () => plain.evaluate((title) => storage.runCase(title), title)]),
  ),
  "what a page that was closed has not ended is not there": async () => {
    const other = await openPage();
    await other.evaluate(() => storage.writeHalf("fd://closed/a"));
    assert.deepEqual(await plain.evaluate(() => storage.list("fd://closed/")), []);
    await other.close();
    assert.deepEqual(await plain.evaluate(() => storage.list("fd://closed/")), []);
  },
  "of two pages that write what is not there, one does": async () => {
    const pages = [plain, await openPage()];
    for (let i = 0; i < 10; i++) {
      const url = `fd://race/${i}`;
      const results = await Promise.all(
        pages.map((page, n) => page.evaluate(([url, n]) => storage.writeNew(url, String(n)), [url, n])),
      );
      assert.equal(results.filter(Boolean).length, 1);
    }
    await pages[1].close();
  },
};

await run(cases);
