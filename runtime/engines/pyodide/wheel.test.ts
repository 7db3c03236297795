import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { interpreterOf } from "./packages.ts";
import { makeWheel } from "./testing.node.ts";
import {
  misfit,
  parseMetadata,
  parseWheelName,
  placeOf,
  readWheel,
  type WheelName,
  wheelBudget,
} from "./wheel.ts";

const older = interpreterOf(
  { python: "3.12.7", platform: "emscripten_3_1_58", abi_version: "2024_0" },
  "older",
);
const newer = interpreterOf(
  { python: "3.14.2", platform: "emscripten_5_0_3", abi_version: "2026_0" },
  "newer",
);

describe("parseWheelName()", () => {
  it("reads names, versions and tags", () => {
    expect(parseWheelName("Zope.Interface-5.0-1build-py2.py3-none-any.whl")).toEqual({
      name: "zope-interface",
      version: "5.0",
      pythons: ["py2", "py3"],
      abis: ["none"],
      platforms: ["any"],
    });
  });
  it.each([
    "a-1.0.tar.gz",
    "a.whl",
    "a-1-py3-none.whl",
    "a-x-py3-none-any.whl",
    "../a-1-py3-none-any.whl",
    "-1-py3-none-any.whl",
  ])("refuses %s", (file) => {
    expect(parseWheelName(file)).toBeNull();
  });
});

describe("misfit()", () => {
  it.each([
    ["py3-none-any", true, true],
    ["py2.py3-none-any", true, true],
    ["py2-none-any", false, false],
    ["py312-none-any", true, true],
    ["py314-none-any", false, true],
    ["cp312-none-any", true, false],
    ["cp312-cp312-pyodide_2024_0_wasm32", true, false],
    ["cp312-cp312-emscripten_3_1_58_wasm32", true, false],
    ["cp314-cp314-pyemscripten_2026_0_wasm32", false, true],
    ["cp314-cp314-pyodide_2026_0_wasm32", false, true],
    ["cp310-abi3-pyemscripten_2026_0_wasm32", false, true],
    ["py3-none-pyemscripten_2026_0_wasm32", false, true],
    ["cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", false, false],
    ["cp312-cp312-any", false, false],
    ["cp312-cp312t-pyodide_2024_0_wasm32", false, false],
  ])("%s fits Python 3.12: %s, 3.14: %s", (tags, fitsOlder, fitsNewer) => {
    const wheel = parseWheelName(`a-1-${tags}.whl`) as WheelName;
    expect([misfit(wheel, older) === null, misfit(wheel, newer) === null]).toEqual([fitsOlder, fitsNewer]);
  });
});

describe("parseMetadata()", () => {
  it("reads repeated and continued fields, and no text", () => {
    const text =
      "Metadata-Version: 2.4\r\nName: A_b\r\nVersion: 1\r\nRequires-Dist: c>=1;\r\n python_version > '3'\r\nrequires-dist: d\r\nRequires-Python: >=3.8\r\n\r\nRequires-Dist: e\r\n";
    expect(parseMetadata(text)).toEqual({
      name: "a-b",
      version: "1",
      requires: ["c>=1; python_version > '3'", "d"],
      requiresPython: ">=3.8",
    });
  });
});

describe("readWheel()", () => {
  it("finds what can be imported", async () => {
    const files = {
      "package/__init__.py": "",
      "package/data.json": "",
      "space/inner/module.py": "",
      "single.py": "",
      "_fast.cpython-312-wasm32-emscripten.so": "",
      "docs/read.md": "",
      "not-a-module/x.py": "",
      "a-1.data/purelib/moved.py": "",
      "a-1.data/scripts/tool.py": "",
    };
    const { imports } = await readWheel(makeWheel({ name: "a", version: "1", files }).bytes, "it");
    expect(imports).toEqual(["_fast", "moved", "package", "single", "space"]);
  });
  it("places what is installed", () => {
    expect(["a/b.py", "a-1.data/platlib/c.py", "a-1.data/scripts/d"].map(placeOf)).toEqual([
      "a/b.py",
      "c.py",
      null,
    ]);
  });
  it.each([
    ["no archive", strToU8("no archive")],
    ["no METADATA", zipSync({ "a.py": strToU8("") })],
    [
      "two of them",
      zipSync({
        "a-1.dist-info/METADATA": strToU8("Name: a\nVersion: 1\n"),
        "b-1.dist-info/METADATA": strToU8(""),
      }),
    ],
    ["no name", zipSync({ "a-1.dist-info/METADATA": strToU8("Version: 1\n") })],
  ])("refuses %s", async (_what, bytes) => {
    await expect(readWheel(bytes, "The wheel")).rejects.toThrow(/^The wheel is damaged: /);
  });
  it("stops at the second METADATA, before it unpacks many that share one place", async () => {
    const name = (i: number) => `d${String(i).padStart(5, "0")}.dist-info/METADATA`;
    const text = new Uint8Array(1024 * 1024);
    const files = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [name(i), text]));
    await expect(readWheel(zipSync(files), "The wheel")).rejects.toThrow(/two METADATA/);
  });
  it("counts what is stored by its stored size", () => {
    const count = wheelBudget();
    count({ size: 1024 ** 3, originalSize: 0 });
    expect(() => count({ size: 1, originalSize: 0 })).toThrow(/more than 1073741824 bytes/);
    const files = wheelBudget();
    for (let i = 0; i < 100_000; i++) files({ size: 0, originalSize: 0 });
    expect(() => files({ size: 0, originalSize: 0 })).toThrow(/100000 files/);
  });
});
