/** Methods and paths: HEAD, OPTIONS, and those that there are none of. */
import assert from "node:assert/strict";
import { raw, TOKEN } from "../setup/serve.mjs";
import { ROWS } from "./udfs.mjs";

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function methodCases({ server, link }) {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return {
    "HEAD has the headers of GET and no body; OPTIONS and unknown methods run nothing": async () => {
      const { url } = server;
      const rows = await link("rows", ROWS);
      const paths = [`/${rows}/run/file.csv`, "/server/v1/user/self", "/healthz", "/embed/fuselet.js"];
      for (const path of paths) {
        const get = await raw(url, { path, headers });
        const head = await raw(url, { method: "HEAD", path, headers });
        assert.deepEqual([head.status, head.text], [200, ""], path);
        assert.equal(head.headers["content-type"], get.headers["content-type"], path);
        for (const method of ["OPTIONS", "PATCH", "TRACE", "PROPFIND"]) {
          const { status } = await raw(url, { method, path, headers });
          assert.ok(status === 404 || status === 405, `${method} ${path}: ${status}`);
        }
      }
    },

    "paths and methods that there are none of": async () => {
      for (const [method, path] of [
        ["GET", "/nothing/here"],
        ["PATCH", "/server/v1/user/self"],
        ["GET", "/server/v1/nothing"],
        ["TRACE", "/healthz"],
      ]) {
        const { status, text } = await raw(server.url, { method, path, headers });
        assert.ok([404, 405, 501].includes(status), `${method} ${path}: ${status}`);
        assert.doesNotMatch(text, /at .*\.js|node_modules/);
      }
    },
  };
}
