import { expect, test } from "vitest";
import { LinkAnswers } from "./link-answers.ts";

const said = (ms: number, untilMs = Infinity) => ({ ms, isSaid: true, untilMs });
const answer = (bytes: number) => ({ status: 200, headers: {}, body: new Uint8Array(bytes), isCut: false });

test("answers are found until they are too old", () => {
  const kept = new LinkAnswers();
  kept.put("a", answer(1), Date.now() - 1000);
  expect(kept.get("a", said(60_000), "run", "public")?.headers).toEqual({
    "fused-run-id": "run",
    "x-fused-cached": "true",
    "x-cache": "hit",
    "cache-control": expect.stringMatching(/^public, max-age=5[89]$/),
  });
  expect(kept.get("a", { ...said(60_000), isSaid: false }, "run", "private")?.headers).toMatchObject({
    "cache-control": "private, no-cache",
  });
  expect(kept.get("a", said(500), "run", "public")).toBeUndefined();
  expect(kept.get("b", said(60_000), "run", "public")).toBeUndefined();
  expect(kept.get("a", said(60_000, Date.now() + 5000), "run", "public")?.headers).toMatchObject({
    "cache-control": expect.stringMatching(/^public, max-age=[45]$/),
  });
});

test("what was used longest ago goes first, and what is large is not kept", () => {
  const kept = new LinkAnswers();
  const size = 4_000_000;
  const has = (key: string) => kept.get(key, said(60_000), "run", "public") !== undefined;
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

test("a request is answered again until the store is written, its link ends, or the result is too old", () => {
  const kept = new LinkAnswers();
  kept.put("a", answer(1), Date.now() - 1000);
  kept.remember("GET a", "1", { key: "a", age: said(60_000) });
  expect(kept.again("GET a", "1", "run")?.headers["x-cache"]).toBe("hit");
  expect(kept.again("GET a", "2", "run")).toBeUndefined();
  expect(kept.again("GET b", "1", "run")).toBeUndefined();
  kept.remember("GET old", "1", { key: "a", age: said(500) });
  kept.remember("GET ended", "1", { key: "a", age: said(60_000, Date.now()) });
  expect(kept.again("GET old", "1", "run")).toBeUndefined();
  expect(kept.again("GET ended", "1", "run")).toBeUndefined();
});

test("an answer of before the clock was set back is given to nobody", () => {
  const kept = new LinkAnswers();
  kept.put("a", answer(1), Date.now() + 3_600_000);
  expect(kept.get("a", said(60_000), "r", "public")).toBeUndefined();
});
