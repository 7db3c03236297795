import { describe, expect, test, vi } from "vitest";
import { Body } from "./body.ts";
import { NetError } from "./errors.ts";

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value);

function open(mostBytes = 10_000_000) {
  const source = { resume: vi.fn(), cancel: vi.fn() };
  const owner = { close: vi.fn() };
  const body = new Body(source, mostBytes);
  body.owner = owner;
  return { body, source, owner };
}

describe("Body", () => {
  test("gives what came, in order, cut as asked for", () => {
    const { body, owner } = open();
    body.push(bytes(3, 1));
    body.push(bytes(3, 2));
    body.push(bytes(3, 3));
    expect([...body.take(4)]).toEqual([1, 1, 1, 2]);
    expect([...body.take(2)]).toEqual([2, 2]);
    body.end();
    expect(body).toMatchObject({ isEnded: true, isDone: false });
    expect(owner.close).not.toHaveBeenCalled();
    expect([...body.take(100)]).toEqual([3, 3, 3]);
    expect(body.isDone).toBe(true);
    expect(owner.close).toHaveBeenCalledOnce();
    expect(body.take(100)).toHaveLength(0);
  });

  test("asks its source to wait while much is unread, and to go on when there is room", () => {
    const { body, source } = open();
    expect(body.push(bytes(1_000_000))).toBe(true);
    expect(body.push(bytes(100_000))).toBe(false);
    expect(source.resume).not.toHaveBeenCalled();
    body.take(100_000);
    expect(source.resume).toHaveBeenCalledOnce();
    body.take(1_000_000);
    expect(source.resume).toHaveBeenCalledOnce();
  });

  test("ends beyond its bound, and has the source let go", () => {
    const { body, source, owner } = open(10);
    expect(body.push(bytes(10))).toBe(true);
    expect(body.push(bytes(1))).toBe(false);
    expect(source.cancel).toHaveBeenCalledOnce();
    expect(owner.close).toHaveBeenCalledOnce();
    expect(() => body.take(100)).toThrow(expect.objectContaining({ code: "size" }));
    expect(body.push(bytes(1))).toBe(false);
  });

  test("wait() ends with enough bytes, with the end, with a failure, and with its time", async () => {
    const { body } = open();
    const four = body.wait(4, 10_000);
    body.push(bytes(3));
    expect(await body.wait(1, 10_000)).toBe(true);
    expect(await body.wait(4, 1)).toBe(false);
    body.push(bytes(1));
    expect(await four).toBe(true);
    const more = body.wait(100, 10_000);
    body.end();
    expect(await more).toBe(true);

    const failing = open().body;
    const waiting = failing.wait(1, 10_000);
    failing.fail(new NetError("protocol", "broken"));
    expect(await waiting).toBe(true);
    expect(() => failing.take(1)).toThrow("broken");
  });

  test("close() lets go of what is not read, once", () => {
    const { body, source, owner } = open();
    body.push(bytes(5));
    body.close();
    body.close();
    expect(source.cancel).toHaveBeenCalledOnce();
    expect(owner.close).toHaveBeenCalledOnce();
    expect(body.isDone).toBe(true);
    expect(() => body.take(1)).toThrow(expect.objectContaining({ code: "closed" }));

    const ended = open();
    ended.body.push(bytes(5));
    ended.body.end();
    ended.body.close();
    expect(ended.source.cancel).not.toHaveBeenCalled();
    expect(ended.owner.close).toHaveBeenCalledOnce();
    expect(ended.body.isDone).toBe(true);
  });

  test("tells an owner that comes late", () => {
    const body = new Body({ resume() {}, cancel() {} }, 10);
    body.end();
    const owner = { close: vi.fn() };
    body.owner = owner;
    expect(owner.close).toHaveBeenCalledOnce();
  });
});
