import { expect, test } from "vitest";
import { decodePack, encodePack } from "./pack.ts";

const files = new Map([
  ["/lib/a.py", new Uint8Array([1, 2, 3])],
  ["/lib/__proto__", new Uint8Array([4])],
  ["/lib/empty", new Uint8Array(0)],
]);

test("a pack gives back each file at its place", () => {
  const pack = encodePack(files);
  const index = decodePack(pack);
  expect(Object.keys(index)).toEqual([...files.keys()]);
  for (const [path, bytes] of files) {
    const [offset, length] = index[path] as [number, number];
    expect(pack.subarray(offset, offset + length)).toEqual(bytes);
  }
});

test("a damaged pack is refused", () => {
  const pack = encodePack(files);
  expect(() => decodePack(pack.subarray(0, 2))).toThrow("damaged");
  expect(() => decodePack(pack.subarray(0, 20))).toThrow("damaged");
  expect(() => decodePack(pack.subarray(0, pack.length - 1))).toThrow("lies outside");
});
