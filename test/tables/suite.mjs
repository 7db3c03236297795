/**
 * Tables of files and chunks: TypeScript UDFs read what the published client reads, and it is the same; what was not granted is not read.
 * Prints `N passed, N failed` at the end. FUSELET_DIST names another build.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { formatResult } from "../../host/formats/formats.ts";
import { TableValue } from "../../runtime/value.ts";
import { report, runCases } from "../setup/cases.mjs";
import { publishedClient } from "../setup/published-client.mjs";

const dist = process.env.FUSELET_DIST ?? join(import.meta.dirname, "../../dist");
const { createRuntime } = await import(pathToFileURL(join(dist, "index.node.js")).href);

const folder = mkdtempSync(join(tmpdir(), "fuselet-tables-"));
const { stdout, stderr } = spawnSync(
  await publishedClient(),
  [join(import.meta.dirname, "make_tables.py"), folder],
  { encoding: "utf8" },
);
const published = JSON.parse(stdout || assert.fail(stderr));

const runtime = await createRuntime({
  permissions: { read: [pathToFileURL(folder).href, "fd://"], write: ["fd://"] },
  data: join(folder, "data"),
});
const root = pathToFileURL(folder).href;
/** Runs the body of a UDF. */
async function run(body, options = {}) {
  const code = `import { api, filePath, getChunkFromTable, getChunksMetadata, h3, ingest, ingestNongeospatial, context } from "fuselet/udf";\nconst at = (name) => ${JSON.stringify(root)} + "/" + name;\nexport default async () => {\n${body}\n};\n`;
  return (await runtime.run(code, options)).raw;
}
/** A table in a format. The classes of the build are not those that the formats here know. */
const write = async ({ ipc, kind, meta }, format) =>
  (await formatResult(new TableValue(ipc, kind, meta), format)).bytes;
const rowsOf = async (value) => JSON.parse(new TextDecoder().decode(await write(value, "json")));
const failure = async (body) =>
  run(body).then(
    () => assert.fail("it did not fail"),
    (error) => error,
  );

const FIRST_CELL = 0x8928308280fffffn;

