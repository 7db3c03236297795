/**
 * What is kept for later runs, by the built command line, runtime and page module: results of functions and of whole runs are
 * computed once, whoever asks at the same time; nothing that is not a run's own comes back to it; and who is killed at any
 * moment leaves nothing wrong.
 *
 *     node test/cache/suite.mjs            20 kills of downloads, 10 of whole commands
 *     node test/cache/suite.mjs --soak     100 of each
 *
 * FUSELET_DIST names another build than dist/. (Kills of the cache itself: test/host/cache-processes.test.ts.)
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openBrowser } from "../browser/chromium.mjs";
import { isWanted, report, runCases } from "../setup/cases.mjs";
import { bodyOf, NAMES, serveBodies } from "./bodies.mjs";

const root = dirname(dirname(import.meta.dirname));
const dist = process.env.FUSELET_DIST ?? join(root, "dist");
const isLong = process.argv.includes("--soak");
const folder = mkdtempSync(join(tmpdir(), "fuselet-cache-suite-"));
/** Where Python's snapshot is built once. Cases that look at what is kept have a cache of their own. */
const builds = join(folder, "builds");
process.env.FUSELET_CACHE = builds;
process.env.FUSELET_DATA = join(folder, "data");
const { createRuntime, openSecrets } = await import(join(dist, "index.node.js"));

