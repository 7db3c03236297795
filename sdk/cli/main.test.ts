import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import type { Decision } from "../../host/permissions/broker.ts";
import { openGrantFile } from "../../host/permissions/grants.node.ts";
import { CancelledError, LimitExceededError, UdfRuntimeError } from "../../runtime/errors.ts";
import { MediaValue } from "../../runtime/value.ts";
import { main } from "./main.ts";
import { writeOutput } from "./output.ts";
import type { RunOptions, RuntimeOptions } from "./runtime.ts";
import type { Terminal } from "./terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "fuselet-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Captured extends Writable {
  readonly isTTY: boolean;
  readonly chunks: Buffer[] = [];
  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
  opened: RuntimeOptions | undefined;
  ran: RunOptions | undefined;
  closed: number;
}

/** Runs a command line on a runtime that answers with `work`. */
async function cli(
  argv: string[],
  work: (options: RunOptions, opened: RuntimeOptions) => unknown = () => null,
  {
    tty = false,
    env = {},
    signal = new AbortController().signal,
  }: { tty?: boolean; env?: Terminal["env"]; signal?: AbortSignal } = {},
): Promise<Outcome> {
  const [stdout, stderr] = [new Captured(tty), new Captured(tty)];
  const outcome: Outcome = {
    status: 0,
    stdout: "",
    stderr: "",
    opened: undefined,
    ran: undefined,
    closed: 0,
  };
  outcome.status = await main(argv, { stdout, stderr, env }, signal, async (opened) => {
    outcome.opened = opened;
    return {
      async run(_source, options) {
        outcome.ran = options;
        return { raw: await work(options, opened), cached: false, timing: { startMs: 1, runMs: 2 } };
      },
      async inspect() {
        return {
          name: "hello",
          language: "python",
          code: "",
          file: "hello.py",
          entrypoint: "udf",
          headers: [],
          parameters: [{ name: "n", annotation: "int", default: "1", kind: "positional" }],
          permissions: { net: ["a.org"] },
          packages: [],
          metadata: {},
        };
      },
      async lock() {
        throw new Error("not used here");
      },
      async close() {
        outcome.closed++;
      },
    };
  });
  return { ...outcome, stdout: stdout.text, stderr: stderr.text };
}

