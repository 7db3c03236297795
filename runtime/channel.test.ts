import { describe, expect, test } from "vitest";
import {
  CREDITS,
  decodeFrame,
  encodeFrameHead,
  type Frame,
  FrameReader,
  GuestChannel,
  HostChannel,
  type Port,
  readFrame,
} from "./channel.ts";

const frame = (fields: Partial<Frame> = {}): Frame => ({
  kind: "request",
  id: 7,
  name: "run",
  text: '{"ä":"𝄞"}',
  buffers: [new Uint8Array([1, 2, 3]), new Uint8Array(0), new Uint8Array(70_000).fill(9)],
  ...fields,
});

function bytesOf(of: Frame): Uint8Array {
  return Uint8Array.from([...encodeFrameHead(of), ...of.buffers.flatMap((buffer) => [...buffer])]);
}

describe("a frame", () => {
  test("comes back as it was, in chunks of any size", () => {
    const bytes = Uint8Array.from([
      ...bytesOf(frame()),
      ...bytesOf(frame({ kind: "event", id: 0, buffers: [] })),
    ]);
    for (const size of [1, 3, 4096, bytes.length]) {
      const seen: Frame[] = [];
      const reader = new FrameReader({ maxBytes: 1e6 }, (found) => seen.push(found));
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      expect(seen).toEqual([frame(), frame({ kind: "event", id: 0, buffers: [] })]);
    }
  });

  test("read part by part is the same, and each buffer has memory of its own", () => {
    const bytes = bytesOf(frame());
    let at = 4;
    const read = (into: Uint8Array) => {
      into.set(bytes.subarray(at, at + into.length));
      at += into.length;
    };
    const found = readFrame(bytes.length - 4, read);
    expect(found).toEqual(frame());
    expect(new Set(found.buffers.map((buffer) => buffer.buffer)).size).toBe(3);
  });

  test("is refused wherever it was cut off", () => {
    const bytes = bytesOf(frame({ buffers: [new Uint8Array([1, 2, 3])] })).subarray(4);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeFrame(bytes.subarray(0, length))).toThrow("malformed");
    }
  });

  test("is refused with lengths that lie, an unknown kind, or more bytes than allowed", () => {
    const bytes = bytesOf(frame({ buffers: [] })).subarray(4);
    for (const at of [0, 2, 8, 12]) {
      const changed = bytes.slice();
      changed[at] = 0xee;
      expect(() => decodeFrame(changed)).toThrow("malformed");
    }
    const reader = new FrameReader({ maxBytes: 1000 }, () => {});
    expect(() => reader.push(new Uint8Array([0, 0, 0, 0xff]))).toThrow("at most 1000");
    expect(() => new FrameReader({ maxBytes: 1000 }, () => {}).push(new Uint8Array(4))).toThrow(
      "A frame of 0 bytes",
    );
  });
});

