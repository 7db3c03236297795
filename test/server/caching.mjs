/** What answers of links say about being kept, and how often they are made. */
import assert from "node:assert/strict";

const KEPT = `import fused


@fused.udf(cache_max_age="1h")
def udf(n: int = 1):
    return {"n": n}
`;
const RANDOM = "export default () => Math.random();\n";

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function cachingCases({ link, get }) {
  return {
    "kept results have an ETag: 304 to whoever has them, and the time that is left": async () => {
      const path = `${await link("kept", KEPT)}/run/file.json?n=5`;
      const first = await get(path);
      const etag = first.headers.get("etag");
      assert.match(etag, /^"[0-9a-f]{32}"$/);
      assert.match(first.headers.get("cache-control"), /^public, max-age=3\d\d\d$/);
      const body = await first.text();
      for (const names of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const again = await get(path, { headers: { "if-none-match": names } });
        assert.deepEqual([again.status, await again.text(), again.headers.get("etag")], [304, "", etag]);
      }
      const other = await get(path, { headers: { "if-none-match": '"other"' } });
      assert.deepEqual([other.status, await other.text(), other.headers.get("x-cache")], [200, body, "hit"]);
      const { headers } = await get(`${path}&cache_max_age=0`);
      assert.deepEqual([headers.get("cache-control"), headers.get("etag")], ["no-store", null]);
      const plain = await get(`${await link("random", RANDOM, "typescript")}/run/file.json`);
      assert.deepEqual([plain.headers.get("cache-control"), plain.headers.get("etag")], ["no-store", null]);
    },

    "the same request at once by many is one run": async () => {
      const path = `${await link("random", RANDOM, "typescript")}/run/file.json?cache_max_age=1h`;
      const values = await Promise.all(Array.from({ length: 20 }, async () => (await get(path)).json()));
      assert.equal(new Set(values).size, 1);
    },
  };
}