describe("run", () => {
  test("runs always, unless an age says that earlier results count", async () => {
    const ageOf = async (...argv: string[]) => (await cli(["run", "a.py", ...argv])).ran?.cacheMaxAge;
    expect([await ageOf(), await ageOf("--cache-max-age", "10m"), await ageOf("--cache-max-age=0")]).toEqual([
      "0",
      "10m",
      "0",
    ]);
    const wrong = await cli(["run", "a.py", "--cache-max-age", "5"]);
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('--cache-max-age "5": write') });
  });

  test("writes one line of JSON to a pipe and indented JSON to a terminal", async () => {
    expect(await cli(["run", "a.py"], () => ({ a: 1 }))).toMatchObject({
      status: 0,
      stdout: '{"a":1}\n',
      stderr: "",
      closed: 1,
    });
    expect((await cli(["run", "a.py"], () => ({ a: 1 }), { tty: true })).stdout).toBe('{\n  "a": 1\n}\n');
  });
  test("hands over parameters, tile, limits, permissions and the distribution", async () => {
    const argv = [
      "run",
      "--tile",
      "3/4/2",
      "--time-limit",
      "2s",
      "--memory-limit=1GB",
      "--allow-net=b.org",
      "--deny-net=c.org",
      "a.py",
      "n=1",
    ];
    const { opened, ran } = await cli(argv, undefined, { env: { FUSELET_PYODIDE: "/py" } });
    expect(ran).toMatchObject({ parameters: { n: "1" }, tile: { z: 3, x: 4, y: 2 } });
    expect(opened).toMatchObject({
      limits: { timeMs: 2000, memoryBytes: 2 ** 30 },
      permissions: { net: ["b.org"], deny: { net: ["c.org"] } },
      pool: { spares: 0, reusable: false },
      assets: { pyodide: "/py" },
    });
  });
  test("writes documents and bytes as they are, but not to a terminal", async () => {
    const page = new MediaValue("image/png", Uint8Array.of(104, 105));
    expect((await cli(["run", "a.py"], () => page)).stdout).toBe("hi");
    expect((await cli(["run", "a.py"], () => page.bytes)).stdout).toBe("hi");
    const refused = await cli(["run", "a.py"], () => page, { tty: true, env: { NO_COLOR: "1" } });
    expect(refused).toMatchObject({ status: 2, stdout: "" });
    expect(refused.stderr).toBe(
      "error: Cannot show image/png on a terminal: write it to a file with -o FILE, or into a pipe\n",
    );
    const early = await cli(["run", "a.py", "--format", "parquet"], () => [{ a: 1 }], { tty: true });
    expect(early).toMatchObject({ status: 2, ran: undefined });
  });
  test("keeps a UDF from steering the terminal, and gives a pipe all", async () => {
    const print = ({ onOutput }: RunOptions) =>
      onOutput("stdout", "\u001b[31mred\u001b[0m\u001b]0;title\u0007\u001b[2J");
    expect((await cli(["run", "a.py"], print, { tty: true })).stderr).toBe(
      "\u001b[31mred\u001b[0m]0;title[2J\u001b[0m\n",
    );
    expect((await cli(["run", "a.py"], print)).stderr).toBe(
      "\u001b[31mred\u001b[0m\u001b]0;title\u0007\u001b[2J\n",
    );
  });
  test("shows progress on a terminal only, and takes it away", async () => {
    const work = (_: RunOptions, { onProgress }: RuntimeOptions) =>
      onProgress({ phase: "packages", message: "Loading numpy", done: 1, total: 3 });
    const shown = await cli(["run", "a.py"], work, { tty: true });
    expect(shown.stderr).toBe("\r\u001b[2KLoading numpy (1/3)\r\u001b[2K");
    expect((await cli(["run", "a.py"], work)).stderr).toBe("");
  });
  test("--verbose writes how long each step took", async () => {
    const { stderr } = await cli(["run", "a.py", "-v"]);
    expect(stderr).toMatch(
      /^timing: start 1\.0 ms\ntiming: run 2\.0 ms\ntiming: format [\d.]+ ms\ntiming: total [\d.]+ ms\n$/,
    );
  });
});

