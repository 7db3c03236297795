/** A user's files as clients of HTTP get them. */
import assert from "node:assert/strict";

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function fileCases({ server }) {
  return {
    "files: parts by Range, 304, HEAD, and nothing in them acts as a page": async () => {
      const { ask } = server;
      const text = "0123456789".repeat(100);
      const bytes = new TextEncoder().encode(text);
      const name = "fd://ranges/a.html";
      assert.equal((await ask("PUT", `files/upload?path=${name}`, bytes)).status, 200);
      const get = (headers, method = "GET") => ask(method, `files/get?path=${name}`, undefined, { headers });
      const whole = await get({});
      assert.equal(await whole.text(), text);
      const about = Object.fromEntries(whole.headers);
      assert.match(about["content-security-policy"], /^sandbox;/);
      assert.match(about["content-disposition"], /^attachment/);
      assert.equal(about["x-content-type-options"], "nosniff");
      for (const [range, start, end] of [
        ["bytes=0-0", 0, 0],
        ["bytes=2-5", 2, 5],
        ["bytes=990-", 990, 999],
        ["bytes=-3", 997, 999],
        ["bytes=995-99999", 995, 999],
      ]) {
        const part = await get({ range });
        assert.equal(part.status, 206, range);
        assert.equal(part.headers.get("content-range"), `bytes ${start}-${end}/1000`);
        assert.equal(await part.text(), text.slice(start, end + 1));
      }
      for (const range of ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=x"]) {
        const all = await get({ range });
        assert.deepEqual([all.status, await all.text()], [200, text], range);
      }
      const beyond = await get({ range: "bytes=1000-" });
      assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */1000"]);
      const { etag } = about;
      assert.equal((await get({ "if-none-match": etag })).status, 304);
      assert.equal((await get({ range: "bytes=0-1", "if-range": etag })).status, 206);
      assert.equal((await get({ range: "bytes=0-1", "if-range": '"old"' })).status, 200);
      const head = await get({}, "HEAD");
      assert.deepEqual([head.status, head.headers.get("content-length")], [200, "1000"]);
      const signed = await (await ask("GET", `files/sign?path=${name}`)).json();
      const bySign = await fetch(signed, { headers: { range: "bytes=2-5" } });
      assert.deepEqual([bySign.status, await bySign.text()], [206, "2345"]);
      assert.match(bySign.headers.get("content-security-policy"), /^sandbox;/);
    },
  };
}