function hostChannel(options: Pick<Port, "creditGapMs" | "flow"> = {}) {
  const posted: Frame[] = [];
  const events: string[] = [];
  const port: Port = {
    ...options,
    post: (f) => posted.push(f),
    onFrame() {},
    onClose() {},
    close: () => events.push("port closed"),
  };
  const channel = new HostChannel(port, {
    request: (name) =>
      name === "fail" ? Promise.reject(new Error("refused")) : { text: `answer to ${name}`, buffers: [] },
    event: (name) => events.push(name),
    closed: (reason) => events.push(`closed: ${reason.message}`),
  });
  return { posted, events, port, channel };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the host's end", () => {
  test("gives replies to whom they belong, in any order", async () => {
    const { channel, port, posted } = hostChannel();
    const [a, b] = [
      channel.request("a", { text: "", buffers: [] }),
      channel.request("b", { text: "", buffers: [] }),
    ];
    const ids = posted.map((f) => f.id) as [number, number];
    port.onFrame(frame({ kind: "reply", id: ids[1], text: "2", buffers: [] }));
    port.onFrame(frame({ kind: "reply", id: ids[0], text: "1", buffers: [] }));
    expect([(await a).text, (await b).text]).toEqual(["1", "2"]);
  });

  test("ends a guest that answers what nobody asked", () => {
    const { port, events } = hostChannel();
    port.onFrame(frame({ kind: "reply", id: 99 }));
    expect(events).toEqual(["port closed", "closed: The isolate answered request 99, which nobody asked"]);
  });

  test("ends a guest that sends without credit, and hears nothing more of it", () => {
    const { port, events, posted } = hostChannel();
    // Requests whose answers are still under way give no credit back.
    for (let i = 0; i <= CREDITS; i++) port.onFrame(frame({ id: i + 1, buffers: [] }));
    expect(events.at(-1)).toMatch(/more than 256 frames/);
    const before = events.length;
    port.onFrame(frame({ kind: "event", name: "late" }));
    expect(events.length).toBe(before);
    expect(posted.filter((f) => f.kind === "reply")).toEqual([]);
  });

  test("gives credit back for what it has handled: events can go on for ever", async () => {
    const { port, events, posted } = hostChannel();
    for (let i = 0; i < CREDITS * 4; i++) port.onFrame(frame({ kind: "event", name: "output" }));
    await settled();
    expect(events.length).toBe(CREDITS * 4);
    const credit = posted.filter((f) => f.name === "credit").reduce((sum, f) => sum + Number(f.text), 0);
    expect(credit).toBe(CREDITS * 4);
  });

  test("where frames queue up on this side, ends a guest that sends faster than credit is given", () => {
    const { port, events, posted } = hostChannel({ creditGapMs: 60_000 });
    for (let i = 0; i < CREDITS * 2; i++) port.onFrame(frame({ kind: "event", name: "output" }));
    expect(events.at(-1)).toMatch(/more than 256 frames/);
    expect(posted.filter((f) => f.name === "credit").length).toBe(1);
  });

  test("answers nothing more while its answers are not taken", async () => {
    let drained = Promise.withResolvers<void>();
    let isFull = true;
    const flow = { drained: () => (isFull ? drained.promise : undefined), hold() {} };
    const { channel, port, posted } = hostChannel({ flow });
    port.onFrame(frame({ id: 1, name: "a", buffers: [] }));
    let isTaken = false;
    void channel.taken().then(() => (isTaken = true));
    await settled();
    expect([posted.length, isTaken]).toEqual([0, false]);
    isFull = false;
    drained.resolve();
    drained = Promise.withResolvers();
    await settled();
    expect([posted.map((f) => f.text), isTaken]).toEqual([["answer to a"], true]);
  });

  test("does not hear a guest that has asked with too much, until some of it is answered", async () => {
    const held: boolean[] = [];
    const { port } = hostChannel({ flow: { drained: () => undefined, hold: (isHeld) => held.push(isHeld) } });
    const body = { name: "a", buffers: [new Uint8Array(60 * 1024 * 1024)] };
    port.onFrame(frame({ id: 1, ...body }));
    port.onFrame(frame({ id: 2, ...body }));
    expect(held).toEqual([]);
    port.onFrame(frame({ id: 3, ...body }));
    expect(held).toEqual([true]);
    await settled();
    expect(held).toEqual([true, false]);
  });

  test("a guest that replaces another has all credit, and gets no answers that were meant for the other", async () => {
    const { channel, port, events, posted } = hostChannel();
    for (let i = 0; i < CREDITS; i++) port.onFrame(frame({ id: i + 1, name: "old", buffers: [] }));
    channel.startAnew();
    await settled();
    expect(posted).toEqual([]);
    for (let i = 0; i < CREDITS; i++) port.onFrame(frame({ id: i + 1, name: "new", buffers: [] }));
    await settled();
    expect(events).toEqual([]);
    const replies = posted.filter((f) => f.kind === "reply");
    expect(new Set(replies.map((f) => f.text))).toEqual(new Set(["answer to new"]));
    expect(replies.length).toBe(CREDITS);
  });

  test("rejects what is waiting when it closes, and what is asked later", async () => {
    const { channel, events } = hostChannel();
    const waiting = channel.request("run", { text: "", buffers: [] });
    channel.close(new Error("over"));
    channel.close(new Error("again"));
    await expect(waiting).rejects.toThrow("over");
    await expect(channel.request("run", { text: "", buffers: [] })).rejects.toThrow("over");
    expect(events).toEqual(["port closed", "closed: over"]);
  });

  test("closes when answering a request fails", async () => {
    const { port, events } = hostChannel();
    port.onFrame(frame({ name: "fail" }));
    await settled();
    expect(events.at(-1)).toBe("closed: refused");
  });
});

describe("the guest's end", () => {
  test("one reader serves blocking and asynchronous waits", async () => {
    const inbox: Frame[] = [];
    const sent: Frame[] = [];
    const handled: string[] = [];
    const channel: GuestChannel = new GuestChannel(
      { post: (f) => sent.push(f), receive: () => inbox.shift() as Frame },
      (f) => handled.push(f.name),
    );
    const slow = channel.request("slow", { text: "", buffers: [] });
    const [first] = sent as [Frame];
    inbox.push(
      frame({ kind: "event", name: "news", id: 0 }),
      frame({ kind: "reply", id: first.id, text: "late" }),
    );
    inbox.push(frame({ kind: "reply", id: first.id + 1, text: "now" }));
    expect(channel.requestBlocking("fast", { text: "", buffers: [] }).text).toBe("now");
    expect((await slow).text).toBe("late");
    expect(handled).toEqual(["news"]);
  });

  test("waits for credit: in a queue where it cannot block", () => {
    const sent: Frame[] = [];
    const channel = new GuestChannel({ post: (f) => sent.push(f), receive: undefined }, () => {});
    for (let i = 0; i < CREDITS + 10; i++) channel.event("output", { text: String(i), buffers: [] });
    expect(sent.length).toBe(CREDITS);
    channel.deliver(frame({ kind: "event", name: "credit", text: "4", buffers: [] }));
    expect(sent.slice(CREDITS).map((f) => f.text)).toEqual(["256", "257", "258", "259"]);
    expect(() => channel.requestBlocking("x", { text: "", buffers: [] })).toThrow("cannot block");
  });

  test("says when nothing waits for credit any more", async () => {
    const channel = new GuestChannel({ post() {}, receive: undefined }, () => {});
    await channel.drained();
    for (let i = 0; i < CREDITS + 2; i++) channel.event("output", { text: "", buffers: [] });
    const order: string[] = [];
    const drained = channel.drained().then(() => order.push("drained"));
    for (const step of ["one", "two"]) {
      await settled();
      order.push(step);
      channel.deliver(frame({ kind: "event", name: "credit", text: "1", buffers: [] }));
    }
    await drained;
    expect(order).toEqual(["one", "two", "drained"]);
  });
});
