/**
 * A canary secret is found nowhere outside of its ciphertext, after each of the UDFs of leaks.mjs has tried to get it out by the
 * command line: not in what they print, raise and return, not in the audit log, the data folder and the cache folder (results,
 * downloads, snapshots), not at a server that it is not granted for, and not in the memory of the process that runs the UDF. Controls
 * show that the search finds it where it is. In a page of a real Chromium the same holds for its origin's storage. FUSELET_DIST names another build than dist/.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isWanted, report, runCases } from "../setup/cases.mjs";
import { Canary, childrenOf } from "./canary.mjs";
import { PYTHON, pythonSource, TYPESCRIPT, typescriptSource } from "./leaks.mjs";
import { pageCases } from "./pages.mjs";
import { openServers } from "./servers.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cli = join(process.env.FUSELET_DIST ?? join(root, "dist"), "cli.js");
const folder = mkdtempSync(join(tmpdir(), "fuselet-secrets-suite-"));
const auditLog = join(folder, "audit.jsonl");
// Characters that each encoding writes in another way.
const canary = new Canary(`canary-${randomBytes(12).toString("hex")}+Ab/?"`);
/** In what came out of the runs so far. */
const outputs = [];

let onWait = async () => {};
const { granted, other, close } = await openServers(() => onWait());

/** Runs the program with folders of its own. @returns status and what it wrote, also as `all` */
function fuselet(args, { input = "", onStart, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        HOME: folder,
        FUSELET_DATA: join(folder, "data"),
        FUSELET_CACHE: join(folder, "cache"),
        ...env,
      },
    });
    onStart?.(child);
    const written = { stdout: [], stderr: [] };
    for (const stream of ["stdout", "stderr"])
      child[stream].on("data", (chunk) => written[stream].push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.on("close", (status) => {
      const [stdout, stderr] = [
        Buffer.concat(written.stdout).toString(),
        Buffer.concat(written.stderr).toString(),
      ];
      resolve({ status, stdout, stderr, all: `${stdout}\n${stderr}` });
    });
  });
}

const GRANTS = ["--allow-net", "--allow-cache", "--allow-read", "--allow-write", "--allow-run"];
const PLACEHOLDER = [`--allow-secrets=CANARY@${granted.host}`];
const REVEAL = ["--allow-secrets=CANARY:reveal"];
const PARAMETERS = [`A=${granted.url}`, `B=${other.url}`, `FOLDER=${folder}`];
const LIMITS = ["--time-limit=60s", "--memory-limit=256MB", "--no-prompt", `--audit-log=${auditLog}`];

mkdirSync(join(folder, "udfs"));
let files = 0;
/** Runs a source by the command line. */
function run(extension, source, flags, options) {
  const file = join(folder, "udfs", `udf${files++}.${extension}`);
  writeFileSync(file, source);
  return fuselet(["run", ...GRANTS, ...LIMITS, ...flags, file, ...PARAMETERS], options);
}

/** What a leak must end with, and that nothing of the canary came out with it. */
async function attempt(extension, source, { ends = 0, says = "" }) {
  const flags = files % 3 === 0 ? ["--json-errors", "--verbose"] : [];
  const result = await run(extension, source, [...PLACEHOLDER, ...flags]);
  outputs.push(result.all);
  assert.deepEqual(canary.in(result.all), [], result.all);
  assert.equal(result.status, ends, result.all);
  assert.ok(result.all.includes(says), result.all);
}

const python = (body) => pythonSource({ code: body });
const cases = {
  "the canary is set": async () => {
    const { status, all } = await fuselet(["secrets", "set", "CANARY"], { input: `${canary.value}\n` });
    assert.equal(status, 0, all);
    for (const args of [["list"], ["list", "--json"], ["--help"]]) {
      const listed = await fuselet(["secrets", ...args]);
      assert.deepEqual(canary.in(listed.all), []);
    }
  },
};
for (const [title, leak] of Object.entries(PYTHON))
  cases[`Python: the secret ${title}`] = () => attempt("py", pythonSource(leak), leak);
for (const [title, leak] of Object.entries(TYPESCRIPT))
  cases[`TypeScript: the secret ${title}`] = () => attempt("ts", typescriptSource(leak), leak);

Object.assign(cases, {
  "the granted server got it again and again: the tries were real": () => {
    const times = granted.got.filter((text) => canary.in(text).length > 0).length;
    assert.ok(times >= 30, `it got it ${times} times`);
  },
  "another server never got it": () => {
    assert.ok(other.got.length >= 5, `it got ${other.got.length} requests`);
    assert.deepEqual(canary.in(other.got.join("\n")), []);
  },
  "it is in no file: audit log, results, downloads, storage, snapshots, the vault": () => {
    assert.deepEqual(canary.inFiles(folder), []);
    assert.match(readFileSync(auditLog, "utf8"), /"value":"CANARY@127\.0\.0\.1:\d+","allowed":false/);
  },
  "a placeholder of another UDF, and one that was made up, mean nothing": async () => {
    const [made] = /fuseletsecret[0-9a-f]+/.exec(outputs.join("\n"));
    const guessed = made.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    const before = granted.got.length;
    for (const each of [made, guessed]) {
      const { status, all } = await run(
        "py",
        python(`return get(A + '/echo', {'x-api-key': '${each}'})`),
        PLACEHOLDER,
      );
      assert.equal(status, 0, all);
      assert.deepEqual(canary.in(all), []);
    }
    assert.equal(granted.got.length, before + 2);
    assert.deepEqual(canary.in(granted.got.slice(before).join("\n")), []);
  },
});