describe("permissions of a run", () => {
  const data = join(folder, "permissions");
  const env = { FUSELET_DATA: data };
  const config = join(folder, "fuselet.json");
  const caller = {
    principal: "local",
    udf: { name: "hello", hash: "abc" },
    runId: "run-1",
    permissions: {},
  };
  const decision: Decision = {
    permission: "net",
    value: "b.org:443",
    allowed: false,
    rule: null,
    reason: "not granted",
    how: "rule",
    principal: "local",
    udf: caller.udf,
    runId: "run-1",
  };

  test("add up from flags and the sets that are named; deny stays", async () => {
    const sets = { default: { net: ["b.org"] }, read: { read: ["data"], deny: { net: ["c.org"] } } };
    writeFileSync(config, JSON.stringify({ permissions: sets }));
    const of = async (...flags: string[]) => {
      const { opened, stderr } = await cli(["run", "a.py", ...flags]);
      return stderr || opened?.permissions;
    };
    expect(await of("--config", config)).toEqual({});
    expect(await of("--config", config, "-P", "--allow-net=a.org")).toEqual({ net: ["a.org", "b.org"] });
    expect(await of("--config", config, "-P=read", "-P", "--allow-cache")).toEqual({
      net: ["b.org"],
      read: [`${folder}/data`],
      cache: true,
      deny: { net: ["c.org"] },
    });
    expect(await of("--config", config, "--permission-set=none")).toBe(
      `error: There is no permission set "none" in ${config}: it has default, read\n`,
    );
    expect(await of("-P")).toContain("name one with --config");
  });
  test("are logged, by --audit-log or by the configuration, and a log that cannot be written ends the run", async () => {
    writeFileSync(config, JSON.stringify({ auditLog: "b.jsonl" }));
    const work = (_: RunOptions, { onDecision }: RuntimeOptions) => onDecision?.(decision);
    await cli(["run", "a.py", "--config", config], work);
    await cli(["run", "a.py", "--config", config, "--audit-log", join(folder, "a.jsonl")], work);
    for (const name of ["a.jsonl", "b.jsonl"]) {
      expect(JSON.parse(readFileSync(join(folder, name), "utf8"))).toMatchObject({ value: "b.org:443" });
      rmSync(join(folder, name));
    }
    const early = await cli(["run", "a.py", "--audit-log", "-"], work);
    expect(early).toMatchObject({ status: 2, opened: undefined });
    const failing = ({ signal }: RunOptions, { onDecision }: RuntimeOptions) => {
      const circular = { ...decision, principal: 1n as unknown as string };
      expect(() => onDecision?.(circular)).toThrow();
      expect(signal.aborted).toBe(true);
      throw new CancelledError("cancelled");
    };
    const failed = await cli(["run", "a.py", "--audit-log", join(folder, "a.jsonl")], failing);
    expect(failed).toMatchObject({
      status: 2,
      stderr: "error: Do not know how to serialize a BigInt\n",
    });
    rmSync(join(folder, "a.jsonl"));
  });
  test("take in what was allowed for good, until it is removed", async () => {
    const store = openGrantFile(join(data, "grants.json"));
    const { udf, principal } = caller;
    await store.add([
      { principal, udf, permission: "net", value: "b.org:443", date: "2026-01-31T12:00:00Z" },
    ]);
    const ask = async (_: RunOptions, { onUngranted }: RuntimeOptions) =>
      (await onUngranted?.({ permission: "net", value: "b.org:443", caller }))?.how;
    expect((await cli(["run", "a.py"], ask, { env })).stdout).toBe('"saved grant"\n');
    const { stdout } = await cli(["permissions"], undefined, { env });
    expect(stdout).toMatch(
      /^id +since +udf +allowed\n[0-9a-f]{8} {2}2026-01-31 {2}hello {2}net "b\.org:443"\n$/,
    );
    const [listed] = JSON.parse((await cli(["permissions", "list", "--json"], undefined, { env })).stdout);
    expect(listed).toMatchObject({ id: stdout.split("\n")[1]?.slice(0, 8), value: "b.org:443" });
    expect(await cli(["permissions", "remove", "00000000", listed.id], undefined, { env })).toMatchObject({
      status: 2,
      stderr: 'error: There is no grant "00000000": fuselet permissions lists all\n',
    });
    expect((await cli(["permissions", "remove", listed.id], undefined, { env })).stderr).toBe(
      "removed 1 of 1\n",
    );
    expect((await cli(["permissions"], undefined, { env })).stdout).toBe("nothing is allowed for good\n");
    expect((await cli(["run", "a.py"], ask, { env })).stdout).toBe('"rule"\n');
  });
});

describe("errors", () => {
  const raise = () => {
    throw new UdfRuntimeError("boom", { type: "ValueError", traceback: "Traceback …\nValueError: boom\n" });
  };
  test("a UDF's failure is its traceback and nothing of ours", async () => {
    expect(await cli(["run", "a.py"], raise)).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "Traceback …\nValueError: boom\n",
      closed: 1,
    });
  });
  test("--json-errors writes one line, for usage errors too", async () => {
    const { stderr, status } = await cli(["run", "a.py", "--json-errors"], raise);
    expect([status, JSON.parse(stderr)]).toMatchObject([
      1,
      { name: "UdfRuntimeError", type: "ValueError", exitCode: 1 },
    ]);
    expect(JSON.parse((await cli(["run", "--json-errors"])).stderr)).toMatchObject({
      name: "UsageError",
      exitCode: 2,
    });
    expect((await cli(["run", "a.py", "--", "--json-errors"])).stderr).toMatch(/^error: /);
  });
  test("others carry their own status", async () => {
    const slow = () => {
      throw new LimitExceededError("too slow", { limit: "timeMs", allowed: 1 });
    };
    expect(await cli(["run", "a.py"], slow)).toMatchObject({ status: 124, stderr: "error: too slow\n" });
    const ours = () => {
      throw new TypeError("x is undefined");
    };
    const broken = await cli(["run", "a.py"], ours);
    expect(broken.status).toBe(70);
    expect(broken.stderr).toContain("a fault of fuselet, not of the UDF");
    expect((await cli(["run", "a.py"], slow, { tty: true })).stderr).toBe(
      "\u001b[31merror:\u001b[0m too slow\n",
    );
  });
  test("a signal cancels, closes the runtime, and is quiet", async () => {
    const controller = new AbortController();
    const wait = ({ signal }: RunOptions) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new CancelledError("cancelled")));
        controller.abort();
      });
    expect(await cli(["run", "a.py"], wait, { signal: controller.signal })).toMatchObject({
      status: 130,
      stderr: "",
      closed: 1,
    });
  });
});

