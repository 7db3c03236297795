/**
 * A real `fuselet serve`, asked by TypeScript's client in Node, by the command line, by UDFs in their isolates, and by a page of a real
 * Chromium of another origin. FUSELET_DIST names another build than dist/.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import { openBrowser } from "../browser/chromium.mjs";
import { report, runCases } from "../setup/cases.mjs";
import { dist, startServer, TOKEN } from "../setup/serve.mjs";

const folder = mkdtempSync(join(tmpdir(), "fuselet-remote-"));
const { createRuntime, openServer } = await import(pathToFileURL(join(dist, "index.node.js")).href);

const env = { ...process.env, FUSELET_DATA: join(folder, "data"), FUSELET_CACHE: join(folder, "cache") };

const nobody = { FUSELET_URL: undefined, FUSELET_TOKEN: undefined };

/** Runs the program, as somebody whom the server knows by the environment; `more` is other environment. */
function fuselet(args, { input = "", more = { FUSELET_URL: url, FUSELET_TOKEN: TOKEN } } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(dist, "cli.js"), ...args], {
      cwd: folder,
      env: { ...env, ...more },
    });
    const written = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"])
      child[name].on("data", (chunk) => {
        written[name] += chunk;
      });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.on("close", (status) => resolve({ status, ...written }));
  });
}

const served = await startServer({ args: ["--cors-origin", "*"], env });
const { url } = served;
const server = await openServer({ baseUrl: url, token: TOKEN });
const typescript = (code, name = "one") => ({
  ...{ name, language: "typescript", code, file: `${name}.ts`, headers: [], metadata: {} },
});
const file = (name, text) => writeFileSync(join(folder, name), text);
await server.saveUdf(typescript("export default ({ n = 1 }: { n?: number }) => n * 2", "double"));
file(
  "hi.ts",
  'export default ({ n = 1 }: { n?: number }) => {\n  console.log("hi", n);\n  return { n };\n};\n',
);

const LINES = `export default async () => {
  for (let i = 0; i < 6; i++) {
    console.log("line", i);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return "done";
};`;
const SLOW = "export default () => new Promise((resolve) => setTimeout(resolve, 30_000));";
const FAILS = 'export default () => {\n  console.error("before");\n  throw new RangeError("no");\n};';
/** A UDF whose result is a table. */
const IPC = Buffer.from(tableToIPC(tableFromArrays({ a: Int32Array.of(1, 2) }), "stream")).toString("base64");
const TABLE = `import { table } from "fuselet/udf";
export default () => table(Uint8Array.from(atob("${IPC}"), (character) => character.charCodeAt(0)));
`;

