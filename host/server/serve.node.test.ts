import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Listening, listen } from "./serve.node.ts";

const MINUTE = 60_000;
let listening: Listening;
let received: number;
let failed: unknown;
let wasGone: boolean;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  [received, failed, wasGone] = [0, undefined, false];
  listening = await listen(
    async (request, { gone }) => {
      try {
        for await (const part of request.body as unknown as AsyncIterable<Uint8Array>)
          received += part.length;
      } catch (error) {
        [failed, wasGone] = [error, gone.aborted];
      }
      return new Response("done");
    },
    { port: 0, host: "127.0.0.1" },
  );
});
afterEach(async () => {
  vi.useRealTimers();
  await listening.close(0);
});

async function upload(bytes: number): Promise<Socket> {
  const socket = connect(listening.port, "127.0.0.1");
  socket.write(`PUT / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${bytes}\r\n\r\n`);
  await once(socket, "connect");
  return socket;
}

test("a body that goes on may take its time", async () => {
  const part = 100_000;
  const socket = await upload(10 * part);
  for (let sent = part; sent <= 10 * part; sent += part) {
    socket.write("x".repeat(part));
    await expect.poll(() => received).toBe(sent);
    vi.advanceTimersByTime(MINUTE);
  }
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1.1 200/);
  socket.destroy();
});

test("a body that dawdles ends with its connection", async () => {
  const socket = await upload(1_000_000);
  socket.write("x".repeat(1000));
  await expect.poll(() => received).toBe(1000);
  vi.advanceTimersByTime(2 * MINUTE);
  await once(socket, "close");
  await expect.poll(() => failed).toBeInstanceOf(Error);
  // So that it counts as no failure of the server.
  expect([wasGone, (failed as { code?: string }).code]).toEqual([true, "ABORT_ERR"]);
});
