import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { prune } from "./prune.node.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "prune-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a file that was used so many seconds ago. */
function write(name: string, size: number, secondsAgo: number) {
  writeFileSync(join(folder, name), new Uint8Array(size));
  const used = new Date(Date.now() - secondsAgo * 1000);
  utimesSync(join(folder, name), used, used);
}

const options = {
  maxBytes: 100,
  isKept: (name: string) => name.endsWith(".data"),
  isHalf: (name: string) => name.endsWith(".part"),
  staleMs: 60_000,
};

test("what was used longest ago goes, with what lies beside it; a use of that counts, too", async () => {
  for (const [name, size, age] of [
    ["a.data", 40, 40],
    ["a.note", 5, 1],
    ["b.data", 40, 20],
    ["c.data", 40, 30],
    ["c.note", 500, 30],
    ["other", 500, 500],
  ] as const)
    write(name, size, age);
  mkdirSync(join(folder, "d.data"));
  await prune({ ...options, folder, notesOf: (name) => [name.replace("data", "note")] });
  expect(readdirSync(folder).sort()).toEqual(["a.data", "a.note", "b.data", "d.data", "other"]);
});

test("what is half written goes when nobody writes it any more, and what is spared stays", async () => {
  write("new.part", 500, 10);
  write("old.part", 1, 100);
  write("large.data", 500, 30);
  write("small.data", 1, 20);
  await prune({ ...options, folder, spared: "large.data" });
  expect(readdirSync(folder).sort()).toEqual(["large.data", "new.part", "small.data"]);
  await prune({ ...options, folder });
  expect(readdirSync(folder).sort()).toEqual(["new.part", "small.data"]);
});

test("a folder that is not there is no error", async () => {
  await prune({ ...options, folder: join(folder, "none") });
});
