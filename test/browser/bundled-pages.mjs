/** Pages of a real Chromium with a bundle of the sources in them, for suites that need no isolates. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium as playwright } from "playwright-core";
import { report, runCases } from "../setup/cases.mjs";
import { CHROMIUM_ARGUMENTS, chromium } from "../setup/chromium.mjs";
import { serve } from "./server.mjs";

/**
 * Starts a Chromium with a profile of its own.
 * @param {string} folder has page.ts, whose exports each page finds in the global `globalName`
 * @param {string} globalName
 */
export async function openBundledPages(folder, globalName) {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "page.ts")],
    bundle: true,
    format: "iife",
    globalName,
    platform: "browser",
    target: "es2024",
    write: false,
  });
  const script = `${outputFiles[0].text}\nglobalThis.${globalName} = ${globalName};`;
  const profile = await mkdtemp(join(tmpdir(), "fuselet-chromium-"));
  const server = await serve(folder);
  const context = await playwright.launchPersistentContext(profile, {
    executablePath: chromium(),
    headless: true,
    args: CHROMIUM_ARGUMENTS.filter((argument) => argument !== "--headless"),
  });
  return {
    async openPage() {
      const page = await context.newPage();
      await page.goto(`${server.origin}/page/plain`);
      await page.evaluate(script);
      return page;
    },
    /** Runs cases by title, closes all, and prints `N passed, N failed` in the end. */
    async run(cases) {
      try {
        await runCases(Object.entries(cases));
      } finally {
        await context.close();
        await server.close();
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
      }
      report();
    },
  };
}
