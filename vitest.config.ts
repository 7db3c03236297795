import { defineConfig } from "vitest/config";

import { watForVitest } from "./build.wat.mjs";

/** Unit tests live beside the sources. Suites that need a browser, Python or a built package are in test/NAME/suite.mjs. */
export default defineConfig({
  define: { FUSELET_VERSION: JSON.stringify("0.0.0-test"), FUSELET_COMPILER: JSON.stringify("test") },
  plugins: [watForVitest],
  test: {
    include: ["{runtime,host,sdk,test}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**"],
    environment: "node",
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 20_000,
    reporters: ["default"],
  },
});
