/** `kill -9` while clients save, upload and submit jobs: what was acknowledged is there afterwards, and nothing is there by halves. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { openStore } from "../../host/store/store.node.ts";
import { dist, startServer, udfBody, wireUdf } from "../setup/serve.mjs";
import { filesBelow } from "../soak/processes.mjs";

/** Clients that go on, one request after the other. */
const SAVERS = 3;
const UPLOADERS = 3;
const MOST_FILE_BYTES = 3_000_000;
/** Of jobs, each is a process and a second of work after the start. */
const MOST_JOBS_OF_ONE = 3;

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** What clients have sent: by name, what was acknowledged last, and what may have arrived. */
class Sent {
  udfs = new Map();
  files = new Map();
  /** By its name, the id of a job. */
  jobs = new Map();
  /** Names that were touched since the last start. */
  touched = new Set();
  #count = 0;

  next() {
    return ++this.#count;
  }

  entry(kind, name) {
    const entries = this[kind];
    if (!entries.has(name)) entries.set(name, { kept: undefined, maybe: [] });
    this.touched.add(name);
    return entries.get(name);
  }
}

/** Goes on until the server is gone. */
async function work(server, sent, random, isOver) {
  const goOn = async (step) => {
    while (!isOver()) {
      try {
        await step();
      } catch (error) {
        // The connection broke with the server. All else is a failure.
        if (!isOver()) throw error;
        return;
      }
    }
  };
  const save = async () => {
    const n = sent.next();
    // Each has one writer at a time: of two, nobody knows whose came last.
    const old = [...sent.udfs].filter(([, { id, maybe }]) => id && maybe.length === 0).at(-1);
    const isUpdate = old !== undefined && random() < 0.4;
    const name = isUpdate ? old[0] : `saved-${n}`;
    const entry = sent.entry("udfs", name);
    const code = `def udf():\n    return ${n}  # ${"x".repeat(Math.floor(random() * 20_000))}\n`;
    const body = udfBody(name, code);
    entry.maybe.push(body.udf_body);
    const saved = await server.call("POST", isUpdate ? `udf/by-id/${entry.id}` : "udf/new", body);
    entry.id = saved.id;
    entry.kept = body.udf_body;
    entry.maybe = [];
  };
  const upload = (lane) => async () => {
    const n = sent.next();
    // Some are written again and again.
    const path = `fd://kill/${random() < 0.4 ? `again-${lane}` : n}.bin`;
    const entry = sent.entry("files", path);
    const bytes = Buffer.alloc(Math.floor(random() ** 3 * MOST_FILE_BYTES), `${n},`);
    const hash = hashOf(bytes);
    entry.maybe.push(hash);
    await server.call("PUT", `files/upload?path=${path}`, bytes);
    entry.kept = hash;
    entry.maybe = [];
  };
  let jobs = 0;
  const submit = async () => {
    if (jobs++ >= MOST_JOBS_OF_ONE) return new Promise((resolve) => setTimeout(resolve, 10));
    const name = `job-${sent.next()}`;
    const udf = wireUdf(name, "export default () => 1;", "typescript");
    const config = { name, steps: [{ type: "udf", name, udf, input: null }] };
    const entry = sent.entry("jobs", name);
    entry.kept = (await server.call("POST", "run", { config })).job_id;
  };
  await Promise.all([
    ...Array.from({ length: SAVERS }, () => goOn(save)),
    ...Array.from({ length: UPLOADERS }, (_, lane) => goOn(upload(lane))),
    goOn(submit),
  ]);
}

