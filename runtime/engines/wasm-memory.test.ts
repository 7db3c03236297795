import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { capMemory, exportTable, memoryLimits } from "./wasm-memory.ts";

const MiB = 1024 * 1024;
const PAGE = 65536;
const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];
const section = (id: number, body: number[]) => [id, body.length, ...body];

/** A module with its own memory, exported as "m". */
const own = (limits: number[]) =>
  new Uint8Array([...HEAD, ...section(5, [1, ...limits]), ...section(7, [1, ...name("m"), 2, 0])]);
/** A module that imports a table, a global and then its memory. */
const imported = (limits: number[]) =>
  new Uint8Array([
    ...HEAD,
    ...section(2, [
      3,
      ...name("e"),
      ...name("t"),
      1,
      0x70,
      1,
      1,
      9,
      ...name("e"),
      ...name("g"),
      3,
      0x7f,
      1,
      ...name("e"),
      ...name("m"),
      2,
      ...limits,
    ]),
  ]);

describe("capMemory()", () => {
  test("lowers the maximum of a memory of the module's own", () => {
    const wasm = capMemory(own([1, 1, 100]), 3 * PAGE);
    const { m } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as { m: WebAssembly.Memory };
    expect(m.grow(2)).toBe(1);
    expect(() => m.grow(1)).toThrow(RangeError);
    expect(() =>
      (
        new WebAssembly.Instance(new WebAssembly.Module(own([1, 1, 100]))).exports.m as WebAssembly.Memory
      ).grow(3),
    ).not.toThrow();
  });
  test("gives a maximum to a memory that has none", () => {
    expect(memoryLimits(own([0, 1])).maxBytes).toBe(null);
    expect(memoryLimits(capMemory(own([0, 1]), 1000 * PAGE))).toEqual({
      minBytes: PAGE,
      maxBytes: 1000 * PAGE,
    });
  });
  test("finds an imported memory behind other imports", () => {
    const wasm = capMemory(imported([1, 1, 100]), 4.9 * PAGE);
    expect(WebAssembly.validate(wasm)).toBe(true);
    expect(memoryLimits(wasm)).toEqual({ minBytes: PAGE, maxBytes: 4 * PAGE });
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 1, maximum: 9 });
    const g = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
    const start = (maximum: number) =>
      new WebAssembly.Instance(new WebAssembly.Module(wasm), {
        e: { t: table, g, m: new WebAssembly.Memory({ initial: 1, maximum }) },
      });
    expect(() => start(5)).toThrow(WebAssembly.LinkError);
    expect(() => start(4)).not.toThrow();
  });
  test("never raises a maximum and never goes below the start", () => {
    expect(memoryLimits(capMemory(own([1, 1, 2]), 100 * PAGE)).maxBytes).toBe(2 * PAGE);
    expect(memoryLimits(capMemory(own([1, 3, 9]), PAGE)).maxBytes).toBe(3 * PAGE);
  });
  test("refuses what is no wasm, is cut off or has no memory", () => {
    expect(() => capMemory(new Uint8Array([1, 2, 3]), PAGE)).toThrow(/\\0asm/);
    expect(() => capMemory(new Uint8Array([...HEAD, 5, 200]), PAGE)).toThrow(/cut off/);
    expect(() => capMemory(new Uint8Array([...HEAD, 5, 9, 1]), PAGE)).toThrow(/cut off/);
    expect(() => capMemory(new Uint8Array(HEAD), PAGE)).toThrow(/it has none/);
  });
  const binaries = ["@jitl/quickjs-wasmfile-release-sync/wasm", "pyodide/pyodide.asm.wasm"];
  test.each(binaries)("patches %s, which still validates", (specifier) => {
    const path = fileURLToPath(import.meta.resolve(specifier));
    expect(existsSync(path)).toBe(true);
    const wasm = capMemory(readFileSync(path), 512 * MiB);
    expect(memoryLimits(wasm).maxBytes).toBe(512 * MiB);
    expect(WebAssembly.validate(wasm)).toBe(true);
  });
});

describe("exportTable()", () => {
  test("adds an export to those that are there", () => {
    const wasm = new Uint8Array([
      ...HEAD,
      ...section(4, [1, 0x70, 0, 2]),
      ...section(5, [1, 0, 1]),
      ...section(7, [1, ...name("m"), 2, 0]),
    ]);
    const { t, m } = new WebAssembly.Instance(new WebAssembly.Module(exportTable(wasm, "t"))).exports;
    expect(t).toBeInstanceOf(WebAssembly.Table);
    expect(m).toBeInstanceOf(WebAssembly.Memory);
  });
});
