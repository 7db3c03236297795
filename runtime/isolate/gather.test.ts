import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { gatherOutput } from "./gather.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("gatherOutput()", () => {
  const sent: [string, string][] = [];
  let now = 0;
  const open = () =>
    gatherOutput(
      (stream, piece) => sent.push([stream, new TextDecoder().decode(piece)]),
      () => now,
    );

  beforeEach(() => {
    vi.useFakeTimers();
    sent.length = 0;
    now = 0;
  });
  afterEach(() => void vi.useRealTimers());

  test("sends the first piece at once, and the following ones together", () => {
    const { write, flush } = open();
    for (const text of ["a", "b", "c"]) write("stdout", bytes(text));
    expect(sent).toEqual([["stdout", "a"]]);
    flush();
    flush();
    expect(sent).toEqual([
      ["stdout", "a"],
      ["stdout", "bc"],
    ]);
  });

  test("a piece waits no longer than 50 ms, whether or not another follows", () => {
    const { write } = open();
    write("stdout", bytes("a"));
    write("stdout", bytes("b"));
    now = 60;
    write("stdout", bytes("c"));
    expect(sent.at(-1)).toEqual(["stdout", "bc"]);
    write("stdout", bytes("d"));
    vi.advanceTimersByTime(50);
    expect(sent.at(-1)).toEqual(["stdout", "d"]);
  });

  test("keeps the order of the two streams, and sends what is large at once", () => {
    const { write, flush } = open();
    write("stdout", bytes("1"));
    write("stdout", bytes("2"));
    write("stderr", bytes("3"));
    write("stdout", bytes("4"));
    write("stdout", bytes("x".repeat(70_000)));
    expect(sent.map(([stream, text]) => [stream, text.length])).toEqual([
      ["stdout", 1],
      ["stdout", 1],
      ["stderr", 1],
      ["stdout", 70_001],
    ]);
    flush();
    expect(sent.length).toBe(4);
  });

  test("copies: the writer may reuse its memory", () => {
    const { write, flush } = open();
    const memory = bytes("a");
    write("stdout", memory);
    write("stdout", memory);
    memory.fill(0);
    flush();
    expect(sent.at(-1)).toEqual(["stdout", "a"]);
  });
});
