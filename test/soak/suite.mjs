/**
 * A runtime in use for long, and killed at moments that nobody chose.
 *
 *     node test/soak/suite.mjs            a short round of each check
 *     node test/soak/suite.mjs --soak     1,000 UDFs a language, 200 kills
 *
 * The moments are drawn from a seed, which is printed: FUSELET_SOAK_SEED=… draws the same again. Linux only: it reads /proc.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { report, runCases } from "../setup/cases.mjs";
import { descendants, eventually, filesBelow, isRunning, residentBytes } from "./processes.mjs";

const root = dirname(dirname(import.meta.dirname));
const isLong = process.argv.includes("--soak");
const folder = mkdtempSync(join(tmpdir(), "fuselet-soak-"));
const cache = join(folder, "cache");
// Temporary files of ours and of the processes below us go where we can list them.
const temporary = join(folder, "tmp");
mkdirSync(temporary);
Object.assign(process.env, { FUSELET_CACHE: cache, TMPDIR: temporary });

const { createRuntime } = await import(join(root, "dist/index.node.js"));

const seed = Number(process.env.FUSELET_SOAK_SEED ?? Date.now() % 1_000_000);
let state = seed;
/** A number from 0 to 1; mulberry32. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Different UDFs: what they import, allocate, leave behind and return differs. */
const PYTHON_BODIES = [
  (n) => `    return {"n": ${n}, "text": "x" * ${n}}`,
  (n) => `    import builtins\n    builtins.trace = list(range(${n}))\n    return {"n": ${n}}`,
  (n) =>
    `    with open("/tmp/left-${n}", "w") as file:\n        file.write("x" * 10_000)\n    return {"n": ${n}}`,
  (n) => `    import os\n    os.environ["LEFT_${n}"] = "x"\n    os.chdir("/tmp")\n    return {"n": ${n}}`,
  (n) => `    kept = [bytearray(1000) for _ in range(${n} * 5)]\n    return {"n": ${n}, "kept": len(kept)}`,
  (n) =>
    `    try:\n        raise ValueError(${n})\n    except ValueError as error:\n        return {"n": error.args[0]}`,
  (n) => `    print("output", ${n})\n    return {"n": ${n}, "bytes": bytes(${n} % 1000)}`,
  (n) =>
    `    from collections import Counter\n    return {"n": ${n}, "most": Counter("abracadabra").most_common(1)}`,
];
const python = (n) =>
  `import fused\n\nNUMBER = ${n}\n\n\n@fused.udf\ndef udf_${n}(scale: float = 1.0):\n${PYTHON_BODIES[n % PYTHON_BODIES.length](n)}\n`;

const TYPESCRIPT_BODIES = [
  (n) => `return { n: ${n}, text: "x".repeat(${n}) };`,
  (n) => `globalThis.trace = Array.from({ length: ${n} }); return { n: ${n} };`,
  (n) => `console.log("output", ${n}); return { n: ${n}, bytes: new Uint8Array(${n} % 1000) };`,
  (n) => `return Promise.resolve({ n: ${n} });`,
  (n) => `setTimeout(() => console.log("late"), 5); return { n: ${n} };`,
];
const typescript = (n) =>
  `export default function udf(scale: number = 1) {\n  ${TYPESCRIPT_BODIES[n % TYPESCRIPT_BODIES.length](n)}\n}\n`;

const source = (language, n) => ({
  name: `udf_${n}`,
  file: language === "python" ? `udf_${n}.py` : `udf_${n}.ts`,
  language,
  code: language === "python" ? python(n) : typescript(n),
  headers: [],
  metadata: {},
});

/** The median of the last values, so that a collection that is just due does not count. */
const settled = (values) => values.slice(-20).sort((a, b) => a - b)[Math.min(10, values.length >> 1)];

/**
 * Runs different UDFs through one runtime. After the first ones, its own memory and its processes' must not grow, nor their number.
 */
async function manyUdfs(language) {
  const total = isLong ? 1000 : 40;
  const warm = isLong ? 100 : 20;
  const runtime = await createRuntime({ pool: { maxIsolates: 2, spares: 1 } });
  const host = [];
  const children = [];
  const counts = [];
  let early;
  try {
    for (let n = 1; n <= total; n++) {
      const { value } = await runtime.run(source(language, n));
      assert.equal(value.n, n);
      const pids = descendants();
      host.push(residentBytes(process.pid));
      children.push(pids.reduce((sum, pid) => sum + residentBytes(pid), 0));
      counts.push(pids.length);
      if (n === warm)
        early = { host: settled(host), children: settled(children), count: Math.max(...counts) };
    }
  } finally {
    await runtime.close();
  }
  const late = { host: settled(host), children: settled(children), count: Math.max(...counts.slice(warm)) };
  const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
  console.log(
    `  ${language}: ${total} UDFs; host ${megabytes(early.host)} -> ${megabytes(late.host)}, children ${megabytes(early.children)} -> ${megabytes(late.children)}, processes at most ${late.count}`,
  );
  assert.ok(late.count <= Math.max(early.count, 2), `${late.count} processes instead of ${early.count}`);
  if (isLong) {
    // Room for what V8 keeps until it is pressed: growth by each run, even a small one, passes it.
    const room = 40e6;
    assert.ok(late.host < early.host + room, `the host grew from ${early.host} to ${late.host} bytes`);
    assert.ok(
      late.children < early.children * 1.15 + room,
      `the isolates grew from ${early.children} to ${late.children} bytes`,
    );
  }
  await nothingLeft();
}

