/** Pages of a real Chromium for tests, with fuselet served from another origin than the page's. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium as playwright } from "playwright-core";
import { CHROMIUM_ARGUMENTS, chromium } from "../setup/chromium.mjs";
import { serve } from "./server.mjs";

const dist = process.env.FUSELET_DIST ?? join(import.meta.dirname, "../../dist");

/**
 * Opens Chromium with a profile of its own, and two servers: one for pages, one for `dist`.
 * @returns {Promise<{
 *   openPage: (options?: { kind?: "plain" | "isolated" | "strict" }) => Promise<BrowserPage>,
 *   modules: Server, pages: Server, version: string, close: () => Promise<void>
 * }>}
 * @typedef {Awaited<ReturnType<typeof serve>>} Server
 * @typedef {{
 *   evaluate: (fn: Function | string, argument?: unknown) => Promise<unknown>,
 *   waitFor: (condition: () => boolean) => Promise<void>, reload: () => Promise<void>, messages: string[], close: () => Promise<void>
 * }} BrowserPage
 */
export async function openBrowser() {
  const profile = await mkdtemp(join(tmpdir(), "fuselet-chromium-"));
  const modules = await serve(dist);
  const pages = await serve(dist);
  const context = await playwright.launchPersistentContext(profile, {
    executablePath: chromium(),
    headless: true,
    args: CHROMIUM_ARGUMENTS.filter((argument) => argument !== "--headless"),
  });

  const openPage = async ({ kind = "plain" } = {}) => {
    const page = await context.newPage();
    const messages = [];
    page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => messages.push(`error: ${error.stack}`));
    const prepare = async () => {
      await page.goto(`${pages.origin}/page/${kind}`);
      await page.evaluate(async (url) => {
        globalThis.fuselet = await import(url);
      }, `${modules.origin}/embed/fuselet.js`);
    };
    await prepare();
    return {
      evaluate: (fn, argument) => page.evaluate(fn, argument),
      /** Resolves when the condition holds in the page. @throws Error when it does not within 5 s */
      waitFor: (condition) => page.waitForFunction(condition, undefined, { timeout: 5000 }).then(() => {}),
      reload: prepare,
      messages,
      close: () => page.close(),
    };
  };

  return {
    openPage,
    modules,
    pages,
    version: context.browser()?.version() ?? "",
    async close() {
      await context.close();
      await Promise.all([modules.close(), pages.close()]);
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * Opens one page in a browser of its own; `globalThis.fuselet` there is the module.
 * @param {{ isolated?: boolean }} [options] `isolated`: the page has SharedArrayBuffer. Default false.
 * @returns {Promise<BrowserPage & { origin: string }>} `close` ends the browser as well; `origin` is where the module comes from
 */
export async function openBrowserPage({ isolated = false } = {}) {
  const browser = await openBrowser();
  const page = await browser.openPage({ kind: isolated ? "isolated" : "plain" });
  return { ...page, origin: browser.modules.origin, close: () => browser.close() };
}
