import { describe, expect, test } from "vitest";
import { decodeSnapshot, encodeSnapshot, restoreSnapshot } from "./snapshot.ts";

const PAGE = 4096;

function memory(): Uint8Array {
  const bytes = new Uint8Array(PAGE * 10);
  bytes[0] = 1;
  bytes.fill(7, PAGE * 3, PAGE * 5);
  bytes[PAGE * 9 + 17] = 255;
  return bytes;
}

describe("a snapshot", () => {
  test("leaves empty pages out and comes back whole, over whatever was there", () => {
    const file = encodeSnapshot(memory(), { name: "ä" });
    expect(file.length).toBeLessThan(PAGE * 5);
    const snapshot = decodeSnapshot<{ name: string }>(file);
    expect(snapshot.metadata).toEqual({ name: "ä" });
    expect(snapshot.length).toBe(PAGE * 10);
    const dirty = new Uint8Array(PAGE * 12).fill(0xaa);
    restoreSnapshot(snapshot, dirty);
    expect(dirty.subarray(0, PAGE * 10)).toEqual(memory());
    expect(dirty.subarray(PAGE * 10).every((byte) => byte === 0)).toBe(true);
  });

  test("does not touch memory that nobody has written to", () => {
    const target = new Uint8Array(PAGE * 10);
    target[PAGE * 7] = 5;
    restoreSnapshot(decodeSnapshot(encodeSnapshot(memory(), {})), target, PAGE * 6);
    expect(target[PAGE * 7]).toBe(5);
    expect(target[PAGE * 9 + 17]).toBe(255);
  });

  test("works for a view that does not start its buffer, and for empty memory", () => {
    const whole = new Uint8Array(PAGE * 11);
    whole.set(memory(), 8);
    const view = whole.subarray(8, 8 + PAGE * 10);
    const out = new Uint8Array(PAGE * 10);
    restoreSnapshot(decodeSnapshot(encodeSnapshot(view, {})), out);
    expect(out).toEqual(memory());
    expect(decodeSnapshot(encodeSnapshot(new Uint8Array(PAGE), {})).runs).toEqual([]);
  });

  test("is refused when it was cut off, is another version, or is none", () => {
    const file = encodeSnapshot(memory(), {});
    for (const length of [0, 10, 30, 200, file.length - 1]) {
      expect(() => decodeSnapshot(file.subarray(0, length))).toThrow("The snapshot cannot be used");
    }
    const version = file.slice();
    version[8] = 99;
    expect(() => decodeSnapshot(version)).toThrow("its format is 99");
    const magic = file.slice();
    magic[0] = 0;
    expect(() => decodeSnapshot(magic)).toThrow("it is no snapshot");
    const runs = new TextDecoder().decode(file.subarray(0, 200)).indexOf('"runs":[0');
    const overlapping = file.slice();
    overlapping[runs + 8] = "9".charCodeAt(0);
    expect(() => decodeSnapshot(overlapping)).toThrow("its pages do not add up");
  });
});
