/**
 * One column of one row group of a Parquet file of 2 GB, read from Python in every way in which a UDF comes by files, in Node and in
 * a page that is cross-origin isolated: the value is right, and less than 64 MB have crossed to the isolate. Then downloads in pages.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { openBindings } from "../../host/bindings.node.ts";
import { openBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/server.mjs";
import { report, runCases } from "../setup/cases.mjs";
import { python } from "../setup/python.mjs";
import { counted, runCounted } from "./counted.ts";
import { fsspecDistribution } from "./distribution.mjs";
import { serveFile } from "./server.mjs";
import { byFsspec, byPath, byPyarrow, calledBack, downloaded, small } from "./udfs.ts";

const MiB = 1024 * 1024;
const MOST_BYTES = 64 * MiB;
/** What pages keep of a download at once (host/download/place.browser.ts). */
const SEGMENT_BYTES = 8 * MiB;

const dist = process.env.FUSELET_DIST ?? join(import.meta.dirname, "../../dist");
const temporary = mkdtempSync(join(tmpdir(), "fuselet-files-"));
/** In the principal's own storage; the other name is not in the host's folders, which are closed to UDFs. */
const own = join(temporary, "data/files/me/large.parquet");
const elsewhere = join(temporary, "large.parquet");

/** @returns what large_parquet.py prints */
async function makeLarge() {
  mkdirSync(join(own, ".."), { recursive: true });
  const { status, stdout } = spawnSync(await python(), [join(import.meta.dirname, "large_parquet.py"), own], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.equal(status, 0);
  linkSync(own, elsewhere);
  return JSON.parse(stdout);
}

const { createRuntime } = await import(pathToFileURL(join(dist, "index.node.js")).href);
const [large, { folder: distribution }] = await Promise.all([makeLarge(), fsspecDistribution()]);
const [server, assets] = await Promise.all([serveFile(elsewhere), serve(distribution)]);

const inNode = openBindings({ cacheFolder: join(temporary, "cache"), dataFolder: join(temporary, "data") });
const count = counted(inNode.bindings);
const runtime = await createRuntime({
  permissions: { read: true, write: true, net: true },
  host: count.bindings,
  assets: { pyodide: distribution, cache: join(temporary, "cache") },
  pool: { spares: 0 },
});

/** One script with what pages do. */
async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "page.ts")],
    bundle: true,
    format: "iife",
    globalName: "files",
    platform: "browser",
    target: "es2024",
    write: false,
  });
  return `${outputFiles[0].text}\nglobalThis.files = files;`;
}

const browser = await openBrowser();
const script = await bundle();

/** A page with a runtime; where it is isolated, what crosses is counted. @param {"plain" | "isolated"} kind */
async function openPage(kind) {
  const page = await browser.openPage({ kind });
  await page.evaluate(script);
  await page.evaluate((options) => files.open(...options), [`${assets.origin}/`, kind === "isolated"]);
  return page;
}

/** @param {{ value?: unknown, error?: string, bytes: number }} outcome */
function checkColumn({ value, error, bytes }, title) {
  assert.equal(error, undefined);
  assert.deepEqual(value, [large.sum, large.first, large.rows]);
  // Less would be no column of that length.
  assert.ok(bytes >= large.rows * 8, `only ${bytes} bytes have crossed`);
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes have crossed`);
  console.log(`${title}: ${(bytes / MiB).toFixed(1)} of ${Math.round(large.size / MiB)} MiB moved`);
}

/** Runs a UDF on the large file, with the permissions that it needs. */
const columnOf = (run, code, url) =>
  run({
    code,
    parameters: { url, group: large.group },
    permissions: url === server.url ? { net: [new URL(url).host] } : { read: [url] },
  });

const WAYS = [
  ["fd:// by fsspec", byFsspec, "fd://large.parquet"],
  ["fd:// by pyarrow", byPyarrow, "fd://large.parquet"],
  ["fd:// at a path", byPath, "fd://large.parquet"],
  ["http:// by fsspec", byFsspec, server.url],
];
const IN_NODE = [
  ...WAYS,
  ["file:// by fsspec", byFsspec, `file://${elsewhere}`],
  ["file:// at a path", byPath, `file://${elsewhere}`],
];