const file = (name, text) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** Counts how often each path was asked for. */
const counts = new Map();
const server = createServer((request, response) => {
  counts.set(request.url, (counts.get(request.url) ?? 0) + 1);
  response.writeHead(200, { "access-control-allow-origin": "*" });
  response.end(String(counts.get(request.url)));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const host = `127.0.0.1:${server.address().port}`;
const countOf = (name) => counts.get(`/${name}`) ?? 0;

/** Runs the command line; with `killMs` it is killed after so long, if it still runs. */
async function fuselet(args, { env = {}, killMs } = {}) {
  const child = spawn(process.execPath, [join(dist, "cli.js"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const timer = killMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killMs);
  const [status] = await once(child, "close");
  clearTimeout(timer);
  return { status, stdout, stderr };
}

const times = (count, work) => Promise.all(Array.from({ length: count }, (_, i) => work(i)));

/** A UDF whose cached function tells the server, and takes a while. */
const cachedPython = (name, seconds = 1) => `
import time, urllib.request
import fused

@fused.cache(cache_verbose=False)
def slowly(n):
    urllib.request.urlopen("http://${host}/${name}").read()
    time.sleep(${seconds})
    return {"n": n, "blob": "x" * 50_000}

@fused.udf
def udf(n: int = 1):
    return [slowly(n)["n"], len(slowly(n)["blob"])]
`;
const plainTypeScript = (name, ms = 500) => `
import { udf } from "fuselet/udf";
export default udf({ cacheMaxAge: "1h" }, async ({ n = 1 }: { n?: number }) => {
  const response = await fetch("http://${host}/${name}");
  console.log("counted");
  await new Promise((resolve) => setTimeout(resolve, ${ms}));
  return { n, count: Number(await response.text()) };
});
`;

/** A runtime for one case, whose cache is its own. */
async function withRuntime(options, work) {
  const cache = mkdtempSync(join(folder, "runtime-"));
  const runtime = await createRuntime({ pool: { spares: 0 }, assets: { cache }, ...options });
  try {
    return await work(runtime, cache);
  } finally {
    await runtime.close();
  }
}

/** All bytes below a folder. */
function bytesBelow(path) {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}

let counters = 0;
/** Counts runs of UDFs by what they ask the server for: a run that calls the program's own host leaves no result. */
function counter() {
  const name = `counter${counters++}`;
  return {
    name,
    get runs() {
      return countOf(name);
    },
    permissions: { net: [host] },
    /** A UDF that counts its runs, with this body. */
    counting: (body) => `import { cache, context, host, run, secrets, udf } from "fuselet/udf";
export default udf({}, async ({ n = 1 }: { n?: unknown }) => {
  await fetch("http://${host}/${name}");
  ${body}
});`,
  };
}

const cases = {
  "8 commands at once that call one @fused.cache function: one execution": async () => {
    const udf = file("eight.py", cachedPython("eight"));
    // Its snapshot is there: all start alike.
    await fuselet(["run", file("warm.py", "import fused\n@fused.udf\ndef udf(): return 1\n")]);
    const runs = await times(8, () => fuselet(["run", udf, "n=7", `--allow-net=${host}`, "--allow-cache"]));
    for (const run of runs) assert.deepEqual(run, { status: 0, stdout: "[7,50000]\n", stderr: "" });
    assert.equal(countOf("eight"), 1);
  },
  "8 commands at once that take results of up to 10 minutes: one run; without the option each runs":
    async () => {
      const udf = file("runs.ts", plainTypeScript("runs"));
      const env = { FUSELET_CACHE: join(folder, "runs") };
      const args = ["run", udf, "n=7", `--allow-net=${host}`];
      const runs = await times(8, () => fuselet([...args, "--cache-max-age", "10m"], { env }));
      const expected = { status: 0, stdout: '{"n":7,"count":1}\n', stderr: "counted\n" };
      for (const run of runs) assert.deepEqual(run, expected);
      assert.equal(countOf("runs"), 1);
      const { stdout, stderr } = await fuselet([...args, "-v", "--cache-max-age", "1h"], { env });
      assert.equal(stdout, expected.stdout);
      assert.match(stderr, /^counted\ntiming: the result came from the cache\ntiming: cache /);
      // Other parameters, and fewer grants, are another run. The latter is denied, and its error is not kept.
      const other = ["run", udf, "n=8", `--allow-net=${host}`, "--cache-max-age", "10m"];
      assert.equal((await fuselet(other, { env })).stdout, '{"n":8,"count":2}\n');
      const denied = ["run", udf, "n=7", "--cache-max-age", "10m"];
      assert.deepEqual(
        [(await fuselet(denied, { env })).status, (await fuselet(denied, { env })).status],
        [3, 3],
      );
      for (const age of [[], ["--cache-max-age", "0"]]) await fuselet([...args, ...age], { env });
      assert.equal(countOf("runs"), 4);
    },
  "a kept result has its value, output, and says so; parameters count by type, not by order": async () => {
    const count = counter();
    await withRuntime({ permissions: count.permissions }, async (runtime) => {
      const udf = count.counting(
        'console.log("out"); console.error("err"); return { n, bytes: new Uint8Array([1, 2]) };',
      );
      const run = (parameters, options) => runtime.run(udf, { parameters, cacheMaxAge: 60, ...options });
      const written = [];
      const first = await run({ n: 1 });
      const again = await run({ n: 1 }, { onOutput: (stream, text) => written.push([stream, text]) });
      assert.deepEqual([first.cached, again.cached], [false, true]);
      assert.deepEqual(again.value, { n: 1, bytes: new Uint8Array([1, 2]) });
      assert.deepEqual([again.stdout, again.stderr], ["out\n", "err\n"]);
      assert.deepEqual(written, [
        ["stdout", "out\n"],
        ["stderr", "err\n"],
      ]);
      assert.equal(again.timing.runMs, 0);
      assert.ok(again.timing.cacheMs > 0 && first.timing.runMs > 0);
      const before = count.runs;
      for (const n of ["1", 1.5, [1], null]) assert.equal((await run({ n })).cached, false, String(n));
      for (const n of ["1", 1.5, [1], null]) assert.equal((await run({ n })).cached, true, String(n));
      assert.equal(count.runs, before + 4);
      for (const options of [
        { principal: "bob" },
        { limits: { memoryBytes: 2 ** 27 } },
        { tile: { x: 0, y: 0, z: 0 } },
      ])
        assert.equal((await run({ n: 1 }, options)).cached, false);
      // How long it may take decides nothing of the answer.
      assert.equal((await run({ n: 1 }, { limits: { timeMs: 5000 } })).cached, true);
      assert.equal((await runtime.run(udf, { parameters: { n: 1 } })).cached, false);
      assert.equal((await runtime.run(udf, { parameters: { n: 1 }, cacheMaxAge: 0 })).cached, false);
    });
  },
  "a table and a Python value come back from the cache as they were": async () => {
    await withRuntime({ assets: { cache: builds } }, async (runtime) => {
      const udf = `import fused, datetime\n@fused.udf\ndef udf(**given):\n    return {"names": list(given), "at": datetime.date(2026, 1, 2), "big": 2**70, "set": {1}}\n`;
      const run = (parameters) => runtime.run(udf, { parameters, cacheMaxAge: "1h" });
      const expected = { names: ["a", "b"], at: "2026-01-02", big: 2n ** 70n, set: [1] };
      const first = await run({ b: 1, a: 2 });
      const again = await run({ a: 2, b: 1 });
      assert.deepEqual([first.value, again.value], [expected, expected]);
      assert.deepEqual([first.cached, again.cached], [false, true]);
    });
  },
  "`cache: true` means the UDF's own age; what makes no sense is refused": async () => {
    const count = counter();
    await withRuntime({ assets: { cache: builds }, permissions: count.permissions }, async (runtime) => {
      const never = count.counting("return n;").replace("udf({}", "udf({ cacheMaxAge: 0 }");
      const hour = count.counting("return n;").replace("udf({}", 'udf({ cacheMaxAge: "1h" }');
      const wrong = count.counting("return n;").replace("udf({}", 'udf({ cacheMaxAge: "soon" }');
      const cached = async (udf, options) => {
        await runtime.run(udf, options);
        return (await runtime.run(udf, options)).cached;
      };
      assert.equal(await cached(hour, {}), false);
      assert.equal(await cached(hour, { cache: false }), false);
      assert.equal(await cached(hour, { cache: true }), true);
      assert.equal(await cached(await runtime.load(hour), { cache: true }), true);
      assert.equal(await cached(never, { cache: true }), false);
      assert.equal(await cached(never, { cacheMaxAge: "1h" }), true);
      assert.equal(await cached(count.counting("return 0;"), { cache: true }), true);
      const python = '@fused.udf(cache_max_age="0s")\ndef udf():\n    return 1\n';
      assert.equal(await cached(python, { cache: true }), false);
      await assert.rejects(runtime.run(wrong, { cache: true }), {
        name: "UdfLoadError",
        message: /cacheMaxAge.*"soon"/,
      });
      for (const options of [
        { cache: false, cacheMaxAge: 1 },
        { cacheMaxAge: "1w" },
        { cacheMaxAge: 1.5 },
        { cache: 1 },
      ])
        await assert.rejects(runtime.run(hour, options), { name: "UsageError" }, JSON.stringify(options));
    });
  },
  "a result counts for a context that has the same in what the run read": async () => {
    const count = counter();
    await withRuntime({ assets: { cache: builds }, permissions: count.permissions }, async (runtime) => {
      const asAnn = { userEmail: "ann@example.org", headers: { accept: "a", cookie: "1" } };
      const asBob = { userEmail: "bob@example.org", headers: { accept: "a", cookie: "2" } };
      const run = async (udf, context) => {
        const { value, cached } = await runtime.run(udf, { cacheMaxAge: "1h", context });
        return [value, cached];
      };
      const blind = count.counting("return [];");
      assert.deepEqual(
        [await run(blind, asAnn), await run(blind, asBob)],
        [
          [[], false],
          [[], true],
        ],
      );
      const reads = count.counting('return host.call("context.field", "userEmail");');
      assert.deepEqual(await run(reads, asAnn), ["ann@example.org", false]);
      assert.deepEqual(await run(reads, asBob), ["bob@example.org", false]);
      assert.deepEqual(await run(reads, { ...asAnn, headers: {} }), ["ann@example.org", true]);
      assert.deepEqual(await run(reads, asBob), ["bob@example.org", true]);
      const all = count.counting("return (await context()).userEmail;");
      assert.deepEqual(await run(all, asAnn), ["ann@example.org", false]);
      assert.deepEqual(await run(all, { ...asAnn, headers: {} }), ["ann@example.org", false]);
      const python =
        "import fused\n@fused.udf\ndef udf():\n    return [fused.context.get_header('Accept'), fused.context.in_batch()]\n";
      assert.deepEqual(await run(python, asAnn), [["a", false], false]);
      assert.deepEqual(await run(python, asBob), [["a", false], true]);
      assert.deepEqual(await run(python, { headers: { accept: "b" } }), [["b", false], false]);
      assert.deepEqual(await run(python, { ...asAnn, kind: "batch" }), [["a", true], false]);
    });
  },
  "a run that asked for a secret, ran another UDF, called the program's own host, or was answered leaves no result; nobody waits for it":
    async () => {
      const CANARY = "canary-4c1f";
      const count = counter();
      await using vault = await openSecrets();
      for (const name of ["KEY", "OTHER"]) await vault.set(name, CANARY);
      const options = {
        host: { test: { value: () => 5 } },
        udfs: { inner: "export default () => 5;\n" },
        permissions: {
          ...count.permissions,
          secrets: [{ name: "KEY", hosts: true, reveal: true }, "OTHER"],
          run: ["inner"],
        },
        onUngranted: async () => ({ allowed: true, how: "prompt once" }),
      };
      const bodies = [
        'return (await secrets.get("KEY")) + "!";',
        'return (await secrets.get("OTHER")).length;',
        "return secrets.list();",
        'return run("inner");',
        'return host.call("test.value");',
        "return cache(async () => 5)();",
      ];
      await withRuntime(options, async (runtime, cache) => {
        const run = (body) => runtime.run(count.counting(body), { cacheMaxAge: "1h" });
        for (const body of bodies) {
          const before = count.runs;
          const results = await times(3, () => run(body));
          assert.deepEqual(
            results.map(({ cached }) => cached),
            [false, false, false],
            body,
          );
          assert.equal(count.runs, before + 3, body);
        }
        assert.equal(bytesBelow(join(cache, "results")).includes(CANARY), false);
        // One that does none of this is kept: the control.
        await run("return 5;");
        assert.equal((await run("return 5;")).cached, true);
      });
    },
  "errors are not kept; a run that was cancelled leaves its place to the next": async () => {
    const count = counter();
    await withRuntime({ permissions: count.permissions }, async (runtime) => {
      const fails = count.counting('throw new Error("boom");');
      for (const runs of [1, 2]) {
        await assert.rejects(runtime.run(fails, { cacheMaxAge: "1h" }), { name: "UdfRuntimeError" });
        assert.equal(count.runs, runs);
      }
      const slow = count.counting("await new Promise((resolve) => setTimeout(resolve, 300)); return n;");
      const ending = new AbortController();
      const first = runtime.run(slow, { cacheMaxAge: "1h", signal: ending.signal });
      first.catch(() => {});
      while (count.runs < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      const second = runtime.run(slow, { cacheMaxAge: "1h" });
      const waiting = new AbortController();
      const third = runtime.run(slow, { cacheMaxAge: "1h", signal: waiting.signal });
      third.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 30));
      waiting.abort();
      await assert.rejects(third, { name: "CancelledError" });
      ending.abort();
      await assert.rejects(first, { name: "CancelledError" });
      assert.deepEqual(
        [(await second).cached, (await runtime.run(slow, { cacheMaxAge: "1h" })).cached],
        [false, true],
      );
      assert.equal(count.runs, 4);
    });
  },
  "a cache that cannot be used is said, and stops no run": async () => {
    const cache = mkdtempSync(join(folder, "broken-"));
    writeFileSync(join(cache, "results"), "no folder");
    const said = [];
    await withRuntime(
      { assets: { cache }, onProgress: ({ message }) => said.push(message) },
      async (runtime) => {
        const { value, cached } = await runtime.run("export default () => 5;\n", { cacheMaxAge: "1h" });
        assert.deepEqual([value, cached], [5, false]);
      },
    );
    assert.match(said.join("\n"), /^Results of \S+ are not kept: /m);
  },
  "`cache` of fuselet/udf keeps results over runs, and says where it cannot": async () => {
    const count = counter();
    const body = `const squares = cache(async (list: number[]) => { await fetch("http://${host}/${count.name}"); return { list: list.map((i) => i * i), raw: new Uint8Array(3) }; }, { maxAge: "1h" });
  return (await Promise.all([squares([n as number, 2]), squares([n as number, 2])])).map(({ list, raw }) => [list, raw.length]);`;
    const udf = count.counting(body).replace(/await fetch.*\n {2}const/, "const");
    const expected = [
      [[9, 4], 3],
      [[9, 4], 3],
    ];
    await withRuntime({ permissions: { ...count.permissions, cache: true } }, async (runtime) => {
      for (const runs of [1, 1]) {
        assert.deepEqual((await runtime.run(udf, { parameters: { n: 3 } })).value, expected);
        assert.equal(count.runs, runs);
      }
      const { stderr } = await runtime.run(udf, {
        parameters: { n: 3 },
        permissions: count.permissions,
      });
      assert.equal(stderr, "Results are not kept: Requires cache access: run again with --allow-cache\n");
      assert.equal(count.runs, 3);
    });
  },
  "many large hits that a UDF does not take wait where they are kept, not in the host": async () => {
    const size = 16 * 1024 * 1024;
    const udf = `import { host } from "fuselet/udf";
const begin = () => host.call("cache.begin", { key: "0".repeat(64), name: "f", folder: "f", storage: "auto", maxAgeMs: 60000, reset: false, lockTimeoutMs: 9000 });
export default async () => {
  const first = await begin() as { state: string, lease: number };
  if (first.state === "compute") await host.call("cache.commit", first.lease, { format: "bytes", body: new Uint8Array(${size}) });
  for (let i = 0; i < 60; i++) begin();
  await new Promise((resolve) => setTimeout(resolve, 1));
  for (const end = Date.now() + 1500; Date.now() < end; );
  return "done";
};
`;
    await withRuntime({ permissions: { cache: true } }, async (runtime) => {
      const held = () => process.memoryUsage().arrayBuffers;
      const before = held();
      let most = 0;
      const timer = setInterval(() => (most = Math.max(most, held() - before)), 10);
      assert.equal((await runtime.run(udf)).value, "done");
      clearInterval(timer);
      const answers = Math.round((most / size) * 10) / 10;
      assert.ok(answers < 12, `the host held ${answers} answers at once`);
      assert.ok(answers > 1, `the host held ${answers} answers at once: it was not seen`);
    });
  },
  "a request's header cache-decorator-max-age is the default age of cached functions": async () => {
    const count = counter();
    const udf = `import fused, urllib.request\n@fused.cache(cache_verbose=False)\ndef f():\n    urllib.request.urlopen("http://${host}/${count.name}").read()\n    return 1\n@fused.udf\ndef udf():\n    return f()\n`;
    await withRuntime(
      { assets: { cache: builds }, permissions: { ...count.permissions, cache: true } },
      async (runtime) => {
        const run = (age) =>
          runtime.run(udf, { context: { headers: age ? { "Cache-Decorator-Max-Age": age } : {} } });
        await run();
        await run("1h");
        assert.equal(count.runs, 1);
        await run("0s");
        assert.equal(count.runs, 2);
        await assert.rejects(run("soon"), {
          name: "UdfRuntimeError",
          type: "ValueError",
          message: /cache-decorator-max-age/,
        });
      },
    );
  },
  "`fuselet cache` lists what is kept and whose, and removes it while others use it": async () => {
    const env = { FUSELET_CACHE: join(folder, "listed") };
    const udf = file(
      "listed.ts",
      `import { cache, udf } from "fuselet/udf";
const slowly = cache(async function slowly(n: number) { return { n, blob: "x".repeat(50_000) }; });
export default udf({}, async ({ n = 1 }: { n?: number }) => { const { n: m, blob } = await slowly(n); return [m, blob.length]; });`,
    );
    const args = ["run", udf, "n=1", "--allow-cache", "--cache-max-age", "1h"];
    assert.deepEqual(await fuselet(["cache"], { env }), {
      status: 0,
      stdout: "nothing is kept\n",
      stderr: "",
    });
    await fuselet(args, { env });
    const { stdout } = await fuselet(["cache", "list", "results", "--json"], { env });
    const list = JSON.parse(stdout).sort((a, b) => b.bytes - a.bytes);
    assert.deepEqual(
      list.map(({ kind, what, udf, principal }) => [kind, what, udf, principal]),
      [
        ["results", "slowly()", "listed", "local"],
        ["results", "run", "listed", "local"],
      ],
    );
    assert.ok(list[0].bytes > 50_000 && Date.now() - Date.parse(list[0].createdAt) < 60_000);
    const table = (await fuselet(["cache", "list"], { env })).stdout;
    assert.match(
      table,
      /^kind +what +size +age +udf +principal\n(.*\n)*results +slowly\(\) +48\.\d KB +\d+s +listed +local\n/,
    );
    assert.match(table, /\nsnapshots +typescript-\w+ +/);
    const many = times(4, (i) => fuselet(["run", udf, `n=${i}`, "--allow-cache"], { env }));
    const cleared = await fuselet(["cache", "clear", "results"], { env });
    assert.match(cleared.stderr, /^removed \d+ results \(.*\)\n$/);
    for (const [i, run] of (await many).entries())
      assert.deepEqual([run.status, run.stdout], [0, `[${i},50000]\n`]);
    const all = JSON.parse((await fuselet(["cache", "clear", "--json"], { env })).stdout);
    assert.deepEqual(Object.keys(all), ["results", "downloads", "snapshots", "packages"]);
    assert.ok(all.snapshots.entries >= 1 && all.snapshots.bytes > 100, JSON.stringify(all));
    assert.equal((await fuselet(["cache"], { env })).stdout, "nothing is kept\n");
    assert.deepEqual([(await fuselet(args, { env })).stdout], ["[1,50000]\n"]);
  },
  "downloads that are killed at any moment are whole or not there, and the next call works": async () => {
    const kills = isLong ? 100 : 20;
    const at = join(folder, "downloads-killed");
    const bodies = await serveBodies();
    const program = join(import.meta.dirname, "download-child.ts");
    const start = (...names) =>
      spawn(process.execPath, [program, at, bodies.origin, ...names], { stdio: ["ignore", "pipe", "pipe"] });
    try {
      const killOne = async () => {
        const child = start();
        let stderr = "";
        child.stderr.on("data", (chunk) => (stderr += chunk));
        const closed = once(child, "close");
        await Promise.race([once(child.stdout, "data"), closed]);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
        child.kill("SIGKILL");
        await closed;
        assert.equal(stderr, "");
      };
      const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex");
      const whole = new Set(NAMES.map((name) => hashOf(bodyOf(name))));
      const check = () => {
        const below = join(at, "downloads");
        for (const name of readdirSync(below).filter((each) => each.endsWith(".data"))) {
          const bytes = readFileSync(join(below, name));
          assert.ok(whole.has(hashOf(bytes)), `${name} is not whole: ${bytes.length} bytes`);
        }
      };
      for (let done = 0; done < kills; done += 4) {
        await times(4, killOne);
        check();
      }
      const child = start(...NAMES);
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk) => (stdout += chunk));
      child.stderr.on("data", (chunk) => (stderr += chunk));
      await once(child, "close");
      assert.equal(stderr, "");
      assert.deepEqual(
        stdout.trimEnd().split("\n"),
        NAMES.map((name) => `kept ${name}`),
      );
      check();
    } finally {
      await bodies.close();
    }
  },
  "commands that are killed at any moment leave nothing wrong, and the next one works": async () => {
    const kills = isLong ? 100 : 10;
    const env = { FUSELET_CACHE: join(folder, "killed") };
    const bodies = await serveBodies();
    const udf = file(
      "killed.ts",
      `import { cache, download, udf } from "fuselet/udf";
const load = cache(async (name: string) => {
  const bytes = await (await download("${bodies.origin}/" + name, name)).read();
  return { bytes, sum: bytes.reduce((sum, byte) => sum + byte, 0) };
});
export default udf({}, async ({ name = "" }: { name?: string }) => (await load(name)).sum);`,
    );
    const args = (name) => [
      "run",
      udf,
      `name=${name}`,
      `--allow-net=${new URL(bodies.origin).host}`,
      "--allow-cache",
      "--cache-max-age",
      "1h",
    ];
    const sumOf = (name) => bodyOf(name).reduce((sum, byte) => sum + byte, 0);
    try {
      const { stdout } = await fuselet(args(NAMES[1]), { env });
      assert.equal(stdout, `${sumOf(NAMES[1])}\n`);
      for (let done = 0; done < kills; done += 2) {
        const name = NAMES[Math.floor(Math.random() * 8)];
        await times(2, async () => {
          const run = await fuselet(args(name), { env, killMs: 50 + Math.random() * 300 });
          assert.ok(run.status === null || run.stdout === `${sumOf(name)}\n`, `${run.stdout}${run.stderr}`);
        });
        const next = await fuselet(args(name), { env });
        assert.deepEqual(next, { status: 0, stdout: `${sumOf(name)}\n`, stderr: "" });
      }
    } finally {
      await bodies.close();
    }
  },
};

/** In pages of one origin. */
const pageCases = {
  "4 tabs at once that call one @fused.cache function: one execution": async (pages) => {
    const options = { permissions: { net: [host], cache: true } };
    // The snapshot is built once, and stored: all start alike.
    await runInPage(pages[0], ["import fused\n@fused.udf\ndef udf(n): return n\n", {}, {}]);
    await inTabs(pages, cachedPython("tabs"), options, {}, [7, 50000], "tabs");
  },
  "4 tabs at once that take kept results: one run": (pages) =>
    inTabs(
      pages,
      plainTypeScript("tab-runs"),
      { permissions: { net: [host] } },
      { cacheMaxAge: "10m" },
      { n: 7, count: 1 },
      "tab-runs",
    ),
  "4 tabs at once that call one function of `cache`: one execution": (pages) =>
    inTabs(
      pages,
      `import { cache, udf } from "fuselet/udf";
const slowly = cache(async (n: number) => {
  const count = Number(await (await fetch("http://${host}/tab-cache")).text());
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { n, count };
});
export default udf({}, ({ n = 1 }: { n?: number }) => slowly(n));`,
      { permissions: { net: [host], cache: true } },
      {},
      { n: 7, count: 1 },
      "tab-cache",
    ),
};

/** Runs a UDF in a page, in a runtime of its own. */
const runInPage = (page, args) =>
  page.evaluate(async ([source, options, runOptions]) => {
    const runtime = await fuselet.createRuntime({ pool: { spares: 0, maxIsolates: 1 }, ...options });
    try {
      const { value, stderr } = await runtime.run(source, { parameters: { n: 7 }, ...runOptions });
      return { value, stderr };
    } finally {
      await runtime.close();
    }
  }, args);

/** Runs a UDF in all pages at once. */
async function inTabs(pages, source, options, runOptions, expected, name) {
  const values = await Promise.all(pages.map((page) => runInPage(page, [source, options, runOptions])));
  for (const each of values) assert.deepEqual(each, { value: expected, stderr: "" });
  assert.equal(countOf(name), 1);
}

try {
  await runCases(Object.entries(cases));
  if (Object.keys(pageCases).some(isWanted)) {
    const browser = await openBrowser();
    try {
      await runCases(Object.entries(pageCases), await times(4, () => browser.openPage()));
    } finally {
      await browser.close();
    }
  }
} finally {
  server.closeAllConnections();
  server.close();
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
report();