const client = {
  "the client knows who it is, and its token is checked": async () => {
    assert.equal((await server.whoami()).email, "owner@localhost");
    const stranger = await openServer({ baseUrl: url, token: "some-other-token" });
    await assert.rejects(stranger.whoami(), { name: "ServerError", status: 401 });
  },
  "results are those of a run here": async () => {
    const value = async (code, options) => (await server.run(typescript(code), options)).value;
    assert.deepEqual(
      await value("export default ({ n }: { n: number }) => [n, 12345678901234567890n]", {
        parameters: { n: 5 },
      }),
      [5, 12345678901234567890n],
    );
    assert.deepEqual(await value("export default () => Uint8Array.of(1, 2)"), Uint8Array.of(1, 2));
    assert.equal(await value("export default () => null"), null);
    assert.deepEqual(
      await value("export default ({ list }: { list: number[] }) => list", { parameters: { list: [1, 2] } }),
      [1, 2],
    );
    assert.deepEqual(await value("export default ({ tile }) => tile", { tile: { x: 1, y: 2, z: 3 } }), {
      x: 1,
      y: 2,
      z: 3,
    });
    const page = await server.run(
      typescript('import { html } from "fuselet/udf"; export default () => html("<p>");'),
    );
    assert.deepEqual([page.mediaType, page.value], ["text/html", "<p>"]);
    const array = await server.run(
      typescript('import { ndarray } from "fuselet/udf"; export default () => ndarray(Int32Array.of(1, 2));'),
    );
    assert.deepEqual([...array.raw.data], [1, 2]);
  },
  "failures are those of a run here": async () => {
    const error = (code) => server.run(typescript(code)).then(assert.fail, (error) => error);
    const raised = await error(FAILS);
    assert.equal(raised.name, "UdfRuntimeError");
    assert.deepEqual(
      [raised.type, raised.stderr, raised.location],
      ["RangeError", "before\n", { file: "one.ts", line: 3 }],
    );
    assert.match(raised.traceback, /^RangeError: no\n {4}at default \(one\.ts:3/);
    assert.equal((await error("export default (")).name, "UdfLoadError");
    assert.equal((await error("export default () => () => 1")).name, "UdfSerializationError");
    assert.equal(
      (await error('export default () => fetch("https://example.org")')).name,
      "PermissionDeniedError",
    );
    const late = server.run(typescript(SLOW), { timeoutMs: 100 });
    await assert.rejects(late, { name: "UdfTimeoutError", exitCode: 124 });
  },
  "output is shown while the run goes on, in full": async () => {
    const seen = [];
    let resolved = false;
    const run = server.run(typescript(LINES), { onOutput: (_name, text) => seen.push([text, resolved]) });
    const result = await run.finally(() => {
      resolved = true;
    });
    assert.equal(seen.map(([text]) => text).join(""), result.stdout);
    assert.equal(result.stdout.split("\n").length, 7);
    assert.ok(seen.length > 1 && seen.every(([, late]) => !late));
    const long = await server.run(typescript('export default () => { console.log("x".repeat(50_000)); };'));
    assert.equal(long.stdout.length, 50_001);
  },
  "a run that nobody waits for is ended there": async () => {
    const stop = new AbortController();
    const run = server.run(typescript(SLOW, "forsaken"), { signal: stop.signal });
    setTimeout(() => stop.abort(), 300);
    await assert.rejects(run, { name: "CancelledError" });
    const { items } = await until(async () => {
      const log = await server.log({ udfName: "forsaken" });
      return log.items?.length > 0 && log;
    });
    assert.ok(items[0].duration_ms < 10_000);
  },
  "UDFs are saved, run by name, by token, and as a schedule": async () => {
    const { id } = await server.saveUdf(typescript("export default () => 1", "other"));
    assert.deepEqual((await server.getUdfs()).map(({ name }) => name).sort(), ["double", "other"]);
    await server.deleteUdf(id);
    assert.equal((await server.run("double", { parameters: { n: 7 } })).value, 14);
    assert.equal((await server.runFile("owner@localhost", "double", { parameters: { n: 7 } })).value, 14);
    const { token } = await server.createUdfAccessToken("double");
    assert.equal((await server.runSharedFile(token, { parameters: { n: 4 } })).value, 8);
    assert.equal((await server.runSharedTile(token, { x: 0, y: 0, z: 0 })).value, 2);
    await server.deleteUdfAccessToken(token);
    await assert.rejects(server.runSharedFile(token), { name: "ServerError", status: 404 });
    const schedule = await server.scheduleUdf("double", { minute: 5, hour: 1, udfArgs: { n: 3 } });
    const { run } = await server.scheduleRun(schedule.id);
    const [outcome] = await server.jobWaitForResults(run, { pollIntervalSeconds: 0.2, timeoutSeconds: 30 });
    assert.equal(outcome.value, 6);
    await server.scheduleDelete(schedule.id);
    assert.deepEqual(await server.scheduleList(), []);
  },
  "files and secrets": async () => {
    for (const path of ["fd://a/b.txt", "/mount/a/b.txt"]) {
      await server.upload("héllo", path);
      assert.equal(new TextDecoder().decode(await server.get(path)), "héllo");
      assert.deepEqual(
        (await server.list(path.replace("b.txt", ""))).map(({ name, size }) => [name, size]),
        [["b.txt", 6]],
      );
      assert.equal(await server.delete(path), true);
    }
    await server.setSecretValue("KEY", "value");
    assert.deepEqual([await server.listSecrets(), await server.getSecretValue("KEY")], [["KEY"], "value"]);
    await server.deleteSecretValue("KEY");
  },
  "a table of a job comes as Parquet, and is a table": async () => {
    const now = await server.run(typescript(TABLE));
    assert.deepEqual(now.value, [{ a: 1 }, { a: 2 }]);
    const job = await server.startUdfJob(typescript(TABLE), { argumentList: [{}, {}] });
    const results = await server.jobWaitForResults(job, { pollIntervalSeconds: 0.2, timeoutSeconds: 30 });
    assert.equal(results.length, 2);
    const { value } = results[1];
    assert.deepEqual([...tableFromIPC(value.ipc).getChild("a")], [1, 2]);
  },
};

const runtimes = {
  "a runtime runs on its server, and nowhere without one": async () => {
    await using runtime = await createRuntime({ server: { url, token: TOKEN }, pool: { spares: 0 } });
    const code = "export default () => 42\n";
    assert.equal((await runtime.run(code, { engine: "remote" })).value, 42);
    assert.equal((await runtime.run("double", { engine: "remote", parameters: { n: 2 } })).value, 4);
    const seen = [];
    const job = await runtime.run('export default () => { console.log("in a job"); return 43; }\n', {
      instanceType: "m5.large",
      onOutput: (_name, text) => seen.push(text),
    });
    assert.equal(job.value, 43);
    assert.match(seen.join(""), /in a job/);
    await assert.rejects(runtime.run(`${FAILS}\n`, { instanceType: "small" }), {
      name: "UdfRuntimeError",
      type: "RangeError",
    });
    const limits = { timeMs: 600 };
    const onOutput = () => {};
    for (const instanceType of ["realtime", "small"]) {
      const late = runtime.run(`${SLOW}\n`, { engine: "remote", instanceType, limits, onOutput });
      await assert.rejects(late, { limit: "timeMs", exitCode: 124 });
    }
    const values = [];
    const list = [{ n: 1 }, { n: 2 }, { n: 3 }];
    for await (const { value } of runtime.submit("double", list, { engine: "remote" })) values.push(value);
    assert.deepEqual(values, [2, 4, 6]);
    await assert.rejects(runtime.run(code, { engine: "remote", permissions: {} }), /the server decides that/);
    await assert.rejects(runtime.run(code, { engine: "cloud" }), { name: "UsageError" });
    await using bare = await createRuntime({ pool: { spares: 0 } });
    await assert.rejects(bare.run(code, { engine: "remote" }), /this runtime has none/);
  },
  "a UDF sends a run to the server where run and remote are granted": async () => {
    const udfs = { other: "export default ({ n }: { n: number }) => n + 1\n" };
    const nested =
      'import { run } from "fuselet/udf";\nexport default ({ type }: { type: string }) => run("other", { n: 1 }, { instanceType: type });\n';
    await using runtime = await createRuntime({
      ...{ udfs, server: { url, token: TOKEN }, pool: { spares: 0 } },
      permissions: { run: ["other"], remote: ["realtime"] },
    });
    const started = (await server.log({ udfName: "other" })).items.length;
    assert.equal((await runtime.run(nested, { parameters: { type: "realtime" } })).value, 2);
    assert.equal((await server.log({ udfName: "other" })).items.length, started + 1);
    await assert.rejects(runtime.run(nested, { parameters: { type: "m5.large" } }), {
      ...{ name: "PermissionDeniedError", permission: "remote", value: "m5.large" },
    });
    const narrowed = { permissions: { run: ["other"] }, parameters: { type: "realtime" } };
    await assert.rejects(runtime.run(nested, narrowed), { permission: "remote" });
  },
  "a UDF asks a server through its guarded fetch": async () => {
    const ask = (call) =>
      `import { api, options } from "fuselet/udf";
export default async ({ url, token }: { url?: string; token?: string }) => {
  if (url) options.baseUrl = url;
  if (token) options.token = token;
  return ${call};
};
`;
    await using runtime = await createRuntime({
      permissions: { net: [new URL(url).host] },
      pool: { spares: 0 },
    });
    const parameters = { url, token: TOKEN };
    const value = async (call) => (await runtime.run(ask(call), { parameters })).value;
    assert.equal(await value("(await api.whoami()).email"), "owner@localhost");
    assert.deepEqual(await value("(await api.getUdfs()).map(({ name }) => name)"), ["double"]);
    assert.equal(await value("(await api.getJobs({ n: 1 })).length"), 1);
    const finished =
      "const [job] = await api.getJobs({ n: 20 }).then((all) => all.filter((one) => one.jobStatus === 'Done'))";
    assert.equal(
      await value(`await (async () => { ${finished}; return (await api.jobGetResults(job)).length; })()`),
      1,
    );
    assert.equal(
      await value(
        "(await api.scheduleUdf('double', { minute: 1, hour: 1 }).then((job) => api.scheduleDelete(job.id))).name",
      ),
      "double",
    );
    assert.equal(await value("await api.resolve('fd://a')"), "fd://a");
    await assert.rejects(runtime.run(ask("api.whoami()"), { parameters: { url } }), { type: "ServerError" });
    await assert.rejects(runtime.run(ask("api.teamInfo()")), {
      type: "UsageError",
      message: /There is no server.*a UDF gets no token of its user/,
    });
    await assert.rejects(runtime.run(ask("api.whoami()")), {
      type: "UsageError",
      message: /nobody is signed in/,
    });
    await assert.rejects(runtime.run(ask("api.whoami()"), { permissions: {}, parameters }), {
      ...{ name: "PermissionDeniedError", permission: "net" },
    });
    // What one run has set is not there in the next.
    await assert.rejects(runtime.run(ask("api.whoami()"), { parameters: { token: TOKEN } }), {
      type: "UsageError",
    });
  },
};

const program = {
  "login keeps a token that the server knows, for the user alone, until logout": async () => {
    const more = { FUSELET_DATA: join(folder, "login"), ...nobody };
    const wrong = await fuselet(["login", "--url", url], { input: "some-other-token\n", more });
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /^error: Not signed in/);
    const right = await fuselet(["login", "--url", url, "--token", "-"], { input: `${TOKEN}\n`, more });
    assert.deepEqual([right.status, right.stdout], [0, `signed in to ${url}/server/v1 as owner@localhost\n`]);
    const kept = join(folder, "login", "logins.json");
    assert.equal(statSync(kept).mode & 0o777, 0o600);
    assert.ok(readFileSync(kept, "utf8").includes(TOKEN));
    const used = await fuselet(["run", "--engine", "remote", "hi.ts", "n=3"], { more });
    assert.deepEqual(used, { status: 0, stdout: '{"n":3}\n', stderr: "hi 3\n" });
    assert.equal((await fuselet(["logout"], { more })).stdout, `signed out of ${url}/server/v1\n`);
    assert.ok(!readFileSync(kept, "utf8").includes(TOKEN));
    const after = await fuselet(["job", "list"], { more });
    assert.equal(after.status, 2);
    assert.match(after.stderr, /There is no server/);
  },
  "run --engine remote": async () => {
    const result = await fuselet(["run", "--engine", "remote", "hi.ts", "n=3"]);
    assert.deepEqual(result, { status: 0, stdout: '{"n":3}\n', stderr: "hi 3\n" });
    const named = await fuselet(["run", "--engine", "remote", "double", "n=3", "--tile", "0/0/0"]);
    assert.deepEqual([named.status, named.stdout], [0, "6\n"]);
    const job = await fuselet(["run", "--instance-type", "small", "hi.ts", "n=4"]);
    assert.deepEqual([job.status, job.stdout], [0, '{"n":4}\n']);
    assert.match(job.stderr, /hi 4\n/);
    const refused = await fuselet(["run", "--engine", "remote", "--allow-all", "hi.ts"]);
    assert.equal(refused.status, 2);
    assert.equal((await fuselet(["run", "--engine", "remote", "hi.ts", "m=1"])).status, 2);
    assert.equal((await fuselet(["run", "--engine", "remote", "nothing_there"])).status, 2);
  },
  "user: an admin makes, changes, disables and deletes users": async () => {
    const user = async (...args) => {
      const { status, stdout, stderr } = await fuselet(["user", ...args]);
      assert.equal(status, 0, stderr);
      return args.includes("--json") ? JSON.parse(stdout) : stdout;
    };
    const asThem = (token) => fuselet(["job", "list"], { more: { FUSELET_URL: url, FUSELET_TOKEN: token } });
    const made = await user("add", "Ada@example.org", "--team", "maps", "--allow-net=a.example", "--json");
    assert.deepEqual(made.user.permissions, { net: ["a.example"] });
    assert.equal((await asThem(made.token)).status, 0);
    assert.match(await user("list"), /^\S+ +ada +ada@example\.org +maps +bounded$/m);
    const changed = await user("set", "ada", "--name", "Ada L.", "--admin", "--no-bounds", "--json");
    assert.deepEqual([changed.name, changed.is_admin, changed.permissions], ["Ada L.", true, null]);
    assert.match(await user("disable", "ada@example.org"), /admin, disabled/);
    assert.equal((await asThem(made.token)).status, 1);
    await user("enable", made.user.id);
    const next = /once: (\S+)/.exec(await user("token", "ada"))[1];
    assert.deepEqual([(await asThem(made.token)).status, (await asThem(next)).status], [1, 0]);
    assert.equal(await user("delete", "ada"), "deleted ada@example.org\n");
    const gone = await fuselet(["user", "disable", "ada"]);
    assert.deepEqual([gone.status, gone.stderr.includes('There is no user "ada"')], [2, true]);
    const last = await fuselet(["user", "set", "owner", "--no-admin"]);
    assert.deepEqual([last.status, last.stderr.includes("the last admin")], [1, true]);
    const nothing = await fuselet(["user", "set", "owner"]);
    assert.deepEqual([nothing.status, nothing.stderr.includes("Name what to change")], [2, true]);
  },
  "the token of the environment goes to the server of the environment alone": async () => {
    const more = { FUSELET_DATA: join(folder, "nobody"), FUSELET_TOKEN: TOKEN, FUSELET_URL: undefined };
    const here = await fuselet(["run", "--engine", "remote", "hi.ts"], {
      more: { ...more, FUSELET_URL: url },
    });
    assert.deepEqual([here.status, here.stdout], [0, '{"n":1}\n']);
    const elsewhere = await fuselet(["run", "--engine", "remote", "--url", url, "hi.ts"], { more });
    assert.equal(elsewhere.status, 1);
    assert.match(elsewhere.stderr, /status 401/);
  },
  "a UDF that runs here uses the server where that is allowed, and its token without seeing it": async () => {
    file("other.ts", "export default ({ n }: { n: number }) => n + 1;\n");
    file(
      "nested.ts",
      'import { run } from "fuselet/udf";\nexport default () => run("other", { n: 1 }, { instanceType: "realtime" });\n',
    );
    const allowed = await fuselet(["run", "--allow-run=other", "--allow-remote=realtime", "nested.ts"]);
    assert.deepEqual(allowed, { status: 0, stdout: "2\n", stderr: "" });
    const denied = await fuselet(["run", "--allow-run=other", "--allow-remote=m5.large", "nested.ts"]);
    assert.equal(denied.status, 3);
    file(
      "asks.ts",
      `import { api, options, secrets } from "fuselet/udf";
export default async () => {
  options.baseUrl = ${JSON.stringify(url)};
  options.token = await secrets.get("SERVER_TOKEN");
  return { email: (await api.whoami()).email, sees: options.token === ${JSON.stringify(TOKEN)} };
};
`,
    );
    assert.equal((await fuselet(["secrets", "set", "SERVER_TOKEN"], { input: TOKEN })).status, 0);
    const { host } = new URL(url);
    const asked = await fuselet([
      "run",
      `--allow-net=${host}`,
      `--allow-secrets=SERVER_TOKEN@${host}`,
      "asks.ts",
    ]);
    assert.deepEqual(asked, { status: 0, stdout: '{"email":"owner@localhost","sees":false}\n', stderr: "" });
  },
  jobs: async () => {
    const started = await fuselet(["job", "run", "hi.ts", "n=5"]);
    const id = started.stdout.trim();
    assert.equal((await fuselet(["job", "logs", id, "--follow"])).stdout.includes("hi 5\n"), true);
    assert.deepEqual(await fuselet(["job", "results", id]), { status: 0, stdout: '[{"n":5}]\n', stderr: "" });
    const [listed] = JSON.parse((await fuselet(["job", "list", "--limit", "1", "--json"])).stdout);
    assert.deepEqual([listed.id, listed.jobStatus], [id, "Done"]);
    file("fails.ts", `${FAILS}\n`);
    const failed = await fuselet(["job", "run", "fails.ts", "--wait", "--json-errors"]);
    assert.equal(failed.status, 1);
    assert.equal(JSON.parse(failed.stderr.trim().split("\n").at(-1)).type, "RangeError");
    file("slow.ts", `${SLOW}\n`);
    const slow = (await fuselet(["job", "run", "slow.ts"])).stdout.trim();
    assert.match((await fuselet(["job", "cancel", slow])).stdout, /Canceled/);
    assert.equal((await fuselet(["job", "status", "nothing"])).status, 2);
  },
};

