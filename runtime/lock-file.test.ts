import { describe, expect, it } from "vitest";
import { lockOf, type NpmLock, type PythonLock, parseLock, writeLock } from "./lock-file.ts";

const python: PythonLock = {
  python: "3.12.7",
  abi: "2024_0",
  requires: ["requests"],
  imports: ["pandas"],
  packages: [
    {
      name: "requests",
      version: "2.32.5",
      file: "requests-2.32.5-py3-none-any.whl",
      origin: "https://example.org/simple",
      sha256: "a".repeat(64),
      depends: ["idna"],
      imports: ["requests"],
    },
  ],
};
const npm: NpmLock = {
  requires: ["npm:d3-array@3"],
  packages: [
    {
      name: "d3-array",
      version: "3.2.4",
      origin: "https://example.org",
      integrity: `sha512-${"a".repeat(86)}==`,
      depends: { internmap: "2.0.3" },
    },
  ],
};

describe("fuselet.lock", () => {
  it("comes back as it was written, and the same again", () => {
    const text = writeLock(writeLock(undefined, "b.py", python), "a.ts", npm);
    expect(lockOf(text, "b.py")).toEqual(python);
    expect(lockOf(text, "a.ts")).toEqual(npm);
    expect(lockOf(text, "c.py")).toBeNull();
    expect(lockOf(undefined, "b.py")).toBeNull();
    expect(writeLock(writeLock(undefined, "a.ts", npm), "b.py", python)).toBe(text);
    expect(writeLock(text, "b.py", python)).toBe(text);
  });
  it("keeps nothing of a damaged one", () => {
    expect(writeLock("{", "b.py", python)).toBe(writeLock(undefined, "b.py", python));
  });
  it.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["another version", '{"version":2,"udfs":{}}'],
    ["no UDFs", '{"version":1}'],
    ["a package that is none", '{"version":1,"udfs":{"a.py":{"requires":[],"packages":[1]}}}'],
  ])("refuses %s", (_what, text) => {
    expect(() => parseLock(text)).toThrow(/^fuselet\.lock is damaged: /);
  });
  it.each([
    { name: "../x" },
    { name: "Requests" },
    { file: "../../x.whl" },
    { file: "a/b.whl" },
    { file: ".hidden" },
    { sha256: "" },
    { sha256: "A".repeat(64) },
    { version: "1\n2" },
    { depends: "idna" },
    { imports: [1] },
  ])("refuses a package with %j", (fields) => {
    const text = JSON.stringify({
      version: 1,
      udfs: { "a.py": { ...python, packages: [{ ...python.packages[0], ...fields }] } },
    });
    expect(() => parseLock(text)).toThrow(/damaged: udfs\["a\.py"\]\.packages\[0\]/);
  });
  it("is no way to a prototype", () => {
    const { udfs } = parseLock('{"version":1,"udfs":{"__proto__":{"requires":[],"packages":[]}}}');
    expect(Object.getPrototypeOf(udfs)).toBeNull();
    expect(lockOf('{"version":1,"udfs":{}}', "toString")).toBeNull();
  });
});
