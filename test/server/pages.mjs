/** The server's own pages and scripts: /docs and /embed, in a Chromium. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { dist, raw } from "../setup/serve.mjs";
import { PRINTS, ROWS } from "./udfs.mjs";

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function pageCases({ server, openPage }, { isLong }) {
  return {
    "/docs lists the routes in Chromium, without an error": async () => {
      const { url } = server;
      const { page, problems, close } = await openPage(`${url}/docs`);
      await page.waitForFunction(() => document.querySelectorAll("section details").length > 50);
      assert.match(await page.textContent("#about"), /fuselet .* operations/);
      await page.fill("#filter", "udf/new");
      const isShort = () =>
        [...document.querySelectorAll("section > details summary")].filter((one) => one.checkVisibility())
          .length < 10;
      await page.waitForFunction(isShort);
      assert.deepEqual(problems, []);
      await close();
    },

    "/embed/fuselet.js runs UDFs in a page of another origin, and all beside it is served": async () => {
      const { url } = server;
      const folder = join(dist, "embed");
      const found = readdirSync(folder, { recursive: true, withFileTypes: true });
      const files = found.filter((one) => one.isFile());
      assert.ok(files.length > 10);
      for (const { parentPath, name } of files) {
        const path = `/embed/${relative(folder, join(parentPath, name)).replaceAll(sep, "/")}`;
        const { status, headers } = await raw(url, { method: "HEAD", path });
        assert.deepEqual([status, headers["access-control-allow-origin"]], [200, "*"], path);
      }
      const { page, problems, close } = await openPage();
      // Python's first start in a page takes seconds; the files that it takes are those above.
      const udfs = isLong ? [PRINTS, ROWS] : [PRINTS];
      const got = await page.evaluate(
        async ([url, udfs]) => {
          const { createRuntime } = await import(`${url}/embed/fuselet.js`);
          const runtime = await createRuntime({ pool: { spares: 0 } });
          const values = [];
          for (const code of udfs) values.push((await runtime.run(code)).value);
          await runtime.close();
          return values;
        },
        [url, udfs],
      );
      const rows = [0, 1].map((n) => ({ n, name: "a" }));
      assert.deepEqual(got, ["the end", rows].slice(0, udfs.length));
      assert.deepEqual(problems, []);
      await close();
    },
  };
}
