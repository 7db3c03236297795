/**
 * Jobs and schedules of `fuselet serve` as people use them: the published client, and a server that is killed while jobs run.
 * FUSELET_DIST names another build than dist/.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isWanted, report, runCases } from "../setup/cases.mjs";
import { publishedClient } from "../setup/published-client.mjs";
import { startServer, TOKEN, wireUdf } from "../setup/serve.mjs";

const home = mkdtempSync(join(tmpdir(), "fuselet-jobs-"));

const cases = {
  "the published client starts jobs and schedules, looks after them, and gets their results": async () => {
    await using server = await startServer();
    const child = spawn(await publishedClient(), [join(import.meta.dirname, "published.py"), server.url], {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        HOME: home,
        FUSED_AUTH_TOKEN_TYPE: "Fused-Env-Bearer",
        FUSED_AUTH_TOKEN: TOKEN,
      },
    });
    const [status] = await once(child, "exit");
    assert.equal(status, 0);
    assert.equal(await server.end(), 0);
    assert.equal(server.errors(), "");
  },

  "kill -9 while 20 jobs run loses none: they go on with the tasks that are left": async () => {
    const code =
      "export default (n: number) => { const end = Date.now() + 150; while (Date.now() < end) { /* works */ } return n; };\n";
    const udf = wireUdf("work", code, "typescript");
    await using before = await startServer();
    const ids = [];
    for (let i = 0; i < 20; i++) {
      const steps = [{ type: "udf", udf, input: [{ n: i }, { n: i + 100 }] }];
      ids.push((await before.call("POST", "run", { config: { name: `job-${i}`, steps } })).job_id);
    }
    const ended = async (server) => {
      const jobs = await Promise.all(ids.map((id) => server.call("GET", `run/by-id/${id}`)));
      return jobs.filter(({ finished_job_status: isOver }) => isOver);
    };
    while ((await ended(before)).length < 2) await new Promise((resolve) => setTimeout(resolve, 30));
    await before.end("SIGKILL");
    await using after = await startServer({ data: before.data });
    assert.equal((await after.call("GET", "job/self?limit=100")).length, 20);
    while ((await ended(after)).length < 20) await new Promise((resolve) => setTimeout(resolve, 200));
    for (const { job_status: status, finished_tasks: tasks } of await ended(after))
      assert.deepEqual([status, tasks], ["Done", 2]);
    const values = await Promise.all(
      ids.map(async (id) => {
        const files = await after.call("GET", `run/by-id/${id}/results`);
        const results = files.filter(({ name }) => !name.endsWith(".metadata"));
        return Promise.all(results.map(async ({ url }) => (await fetch(url)).json()));
      }),
    );
    assert.deepEqual(
      values,
      ids.map((_, i) => [i, i + 100]),
    );
    assert.equal(await after.end(), 0);
    assert.equal(before.errors() + after.errors(), "");
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
rmSync(home, { recursive: true, force: true });
report();
