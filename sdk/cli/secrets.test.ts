import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import type { ReadStream } from "node:tty";
import { afterAll, beforeEach, expect, test } from "vitest";
import { openVault } from "../../host/secrets/vault.node.ts";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "fuselet-secrets-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let data: string;
beforeEach(() => {
  data = mkdtempSync(join(folder, "data-"));
});

/** Runs a command line with its own data folder. */
async function cli(argv: string[], input?: string | Buffer, env: Record<string, string> = {}) {
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) =>
    new Writable({
      write(chunk, _encoding, done) {
        written[name] += chunk;
        done();
      },
    });
  const stdin =
    input === undefined ? {} : { stdin: Readable.from([Buffer.from(input)]) as unknown as ReadStream };
  const terminal = {
    ...stdin,
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    env: { FUSELET_DATA: data, ...env },
  };
  const status = await main(["secrets", ...argv], terminal, new AbortController().signal);
  return { status, ...written };
}

/** What a run of the command line would get. */
async function read(name: string, keyText?: string) {
  const { vault, close } = openVault(join(data, "secrets"), keyText);
  return vault.read("local", name).finally(close);
}

test("sets, lists and deletes; values are shown nowhere", async () => {
  expect(await cli(["list"])).toEqual({ status: 0, stdout: "no secret is set\n", stderr: "" });
  expect(await cli(["set", "B_KEY"], "first-value\n")).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(await cli(["set", "A"], "second-value")).toEqual({ status: 0, stdout: "", stderr: "" });
  expect((await cli([])).stdout).toMatch(/^A {6}\d{4}-\d\d-\d\d\nB_KEY {2}\d{4}-\d\d-\d\d\n$/);
  const listed = JSON.parse((await cli(["list", "--json"])).stdout);
  expect(listed.map(({ name }: { name: string }) => name)).toEqual(["A", "B_KEY"]);
  expect(await read("B_KEY")).toBe("first-value");
  expect((await cli(["delete", "A"])).status).toBe(0);
  expect(await cli(["delete", "A"])).toMatchObject({
    status: 2,
    stderr: "error: There is no secret A: fuselet secrets list shows all\n",
  });
});

test.each([
  ["value", "value"],
  ["value\n", "value"],
  ["value\r\n", "value"],
  ["value\n\n", "value\n"],
  [" line 1\nline 2 \n", " line 1\nline 2 "],
  ["☃", "☃"],
])("of %j the last line break is left out", async (input, value) => {
  await cli(["set", "A"], input);
  expect(await read("A")).toBe(value);
});

test.each<[string, string | Buffer | undefined, string]>([
  ["nothing", "", "standard input is empty"],
  ["a line break", "\n", "standard input is empty"],
  ["no standard input", undefined, "Write the value to standard input"],
  ["bytes that are no text", Buffer.from([0xff, 0xfe, 0]), "is no text"],
  ["far too much", "x".repeat(1_100_000), "more than 1048576 bytes"],
  ["too much", "x".repeat(70_000), "1 to 65536 bytes"],
])("refuses %s, and keeps what was there", async (_, input, message) => {
  await cli(["set", "A"], "before");
  expect(await cli(["set", "A"], input)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(message),
  });
  expect(await read("A")).toBe("before");
});

test("a value on the command line is refused, and not repeated", async () => {
  const { status, stderr } = await cli(["set", "A", "hunter2-value"], "x");
  expect(status).toBe(2);
  expect(stderr).toContain("the value is read from standard input");
  expect(stderr).not.toContain("hunter2");
});

test("refuses names that no flag could name", async () => {
  expect(await cli(["set", "a b"], "value")).toMatchObject({ status: 2 });
  expect(await cli(["delete", "*"])).toMatchObject({ status: 2 });
});

test("uses the key of the environment", async () => {
  const key = "ab".repeat(32);
  await cli(["set", "A"], "value-1", { FUSELET_SECRETS_KEY: key });
  expect(await read("A", key)).toBe("value-1");
  expect(await cli(["set", "A"], "value-2", { FUSELET_SECRETS_KEY: "abc" })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("FUSELET_SECRETS_KEY"),
  });
  expect(await read("A", key)).toBe("value-1");
});

test("says what a short value is not protected from", async () => {
  expect((await cli(["set", "A"], "12345")).stderr).toContain("note: A has fewer than 6 bytes");
});
