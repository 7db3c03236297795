import { describe, expect, test } from "vitest";
import { RunQueue } from "./run-queue.ts";

const never = new AbortController().signal;
const open = () => new RunQueue({ atOnce: 2, waiting: 2, waitingInAll: 3 });
/** Whether something has come of a promise by now. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return (
    (await Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 0, pending))])) === pending
  );
}

describe("the queue", () => {
  test("lets so many run at once, and the others in their order", async () => {
    const queue = open();
    const leave = await queue.enter("a", never);
    await queue.enter("a", never);
    const third = queue.enter("a", never);
    const fourth = queue.enter("a", never);
    expect(await isPending(third)).toBe(true);
    expect(queue.waiting).toBe(2);
    leave();
    const leaveThird = await third;
    expect(await isPending(fourth)).toBe(true);
    leaveThird();
    await fourth;
    expect(queue.waiting).toBe(0);
  });

  test("is one for each key", async () => {
    const queue = open();
    await Promise.all(["a", "a", "b", "b"].map((key) => queue.enter(key, never)));
  });

  test("refuses what is too much for one key, and for all, and says when to come again", async () => {
    const queue = open();
    for (let i = 0; i < 4; i++) void queue.enter("a", never).catch(() => {});
    await expect(queue.enter("a", never)).rejects.toMatchObject({
      status: 429,
      headers: { "retry-after": "1" },
    });
    for (let i = 0; i < 3; i++) void queue.enter("b", never).catch(() => {});
    await expect(queue.enter("b", never)).rejects.toMatchObject({
      status: 503,
      headers: { "retry-after": "1" },
    });
    await queue.enter("c", never);
  });

  test("refuses what is too large together with what waits, of one key and of all", async () => {
    const queue = new RunQueue({ atOnce: 1, waiting: 9, waitingInAll: 9, bytes: 10, bytesInAll: 15 });
    const gone = new AbortController();
    for (const key of ["a", "b"]) await queue.enter(key, never, 100);
    const waiting = queue.enter("a", gone.signal, 8);
    await expect(queue.enter("a", never, 3)).rejects.toMatchObject({ status: 429 });
    await expect(queue.enter("b", never, 8)).rejects.toMatchObject({ status: 503 });
    gone.abort();
    await expect(waiting).rejects.toThrow("cancelled before it began");
    for (const key of ["a", "b"]) void queue.enter(key, never, 7).catch(() => {});
    expect(queue.waiting).toBe(2);
  });

  test("lets go of who is cancelled", async () => {
    const queue = open();
    const gone = new AbortController();
    await queue.enter("a", never);
    await queue.enter("a", never);
    const third = queue.enter("a", gone.signal);
    gone.abort();
    await expect(third).rejects.toThrow("cancelled before it began");
    await expect(queue.enter("a", gone.signal)).rejects.toThrow("cancelled before it began");
    expect(queue.waiting).toBe(0);
  });

  test("refuses all once it is closed", async () => {
    const queue = open();
    await queue.enter("a", never);
    await queue.enter("a", never);
    const third = queue.enter("a", never);
    queue.close();
    await expect(third).rejects.toMatchObject({ status: 503 });
    await expect(queue.enter("b", never)).rejects.toMatchObject({ status: 503 });
  });
});
