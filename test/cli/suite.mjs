/** The built command line as a process: results, exit statuses, signals, closed pipes, standard input. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
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
function fuselet(args, { input = "", onError, onOutput, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, "dist", "cli.js"), ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
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
  "inspect runs none of the UDF's code": async () => {
    const noisy = file("noisy.py", 'print("ran")\n@fused.udf\ndef udf(a: int = 1):\n    return a\n');
    const { status, stdout, stderr } = await fuselet(["inspect", noisy, "--json"]);
    assert.deepEqual([status, stderr], [0, ""]);
    const { entrypoint, parameters } = JSON.parse(stdout);
    assert.deepEqual([entrypoint, parameters.map(({ name }) => name)], ["udf", ["a"]]);
  },
  "--help and --version start without the runtime": async () => {
    assert.match((await fuselet(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
    assert.match((await fuselet(["run", "--help"])).stdout, /--allow-net/);
  },
};

let failed = 0;
for (const [name, run] of Object.entries(cases)) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n${error.stack}`);
  }
}
rmSync(folder, { recursive: true, force: true });
console.log(`${Object.keys(cases).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
