import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { Screen } from "./screen.ts";
import type { Stream } from "./terminal.ts";

function open(isTTY: boolean) {
  const stderr: Stream = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY });
  const screen = new Screen({ stdout: stderr, stderr, env: {} });
  return { screen, stderr, text: () => ((stderr as PassThrough).read() as string | null) ?? "" };
}

test("what is ours begins a line, in the terminal's own colours", async () => {
  const { screen, text } = open(true);
  screen.output("\u001b[31mhalf a line");
  screen.note("the log is full");
  screen.output("whole\n");
  await screen.end();
  expect(text()).toBe("\u001b[31mhalf a line\u001b[0m\nnote: the log is full\nwhole\n");
});

test("output, progress and notes wait while a question is open", async () => {
  const { screen, stderr, text } = open(true);
  screen.output("before");
  const answer = await screen.ask(async () => {
    screen.output("one ");
    screen.progress({ phase: "packages", message: "Loading numpy" });
    screen.output("two\n");
    screen.note("three");
    stderr.write("[question]\n");
    await new Promise((resolve) => setTimeout(resolve, 0));
    return 1;
  });
  expect([answer, text()]).toEqual([
    1,
    "before\n[question]\none \r\u001b[2KLoading numpy\r\u001b[2Ktwo\nnote: three\n",
  ]);
  await expect(screen.ask(() => Promise.reject(new Error("gone")))).rejects.toThrow("gone");
  screen.output("after\n");
  expect(text()).toBe("after\n");
});

test("a pipe gets what the UDF writes, and nothing else in it", async () => {
  const { screen, text } = open(false);
  screen.output("\u001b[7m┃");
  screen.output("");
  await screen.end();
  await screen.end();
  expect(text()).toBe("\u001b[7m┃\n");
});
