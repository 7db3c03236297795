import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openAuditLog } from "./audit-log.node.ts";
import { type Caller, createBroker, type Decision } from "./broker.ts";

const folder = mkdtempSync(join(tmpdir(), "fuselet-audit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const caller: Caller = {
  principal: "me",
  udf: { name: "hello", hash: "abc" },
  runId: "run-1",
  permissions: { net: ["a.org"] },
};
const linesOf = (file: string) =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("a line a decision, appended to a file of mode 0600", async () => {
  const file = join(folder, "log.jsonl");
  for (const value of ["a.org:443", "b.org:443"]) {
    const log = openAuditLog(file);
    const broker = createBroker({ permissions: { net: true }, onDecision: log.write });
    await broker.require("net", value, caller).catch(() => undefined);
    log.close();
  }
  expect(linesOf(file)).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      principal: "me",
      udf: { name: "hello", hash: "abc" },
      runId: "run-1",
      permission: "net",
      value: "a.org:443",
      allowed: true,
      rule: "a.org",
      reason: "allowed",
      how: "rule",
    },
    expect.objectContaining({ value: "b.org:443", allowed: false, rule: null, reason: "not granted" }),
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a value is escaped, and cut where it is long: it cannot forge or flood", async () => {
  const file = join(folder, "forged.jsonl");
  const log = openAuditLog(file);
  const broker = createBroker({ onDecision: log.write });
  for (const value of ['x"}\n{"allowed":true}', "a\u202eb", "x".repeat(1e6)]) {
    await expect(broker.require("net", value, caller)).rejects.toThrow();
  }
  await expect(broker.require("net", { net: true } as unknown as string, caller)).rejects.toThrow();
  log.close();
  expect(readFileSync(file, "latin1")).not.toMatch(/[^\n -~\u0080-\u00ff]/);
  expect(statSync(file).size).toBeLessThan(5000);
  expect(linesOf(file).map(({ value, reason }) => [value.slice(0, 30), reason])).toEqual([
    ['x"}\\u000a{"allowed":true}', "unsafe value"],
    ["a\\u202eb", "unsafe value"],
    ["x".repeat(30), "unsafe value"],
    ["", "unsafe value"],
  ]);
});

test("what cannot be logged is not granted", async () => {
  const log = openAuditLog(join(folder, "closed.jsonl"));
  const broker = createBroker({ permissions: { net: true }, onDecision: log.write });
  log.close();
  await expect(broker.require("net", "a.org:443", caller)).rejects.toThrow(
    /Cannot write the audit log ".*closed/,
  );
  expect(() => log.write({} as Decision)).toThrow();
});

test.each(["-", "", folder, join(folder, "none", "x"), "/dev/full"])(
  "openAuditLog(%j) is refused",
  (file) => {
    expect(() => openAuditLog(file)).toThrow(`Cannot write the audit log ${JSON.stringify(file)}`);
  },
);
