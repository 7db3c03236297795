/** Links to UDFs as curl asks them: formats, parameters, and failures. */
import assert from "node:assert/strict";
import { tableFromIPC } from "apache-arrow";
import { readParquet } from "parquet-wasm";
import { PLACES, ROWS } from "./udfs.mjs";

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function linkCases({ link, get }) {
  return {
    "curl: a link gives its result in every format, by extension and by ?format=": async () => {
      const rows = await link("rows", ROWS);
      const of = async (path) => {
        const answer = await get(path);
        const bytes = new Uint8Array(await answer.arrayBuffer());
        const text = new TextDecoder().decode(bytes);
        assert.equal(answer.status, 200, `${path}: ${text.slice(0, 300)}`);
        return { type: answer.headers.get("content-type"), bytes, text };
      };
      const wanted = [0, 1, 2].map((n) => ({ n, name: "b" }));
      const rowsOf = (table) => table.toArray().map(({ n, name }) => ({ n: Number(n), name }));
      const read = {
        csv: ({ type, text }) => {
          assert.match(type, /^text\/csv/);
          assert.equal(text, "n,name\r\n0,b\r\n1,b\r\n2,b\r\n");
        },
        json: ({ type, text }) => {
          assert.equal(type, "application/json");
          assert.deepEqual(JSON.parse(text), wanted);
        },
        html: ({ type, text }) => {
          assert.match(type, /^text\/html/);
          assert.match(text, /<td[^>]*>b<\/td>/);
        },
        arrow: ({ type, bytes }) => {
          assert.equal(type, "application/vnd.apache.arrow.stream");
          assert.deepEqual(rowsOf(tableFromIPC(bytes)), wanted);
        },
        parquet: ({ type, bytes }) => {
          assert.equal(type, "application/vnd.apache.parquet");
          assert.deepEqual(rowsOf(tableFromIPC(readParquet(bytes).intoIPCStream())), wanted);
        },
      };
      for (const [format, check] of Object.entries(read)) {
        check(await of(`${rows}/run/file.${format}?n=3&name=b`));
        check(await of(`${rows}/run/file?format=${format}&n=3&name=b`));
        check(await of(`${rows}/run?format=${format}&n=3&name=b`));
        check(await of(`server/v1/realtime-shared/${rows}/run/file.${format}?n=3&name=b`));
      }
      read.csv(await of(`${rows}/run/file?dtype_out_vector=csv&n=3&name=b`));
      const places = await of(`${await link("places", PLACES)}/run/file.geojson`);
      assert.equal(places.type, "application/geo+json");
      assert.deepEqual(JSON.parse(places.text).features[0].geometry.coordinates, [10, 5]);
    },

    "curl: parameters come in the query, as a form and as JSON, and wrong ones are 422 that says which":
      async () => {
        const rows = await link("rows", ROWS);
        const first = async (options, query = "") =>
          (await (await get(`${rows}/run/file.json${query}`, options)).json())[0].name;
        const headers = { "content-type": "application/json" };
        const form = (fields) => ({ method: "POST", body: new URLSearchParams(fields) });
        assert.equal(await first({}, "?n=1&name=%C3%BC%26%3D"), "ü&=");
        assert.equal(await first({ method: "POST", headers, body: '{"n": 1, "name": "j"}' }), "j");
        assert.equal(await first(form({ n: "1", name: "f" })), "f");
        assert.equal(await first(form({ n: "1" }), "?name=q"), "q");
        const wrong = await get(`${rows}/run/file.json?n=many`);
        assert.equal(wrong.status, 422);
        assert.match((await wrong.json()).message, /"n".*'many'/);
        const status = async (path, options) => (await get(path, options)).status;
        assert.equal(await status(`${rows}/run`, { method: "POST", body: "n=1" }), 415);
        assert.equal(await status(`${rows}/run`, { method: "POST", headers, body: '{"n":' }), 422);
        assert.equal(await status("fsh_nothing/run/file.csv"), 404);
      },

    "a format that there is none of, and one that does not suit, are 422": async () => {
      const rows = await link("rows", ROWS);
      const text = await link("text", 'export default () => "text";', "typescript");
      for (const path of [`${rows}/run/file.docx`, `${rows}/run?format=nope`, `${text}/run/file.parquet`]) {
        const answer = await get(path);
        assert.equal(answer.status, 422, path);
        assert.equal(typeof (await answer.json()).message, "string");
      }
    },

    "Accept chooses a format, and never fails": async () => {
      const path = `${await link("rows", ROWS)}/run`;
      const csv = await get(path, { headers: { accept: "text/csv" } });
      assert.equal(await csv.text(), "n,name\r\n0,a\r\n1,a\r\n");
      assert.equal((await get(path, { headers: { accept: "image/webp" } })).status, 200);
    },

    "a failed run is 422, and what went wrong is in the header": async () => {
      const code = 'export default () => { throw new RangeError("bad\\nüber"); };';
      const answer = await get(`${await link("fails", code, "typescript")}/run`);
      assert.equal(answer.status, 422);
      const metadata = JSON.parse(answer.headers.get("x-fused-metadata"));
      assert.equal(metadata.has_exception, true);
      assert.equal(metadata.exception_class, "RangeError");
      assert.match(metadata.errormsg, /bad/);
    },
  };
}