describe("-o", () => {
  const file = join(folder, "result.csv");
  test("takes the format from the name and leaves nothing else behind", async () => {
    expect(await cli(["run", "a.py", "-o", file], () => [{ a: 1 }])).toMatchObject({ status: 0, stdout: "" });
    expect(readFileSync(file, "utf8")).toBe("a\r\n1\r\n");
    expect(readdirSync(folder).filter((name) => /result/.test(name))).toEqual(["result.csv"]);
  });
  test("keeps the old file when the run fails", async () => {
    expect((await cli(["run", "a.py", "-o", file], () => 5)).status).toBe(2);
    expect(readFileSync(file, "utf8")).toBe("a\r\n1\r\n");
    expect(readdirSync(folder).filter((name) => /result/.test(name))).toEqual(["result.csv"]);
  });
  test("refuses a missing folder and a folder before the run", async () => {
    const missing = await cli(["run", "a.py", "-o", join(folder, "none", "x.json")]);
    expect(missing).toMatchObject({ status: 2, ran: undefined });
    expect(missing.stderr).toContain("does not exist");
    expect((await cli(["run", "a.py", "-o", folder])).stderr).toContain("it is a folder");
  });
  test("writes through a symbolic link and into devices", async () => {
    const link = join(folder, "link.json");
    writeFileSync(join(folder, "target.json"), "old");
    symlinkSync("target.json", link);
    await writeOutput(link, new TextEncoder().encode("new"));
    expect(readFileSync(join(folder, "target.json"), "utf8")).toBe("new");
    await writeOutput("/dev/null", Uint8Array.of(1));
    await expect(writeOutput("/dev/full", Uint8Array.of(1))).rejects.toThrow(
      'Cannot write "/dev/full": the disk is full',
    );
  });
});

test("inspect writes text, or JSON", async () => {
  expect((await cli(["inspect", "a.py"])).stdout).toContain(
    'parameters   n: int = 1\npermissions  net: ["a.org"]\n',
  );
  const { stdout, closed } = await cli(["inspect", "a.py", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    name: "hello",
    entrypoint: "udf",
    parameters: [{ name: "n", annotation: "int", default: "1" }],
  });
  expect(closed).toBe(1);
});

test("--version and --help go to standard output", async () => {
  expect(await cli(["--version"])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  expect(await cli(["run", "--help"])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("--allow-net[=HOST,…]"),
  });
});

test.each([
  ...["5m", "0", "-1d", "30 days", "forever"].map((age) => ["keep-jobs", age]),
  ...["https://udfs.example.org", "udfs.example.org:8000", "a b"].map((name) => ["allow-host", name]),
  ...["page.example.org", "https://page.example.org/app", "https://"].map((name) => ["cors-origin", name]),
  ...["pyodide", "wheels"].map((name) => [name, "/no/such/folder"]),
])("serve refuses --%s %s", async (option, text) => {
  const { status, stderr } = await cli(["serve", "--data", folder, `--${option}=${text}`]);
  expect([status, stderr]).toEqual([2, expect.stringContaining(`Cannot use --${option}`)]);
});
