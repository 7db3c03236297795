/** The page's side of the browser run: bundled with all cases, started by run.browser.mjs. */
import type { createRuntime } from "../../sdk/typescript/index.browser.ts";
import type { Case, DistributionName, FuseletModule } from "./case.ts";
import { type ConformancePlatform, runCases, type Verdict } from "./run.ts";

export interface PageOptions {
  /** The folder of esbuild-wasm. */
  esbuildUrl: string;
  /** The address of each distribution's folder; null where it is not there. */
  distributions: Record<Exclude<DistributionName, "core">, string | null>;
  /** Host and port of net-server.ts. */
  server: string;
  /** Pattern of the titles to run, or null for all. */
  only: string | null;
}

/** Runs the cases. `fuselet` is what `dist/embed/fuselet.js` exports. */
export async function runInPage(
  fuselet: FuseletModule & { createRuntime: typeof createRuntime },
  cases: readonly Case[],
  { esbuildUrl, distributions, server, only }: PageOptions,
): Promise<Verdict[]> {
  const platform: ConformancePlatform = {
    fuselet,
    server,
    createRuntime(distribution, options) {
      const pyodide = distribution === "core" ? null : distributions[distribution];
      return fuselet.createRuntime({ ...options, assets: { esbuildUrl, ...(pyodide ? { pyodide } : {}) } });
    },
    missing: (distribution) =>
      distribution !== "core" && distributions[distribution] === null
        ? "the geospatial wheels are not here: set FUSELET_TEST_WHEELS"
        : null,
  };
  const pattern = only === null ? null : new RegExp(only, "i");
  const verdicts: Verdict[] = [];
  const chosen = cases.filter(({ title }) => pattern?.test(title) ?? true);
  await runCases(chosen, platform, (verdict) => verdicts.push(verdict));
  return verdicts;
}
