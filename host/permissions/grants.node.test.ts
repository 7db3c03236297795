import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { grantId, openGrantFile } from "./grants.node.ts";
import { covers, includes, type SavedGrant } from "./grants.ts";

const root = mkdtempSync(join(tmpdir(), "fuselet-grants-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = join(root, "data");
const file = join(folder, "grants.json");
beforeEach(() => rmSync(folder, { recursive: true, force: true }));

const grant = (value: string, more: Partial<SavedGrant> = {}): SavedGrant => ({
  principal: "local",
  udf: { name: "hello", hash: "abc" },
  permission: "net",
  value,
  date: "2026-01-31T12:00:00.000Z",
  ...more,
});

describe("openGrantFile()", () => {
  test("keeps grants for the next process, for the user alone", async () => {
    const store = openGrantFile(file);
    expect(await store.list()).toEqual([]);
    const others: SavedGrant[] = [
      { ...grant("x"), value: "", permission: "cache" },
      { principal: "local", udf: { name: "h", hash: "d" }, permission: "net", rule: "*.a.org", date: "now" },
      grant("KEY", { permission: "secrets", hosts: ["a.org"] }),
    ];
    await store.add([grant("a.org:443")]);
    await store.add(others);
    expect(await openGrantFile(file).list()).toEqual([grant("a.org:443"), ...others]);
    expect([statSync(file).mode & 0o777, statSync(folder).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(readdirSync(folder)).toEqual(["grants.json"]);
  });
  test("removes what it is told, and gives it back", async () => {
    const store = openGrantFile(file);
    await store.add([grant("a.org:443"), grant("b.org:443")]);
    const id = grantId(grant("a.org:443"));
    expect(await store.remove((each) => grantId(each) === id)).toEqual([grant("a.org:443")]);
    expect(await store.list()).toEqual([grant("b.org:443")]);
    expect(await store.remove(() => false)).toEqual([]);
  });
  test("loses nothing when several write at once, and gets past a lock that was left behind", async () => {
    const values = Array.from({ length: 20 }, (_, index) => `h${index}.org`);
    await Promise.all(values.map((value) => openGrantFile(file).add([grant(value)])));
    expect((await openGrantFile(file).list()).map(({ value }) => value).sort()).toEqual(values.sort());
    writeFileSync(`${file}.lock`, "");
    const { utimesSync } = await import("node:fs");
    utimesSync(`${file}.lock`, 0, 0);
    await openGrantFile(file).add([grant("z.org")]);
    expect(readdirSync(folder)).toEqual(["grants.json"]);
  });
  test.each([
    ["{", "it is no JSON"],
    ["null", "it is not in the format of this version (1)"],
    ['{"version": 2, "grants": []}', "it is not in the format of this version (1)"],
    [{ ...grant("a.org"), value: undefined }, "grants[0] is no grant"],
    [{ ...grant("a.org"), permission: "constructor" }, "grants[0] is no grant"],
    [{ ...grant("A.ORG") }, "grants[0] is no grant"],
    [{ ...grant("a.org"), rule: "*.org" }, "grants[0] is no grant"],
    [{ ...grant("a.org"), value: undefined, rule: "*" }, "grants[0] is no grant"],
    [{ ...grant("a.org"), permission: "cache" }, "grants[0] is no grant"],
    [{ ...grant("a.org"), hosts: ["a.org"] }, "grants[0] is no grant"],
    [{ ...grant("a.org"), udf: { name: "hello", hash: "" } }, "grants[0] is no grant"],
    [null, "grants[0] is no grant"],
  ])("takes no grant from a file that holds %j", async (content, message) => {
    const store = openGrantFile(file);
    await store.add([grant("a.org")]);
    const text = typeof content === "string" ? content : JSON.stringify({ version: 1, grants: [content] });
    writeFileSync(file, text);
    await expect(store.list()).rejects.toThrow(message);
    await expect(store.list()).rejects.toThrow(UsageError);
    await expect(store.add([grant("b.org")])).rejects.toThrow(message);
    expect(readFileSync(file, "utf8")).toBe(text);
  });
  test("takes no grant from a file that others may write to", async () => {
    const store = openGrantFile(file);
    await store.add([grant("a.org")]);
    chmodSync(file, 0o620);
    await expect(store.list()).rejects.toThrow("others may write to it; take that away with chmod 600");
  });
  test("names the file that it cannot write", async () => {
    writeFileSync(join(root, "plain"), "");
    await expect(openGrantFile(join(root, "plain", "grants.json")).add([grant("a.org")])).rejects.toThrow(
      /^Cannot write ".*plain\/grants\.json"/,
    );
  });
});

test("covers() takes a value exactly, and a rule as a rule", () => {
  expect(covers({ permission: "read", value: "/a" }, "read", "/a")).toBe(true);
  expect(covers({ permission: "read", value: "/a" }, "read", "/a/b")).toBe(false);
  expect(covers({ permission: "read", rule: "/a" }, "read", "/a/b")).toBe(true);
  expect(covers({ permission: "read", rule: "/a" }, "write", "/a/b")).toBe(false);
  expect(covers({ permission: "net", value: "a.org:443" }, "net", "a.org:80")).toBe(false);
  expect(covers({ permission: "cache", value: "" }, "cache", "")).toBe(true);
});

test("includes() compares what grants cover", () => {
  const rule = (text: string) => ({ permission: "net" as const, rule: text });
  const value = (text: string) => ({ permission: "net" as const, value: text });
  expect(includes(rule("*.a.org"), rule("b.a.org:443"))).toBe(true);
  expect(includes(rule("*.a.org"), value("b.a.org:443"))).toBe(true);
  expect(includes(rule("b.a.org:443"), rule("b.a.org"))).toBe(false);
  expect(includes(value("a.org"), rule("a.org"))).toBe(false);
  expect(includes(value("a.org"), value("a.org"))).toBe(true);
  expect(includes({ permission: "read", rule: "a.org" }, value("a.org"))).toBe(false);
});
