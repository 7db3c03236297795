import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { processOwner } from "./owner.node.ts";

const owner = processOwner();
const children: ChildProcess[] = [];
const start = (program: string, ...args: string[]) => {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  return child;
};
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** What a lock of another process of this machine has. */
async function idOf(pid: number, started?: string): Promise<string> {
  const [machine] = JSON.parse(await owner.id());
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return JSON.stringify([machine, pid, started ?? fields[19]]);
}

test("this process lives", async () => {
  expect(await owner.isAlive(await owner.id())).toBe(true);
  expect(await processOwner().isAlive(await owner.id())).toBe(true);
});

test.runIf(process.platform === "linux")("another process lives until it is killed", async () => {
  const child = start("sleep", "60");
  const id = await idOf(child.pid!);
  expect(await owner.isAlive(id)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await owner.isAlive(id)).toBe(false);
});

test.runIf(process.platform === "linux")("one that ended and was not waited for does not live", async () => {
  // The shell becomes `sleep`, which never asks for the end of the shell's child.
  const parent = start("sh", "-c", "sleep 0.2 & echo $!; exec sleep 60");
  const [line] = await once(parent.stdout!, "data");
  const id = await idOf(Number(line));
  expect(await owner.isAlive(id)).toBe(true);
  await expect.poll(() => owner.isAlive(id), { timeout: 3000 }).toBe(false);
  process.kill(Number(line), 0);
});

test.runIf(process.platform === "linux")("a number that was given again is another process", async () => {
  const child = start("sleep", "60");
  expect(await owner.isAlive(await idOf(child.pid!, "1"))).toBe(false);
});

test("of other machines, and of what is no owner, nothing is known", async () => {
  const [, pid, started] = JSON.parse(await owner.id());
  for (const id of [JSON.stringify(["elsewhere", pid, started]), "", "[]", "{", "null"])
    expect(await owner.isAlive(id)).toBeUndefined();
});
