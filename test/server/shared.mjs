/** What cases of several files use on the suite's server: links to UDFs, and pages in a Chromium. Each is made when it is asked for first. */
import { chromium as playwright } from "playwright-core";
import { serve } from "../browser/server.mjs";
import { CHROMIUM_ARGUMENTS, chromium } from "../setup/chromium.mjs";

/** @param {Awaited<ReturnType<typeof import("../setup/serve.mjs").startServer>>} server */
export function openShared(server) {
  const links = new Map();
  let browser;
  let files;
  /** Where pages of another origin are. */
  const pages = () => (files ??= serve(import.meta.dirname));

  return {
    server,
    pages,

    /** The token of a link to a UDF, which is made once by its name. @param {string} [language] */
    link(name, code, language) {
      if (!links.has(name)) links.set(name, server.share(name, code, { language }));
      return links.get(name).then(({ token }) => token);
    },

    /** Asks as somebody without a token. @param {string} path without a / before it */
    get: (path, options) => fetch(`${server.url}/${path}`, options),

    /** Opens a page. @param {string} [url] default: an empty page of another origin */
    async openPage(url) {
      browser ??= playwright.launch({
        executablePath: chromium(),
        args: CHROMIUM_ARGUMENTS.filter((argument) => argument !== "--headless"),
      });
      const context = await (await browser).newContext();
      const page = await context.newPage();
      const problems = [];
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.goto(url ?? `${(await pages()).origin}/page/plain`);
      return { page, problems, close: () => context.close() };
    },

    async close() {
      await (await browser)?.close();
      await (await files)?.close();
    },
  };
}
