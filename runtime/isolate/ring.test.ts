import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { makeRing, RingReader, RingWriter } from "./ring.ts";

const pattern = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255);

describe("a ring", () => {
  test("gives bytes back in order, also around its end", () => {
    const memory = makeRing();
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory, () => writer.flush());
    for (let round = 0; round < 9; round++) {
      const bytes = pattern(300_000, round);
      writer.push(bytes);
      const found = new Uint8Array(bytes.length);
      reader.read(found);
      expect(Buffer.compare(found, bytes)).toBe(0);
    }
  });

  test("keeps what does not fit until there is room", () => {
    const memory = makeRing();
    const writer = new RingWriter(memory);
    let calls = 0;
    const reader = new RingReader(memory, () => {
      calls++;
      writer.flush();
    });
    const bytes = pattern(5_000_000, 1);
    writer.push(bytes);
    const found = new Uint8Array(bytes.length);
    for (let at = 0; at < found.length; at += 70_001) reader.read(found.subarray(at, at + 70_001));
    expect(Buffer.compare(found, bytes)).toBe(0);
    expect(calls).toBeGreaterThan(3);
  });

  test("a reader blocks until the writer, on another thread, has written; positions wrap", async () => {
    const memory = makeRing();
    const state = new Int32Array(memory);
    // Just before 2^32 bytes have gone through it.
    state[0] = -1000;
    state[1] = -1000;
    const thread = new Worker(
      `import { RingReader } from ${JSON.stringify(new URL("./ring.ts", import.meta.url).href)};
       import { parentPort, workerData } from "node:worker_threads";
       const reader = new RingReader(workerData, () => parentPort.postMessage("room"));
       const found = new Uint8Array(3_000_000);
       reader.read(found);
       parentPort.postMessage(found);`,
      { eval: true, workerData: memory },
    );
    const writer = new RingWriter(memory);
    const bytes = pattern(3_000_000, 2);
    const result = new Promise<Uint8Array>((resolve) => {
      thread.on("message", (message: unknown) => {
        if (message === "room") writer.flush();
        else resolve(message as Uint8Array);
      });
    });
    await once(thread, "online");
    writer.push(bytes.subarray(0, 10));
    writer.push(bytes.subarray(10));
    expect(Buffer.compare(await result, bytes)).toBe(0);
    await thread.terminate();
  });
});
