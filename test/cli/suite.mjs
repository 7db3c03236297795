/**
 * The built command line as a process: results, exit statuses, signals, closed pipes, standard input, and questions on a
 * terminal (a real one: terminal.py). FUSELET_DIST names another build than dist/.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { report, runCases } from "../setup/cases.mjs";
import { dist, startServer } from "../setup/serve.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cli = join(dist, "cli.js");
const folder = mkdtempSync(join(tmpdir(), "fuselet-cli-suite-"));
const file = (name, text) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const hello = file(
  "hello.py",
  'import sys\n@fused.udf\ndef udf(name: str = "World", n: int = 2):\n    print("out")\n    print("err", file=sys.stderr)\n    return {"hello": name, "n": n}\n',
);
const typescript = file(
  "hello.ts",
  'import { udf } from "fuselet/udf";\nexport default udf({}, ({ name = "World" }: { name?: string }) => ({ hello: name }));\n',
);
const boom = file("boom.py", '@fused.udf\ndef udf():\n    raise ValueError("boom")\n');
const loop = file(
  "loop.py",
  '@fused.udf\ndef udf():\n    print("started", flush=True)\n    while True:\n        pass\n',
);
const large = file("large.py", '@fused.udf\ndef udf():\n    return ["x" * 100] * 100_000\n');

/** Runs the program; `onStart` gets the process and is called with each piece of standard error. */
function fuselet(args, { input = "", onError, onOutput, env = {}, cwd } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, FUSELET_DATA: join(folder, "data"), ...env },
      cwd,
    });
    const [stdout, stderr] = [[], []];
    child.stdout.on("data", (chunk) => {
      stdout.push(chunk);
      onOutput?.(child, chunk);
    });
    child.stderr.on("data", (chunk) => {
      stderr.push(chunk);
      onError?.(child, String(chunk));
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.on("close", (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** Runs the program on a terminal and does the steps of terminal.py there. Each call has saved grants of its own, unless `env` says which. */
async function onTerminal(args, steps = [], { env = {}, shell = [] } = {}) {
  const job = {
    argv: [...shell, process.execPath, cli, ...args],
    env: { FUSELET_DATA: mkdtempSync(join(folder, "data-")), TERM: "xterm", NO_COLOR: "1", ...env },
    steps,
  };
  const python = spawn("python3", [join(root, "test", "cli", "terminal.py"), JSON.stringify(job)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const result = JSON.parse(await text(python.stdout));
  assert.equal(result.problem, null, result.screen);
  const screen = result.screen.replaceAll("\r\n", "\n");
  return { status: result.status, screen, questions: screen.split(QUESTION).length - 1 };
}

/** What begins and ends a question, as no UDF can draw it. */
const QUESTION = "\u001b[7m fuselet asks for permission \u001b[0m\n";
const ASKED = "┗ Allow? [y/r/a/N] ";
const ASKED_FIRST = "┗ Allow? [y/a/N] ";
const answer = (...lines) => lines.flatMap((line) => [{ wait: ASKED }, { type: `${line}\n` }]);

/** A server that counts who connects. */
const server = createServer((_, response) => response.end("sunny"));
let connections = 0;
server.on("connection", () => connections++);
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const host = `127.0.0.1:${server.address().port}`;

/** Asks for the server `n` times, and says so before and after. */
const fetching = (more = "") =>
  `import { host, udf } from "fuselet/udf";
const get = () => host.call("net.fetch", { url: "http://${host}/", method: "GET", headers: [], body: null, redirect: "follow", timeoutMs: null }) as Promise<any>;
export default udf({ ${more} }, async ({ n = 1 }: { n?: number }) => {
  console.log("before");
  let status = 0;
  for (let i = 0; i < n; i++) ({ status } = await get());
  console.log("after");
  return status;
});
`;
const weather = file("weather.ts", fetching());

const stopWith = (signal) => ({ onError: (child, text) => text.includes("started") && child.kill(signal) });

const cases = {
  "a Python UDF: result to standard output, its own output to standard error": async () => {
    assert.deepEqual(await fuselet(["run", hello, "name=Bob", "n=3"]), {
      status: 0,
      stdout: '{"hello":"Bob","n":3}\n',
      stderr: "out\nerr\n",
    });
  },
  "a TypeScript UDF": async () => {
    const { status, stdout } = await fuselet(["run", typescript, "name=Bob"]);
    assert.deepEqual([status, stdout], [0, '{"hello":"Bob"}\n']);
  },
  "a UDF from standard input": async () => {
    const { status, stdout } = await fuselet(["run", "-"], { input: readFileSync(hello) });
    assert.deepEqual([status, stdout], [0, '{"hello":"World","n":2}\n']);
  },
  "an error of the UDF is 1 and its traceback alone": async () => {
    const { status, stdout, stderr } = await fuselet(["run", boom]);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^Traceback[\s\S]*ValueError: boom\n$/);
  },
  "damaged files of the cache are built again, and that is said": async () => {
    const env = { FUSELET_CACHE: join(folder, "cache") };
    const run = async () => (await fuselet(["run", hello], { env })).stderr.replace(/^out\nerr\n/m, "");
    assert.equal(await run(), "");
    const kept = readdirSync(env.FUSELET_CACHE).filter((name) => /^(snapshot|code)-/.test(name));
    assert.equal(kept.length, 2);
    for (const name of kept) {
      const path = join(env.FUSELET_CACHE, name);
      const bytes = readFileSync(path);
      bytes[100_000] ^= 1;
      writeFileSync(path, bytes);
      assert.match(await run(), new RegExp(`^note: .*${name} is damaged .*: building it again\n$`));
      assert.equal(await run(), "");
    }
  },
  "a wrong parameter is 2, a time limit 124": async () => {
    assert.equal((await fuselet(["run", hello, "zzz=1"])).status, 2);
    assert.equal((await fuselet(["run", hello, "n=abc"])).status, 2);
    assert.equal((await fuselet(["run", loop, "--time-limit", "1s"])).status, 124);
  },
  "SIGINT is 130 and SIGTERM 143, quietly": async () => {
    for (const [signal, expected] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ]) {
      assert.deepEqual(await fuselet(["run", loop], stopWith(signal)), {
        status: expected,
        stdout: "",
        stderr: "started\n",
      });
    }
  },
  "a reader that goes away is no error": async () => {
    const { status, stderr } = await fuselet(["run", large], { onOutput: (child) => child.stdout.destroy() });
    assert.deepEqual([status, stderr], [0, ""]);
  },
  "-o writes the file whole, or leaves it alone": async () => {
    const target = join(folder, "out.json");
    assert.equal((await fuselet(["run", hello, "-o", target])).status, 0);
    assert.equal(readFileSync(target, "utf8"), '{"hello":"World","n":2}\n');
    assert.equal((await fuselet(["run", boom, "-o", target])).status, 1);
    assert.equal(readFileSync(target, "utf8"), '{"hello":"World","n":2}\n');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes("part")),
      [],
    );
    assert.match((await fuselet(["run", hello, "-o", "/dev/full"])).stderr, /the disk is full/);
  },
  "a UDF from a URL: fetched with its modules where its host is granted, else not asked for": async () => {
    const asked = [];
    const files = {
      "/udfs/main.py":
        '@fused.udf(headers=["helper.py"])\ndef udf(n: int = 1):\n    import helper\n    return helper.double(n)\n',
      "/udfs/helper.py": "def double(n):\n    return 2 * n\n",
    };
    const server = createServer((request, response) => {
      asked.push(request.url);
      const text = files[request.url];
      response.writeHead(text ? 200 : 404).end(text);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${server.address().port}`;
    try {
      const url = `http://${host}/udfs/main.py`;
      const denied = await fuselet(["run", url]);
      assert.deepEqual(denied, {
        status: 3,
        stdout: "",
        stderr: `error: Requires net access to "${host}": run again with --allow-net=${host}\n`,
      });
      assert.deepEqual(asked, []);
      const granted = await fuselet(["run", `--allow-net=${host}`, url, "n=21"]);
      assert.deepEqual(granted, { status: 0, stdout: "42\n", stderr: "" });
      assert.deepEqual(asked, ["/udfs/main.py", "/udfs/helper.py"]);
      const inspected = await fuselet(["inspect", `--allow-net=${host}`, url, "--json"]);
      assert.equal(JSON.parse(inspected.stdout).headers[0].file, "helper.py");
      const missing = await fuselet(["run", `--allow-net=${host}`, `http://${host}/none.py`]);
      assert.equal(missing.status, 2);
      assert.match(missing.stderr, /Cannot load the UDF "http:.*none.py": the server answered 404 Not Found/);
    } finally {
      server.close();
    }
  },
  "inspect runs none of the UDF's code": async () => {
    const noisy = file("noisy.py", 'print("ran")\n@fused.udf\ndef udf(a: int = 1):\n    return a\n');
    const { status, stdout, stderr } = await fuselet(["inspect", noisy, "--json"]);
    assert.deepEqual([status, stderr], [0, ""]);
    const { entrypoint, parameters } = JSON.parse(stdout);
    assert.deepEqual([entrypoint, parameters.map(({ name }) => name)], ["udf", ["a"]]);
  },
  "a question on a terminal shows who asks for what, and y allows it once": async () => {
    const { status, screen } = await onTerminal(["run", weather], answer("y"));
    assert.equal(status, 0, screen);
    assert.equal(
      screen.replaceAll(folder, "").replace(/\r\u001b\[2K/, ""),
      [
        "before",
        `${QUESTION}┃ Who    "weather", run from /weather.ts`,
        `┃ What   net access to "${host}"`,
        `┃ Flag   --allow-net=${host}`,
        "┃",
        "┃ y  this once   r  until the run ends   a  always   n  no",
        `${ASKED}y`,
        "after",
        "200",
        "",
      ].join("\n"),
    );
    const twice = await onTerminal(["run", weather, "n=2"], answer("y", "y"));
    assert.deepEqual([twice.status, twice.questions], [0, 2]);
    const mixed = await onTerminal(["run", weather, "n=2"], answer("y", "n"));
    assert.deepEqual([mixed.status, mixed.questions], [3, 2]);
  },
  "r allows it until the run ends": async () => {
    const env = { FUSELET_DATA: join(folder, "data-run") };
    const { status, questions } = await onTerminal(["run", weather, "n=3"], answer("r"), { env });
    assert.deepEqual([status, questions], [0, 1]);
    assert.equal((await onTerminal(["run", weather], answer("n"), { env })).status, 3);
  },
  "a allows it for good: for this code, until it is removed": async () => {
    const env = { FUSELET_DATA: join(folder, "data-always") };
    assert.equal((await onTerminal(["run", weather], answer("a"), { env })).status, 0);
    const grants = join(env.FUSELET_DATA, "grants.json");
    assert.equal(statSync(grants).mode & 0o777, 0o600);
    const later = await onTerminal(["run", weather, "n=2"], [], { env });
    assert.deepEqual([later.status, later.questions], [0, 0]);
    assert.equal((await fuselet(["run", weather], { env })).status, 0);
    assert.equal((await fuselet(["run", weather, `--deny-net=${host}`], { env })).status, 3);
    const changed = file("weather.ts", `${fetching()}// changed\n`);
    assert.equal((await onTerminal(["run", changed], answer("n"), { env })).status, 3);
    file("weather.ts", fetching());
    assert.match((await fuselet(["permissions"], { env })).stdout, /weather {2}net "127\.0\.0\.1:/);
    assert.equal((await fuselet(["permissions", "remove", "--all"], { env })).status, 0);
    assert.equal((await onTerminal(["run", weather], answer("n"), { env })).status, 3);
  },
  "n, an empty line, no answer and Ctrl-D refuse it; Ctrl-C ends the run": async () => {
    const before = connections;
    const refused = `error: Requires net access to "${host}", which was refused: --allow-net=${host} allows it\n`;
    for (const type of ["n\n", "\n", "N\n", "\u0004"]) {
      const { status, screen } = await onTerminal(["run", weather], [{ wait: ASKED }, { type }]);
      assert.deepEqual([status, screen.slice(-refused.length)], [3, refused]);
    }
    const again = { wait: "┗ Answer with one of these letters: [y/r/a/N] " };
    const odd = [{ wait: ASKED }, { type: "Y\n" }, again, { type: "yes\n" }, again, { type: "A\n" }];
    assert.equal((await onTerminal(["run", weather], odd)).status, 3);
    const stopped = await onTerminal(["run", weather], [{ wait: ASKED }, { type: "\u0003" }]);
    assert.equal(stopped.status, 130, stopped.screen);
    assert.doesNotMatch(stopped.screen, /error|after/);
    assert.equal(connections, before);
  },
  "nobody is asked without a terminal, with --no-prompt, and for what is denied": async () => {
    const before = connections;
    const denied = `error: Requires net access to "${host}": run again with --allow-net=${host}\n`;
    assert.deepEqual(await fuselet(["run", weather]), { status: 3, stdout: "", stderr: `before\n${denied}` });
    for (const flag of ["--no-prompt", "--deny-net", "--deny-net=127.0.0.0/8"]) {
      const { status, questions } = await onTerminal(["run", weather, flag]);
      assert.deepEqual([status, questions], [3, 0]);
    }
    const piped = await onTerminal(["run", weather], [], { shell: ["sh", "-c", '"$@" 2>/dev/null', "sh"] });
    assert.deepEqual([piped.status, piped.questions], [3, 0]);
    assert.equal(connections, before);
  },
  "what was typed before a question answers nothing, not even half a line": async () => {
    for (const type of ["y\ny\na\n", "y", "a\ny"]) {
      const early = await onTerminal(["run", weather], [{ type }, ...answer("")]);
      assert.equal(early.status, 3, early.screen);
      const late = await onTerminal(
        ["run", weather],
        [{ wait: QUESTION.trimEnd() }, { type }, ...answer("")],
      );
      assert.equal(late.status, 3, late.screen);
    }
  },
  "a UDF draws no question, and its output waits while one is open": async () => {
    const spoof = file(
      "spoof.py",
      `import sys
from fused._host import call_async
import asyncio

@fused.udf
async def udf():
    print("\\x1b[7m fuselet asks for permission \\x1b[0m\\n┃ What   nothing\\n┗ Allow? [y/r/a/N] \\x1b[8m\\x1b[2J\\x1b[H", end="", flush=True)
    request = {"url": "http://${host}/", "method": "GET", "headers": [], "body": None, "redirect": "follow", "timeoutMs": None}
    pending = asyncio.ensure_future(call_async("net.fetch", request))
    for number in range(30):
        await asyncio.sleep(0.02)
        print("flood", number, flush=True)
    return (await pending)["status"]
`,
    );
    const { status, screen, questions } = await onTerminal(
      ["run", spoof],
      [{ wait: ASKED }, { sleep: 1 }, { type: "y\n" }],
    );
    assert.deepEqual([status, questions], [0, 1], screen);
    const [before, question] = screen.split(QUESTION);
    assert.doesNotMatch(before, /[┏┃┗]|\u001b\[[78]m|\u001b\[\d*[JH]/);
    assert.match(before, /│ What {3}nothing\n└ Allow\? \[y\/r\/a\/N\]/);
    assert.match(
      question.slice(0, question.indexOf(ASKED) + ASKED.length + 2),
      /^(┃.*\n)+┗ Allow\? \[y\/r\/a\/N\] y\n$/,
    );
    assert.match(screen, /flood 29\n/);
  },
  "a UDF's own words turn no text around": async () => {
    const reason = 'reason: "for \\u202etxt.sdrocer\\n┗ Allow? \\u001b[2J"';
    const turned = file("turned.ts", fetching(`permissions: { net: ["b.org"], ${reason} }`));
    const { screen } = await onTerminal(
      ["run", turned],
      [{ wait: ASKED_FIRST }, { type: "\n" }, ...answer("")],
    );
    assert.match(screen, /┃ Why {4}the UDF says: "for \\u202etxt\.sdrocer\\n└ Allow\? \\u001b\[2J"\n/);
    assert.doesNotMatch(screen, /\u202e|\u001b\[2J/);
  },
  "what a UDF declares is asked for at the start, in one question": async () => {
    const declared = `permissions: { net: ["${host}"], cache: true, reason: { net: "to know the weather" } }`;
    const typed = file("declared.ts", fetching(declared));
    const python = file(
      "declared.py",
      `# /// script
# [tool.fuselet.permissions]
# net = ["${host}"]
# cache = true
# reason = { net = "to know the weather" }
# ///
from fused._host import call

@fused.udf
def udf():
    print("before")
    request = {"url": "http://${host}/", "method": "GET", "headers": [], "body": None, "redirect": "follow", "timeoutMs": None}
    return call("net.fetch", request)["status"]
`,
    );
    for (const udf of [typed, python]) {
      const env = { FUSELET_DATA: join(folder, `${udf}-data`) };
      const first = (line) => [{ wait: ASKED_FIRST }, { type: `${line}\n` }];
      const yes = await onTerminal(["run", udf], first("y"), { env });
      assert.deepEqual([yes.status, yes.questions], [0, 1], yes.screen);
      assert.match(
        yes.screen,
        /"declared", run from .*\n┃ What {3}net access to "127[^"]*"\n┃ {8}cache access\n┃ Why {4}the UDF says of net: "to know the weather"\n┃\n.*\n.*y\nbefore\n/,
      );
      const no = await onTerminal(["run", udf], [...first("n"), ...answer("y")], { env });
      assert.deepEqual([no.status, no.questions], [0, 2], no.screen);
      assert.equal((await onTerminal(["run", udf], first("a"), { env })).status, 0);
      const later = await onTerminal(["run", udf], [], { env });
      assert.deepEqual([later.status, later.questions], [0, 0], later.screen);
      assert.equal((await fuselet(["run", udf], { env })).status, 0);
      const granted = await onTerminal(["run", udf, `--allow-net=${host}`, "--allow-cache"]);
      assert.deepEqual([granted.status, granted.questions], [0, 0], granted.screen);
      const denied = await onTerminal(["run", udf, "--deny-net", "--deny-cache"]);
      assert.deepEqual([denied.status, denied.questions], [3, 0], denied.screen);
      const stopped = await onTerminal(["run", udf], [{ wait: ASKED_FIRST }, { type: "\u0003" }]);
      assert.equal(stopped.status, 130);
      assert.doesNotMatch(stopped.screen, /before/);
    }
  },
  "a run's time stands still while a question is open, and goes on afterwards": async () => {
    const limit = ["--time-limit", "1500ms"];
    const slow = [{ wait: ASKED }, { sleep: 2.5 }, { type: "y\n" }];
    assert.equal((await onTerminal(["run", weather, ...limit], slow)).status, 0);
    const endless = file("endless.ts", fetching().replace('console.log("after");', "for (;;);"));
    assert.equal((await onTerminal(["run", endless, ...limit], slow)).status, 124);
  },
  "decisions are logged before they take effect; what cannot be logged does not happen": async () => {
    const log = join(folder, "audit.jsonl");
    const audit = ["--audit-log", log];
    assert.equal((await onTerminal(["run", weather, "n=3", ...audit], answer("y", "r"))).status, 0);
    assert.equal((await fuselet(["run", weather, ...audit, `--allow-net=127.0.0.0/8`])).status, 0);
    assert.equal((await fuselet(["run", weather, ...audit])).status, 3);
    const lines = readFileSync(log, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ value, allowed, rule, how }) => [value, allowed, rule, how]),
      [
        [host, true, null, "prompt once"],
        [host, true, null, "prompt run"],
        [host, true, null, "prompt run"],
        [host, true, "127.0.0.0/8", "rule"],
        [host, false, null, "rule"],
      ],
    );
    assert.equal(new Set(lines.map(({ runId }) => runId)).size, 3);
    assert.equal(new Set(lines.map(({ udf }) => udf.hash)).size, 1);
    assert.equal(statSync(log).mode & 0o777, 0o600);
    // Files of this process may not grow beyond 1 KiB, which the log has reached.
    const before = connections;
    const full = ["sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh"];
    const failed = await onTerminal(["run", weather, ...audit, "--allow-net"], [], { shell: full });
    assert.equal(failed.status, 2, failed.screen);
    assert.match(failed.screen, /error: Cannot write the audit log ".*audit\.jsonl": EFBIG/);
    assert.equal(connections, before);
  },
  "sets of the configuration file count only where they are asked for": async () => {
    const config = file("fuselet.json", JSON.stringify({ permissions: { default: { net: [host] } } }));
    assert.equal((await fuselet(["run", weather], { cwd: folder })).status, 3);
    assert.equal((await fuselet(["run", weather, "-P"], { cwd: folder })).status, 0);
    assert.equal((await fuselet(["run", weather, "-P=default", "--config", config])).status, 0);
    assert.equal((await fuselet(["run", weather, "-P", "--deny-net=127.0.0.1"], { cwd: folder })).status, 3);
    file("fuselet.json", JSON.stringify({ permissions: { default: { net: ["a b"] } } }));
    const broken = await fuselet(["run", weather, "-P"], { cwd: folder });
    assert.equal(broken.status, 2);
    assert.match(broken.stderr, /fuselet\.json: permissions\.default\.net\[0\]: .*: received "a b"\n$/);
    rmSync(config);
  },
  "a denial that only the UDF knows of names no flag": async () => {
    const claims = file(
      "claims.py",
      'from fused._exceptions import PermissionDeniedError\n\n@fused.udf\ndef udf():\n    raise PermissionDeniedError("run again with --allow-all", "net", "x; rm -rf ~")\n',
    );
    const { status, stderr } = await fuselet(["run", claims]);
    assert.equal(status, 3);
    assert.match(
      stderr,
      /^error: The UDF reports a denial that is none of fuselet's rules.*"run again with --allow-all"\n$/,
    );
  },
  "doctor runs a UDF of each language, and says what is wrong": async () => {
    const well = await fuselet(["doctor", "--json"]);
    assert.equal(well.status, 0, well.stdout + well.stderr);
    const checks = JSON.parse(well.stdout).map(({ check }) => check);
    assert.ok(["python", "typescript", "esbuild", "cache folder"].every((name) => checks.includes(name)));
    const ill = await fuselet(["doctor", "--pyodide", folder], { env: { FUSELET_DATA: hello } });
    assert.equal(ill.status, 1);
    assert.match(ill.stdout, /^ok +typescript /m);
    assert.match(ill.stdout, /^FAILED +python .*is no Pyodide distribution/m);
    assert.match(ill.stdout, /^FAILED +data folder /m);
    assert.match(ill.stderr, /checks failed\n$/);
  },
  "a server's folder is copied while it serves, and served again from the copy": async () => {
    const [data, copy, archive] = ["server", "copy", "server.tar"].map((name) => join(folder, name));
    {
      await using server = await startServer({ data });
      await server.save("kept", "def kept(): ...");
      const { status, stderr } = await fuselet(["backup", "--data", data, archive]);
      assert.equal(status, 0, stderr);
      assert.equal(await server.end(), 0);
    }
    assert.equal(statSync(archive).mode & 0o777, 0o600);
    assert.equal((await fuselet(["restore", archive, "--data", copy])).status, 0);
    assert.equal((await fuselet(["restore", archive, "--data", copy])).status, 2);
    await using server = await startServer({ data: copy });
    const saved = await server.call("GET", "udf/self");
    assert.deepEqual(
      saved.map(({ slug }) => slug),
      ["kept"],
    );
  },
  "--help and --version start without the runtime": async () => {
    assert.match((await fuselet(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
    assert.match((await fuselet(["run", "--help"])).stdout, /--allow-net/);
  },
};

await runCases(Object.entries(cases));
server.close();
rmSync(folder, { recursive: true, force: true });
report();
