import { expect, test } from "vitest";
import { KeptAnswers } from "./kept-answers.ts";

const answer = (bytes: number) => ({ status: 200, headers: {}, body: new Uint8Array(bytes), isCut: false });

test("answers are found until they are too old", () => {
  const kept = new KeptAnswers();
  kept.put("a", answer(1), Date.now() - 1000);
  expect(kept.get("a", 60_000)?.leftMs).toBeCloseTo(59_000, -3);
  expect(kept.get("a", 500)).toBeUndefined();
  expect(kept.get("b", 60_000)).toBeUndefined();
});

test("what was used longest ago goes first, and what is large is not kept", () => {
  const kept = new KeptAnswers();
  const size = 4_000_000;
  const has = (key: string) => kept.get(key, 60_000) !== undefined;
  kept.put("large", answer(5_000_000), Date.now());
  expect(has("large")).toBe(false);
  for (let i = 0; i < 33; i++) kept.put(`${i}`, answer(size), Date.now());
  expect(has("0")).toBe(true);
  for (let i = 33; i < 36; i++) kept.put(`${i}`, answer(size), Date.now());
  expect(has("0")).toBe(true);
  expect(has("1")).toBe(false);
  for (let i = 0; i < 100; i++) kept.put("same", answer(size), Date.now());
  expect(has("0")).toBe(true);
});