let page;
let browser;
const pages = {
  "a page of another origin runs UDFs on the server": async () => {
    browser = await openBrowser();
    page = await browser.openPage();
    const answer = await page.evaluate(
      async ({ url, token, lines, fails }) => {
        const server = await fuselet.openServer({ baseUrl: url, token });
        const source = (code) => ({
          name: "one",
          language: "typescript",
          code,
          file: "one.ts",
          headers: [],
          metadata: {},
        });
        const seen = [];
        const run = await server.run(source(lines), { onOutput: (_name, text) => seen.push(text) });
        const error = await server.run(source(fails)).catch((error) => error);
        const runtime = await fuselet.createRuntime({ server: { url, token }, pool: { spares: 0 } });
        const remote = await runtime.run("export default () => 42\n", { engine: "remote" });
        await runtime.close();
        const { email } = await server.whoami();
        return {
          email,
          value: run.value,
          pieces: seen.length,
          stdout: run.stdout,
          error: [error.name, error.type],
          remote: remote.value,
        };
      },
      { url, token: TOKEN, lines: LINES, fails: FAILS },
    );
    assert.ok(answer.pieces > 1);
    assert.deepEqual(
      [answer.email, answer.value, answer.stdout.split("\n").length, answer.error, answer.remote],
      ["owner@localhost", "done", 7, ["UdfRuntimeError", "RangeError"], 42],
    );
  },
};

/** Asks again until there is something. */
async function until(look) {
  for (let tries = 0; tries < 100; tries++) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it did not come");
}

const end = {
  "the server ends with 0, and has no trouble to tell of": async () => {
    assert.equal(await served.end(), 0);
    assert.equal(served.errors(), "");
  },
};

try {
  await runCases(Object.entries({ ...client, ...runtimes, ...program, ...pages, ...end }));
} finally {
  await page?.close();
  await browser?.close();
  await served.close();
  rmSync(folder, { recursive: true, force: true });
}
report();
