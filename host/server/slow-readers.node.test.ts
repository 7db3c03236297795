import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Listening, listen } from "./serve.node.ts";

/** In place of a minute. */
const READ_MS = 200;
const MB = 1024 * 1024;
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const gone = new Set<string>();
let made = 0;
const endless = (first: Promise<unknown>) =>
  new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await first;
        made++;
        controller.enqueue(new Uint8Array(MB));
      },
    },
    { highWaterMark: 0 },
  );
const BODIES: Readonly<Record<string, () => BodyInit | Promise<BodyInit>>> = {
  "/endless": () => endless(Promise.resolve()),
  "/first-nothing": () => endless(later(3 * READ_MS)),
  "/whole": () => new Uint8Array(64 * MB),
  "/late": () => later(4 * READ_MS).then(() => "late"),
  "/events": () =>
    new ReadableStream({
      async start(controller) {
        for (let n = 0; n < 4; n++) {
          controller.enqueue(new TextEncoder().encode(": still here\n\n"));
          await later(2 * READ_MS);
        }
        controller.close();
      },
    }),
};

let listening: Listening;
beforeAll(async () => {
  listening = await listen(
    async (request, peer) => {
      const { pathname } = new URL(request.url);
      peer.gone.addEventListener("abort", () => gone.add(pathname));
      return new Response(await BODIES[pathname]!());
    },
    { port: 0, host: "127.0.0.1", readMs: READ_MS },
  );
});
afterAll(() => listening.close(0));

async function ask(...paths: string[]): Promise<Socket> {
  const socket = connect(listening.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  await once(socket, "connect");
  for (const path of paths) socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
  return socket;
}

test.for(["/endless", "/first-nothing", "/whole"])(
  "a client that takes nothing of %s is let go, and holds little until then",
  async (path) => {
    made = 0;
    gone.clear();
    const socket = await ask(path);
    await expect.poll(() => [...gone], { timeout: 5000 }).toEqual([path]);
    // What the system holds for both ends, and no more.
    expect(made).toBeLessThan(32);
    socket.destroy();
  },
);

test("a client that takes its time, and one that waits for an answer, are not", async () => {
  gone.clear();
  const slow = await ask("/whole");
  let [taken, parts] = [0, 0];
  slow.on("data", (part: Buffer) => {
    taken += part.length;
    slow.pause();
    // All pauses together are longer than READ_MS, and none of them is.
    if (++parts % 50 === 0) setTimeout(() => slow.resume(), READ_MS / 4);
    else slow.resume();
  });
  const others = await Promise.all([ask("/events"), ask("/late"), ask("/late", "/late")]);
  const texts = others.map(() => "");
  for (const [i, socket] of others.entries())
    socket.on("data", (part: Buffer) => {
      texts[i] += String(part);
    });
  for (const socket of [slow, ...others]) socket.resume();
  const ends = (text: string, end: string) => text.split(end).length - 1;
  await expect
    .poll(() => [ends(texts[0]!, "\r\n0\r\n"), ends(texts[1]!, "\r\nlate"), ends(texts[2]!, "\r\nlate")], {
      timeout: 10_000,
    })
    .toEqual([1, 1, 2]);
  expect(texts[0]!.split(": still here").length).toBe(5);
  await expect.poll(() => taken, { timeout: 15_000 }).toBeGreaterThan(64 * MB);
  expect([...gone]).toEqual([]);
  for (const socket of [slow, ...others]) socket.destroy();
});

test("a connection that nothing is asked on is let go", async () => {
  const socket = connect(listening.port, "127.0.0.1").resume();
  await once(socket, "close");
});
