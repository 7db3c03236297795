/**
 * Jobs and schedules of `fuselet serve` as people use them: the published client, and a server that is killed while jobs run.
 * FUSELET_DIST names another build than dist/.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isWanted, report, runCases } from "../setup/cases.mjs";
import { publishedClient } from "../setup/published-client.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cli = join(process.env.FUSELET_DIST ?? join(root, "dist"), "cli.js");
const folder = mkdtempSync(join(tmpdir(), "fuselet-jobs-"));
const TOKEN = "secret-token";

/** Starts a server. @returns its process, and where it is */
async function serve(data) {
  const args = [cli, "serve", "--port", "0", "--data", join(folder, data), "--token", TOKEN];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return { child, url: /at (\S+)/.exec(String(line))[1] };
}

/** Ends a server. @returns its exit status */
async function end({ child }, signal = "SIGTERM") {
  child.kill(signal);
  const [status] = await once(child, "exit");
  return status;
}

async function ask({ url }, path, body) {
  const response = await fetch(`${url}/server/v1${path}`, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${TOKEN}`, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

const cases = {
  "the published client starts jobs and schedules, looks after them, and gets their results": async () => {
    const server = await serve("published");
    const child = spawn(await publishedClient(), [join(root, "test", "jobs", "published.py"), server.url], {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        HOME: folder,
        FUSED_AUTH_TOKEN_TYPE: "Fused-Env-Bearer",
        FUSED_AUTH_TOKEN: TOKEN,
      },
    });
    const [status] = await once(child, "exit");
    assert.equal(status, 0);
    assert.equal(await end(server), 0);
  },

  "kill -9 while 20 jobs run loses none: they go on with the tasks that are left": async () => {
    const code =
      "export default (n: number) => { const end = Date.now() + 150; while (Date.now() < end) { /* works */ } return n; };\n";
    const before = await serve("killed");
    const ids = [];
    for (let i = 0; i < 20; i++) {
      const udf = { name: "work", code, metadata: { "fuselet:language": "typescript" } };
      const steps = [{ type: "udf", udf, input: [{ n: i }, { n: i + 100 }] }];
      ids.push((await ask(before, "/run", { config: { name: `job-${i}`, steps } })).job_id);
    }
    const ended = async (server) => {
      const jobs = await Promise.all(ids.map((id) => ask(server, `/run/by-id/${id}`)));
      return jobs.filter(({ finished_job_status: isOver }) => isOver);
    };
    while ((await ended(before)).length < 2) await new Promise((resolve) => setTimeout(resolve, 30));
    await end(before, "SIGKILL");
    const after = await serve("killed");
    assert.equal((await ask(after, "/job/self?limit=100")).length, 20);
    while ((await ended(after)).length < 20) await new Promise((resolve) => setTimeout(resolve, 200));
    for (const { job_status: status, finished_tasks: tasks } of await ended(after))
      assert.deepEqual([status, tasks], ["Done", 2]);
    const values = await Promise.all(
      ids.map(async (id) => {
        const files = await ask(after, `/run/by-id/${id}/results`);
        const results = files.filter(({ name }) => !name.endsWith(".metadata"));
        return Promise.all(results.map(async ({ url }) => (await fetch(url)).json()));
      }),
    );
    assert.deepEqual(
      values,
      ids.map((_, i) => [i, i + 100]),
    );
    assert.equal(await end(after), 0);
  },
};

// At once: both wait most of the time, for a client that looks every few seconds, and for a lease to run out.
await runCases(
  Object.entries(cases)
    .filter(([title]) => isWanted(title))
    .map(([title, run]) => {
      const running = run();
      running.catch(() => undefined);
      return [title, () => running];
    }),
);
rmSync(folder, { recursive: true, force: true });
report();