await runCases([
  [
    "the chunks of a table are those that the published client lists",
    async () => assert.deepEqual(await run("return getChunksMetadata(at('places'))"), published.chunks),
  ],
  [
    "chunks, columns and whole files have the rows that it reads",
    async () => {
      const reads = {
        chunk: "getChunkFromTable(at('places'), 'part_1', 1)",
        columns: "getChunkFromTable(at('places/'), 'part_0', 0, { columns: ['name', 'count'] })",
        file: "getChunkFromTable(at('places'), 'part_0', null)",
        path: "getChunkFromTable(at('places/part_1.parquet'), null, null)",
        cells: "getChunkFromTable(at('cells'), 1, 2)",
      };
      for (const [name, call] of Object.entries(reads)) {
        const value = await run(`return ${call}`);
        const plain = ({ when, ...row }) => ({ ...row, ...(when ? { when: new Date(when).getTime() } : {}) });
        assert.deepEqual((await rowsOf(value)).map(plain), published[name].map(plain), name);
        if (name === "chunk") {
          assert.equal(value.kind, "geodataframe");
          assert.deepEqual(value.meta.geometry, "geometry");
        }
      }
    },
  ],
  [
    "cells are read by ranges",
    async () => {
      const ranges = `[[${FIRST_CELL + 8n}n, ${FIRST_CELL + 11n}n], [${FIRST_CELL + 1049n}n, ${FIRST_CELL + 2000n}n]]`;
      const [table, timing] = await run(
        `let timing; const table = await h3.readHexTable(at('cells'), ${ranges}, { columns: ["text"], onTiming: (each) => { timing = each; } }); return [table, timing];`,
      );
      assert.deepEqual(
        (await rowsOf(table)).map(({ text }) => text),
        ["0-8", "0-9", "0-10", "0-11", "1-49"],
      );
      assert.deepEqual([timing.files, timing.rowGroups], [2, 3]);
    },
  ],
  [
    "a chunk is written as Parquet again",
    async () => {
      const value = await run("return getChunkFromTable(at('places'), 'part_0', 1)");
      const bytes = await write(value, "parquet");
      assert.equal(new TextDecoder().decode(bytes.subarray(0, 4)), "PAR1");
    },
  ],
  [
    "what was not granted is not read",
    async () => {
      for (const body of [
        "return getChunksMetadata('file:///etc')",
        "return getChunkFromTable('file:///etc', 'passwd', 0)",
        "return h3.readHexTable('file:///etc', [[0, 1]])",
      ]) {
        const error = await failure(body);
        assert.equal(error.name, "PermissionDeniedError");
        assert.match(error.message, /read access to "\/etc\/(_sample|passwd\.parquet)"/);
      }
      // A name of a file leads to no other folder.
      const error = await failure("return getChunkFromTable(at('places'), '../../../etc/passwd', 0)");
      assert.match(error.message, /file_id must be the name of a file of the table/);
    },
  ],
  [
    "errors say what is wrong",
    async () => {
      assert.match((await failure("return getChunksMetadata(at('none'))")).message, /_sample/);
      assert.match(
        (await failure("return getChunkFromTable(at('places'), 'part_0', 7)")).message,
        /it has no chunk 7: there are 2/,
      );
      assert.match(
        (await failure("return getChunkFromTable(at('places'), 'part_0', 0, { columns: ['zz'] })")).message,
        /it has no column zz: it has name, kind, when, count, geometry/,
      );
    },
  ],
  [
    "an ingestion is described as the wire has it, and says where it can run",
    async () => {
      const { geo, plain, failed } = await run(`
        const geo = ingest("s3://b/in.parquet", "s3://b/out", { targetNumChunks: 7, lonlatCols: ["x", "y"], gdalConfig: { layer: "l" } });
        const plain = ingestNongeospatial(["s3://b/1", "s3://b/2"], "s3://b/out", { partitionCol: "c" });
        const wrong = [() => ingest(5), () => ingest("a", "b", { nope: 1 }), () => ingest("a", "b", { partitioningMethod: "x" }), () => ingest("a", "b", { subdivideStart: 1 }), () => ingest("a", "b", { overwrite: 1 })];
        const failed = wrong.map((call) => { try { call(); return "no error"; } catch (error) { return error.name; } });
        for (const call of [() => geo.run(), () => h3.runIngestRasterToH3("s3://b/a.tif", "s3://b/out"), () => h3.runPartitionToH3("s3://b/a", "s3://b/out", { res: 9 }), () => h3.persistHexTableMetadata("s3://b/t"), () => h3.runIngestRasterToH3("a", "b", { metrics: ["cnt", "avg"] }), () => h3.runIngestRasterToH3("a", "b", { res: 15 }), () => h3.runIngestRasterToH3("a", "b", { steps: ["x"] }), () => h3.runPartitionToH3("a", "b", {})])
          failed.push(await call().then(() => "no error", (error) => error.message));
        return { geo: geo.config, plain: plain.config, failed };`);
      assert.deepEqual(geo, {
        type: "partition_geospatial",
        name: null,
        metadata: null,
        ignore_chunk_error: false,
        n_processes: null,
        input: "s3://b/in.parquet",
        output: "s3://b/out",
        output_metadata: null,
        table_schema: null,
        file_suffix: null,
        load_columns: null,
        remove_cols: [],
        explode_geometries: false,
        drop_out_of_bounds: null,
        partitioning_method: "rows",
        partitioning_maximum_per_file: null,
        partitioning_maximum_per_chunk: null,
        partitioning_max_width_ratio: 2,
        partitioning_max_height_ratio: 2,
        partitioning_force_utm: "chunk",
        partitioning_split_method: "mean",
        subdivide_method: null,
        subdivide_start: null,
        subdivide_stop: null,
        split_identical_centroids: true,
        target_num_chunks: 7,
        lonlat_cols: ["x", "y"],
        partitioning_schema_input: null,
        gdal_config: { open_options: {}, layer: "l" },
        overwrite: false,
        write_covering_bbox: false,
      });
      assert.equal(plain.type, "partition_nongeospatial");
      assert.deepEqual([plain.partition_col, plain.partitioning_maximum_per_file], ["c", 2_500_000]);
      assert.deepEqual(failed.slice(0, 5), [
        "TypeError",
        "TypeError",
        "TypeError",
        "RangeError",
        "TypeError",
      ]);
      for (const message of failed.slice(5, 9))
        assert.match(message, /takes a runtime or a server with ingestion/);
      for (const message of failed.slice(9))
        assert.match(message, /^Cannot ingest: (the metric cnt|res |steps )/);
    },
  ],
  [
    "a host with ingestion is asked",
    async () => {
      const asked = [];
      const other = await createRuntime({
        host: { tables: { ingest: (args) => asked.push(args) } },
      });
      const code =
        'import { h3, ingest } from "fuselet/udf";\nexport default async () => [await ingest("a", "b").run(), await h3.runPartitionToH3("in", "out", { res: 9, dataCols: ["v"] })];\n';
      assert.deepEqual((await other.run(code)).value, [1, 2]);
      assert.equal(asked[0][0], "partition_geospatial");
      assert.deepEqual(asked[1], [
        "run_partition_to_h3",
        { input_path: "in", output_path: "out", res: 9, data_cols: ["v"] },
      ]);
      await other.close();
    },
  ],
  [
    "a server is asked for datasets, places and jobs",
    async () => {
      const asked = [];
      const server = createServer(async (request, response) => {
        const body = Buffer.concat(await Array.fromAsync(request)).toString();
        const { pathname, search } = new URL(request.url, "http://localhost");
        asked.push([
          request.method,
          pathname + search,
          request.headers.authorization,
          body && JSON.parse(body),
        ]);
        const answers = {
          "/server/v1/datasets/find-by-location": { id: "d-1", location: "s3://b/data/" },
          "/server/v1/datasets/register-from-url": { dataset_id: "d-2", visit_status: "success" },
          "/server/v1/files/resolve": "s3://team/x",
          "/server/v1/run": {
            job_id: "j-1",
            job_name: "n",
            status: "running",
            terminal_status: false,
            total_tasks: 1,
            finished_tasks: 0,
          },
        };
        const found = answers[pathname];
        response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
        response.end(JSON.stringify(found ?? { detail: "there is none" }));
      });
      await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
      const host = `127.0.0.1:${server.address().port}`;
      const asking = await createRuntime({ permissions: { net: [host] } });
      try {
        const code = `import { api, findDataset, ingest, options, registerDataset } from "fuselet/udf";
          options.baseUrl = "http://${host}";
          options.token = "t-1";
          export default async () => [
            await findDataset("s3://b/data/part.parquet"),
            await registerDataset("s3://b/data/"),
            await api.resolve("fd://x"),
            (await ingest("s3://b/in", "s3://b/out").runBatch({ name: "mine", instanceType: "small" })).jobId,
            await findDataset("s3://b", { baseUrl: "http://${host}/other" }).catch((error) => [error.name, error.message]),
          ];\n`;
        const [dataset, registered, place, job, missing] = (await asking.run(code)).value;
        assert.equal(dataset.id, "d-1");
        assert.equal(registered.dataset_id, "d-2");
        assert.deepEqual([place, job], ["s3://team/x", "j-1"]);
        assert.equal(missing[0], "ServerError");
        assert.match(missing[1], /there is none/);
        assert.deepEqual(
          asked.slice(0, 3).map(([method, path]) => `${method} ${path}`),
          [
            "GET /server/v1/datasets/find-by-location?location=s3%3A%2F%2Fb%2Fdata%2Fpart.parquet",
            "POST /server/v1/datasets/register-from-url?url=s3%3A%2F%2Fb%2Fdata%2F",
            "POST /server/v1/files/resolve?path=fd%3A%2F%2Fx",
          ],
        );
        assert.equal(asked[0][2], "Bearer t-1");
        assert.equal(asked[3][3].config.steps[0].type, "partition_geospatial");
        const denied = await createRuntime();
        await assert.rejects(denied.run(code), { name: "PermissionDeniedError" });
        await denied.close();
      } finally {
        await asking.close();
        server.close();
      }
    },
  ],
  [
    "a place of one's own is written, copied and read",
    async () => {
      const value = await run(`
        const place = filePath("tables/copy.bin");
        const large = new Uint8Array(9 * 2 ** 20).map((_, i) => i % 251);
        await api.upload(large, filePath("tables/large.bin"));
        await api.download(filePath("tables/large.bin"), place);
        const copy = await api.get(place);
        const wrong = ["", "/a", "a/../b", "a//b", "a?b", "a%2fb"].map((path) => { try { return filePath(path); } catch (error) { return error.name; } });
        return [place, copy.length, copy.every((byte, i) => byte === large[i]), wrong];`);
      assert.deepEqual(value, ["fd://tables/copy.bin", 9 * 2 ** 20, true, Array(6).fill("TypeError")]);
    },
  ],
  [
    "a run is told of its session and of the user's team",
    async () => {
      const body =
        "const { sessionToken, executionEnvironmentId } = await context(); return [sessionToken, executionEnvironmentId];";
      assert.deepEqual(await run(body), [null, null]);
      const told = { sessionToken: "v1:session", executionEnvironmentId: "team-1" };
      assert.deepEqual(await run(body, { context: told }), Object.values(told));
    },
  ],
]);

await runtime.close();
rmSync(folder, { recursive: true, force: true });
report();
