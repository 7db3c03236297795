import { describe, expect, test } from "vitest";
import type { RunAnswer } from "./run-answer.ts";
import { StartedRuns } from "./started-runs.ts";

const never = new AbortController().signal;
const answerOf = (text: string): RunAnswer => ({
  status: 200,
  headers: {},
  body: new TextEncoder().encode(text),
  isCut: false,
});

/** A run that is ended by hand. */
function held() {
  let end!: (answer: RunAnswer) => void;
  let print!: (stream: "stdout" | "stderr", text: string) => void;
  let cancelled!: AbortSignal;
  const run = (onOutput: typeof print, signal: AbortSignal) => {
    print = onOutput;
    cancelled = signal;
    return new Promise<RunAnswer>((resolve) => {
      end = resolve;
    });
  };
  return {
    run,
    end: (text: string) => end(answerOf(text)),
    print: (text: string) => print("stdout", text),
    isCancelled: () => cancelled.aborted,
  };
}

describe("a run that was started", () => {
  test("can be cancelled, again and again", () => {
    const runs = new StartedRuns();
    const { run, isCancelled } = held();
    runs.start("ada", "1", run);
    expect(isCancelled()).toBe(false);
    for (const _ of [1, 2]) runs.get("ada", "1")?.cancel();
    expect(isCancelled()).toBe(true);
  });

  test("is waited for up to a time, or until nobody waits", async () => {
    const runs = new StartedRuns();
    const { run, end } = held();
    const started = runs.start("ada", "1", run);
    expect(await started.within(5, never)).toBeUndefined();
    const gone = new AbortController();
    const waiting = started.within(60_000, gone.signal);
    gone.abort();
    expect(await waiting).toBeUndefined();
    const again = started.within(60_000, never);
    end("7");
    expect(await again).toEqual(answerOf("7"));
    expect(await runs.get("ada", "1")?.within(0, never)).toEqual(answerOf("7"));
  });

  test("is its user's alone, and one run for each number", () => {
    const runs = new StartedRuns();
    const started = runs.start("ada", "1", held().run);
    expect(runs.start("ada", "1", held().run)).toBe(started);
    expect(runs.get("bob", "1")).toBeUndefined();
    expect(runs.start("bob", "1", held().run)).not.toBe(started);
  });

  test("shows what it prints, from its begin to its end, to all who look", async () => {
    const runs = new StartedRuns();
    const { run, end, print } = held();
    const started = runs.start("ada", "1", run);
    const look = async (signal = never) => {
      const seen: string[] = [];
      for await (const piece of started.events(signal))
        seen.push(piece.event === "end" ? `end ${piece.status}` : piece.text);
      return seen;
    };
    print("a");
    const gone = new AbortController();
    const [first, second] = [look(), look(gone.signal)];
    await Promise.resolve();
    gone.abort();
    print("b");
    end("");
    expect(await first).toEqual(["a", "b", "end 200"]);
    expect(await second).not.toContain("end 200");
    expect(await look()).toEqual(["a", "b", "end 200"]);
    expect(started.output()).toEqual({ stdout: "ab", stderr: "" });
  });

  test("is not forgotten because somebody else has many", async () => {
    const runs = new StartedRuns();
    const done = async (user: string, id: string) => {
      const { run, end } = held();
      const { ended } = runs.start(user, id, run);
      end("x".repeat(200));
      await ended;
    };
    await done("ada", "1");
    for (let i = 0; i < 1100; i++) await done("eve", `${i}`);
    expect(runs.get("ada", "1")).toBeDefined();
    expect(runs.get("eve", "1099")).toBeDefined();
    expect(runs.get("eve", "999")).toBeUndefined();
  });

  test("that ended last has its answer, however large", async () => {
    const runs = new StartedRuns();
    const body = new Uint8Array(300 * 1024 * 1024);
    for (const id of ["1", "2"]) await runs.start("ada", id, async () => ({ ...answerOf(""), body })).ended;
    expect(runs.get("ada", "1")).toBeUndefined();
    expect(runs.get("ada", "2")?.answer?.body.length).toBe(body.length);
  });

  test("is forgotten when it is told so, and when there are too many", async () => {
    const runs = new StartedRuns();
    const done = async (id: string) => {
      const { run, end } = held();
      const { ended } = runs.start("ada", id, run);
      end(id);
      await ended;
    };
    await done("1");
    runs.forget("ada", "1");
    expect(runs.get("ada", "1")).toBeUndefined();
    for (let i = 0; i < 1100; i++) await done(`run-${i}`);
    expect(runs.get("ada", "run-0")).toBeUndefined();
    expect(runs.get("ada", "run-1099")).toBeDefined();
  });
});