/** A file of which each place is known, and the server that has it. */
const content = Buffer.alloc(20 * MiB + 5);
for (let i = 0; i + 4 <= content.length; i += 4) content.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i);
const medium = join(temporary, "medium");
writeFileSync(medium, content);
const mediumServer = await serveFile(medium);
const PLACES = [0, SEGMENT_BYTES - 2, 2 * SEGMENT_BYTES, content.length - 4];
const CONTENT = [content.length, PLACES.map((place) => [...content.subarray(place, place + 4)])];
const SHA256 = `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** What to run for a download that is a file of its own by its name. */
const download = (name, checksum = null) => ({
  code: downloaded,
  parameters: { url: `${mediumServer.url}?${name}`, places: PLACES, checksum },
  permissions: { net: [new URL(mediumServer.url).host] },
});

const [isolated, plain] = [await openPage("isolated"), await openPage("plain")];
const inPage = (page) => (asked) => page.evaluate((asked) => globalThis.run(asked), asked);

const cases = {
  ...Object.fromEntries(
    IN_NODE.map(([title, code, url]) => [
      `in Node, ${title}`,
      async () =>
        checkColumn(
          await columnOf((asked) => runCounted(runtime, count, asked), code, url),
          `in Node, ${title}`,
        ),
    ]),
  ),
  "a page makes the large file": () =>
    isolated.evaluate(
      ([url, size, parts]) => files.makeLarge(url, size, parts),
      [server.url, large.size, [large.footer, large.column]],
    ),
  ...Object.fromEntries(
    WAYS.map(([title, code, url]) => [
      `in a page without shared memory, ${title}: refused by name`,
      async () => {
        const { error } = await columnOf(inPage(plain), code, url);
        assert.match(
          error,
          code === byPyarrow
            ? /RuntimeError: Cannot call storage\.details from within a library that is not Python/
            : new RegExp(
                `OSError: Cannot load .*: it has ${large.size} bytes, and where files cannot be read`,
              ),
        );
      },
    ]),
  ),
  "in a page without shared memory, small files are loaded whole": async () => {
    const asked = { code: small, parameters: { url: "fd://small.parquet" } };
    const permissions = { read: ["fd://"], write: ["fd://"] };
    assert.deepEqual((await inPage(plain)({ ...asked, permissions })).value, [2, 4, 2]);
    const { error } = await inPage(plain)({ ...asked, code: calledBack, permissions });
    assert.match(
      error,
      /RuntimeError: Cannot call storage\.details from within a library that is not Python/,
    );
  },
  ...Object.fromEntries(
    WAYS.map(([title, code, url]) => [
      `in a page, ${title}`,
      async () => checkColumn(await columnOf(inPage(isolated), code, url), `in a page, ${title}`),
    ]),
  ),
};

Object.assign(cases, {
  "in pages, a download is fetched once, and read here and there": async () => {
    for (const page of [isolated, isolated, plain])
      assert.deepEqual((await inPage(page)(download("once"))).value, CONTENT);
    assert.deepEqual(mediumServer.requests.splice(0), ["GET all"]);
  },
  "of tabs that download at once, one fetches": async () => {
    const [a, b] = await Promise.all([isolated, plain].map((page) => inPage(page)(download("tabs"))));
    assert.deepEqual([a.value, b.value], [CONTENT, CONTENT]);
    assert.deepEqual(mediumServer.requests.splice(0), ["GET all"]);
  },
  "a download of a page that was closed is taken up where it ended": async () => {
    mediumServer.stallAt = 17 * MiB;
    const closing = await openPage("plain");
    const { bytes } = await closing.evaluate(() => files.downloads());
    const started = inPage(closing)(download("closed")).catch(() => {});
    while ((await isolated.evaluate(() => files.downloads())).bytes < bytes + 2 * SEGMENT_BYTES)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await closing.close();
    await started;
    mediumServer.stallAt = Number.POSITIVE_INFINITY;
    assert.deepEqual((await inPage(isolated)(download("closed"))).value, CONTENT);
    assert.deepEqual(mediumServer.requests.splice(0), ["GET all", `GET bytes=${2 * SEGMENT_BYTES}-`]);
  },
  "in pages, a checksum is held to": async () => {
    const { error } = await inPage(plain)(download("checked", `sha256:${"0".repeat(64)}`));
    assert.match(error, /its SHA-256 is [0-9a-f]{64}, expected 0{64}. Nothing of it was kept/);
    const { whole } = await isolated.evaluate(() => files.downloads());
    assert.deepEqual((await inPage(isolated)(download("checked", SHA256))).value, CONTENT);
    assert.equal((await isolated.evaluate(() => files.downloads())).whole, whole + 1);
    assert.deepEqual(mediumServer.requests.splice(0), ["GET all", "GET all"]);
    assert.deepEqual((await inPage(isolated)(download("checked", SHA256))).value, CONTENT);
    assert.deepEqual(mediumServer.requests.splice(0), []);
  },
  "in pages, a download needs net, also where it is there": async () => {
    const { error } = await inPage(isolated)({ ...download("once"), permissions: {} });
    assert.match(error, /^PermissionDeniedError: Requires net access to "127.0.0.1:\d+"/);
  },
});

try {
  await runCases(Object.entries(cases));
} finally {
  await browser.close();
  await runtime.close();
  await inNode.close();
  await Promise.all([server, mediumServer, assets].map((each) => each.close()));
  rmSync(temporary, { recursive: true, force: true });
}
report();
