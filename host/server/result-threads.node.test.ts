import { afterEach, expect, test } from "vitest";
import { LimitExceededError, ResultError, UsageError } from "../../runtime/errors.ts";
import { RunResult } from "../../runtime/result.ts";
import { decodeValue } from "../../runtime/value.ts";
import type { Wish } from "../formats/negotiate.ts";
import { openResultThreads, type ResultThreads } from "./result-threads.node.ts";

const by = (id: string) => ({ owner: { id }, signal: new AbortController().signal });
const csv: Wish = { formats: ["csv"], isFirm: true };

let threads: ResultThreads;
afterEach(() => threads.close());

/** The result of a run, as it came from its isolate. */
const resultOf = (value: unknown) => {
  const text = JSON.stringify(value);
  const encoded = { text, buffers: [] };
  return RunResult.of(decodeValue(encoded), {
    ...{ stdout: "", stderr: "", cached: false, kept: null, bytes: text.length, encoded },
    timing: { cacheMs: 0, startMs: 0, restoreMs: 0, runMs: 0, totalMs: 0 },
  });
};
const records = (count: number) => Array.from({ length: count }, (_, n) => ({ n, text: `row ${n}` }));
/** How often something else had its turn meanwhile. */
async function turnsIn(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await work;
  clearInterval(timer);
  return turns;
}

test("small and large results are the same text", async () => {
  threads = openResultThreads(2);
  for (const count of [3, 30_000]) {
    const { mediaType, bytes } = await threads.write(await resultOf(records(count)), csv, by("ada"));
    expect(mediaType).toMatch(/^text\/csv/);
    const lines = new TextDecoder().decode(bytes).trim().split("\r\n");
    expect(lines).toHaveLength(count + 1);
    expect(lines.at(-1)).toBe(`${count - 1},row ${count - 1}`);
  }
});

test("others are served while a large result is written", async () => {
  threads = openResultThreads(2);
  // As many columns as records: the text is far larger than the value.
  const result = await resultOf(Array.from({ length: 6000 }, (_, n) => ({ [n]: n })));
  expect(await turnsIn(threads.write(result, csv, by("ada")))).toBeGreaterThan(10);
});

test("what cannot be written says so as it does without a thread", async () => {
  threads = openResultThreads(2);
  const write = async (value: unknown, format: "csv" | "png") =>
    threads.write(await resultOf(value), { formats: [format], isFirm: true }, by("ada"));
  for (const value of ["x", "x".repeat(300_000)])
    for (const format of ["csv", "png"] as const) {
      const failed = write(value, format);
      await expect(failed).rejects.toThrow(UsageError);
      await expect(failed).rejects.toThrow(
        `Cannot write the result as ${format}: it is a text. Formats that suit it: json, html, text`,
      );
    }
});

test("what takes too long is ended, and the next one is written", async () => {
  threads = openResultThreads(1, { mostMs: 300 });
  const endless = await resultOf(Array.from({ length: 40_000 }, (_, n) => ({ [n]: n })));
  await expect(threads.write(endless, csv, by("ada"))).rejects.toThrow(LimitExceededError);
  threads.close();
  threads = openResultThreads(1);
  expect((await threads.write(await resultOf(records(30_000)), csv, by("ada"))).bytes.length).toBeGreaterThan(
    300_000,
  );
});

test("nobody has all threads", async () => {
  threads = openResultThreads(2, { mostMs: 5000 });
  const slow = await resultOf(Array.from({ length: 40_000 }, (_, n) => ({ [n]: n })));
  let ended = 0;
  const waiting = Array.from({ length: 4 }, () =>
    threads
      .write(slow, csv, by("eve"))
      .catch((error) => error)
      .finally(() => ended++),
  );
  await threads.write(await resultOf(records(30_000)), csv, by("ada"));
  // All of them take far longer than ada's.
  expect(ended).toBe(0);
  threads.close();
  for (const end of await Promise.all(waiting)) expect(end).not.toBeInstanceOf(ResultError);
});