async function nothingLeft() {
  await eventually("no process is left", () => descendants().length === 0);
  assert.deepEqual(filesBelow(temporary), []);
  assert.deepEqual(
    filesBelow(cache).filter((file) => file.includes(".tmp")),
    [],
  );
}

const BUSY = {
  python: `import fused\n\n@fused.udf\ndef udf(ms: int = 60):\n    import time\n    end = time.time() + ms / 1000\n    held = []\n    while time.time() < end:\n        held.append(bytes(1000))\n        print(len(held))\n    return "done"\n`,
  typescript: `export default function udf(ms: number = 60) {\n  const end = Date.now() + ms;\n  let count = 0;\n  while (Date.now() < end) console.log(count++);\n  return "done";\n}\n`,
};
const busy = (language) => ({ ...source(language, 0), name: "busy", code: BUSY[language] });

/** A run that is under way, as what it came to: `done`, or the name of its error. */
const outcome = (run) =>
  run.then(
    () => "done",
    (error) => error.name,
  );

const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`Not settled: ${what}`)), 15_000).unref()),
  ]);

/** From before the start of an isolate to after the end of the run. */
const anyMoment = () => pause(random() * 250);

async function killedChildren(runtime, language) {
  const ended = outcome(runtime.run(busy(language)));
  await anyMoment();
  for (const pid of descendants()) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself just now.
    }
  }
  assert.match(await within(ended, "a run whose process was killed"), /^(done|IsolateError)$/);
}

async function aborted(runtime, language) {
  const controller = new AbortController();
  const ended = outcome(runtime.run(busy(language), { signal: controller.signal }));
  await anyMoment();
  controller.abort();
  assert.match(await within(ended, "a run that was cancelled"), /^(done|CancelledError)$/);
}

/** Kills at random moments; after each the runtime takes the next run, and in the end nothing is left. */
async function kills(kill, language) {
  const times = isLong ? 25 : 3;
  const runtime = await createRuntime({ pool: { maxIsolates: 2, spares: 1 } });
  try {
    for (let i = 0; i < times; i++) {
      await kill(runtime, language);
      const { value } = await within(runtime.run(source(language, 8 + i)), "the run after");
      assert.equal(value.n, 8 + i);
    }
  } finally {
    await runtime.close();
  }
  await nothingLeft();
}

async function closes(language) {
  const times = isLong ? 25 : 3;
  for (let i = 0; i < times; i++) {
    const runtime = await createRuntime({ pool: { maxIsolates: 2, spares: 1 } });
    const ended = outcome(runtime.run(busy(language)));
    await anyMoment();
    await within(runtime.close(), "closing");
    assert.match(await within(ended, "a run whose runtime was closed"), /^(done|IsolateError)$/);
    assert.deepEqual(descendants(), [], "close() resolved with processes left");
  }
  await nothingLeft();
}

async function killedParents(language) {
  const times = isLong ? 25 : 3;
  const file = join(folder, language === "python" ? "busy.py" : "busy.ts");
  writeFileSync(file, BUSY[language]);
  for (let i = 0; i < times; i++) {
    const parent = spawn(process.execPath, [join(root, "dist/cli.js"), "run", file, "ms=2000"], {
      stdio: "ignore",
    });
    const gone = new Promise((resolve) => parent.on("close", resolve));
    await pause(random() * 600);
    const children = descendants();
    parent.kill("SIGKILL");
    await gone;
    await eventually("what a killed program had started has ended", () => !children.some(isRunning));
  }
  await nothingLeft();
}

/** What a run leaves scheduled, proxied or pending is gone when the next begins. */
async function leftovers() {
  const code = `import asyncio\nimport fused\n\n@fused.udf\nasync def udf(n: int):\n    loop = asyncio.get_event_loop()\n    def again(step):\n        print(n)\n        loop.call_soon(again, step + 1)\n    def later():\n        print(n)\n    for _ in range(3):\n        loop.call_soon(again, 0)\n        loop.call_later(0.005, later)\n        asyncio.ensure_future(asyncio.sleep(0.003))\n    await asyncio.sleep(0)\n    return n\n`;
  const runtime = await createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
  try {
    for (let n = 0; n < (isLong ? 200 : 20); n++) {
      const { value, stdout } = await within(
        runtime.run(code, { parameters: { n } }),
        "a run after leftovers",
      );
      assert.equal(value, n);
      assert.deepEqual(new Set(stdout.trim().split("\n")), new Set([String(n)]));
      if (n % 2) await pause(10);
    }
  } finally {
    await runtime.close();
  }
  await nothingLeft();
}

const cases = {
  "many different Python UDFs: no failure, no growth": () => manyUdfs("python"),
  "many different TypeScript UDFs: no failure, no growth": () => manyUdfs("typescript"),
  "what a run leaves pending never reaches the next": leftovers,
  "a killed isolate (Python): the call settles, the next works": () => kills(killedChildren, "python"),
  "a killed isolate (TypeScript): the call settles, the next works": () =>
    kills(killedChildren, "typescript"),
  "a cancelled run (Python): the call settles, the next works": () => kills(aborted, "python"),
  "a cancelled run (TypeScript): the call settles, the next works": () => kills(aborted, "typescript"),
  "a runtime closed under way (Python): the call settles": () => closes("python"),
  "a runtime closed under way (TypeScript): the call settles": () => closes("typescript"),
  "a killed command line (Python) leaves nothing": () => killedParents("python"),
  "a killed command line (TypeScript) leaves nothing": () => killedParents("typescript"),
};

console.log(`seed ${seed}`);
await runCases(Object.entries(cases));
rmSync(folder, { recursive: true, force: true });
report();