/** Looks at what was sent. @param names those to look at; undefined: all */
async function check(server, sent, names) {
  const wanted = (map) => [...map].filter(([name]) => names?.has(name) ?? true);
  const get = async (path) => {
    const answer = await server.ask("GET", path);
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
  };
  const json = (path) => server.call("GET", path);
  const all = async (path) => {
    const found = [];
    for (let skip = 0; ; skip += 1000) {
      const page = await json(`${path}?skip=${skip}&limit=1000`);
      found.push(...page);
      if (page.length < 1000) return found;
    }
  };

  // What is listed: all that was acknowledged, and nothing else but what was under way, which is whole or not there.
  const listed = new Map((await all("udf/self")).map((udf) => [udf.slug, udf]));
  for (const [slug, { id }] of listed) {
    const entry = sent.udfs.get(slug);
    assert.ok(entry, `the UDF ${slug} was never sent`);
    entry.id ??= id;
  }
  for (const [name, entry] of wanted(sent.udfs)) {
    if (!listed.has(name)) {
      assert.equal(entry.kept, undefined, `the UDF ${name} was saved, and is gone`);
      continue;
    }
    const { udf_body: body } = await json(`udf/by-id/${entry.id}`);
    assert.ok(body === entry.kept || entry.maybe.includes(body), `the UDF ${name} is not what was saved`);
    entry.kept = body;
    entry.maybe = [];
  }

  const files = new Map((await json("files/list-details?path=fd://kill/")).map((file) => [file.url, file]));
  for (const url of files.keys()) assert.ok(sent.files.has(url), `the file ${url} was never sent`);
  for (const [url, entry] of wanted(sent.files)) {
    if (!files.has(url)) {
      assert.equal(entry.kept, undefined, `the file ${url} was written, and is gone`);
      continue;
    }
    const { status, bytes } = await get(`files/get?path=${url}`);
    assert.equal(status, 200, url);
    const hash = hashOf(bytes);
    assert.ok(hash === entry.kept || entry.maybe.includes(hash), `${url} is not what was sent`);
    entry.kept = hash;
    entry.maybe = [];
  }

  const jobs = new Map((await all("job/self")).map((job) => [job.id, job]));
  for (const { name } of jobs.values()) assert.ok(sent.jobs.has(name), `the job ${name} was never sent`);
  for (const [name, { kept }] of wanted(sent.jobs)) {
    if (kept === undefined) continue;
    assert.equal(jobs.get(kept)?.name, name, `the job ${name} was taken, and is gone`);
    assert.equal((await json(`job/by-id/${kept}/config`)).name, name);
  }
}

/** The database as the next start finds it. */
async function checkDatabase(data) {
  const store = openStore({ path: join(data, "server.db") });
  try {
    assert.deepEqual(await store.check(), []);
  } finally {
    await store.close();
  }
}

/** Waits until all jobs have ended: each was done, or was begun too often. */
async function awaitJobs(server) {
  for (const until = performance.now() + 60_000; ; ) {
    const jobs = await server.call("GET", "job/self?limit=1000");
    const open = jobs.filter(({ job_status: status }) => !["Done", "Failed"].includes(status));
    if (open.length === 0) return;
    assert.ok(performance.now() < until, `${open.length} jobs go on for ever`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What uploads that were killed left behind: nobody sees it, but it takes room. */
const partsBelow = (data) => filesBelow(data).filter((file) => file.endsWith(".part"));

/**
 * @param {number} moments how often the server is killed
 * @param {() => number} random
 */
export async function killOften(moments, random) {
  const sent = new Sent();
  let server = await startServer();
  const { data } = server;
  try {
    for (let moment = 0; moment < moments; moment++) {
      let isKilled = false;
      const working = work(server, sent, random, () => isKilled);
      const ms = 20 + Math.floor(random() * 600);
      await Promise.race([working, new Promise((resolve) => setTimeout(resolve, ms))]);
      isKilled = true;
      await server.end("SIGKILL");
      await working;
      assert.equal(server.errors(), "", `before moment ${moment}`);
      await checkDatabase(data);
      server = await startServer({ data });
      await check(server, sent, sent.touched);
      sent.touched.clear();
    }
    await check(server, sent);
    await awaitJobs(server);
    await server.end();
    // An hour later.
    for (const part of partsBelow(data)) utimesSync(part, 0, 0);
    server = await startServer({ data });
    assert.equal((await server.ask("PUT", "files/upload?path=fd://last", new Uint8Array(1))).status, 200);
    assert.deepEqual(partsBelow(data), []);
    assert.equal(await server.end(), 0);
    assert.equal(server.errors(), "");
    const doctor = [join(dist, "cli.js"), "doctor", "--json", "--data", data];
    const { stdout } = await promisify(execFile)(process.execPath, doctor);
    assert.deepEqual(
      JSON.parse(stdout).filter(({ ok }) => !ok),
      [],
    );
    const counts = ["udfs", "files", "jobs"].map((kind) => `${sent[kind].size} ${kind}`);
    console.log(`       ${moments} times, with ${counts.join(", ")}`);
  } finally {
    await server.close("SIGKILL");
  }
}
