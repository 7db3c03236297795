import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { Options } from "./arguments.ts";
import { outputFrom } from "./output.ts";
import type { Terminal } from "./terminal.ts";

const stream = () => new Writable({ write: (_chunk, _encoding, done) => done() });
const terminal = (isTTY: boolean): Terminal => ({
  stdout: Object.assign(stream(), { isTTY }),
  stderr: stream(),
  env: {},
});
const given = (options: Record<string, string>) =>
  new Options(Object.entries(options).map(([name, value]) => ({ name, value })));

test("outputFrom() reads where a result goes, and refuses what cannot go there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fuselet-output-"));
  const output = join(folder, "a.csv");
  expect(await outputFrom(given({ output }), terminal(true))).toEqual({ format: "csv", file: output });
  expect(await outputFrom(given({ output, format: "npy" }), terminal(true))).toMatchObject({ format: "npy" });
  expect(await outputFrom(given({ output: "-", format: "npy" }), terminal(false))).toEqual({ format: "npy" });
  await expect(outputFrom(given({ format: "npy" }), terminal(true))).rejects.toThrow("Cannot show npy");
  const nowhere = join(folder, "none", "a.csv");
  await expect(outputFrom(given({ output: nowhere }), terminal(false))).rejects.toThrow("does not exist");
  rmSync(folder, { recursive: true });
});
