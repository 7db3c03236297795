import { expect, test } from "vitest";
import { RecentMap } from "./recent-map.ts";

test("what was used longest ago goes first, by number and by weight, and the last one stays", () => {
  const map = new RecentMap<number>({ entries: 3, weight: 10 });
  map.set("a", 1, 1);
  map.set("b", 2, 1);
  map.set("c", 3, 1);
  expect(map.get("a")).toBe(1);
  map.set("d", 4, 1);
  expect(["a", "b", "c", "d"].map((key) => map.get(key))).toEqual([1, undefined, 3, 4]);
  map.set("e", 5, 9);
  expect(["a", "c", "d", "e"].map((key) => map.get(key))).toEqual([undefined, undefined, 4, 5]);
  map.set("f", 6, 99);
  expect(["d", "e", "f"].map((key) => map.get(key))).toEqual([undefined, undefined, 6]);
  map.set("f", 7, 1);
  map.set("g", 8, 9);
  expect([map.get("f"), map.get("g")]).toEqual([7, 8]);
});