if (process.platform === "linux") {
  /** Looks through the memory of the UDF's process while it waits for an answer. */
  const lookInMemory = async (body, flags) => {
    let pid;
    let looked;
    onWait = async () => {
      const children = childrenOf(pid);
      looked = children.map((child) => canary.inMemory(child));
    };
    const result = await run("py", python(body), flags, { onStart: (child) => (pid = child.pid) });
    assert.equal(result.status, 0, result.all);
    assert.ok(looked?.length > 0, "no process was looked at");
    return {
      forms: [...new Set(looked.flatMap(({ forms }) => forms))],
      bytes: Math.max(...looked.map(({ length }) => length)),
    };
  };
  const body =
    "get(A + '/echo', {'x-api-key': key}); get(A + '/encoded?k=' + urllib.parse.quote(key)); return get(A + '/wait')";
  cases["it is not in the memory of the UDF's process, which has sent it and got it back"] = async () => {
    const { forms, bytes } = await lookInMemory(body, PLACEHOLDER);
    assert.deepEqual(forms, []);
    assert.ok(bytes > 20_000_000, `only ${bytes} bytes were looked through`);
  };
  cases["control: revealed, it is in that memory"] = async () => {
    assert.ok((await lookInMemory(body, REVEAL)).forms.includes("plain"));
  };
}

Object.assign(cases, {
  "revealed, it is still not shown: in output, errors, results, the audit log, and nothing of it is cached":
    async () => {
      const bodies = {
        "print(key, key.lower(), base64.b64encode(key.encode()), key.encode().hex())": 0,
        "[print(part, end='', flush=True) for part in key]": 0,
        "sys.stderr.write(json.dumps({'a': key}))": 0,
        "raise ValueError('<' + key + '>')": 1,
        "sys.exit(key)": 1,
        "return {'a' + key: [key, key.encode(), {'b': urllib.parse.quote(key)}]}": 0,
        "return base64.b64encode(key.encode())": 0,
        "return [cached(key)['text'], cached(key)['holder'].text]": 0,
        "return tried(lambda: get('https://' + key.encode().hex() + '.invalid/'))": 0,
      };
      for (const [body, status] of Object.entries(bodies)) {
        const flags = status === 0 ? ["--cache-max-age=1h"] : ["--json-errors"];
        const result = await run("py", python(body), [...REVEAL, ...flags]);
        assert.deepEqual(canary.in(result.all), [], result.all);
        assert.equal(result.status, status, result.all);
      }
      const denied = await run("py", python("get('https://' + key[:31] + '.invalid/')"), [
        ...REVEAL,
        "--deny-net=*.invalid",
      ]);
      assert.equal(denied.status, 3, denied.all);
      assert.deepEqual(canary.inFiles(folder), []);
    },
  "revealed to one run, it is not shown by those that it runs, nor by the one that ran it": async () => {
    const fetching = "tried(lambda: get('https://' + key.encode().hex() + '.invalid/'))";
    const blind = (body) => python(body).replace(/key = fused\.secrets.*/, "");
    const udfs = {
      // One is told the value, turned around, as a parameter; the other one gives it away like that.
      told: blind(`key = key[::-1]; ${fetching}; return [cached(key)['text'], key]`).replace(
        "FOLDER: str)",
        "FOLDER: str, key: str)",
      ),
      seeing: python("return key[::-1]"),
    };
    for (const [name, code] of Object.entries(udfs)) writeFileSync(join(folder, "udfs", `${name}.py`), code);
    for (const source of [
      python("return fused.run('told', A=A, B=B, FOLDER=FOLDER, key=key[::-1])"),
      blind(
        `key = fused.run('seeing', A=A, B=B, FOLDER=FOLDER)[::-1]; ${fetching}; return [cached(key)['text'], key]`,
      ),
    ]) {
      const result = await run("py", source, [...REVEAL, "--cache-max-age=1h"]);
      assert.equal(result.status, 0, result.all);
      assert.match(result.all, /\[secret CANARY\]/);
      assert.deepEqual(canary.in(result.all), [], result.all);
    }
    assert.deepEqual(canary.inFiles(folder), []);
  },
  "control: revealed, it gets out turned around, to another server and into storage, and the search finds it":
    async () => {
      const body =
        "call('storage.put', 'fd://control', key.encode()); get(B + '/', {'x-api-key': urllib.parse.quote(key, safe='')}); print(key[::-1])";
      const result = await run("py", python(body), REVEAL);
      assert.equal(result.status, 0, result.all);
      assert.deepEqual(canary.in(result.all), ["turned around"]);
      assert.ok(canary.in(other.got.at(-1)).includes("URL"));
      assert.ok(canary.inFiles(join(folder, "data")).some((found) => found.endsWith("control: plain")));
      rmSync(join(folder, "data", "files"), { recursive: true });
    },
});

const pages = await pageCases({ canary, granted, other });
Object.assign(cases, pages.cases);

try {
  // All others look for it.
  const first = "the canary is set";
  if (!isWanted(first)) await cases[first]();
  await runCases(Object.entries(cases));
} finally {
  await pages.close();
  await close();
  rmSync(folder, { recursive: true, force: true });
}
report();
