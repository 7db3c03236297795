/**
 * The storage's cases on the file system of pages (OPFS), in a real Chromium.
 *
 *     node test/host/opfs.mjs        the last line is `N passed, N failed`
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium as playwright } from "playwright-core";
import { serve } from "../browser/server.mjs";
import { CHROMIUM_ARGUMENTS, chromium } from "../setup/chromium.mjs";

const { outputFiles } = await build({
  entryPoints: [join(import.meta.dirname, "page.ts")],
  bundle: true,
  format: "iife",
  globalName: "storage",
  platform: "browser",
  target: "es2024",
  write: false,
});
const script = `${outputFiles[0].text}\nglobalThis.storage = storage;`;

const profile = await mkdtemp(join(tmpdir(), "fuselet-chromium-"));
const server = await serve(import.meta.dirname);
const context = await playwright.launchPersistentContext(profile, {
  executablePath: chromium(),
  headless: true,
  args: CHROMIUM_ARGUMENTS.filter((argument) => argument !== "--headless"),
});

async function openPage() {
  const page = await context.newPage();
  await page.goto(`${server.origin}/page/plain`);
  await page.evaluate(script);
  return page;
}

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

let failed = 0;
try {
  for (const [title, run] of Object.entries(cases)) {
    try {
      await run();
    } catch (error) {
      failed++;
      console.log(`FAILED OPFS: ${title}\n${error.stack}`);
    }
  }
} finally {
  await context.close();
  await server.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`${Object.keys(cases).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
