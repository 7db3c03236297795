import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findConfig, readConfig } from "./config.node.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "fuselet-config-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inner = join(folder, "a", "b");
mkdirSync(inner, { recursive: true });

test("findConfig() finds the nearest file", async () => {
  await expect(findConfig(inner)).rejects.toThrow(/There is no fuselet\.json or fuselet\.toml in .*--config/);
  writeFileSync(join(folder, "fuselet.json"), '{"permissions": {"default": {"read": ["data"]}}}');
  expect(await findConfig(inner)).toBe(join(folder, "fuselet.json"));
  mkdirSync(join(folder, "a", "fuselet.json"));
  expect(await findConfig(inner)).toBe(join(folder, "fuselet.json"));
  writeFileSync(join(folder, "a", "fuselet.toml"), "");
  expect(await findConfig(inner)).toBe(join(folder, "a", "fuselet.toml"));
  writeFileSync(join(folder, "fuselet.toml"), "");
  await expect(findConfig(folder)).rejects.toThrow(
    /Cannot choose between .*fuselet\.json and .*fuselet\.toml/,
  );
});

test.runIf(process.getuid?.() === 0)("findConfig() takes nobody else's file", async () => {
  const { chownSync } = await import("node:fs");
  const other = join(folder, "other");
  mkdirSync(other);
  writeFileSync(join(other, "fuselet.json"), "{}");
  chownSync(join(other, "fuselet.json"), 12345, 12345);
  await expect(findConfig(other)).rejects.toThrow("belongs to another user");
  expect((await readConfig(join(other, "fuselet.json"))).sets.size).toBe(0);
});

test("readConfig() takes paths from the file's folder and names the file in errors", async () => {
  const { sets, file } = await readConfig(join(folder, "fuselet.json"));
  expect(sets.get("default")).toEqual({ read: [`${folder}/data`] });
  expect(file).toBe(join(folder, "fuselet.json"));
  await expect(readConfig(join(folder, "none.json"))).rejects.toThrow("none.json: there is no such file");
  await expect(readConfig(join(folder, "a"))).rejects.toThrow(`Cannot use ${join(folder, "a")}`);
});
