/** What ends badly: a disk without room, two servers on one folder, and whoever cannot wait for the end. Linux only: it reads /proc. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { dist, startServer, TOKEN, udfBody, wireUdf } from "../setup/serve.mjs";
import { descendants, eventually, filesBelow, isRunning, residentBytes } from "../soak/processes.mjs";

const ADDS = "export default (n: number = 1) => n + 1;";
/** Goes on until it is told to end, and says that it has begun. */
const GOES_ON =
  "export default async () => { console.log('begun'); for (;;) await new Promise((r) => setTimeout(r, 50)); };";
const jobOf = (name, code, input = null, more = {}) => ({
  config: { name, steps: [{ type: "udf", udf: wireUdf(name, code, "typescript"), input }] },
  ...more,
});
const long = (bytes) => `${ADDS} // ${"x".repeat(bytes)}`;
const statusOf = async (server, id) => (await server.call("GET", `run/by-id/${id}`)).job_status;
const logOf = async (server, id) =>
  (await server.call("GET", `logs/${id}`)).map(({ message }) => message).join("");

/** A file system of its own; undefined where this user may mount none. */
function smallDisk(bytes) {
  const folder = mkdtempSync(join(tmpdir(), "fuselet-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const filler = join(folder, "filler");
  return {
    folder,
    /** Takes all room that there is. */
    fill() {
      mkdirSync(filler, { recursive: true });
      for (let n = Date.now(); ; n++) {
        const { bavail, bsize } = statfsSync(folder);
        if (bavail === 0) return;
        try {
          writeFileSync(join(filler, String(n)), Buffer.alloc(bavail * bsize));
        } catch (error) {
          assert.equal(error.code, "ENOSPC");
        }
      }
    },
    empty: () => rmSync(filler, { recursive: true }),
    [Symbol.dispose]() {
      execFileSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

async function checkFolder(data) {
  const doctor = [join(dist, "cli.js"), "doctor", "--json", "--data", data];
  const { stdout } = await promisify(execFile)(process.execPath, doctor);
  return JSON.parse(stdout).filter(({ ok }) => !ok);
}

export const endingCases = ({ isLong }) => ({
  "a full disk: 507 and nothing by halves, runs go on, and all is well when there is room": async () => {
    using disk = smallDisk("24m");
    if (!disk) return "it needs a user who may mount a tmpfs";
    const data = join(disk.folder, "data");
    await using server = await startServer({ data, args: ["--allow-cache"] });
    const { id, token } = await server.share("adds", ADDS, { language: "typescript" });
    const run = (n) => server.ask("GET", `/${token}/run?n=${n}&cache_max_age=1h`, undefined, { token: null });
    assert.equal(await (await run(1)).text(), "2");
    const big = { name: "big", more: "x".repeat(400_000) };
    const going = (await server.call("POST", "run", jobOf("goes-on", GOES_ON))).job_id;
    await eventually("the job runs", async () => (await logOf(server, going)).includes("begun"));
    const times = { minute: [0], hour: [0], day_of_month: [1], month: [1], day_of_week: [0] };
    const writes = {
      save: () => server.ask("POST", "udf/new", udfBody("big", long(400_000), "typescript")),
      version: () => server.ask("POST", `udf/by-id/${id}`, udfBody("adds", long(400_000), "typescript")),
      upload: () => server.ask("PUT", "files/upload?path=fd://a.bin", new Uint8Array(2_000_000)),
      job: () => server.ask("POST", "run", jobOf("job", long(400_000))),
      schedule: () => server.ask("POST", "cronjob/create", { name: "s", ...times, udf: id, udf_args: big }),
    };
    disk.fill();
    for (let round = 0; round < 2; round++) {
      for (const [what, write] of Object.entries(writes)) {
        const answer = await write();
        assert.equal(answer.status, 507, what);
        const { message } = await answer.json();
        assert.match(message, /disk is full/, what);
        assert.doesNotMatch(message, /tmp|server\.db/, what);
      }
    }
    // What writes nothing, or nothing that counts, goes on.
    assert.equal(await (await run(1)).text(), "2");
    assert.equal(await (await run(2)).text(), "3");
    assert.equal((await server.ask("GET", "/healthz")).status, 200);
    disk.empty();
    const slugs = async () => (await server.call("GET", "udf/self")).map(({ slug }) => slug);
    assert.deepEqual(await slugs(), ["adds"]);
    assert.equal((await server.call("GET", `udf/by-id/${id}/versions`)).length, 1);
    assert.deepEqual(await server.call("GET", "files/list?path=fd://"), []);
    assert.deepEqual(
      filesBelow(data).filter((file) => file.endsWith(".part")),
      [],
    );
    assert.deepEqual(
      (await server.call("GET", "job/self")).map(({ name }) => name),
      ["goes-on"],
    );
    for (const [what, write] of Object.entries(writes)) assert.equal((await write()).status, 200, what);
    await eventually(
      "the other job is done",
      async () => {
        const jobs = await server.call("GET", "job/self");
        return jobs.every(({ id, job_status: status }) => status === (id === going ? "Running" : "Done"));
      },
      30_000,
    );
    assert.equal((await server.ask("POST", `run/by-id/${going}/cancel`)).status, 200);
    disk.fill();
    assert.equal(await server.end(), 0);
    // Its end has made room. One that begins without any says so.
    disk.fill();
    await assert.rejects(
      startServer({ data: join(disk.folder, "new") }),
      /ended with [1-9]\d*: error: .*(disk is full|no space)/is,
    );
    disk.empty();
    assert.deepEqual(await checkFolder(data), []);
  },

  "two servers on one folder, from its first moment on: each job runs once": async () => {
    const data = mkdtempSync(join(tmpdir(), "fuselet-two-"));
    const servers = await Promise.all([startServer({ data }), startServer({ data })]);
    await using one = servers[0];
    await using two = servers[1];
    const [self, other] = await Promise.all([one.call("GET", "user/self"), two.call("GET", "user/self")]);
    assert.equal(self.id, other.id);
    assert.equal((await one.call("GET", "user/all")).length, 1);
    // What one has written, the other knows at once, and links and secrets are the same.
    const { id, token } = await one.share("adds", ADDS, { language: "typescript" });
    const run = () => two.ask("GET", `/${token}/run?n=4`, undefined, { token: null });
    assert.equal(await (await run()).text(), "5");
    assert.equal((await one.ask("DELETE", `udf/by-id/${id}`)).status, 200);
    assert.equal((await run()).status, 404);
    const ids = [];
    for (let n = 0; n < 12; n++)
      ids.push((await servers[n % 2].call("POST", "run", jobOf(`job${n}`, ADDS, [{ n }]))).job_id);
    const areDone = async () =>
      (await Promise.all(ids.map((id) => statusOf(one, id)))).every((is) => is === "Done");
    await eventually("all jobs are done", areDone);
    for (const id of ids) assert.equal((await logOf(two, id)).split("begins on this machine").length, 2);
    if (isLong) {
      const going = (await one.call("POST", "run", jobOf("goes-on", GOES_ON))).job_id;
      const timesBegun = async () => (await logOf(two, going)).split("begun\n").length - 1;
      await eventually("the job runs", async () => (await timesBegun()) === 1);
      // Where it is the other one that works on it, nothing changes.
      const isOnes = (await one.metric("fuselet_jobs")) === 1;
      await one.end("SIGKILL");
      await eventually("it runs", async () => (await timesBegun()) === (isOnes ? 2 : 1));
      assert.equal(await statusOf(two, going), "Running");
      assert.equal((await two.ask("POST", `run/by-id/${going}/cancel`)).status, 200);
    } else assert.equal(await one.end(), 0);
    assert.equal(await two.end(), 0);
    assert.equal(two.errors(), "");
    assert.deepEqual(await checkFolder(data), []);
  },

  "who takes nothing for a minute is let go, and who reads a quiet stream is not": async () => {
    if (!isLong) return "it takes two minutes: --soak";
    await using server = await startServer();
    const big = new Uint8Array(64 * 2 ** 20);
    assert.equal((await server.ask("PUT", "files/upload?path=fd://big.bin", big)).status, 200);
    const going = (await server.call("POST", "run", jobOf("goes-on", GOES_ON))).job_id;
    const stop = new AbortController();
    const quiet = await server.ask("GET", `logs/${going}/stream`, undefined, { signal: stop.signal });
    let beats = 0;
    const reading = (async () => {
      for await (const part of quiet.body) if (String(Buffer.from(part)).includes("still here")) beats++;
    })().catch((error) => error);
    const { hostname, port } = new URL(server.url);
    const sockets = Array.from({ length: 20 }, () => {
      const socket = connect(Number(port), hostname).on("error", () => {});
      socket.pause();
      socket.write(
        `GET /server/v1/files/get?path=fd://big.bin HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`,
      );
      return socket;
    });
    const opened = () => {
      const folder = `/proc/${server.child.pid}/fd`;
      const target = (name) => {
        try {
          return readlinkSync(join(folder, name));
        } catch {
          return "";
        }
      };
      return readdirSync(folder).filter((name) => target(name).endsWith("big.bin")).length;
    };
    await eventually("all downloads have begun", () => opened() === sockets.length);
    const before = residentBytes(server.child.pid);
    await eventually("they are let go", () => opened() === 0, 130_000);
    assert.ok(residentBytes(server.child.pid) - before < 32 * 2 ** 20, "they held memory");
    await eventually("the stream lives", () => beats >= 6, 130_000);
    assert.equal(await server.metric("fuselet_streams"), 1);
    stop.abort();
    assert.equal((await reading)?.name, "AbortError");
    await eventually("it is closed", async () => (await server.metric("fuselet_streams")) === 0);
    for (const socket of sockets) socket.destroy();
    assert.equal((await server.ask("POST", `run/by-id/${going}/cancel`)).status, 200);
    assert.equal(await server.end(), 0);
    assert.equal(server.errors(), "");
  },

  "the first signal lets what is under way end, and the second one ends all at once": async () => {
    for (const [signal, status] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ]) {
      await using server = await startServer();
      const { token } = await server.share("goes-on", GOES_ON, { language: "typescript" });
      const gone = server.ask("GET", `/${token}/run`, undefined, { token: null }).catch((error) => error);
      await eventually("it runs", async () => (await server.metric("fuselet_runs")) === 1);
      await eventually("it has an isolate", () => descendants(server.child.pid).length > 0);
      const children = descendants(server.child.pid);
      server.child.kill(signal);
      // It takes no more, and goes on with the run.
      const isClosed = () =>
        server.ask("GET", "/healthz").then(
          () => false,
          () => true,
        );
      await eventually("it listens no more", isClosed);
      assert.equal(server.child.exitCode, null);
      assert.equal(await server.end(signal), status);
      assert.ok((await gone) instanceof Error, "the second signal waited for the run");
      await eventually("its isolates are gone", () => !children.some(isRunning));
    }
  },
});
