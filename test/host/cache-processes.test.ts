/** The cache, used by many processes at once that are killed, and on disks that are full. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCache } from "../../host/cache/cache.node.ts";
import { openStore } from "../../host/store/store.node.ts";
import { EVICT_BYTES, numberOf, requestOf, sizeOf } from "./cache-results.ts";

const program = join(import.meta.dirname, "cache-child.ts");

let folder: string;
let children: ChildProcess[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fuselet-processes-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** A child, and the lines that it prints. */
function start(command: readonly string[], args: readonly (string | number)[]) {
  const [file, ...before] = command;
  const child = spawn(file as string, [...before, ...args.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  const lines = () => output.split("\n").slice(0, -1);
  const ended = once(child, "close");
  return {
    child,
    lines,
    ended,
    /** @throws Error where it ends before it has printed such a line */
    async line(pattern: string) {
      let hasEnded = false;
      const end = ended.then(() => {
        hasEnded = true;
      });
      while (!lines().some((line) => line.startsWith(pattern))) {
        if (hasEnded) throw new Error(`The child ended, and has printed ${JSON.stringify(output)}`);
        await Promise.race([once(child.stdout, "data"), end]);
      }
    },
  };
}
const node = (...args: (string | number)[]) => start([process.execPath, program], [folder, ...args]);

/** Every entry that can be read, by key, whole. */
async function readAll(): Promise<Map<string, number>> {
  const { cache, close } = openCache(folder, {
    onProblem: (problem) => expect.fail(problem),
  });
  const found = new Map<string, number>();
  const entries = [];
  for await (const entry of cache.list()) entries.push(entry);
  for (const { key, size } of entries) {
    const hit = await cache.begin(requestOf(key));
    if (hit.state !== "hit") throw new Error(`${key} is listed, and cannot be read`);
    expect(hit.body).toHaveLength(size);
    found.set(key, numberOf(key, hit.body));
  }
  const { bytes } = await cache.statistics();
  expect(bytes).toBe(entries.reduce((sum, { size }) => sum + size, 0));
  await close();
  return found;
}

describe("many processes", () => {
  test("of 8 that begin at once, one computes, and all get its value", { timeout: 30_000 }, async () => {
    for (const ms of [100, 0]) {
      const runs = Array.from({ length: 8 }, () => node("compute", `key ${ms}`, ms));
      await Promise.all(runs.map(({ line }) => line("ready")));
      for (const { child } of runs) child.stdin!.write("go\n");
      await Promise.all(runs.map(({ ended }) => ended));
      const answers = runs.map(({ lines }) => lines()[1] ?? "");
      const computed = answers.filter((line) => line.startsWith("computed "));
      expect(computed).toHaveLength(1);
      const value = computed[0]!.split(" ")[1];
      expect(answers.filter((line) => line === `hit ${value}`)).toHaveLength(7);
    }
  });

  test("another takes over from one that was killed, at once", { timeout: 30_000 }, async () => {
    const holder = node("hold", "key");
    await holder.line("holding");
    const waiter = node("compute", "key", 0);
    await waiter.line("ready");
    waiter.child.stdin!.write("go\n");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(waiter.lines()).toEqual(["ready"]);
    holder.child.kill("SIGKILL");
    await waiter.line("computed");
    await waiter.ended;
    expect(readdirSync(folder)).toContain("cache.db");
  });

  test("writers that evict keep within the bound, always", { timeout: 60_000 }, async () => {
    const runs = [1, 2, 3, 4].map((seed) => node("evict", seed));
    await Promise.all(runs.map(({ ended }) => ended));
    for (const { lines } of runs) {
      const most = Number(lines()[0]!.split(" ")[1]);
      expect(most).toBeLessThanOrEqual(EVICT_BYTES);
      expect(most).toBeGreaterThan(EVICT_BYTES / 2);
    }
    const kept = await readAll();
    const files = [...kept.values()].filter((n) => sizeOf(n) > 16 * 1024);
    expect(readdirSync(join(folder, "bodies"))).toHaveLength(files.length);
  });
});

test("after 100 kills at any moment all that can be read is whole, and what was acknowledged is there", {
  timeout: 180_000,
}, async () => {
  const keys = new Set<string>();
  /** @returns the last result of each key that was acknowledged before the kill */
  const round = async (seed: number) => {
    const { child, line, lines, ended } = node("commit", seed);
    await line("kept");
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    child.kill("SIGKILL");
    await ended;
    const last = new Map<string, number>();
    for (const kept of lines()) {
      const [, key, n] = /^kept (.*) (\d+)$/.exec(kept) as RegExpExecArray;
      last.set(key as string, Number(n));
      keys.add(key as string);
    }
    return last;
  };
  // Two at a time, so that one is killed while the other writes.
  for (let seed = 1; seed <= 100; seed += 2) {
    const rounds = await Promise.all([round(seed), round(seed + 1)]);
    const kept = await readAll();
    expect([...kept.keys()].sort()).toEqual(expect.arrayContaining([...keys].sort()));
    for (const [key, n] of kept) {
      const mine = rounds[Math.floor(n / 1_000_000) - seed];
      // It is as new as what its writer said last, and from this round if anybody said so.
      expect(n).toBeGreaterThanOrEqual(mine?.get(key) ?? 0);
      if (rounds.some((last) => last.has(key))) expect(n, key).toBeGreaterThan(seed * 1_000_000 - 1);
    }
  }
  expect(keys.size).toBe(7);
  const store = openStore({ path: join(folder, "cache.db") });
  expect(await store.check()).toEqual([]);
  await store.close();
  // The next call works, and is not kept waiting by any of the dead.
  const { cache, close } = openCache(folder);
  for (const key of keys) {
    const found = await cache.begin({ ...requestOf(key), reset: true, lockTimeoutMs: 0 });
    expect(found.state).toBe("compute");
  }
  await close();
});

describe("a full disk", () => {
  /** As its user may do without rights: files of at most so many blocks of 512 bytes. */
  const limited = (blocks: number) => [
    "sh",
    "-c",
    `ulimit -f ${blocks}; exec "$0" "$@"`,
    process.execPath,
    program,
  ];

  test.each([
    ["bodies in files", 200, 150_000],
    ["bodies in records", 600, 10_000],
  ])("by a limit on files, with %s: an error, and nothing wrong", async (_what, blocks, size) => {
    const { ended, lines } = start(limited(blocks), [folder, "fill", size]);
    await ended;
    const { kept, ...error } = JSON.parse(lines()[0]!);
    expect(error).toMatchObject({ name: "StoreError", code: expect.stringMatching(/^(io|full)$/) });
    expect((await readAll()).size).toBe(kept);
    await keepOne();
  });

  const mounted = () => {
    const place = join(folder, "small");
    mkdirSync(place);
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "fuselet-test", place]);
    return status === 0 ? place : undefined;
  };

  test.runIf(existsSync("/proc/mounts") && process.getuid?.() === 0)(
    "for real, with bodies of both kinds: an error that says so, and nothing wrong",
    async () => {
      for (const size of [100_000, 10_000]) {
        const place = mounted();
        if (!place) return;
        const whole = folder;
        try {
          folder = join(place, "cache");
          const other = join(place, "other");
          writeFileSync(other, Buffer.alloc(400_000));
          const { ended, lines } = node("fill", size);
          await ended;
          const { kept, ...error } = JSON.parse(lines()[0]!);
          expect(error).toMatchObject({ code: "full", message: expect.stringContaining("the disk is full") });
          expect(kept).toBeGreaterThan(5);
          const { cache, close } = openCache(folder);
          for (let n = 1; n <= kept; n++) {
            const found = await cache.begin(requestOf(`key ${n}`));
            expect(found.state === "hit" && numberOf(`key ${n}`, found.body)).toBe(n);
          }
          // Records cannot be removed without any room.
          rmSync(other);
          expect((await cache.clear()).entries).toBe(kept);
          await close();
          await keepOne();
        } finally {
          folder = whole;
          // Lazily: a failed assertion leaves the database open.
          spawnSync("umount", ["-l", place]);
          await rm(place, { recursive: true });
        }
      }
    },
  );

  /** The next call works. */
  async function keepOne() {
    const { cache, close } = openCache(folder);
    const found = await cache.begin({ ...requestOf("next"), lockTimeoutMs: 0 });
    if (found.state !== "compute") throw new Error("a hit of what was never kept");
    expect(await found.lease.commit({ format: "json", body: Buffer.from("1") })).toBe(true);
    expect((await cache.begin(requestOf("next"))).state).toBe("hit");
    await close();
  }
});
